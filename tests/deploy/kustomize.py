"""As much of kustomize as deploy/ uses: resources, components, JSON patches, images, namespaces."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]


def _step(parent: Any, key: str) -> Any:
    return parent[int(key) if isinstance(parent, list) else key]


def apply_operation(target: Object, operation: Object) -> None:
    """One operation of RFC 6902; KeyError or IndexError where there is nothing to replace or remove."""
    *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
    parent: Any = target
    for key in parents:
        parent = _step(parent, key)
    if isinstance(parent, list):
        if operation["op"] == "add":
            parent.insert(len(parent) if last == "-" else int(last), copy.deepcopy(operation["value"]))
            return
        last = int(last)
    if operation["op"] in ("replace", "remove"):
        _ = parent[last]
    if operation["op"] == "remove":
        del parent[last]
    else:
        parent[last] = copy.deepcopy(operation["value"])


def _containers(thing: Object) -> list[Object]:
    template = thing.get("spec", {}).get("template", {})
    return template.get("spec", {}).get("containers", [])


def _set_image(thing: Object, image: Object) -> None:
    for container in _containers(thing):
        name, _, tag = container["image"].partition(":")
        if name == image["name"]:
            container["image"] = f"{image.get('newName', name)}:{image.get('newTag', tag)}"


def build(folder: Path, things: list[Object] | None = None) -> list[Object]:
    """The objects that a kustomization.yaml gives; a component works on `things`."""
    spec = yaml.safe_load((folder / "kustomization.yaml").read_text())
    things = things or []
    for name in spec.get("resources", []):
        path = folder / name
        things = things + (
            build(path) if path.is_dir() else [thing for thing in yaml.safe_load_all(path.read_text()) if thing]
        )
    for name in spec.get("components", []):
        things = build(folder / name, things)
    for generated in spec.get("configMapGenerator", []):
        data = {name: (folder / name).read_text() for name in generated["files"]}
        metadata = {"name": generated["name"], "labels": generated["options"]["labels"]}
        things = [*things, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}]
    for patch in spec.get("patches", []):
        wanted = patch["target"]
        hit = [
            thing
            for thing in things
            if thing["kind"] == wanted["kind"] and re.fullmatch(wanted.get("name", ".*"), thing["metadata"]["name"])
        ]
        assert hit, f"{folder}: nothing is {wanted}"
        for thing in hit:
            for operation in yaml.safe_load(patch["patch"]):
                apply_operation(thing, operation)
    for image in spec.get("images", []):
        for thing in things:
            _set_image(thing, image)
    if "namespace" in spec:
        for thing in things:
            if thing["kind"] != "Namespace":
                thing["metadata"]["namespace"] = spec["namespace"]
    return things
