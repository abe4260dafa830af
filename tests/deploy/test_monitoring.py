"""Alerts, panels and scalers name metrics that a real server gives, and alerts fire when they should."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml

from kustomize import build

SOURCE = Path(__file__).resolve().parents[2]
MONITORING = SOURCE / "deploy" / "monitoring"
PROMTOOL = shutil.which("promtool", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool (Debian: prometheus) is not there")


@needs_promtool
def test_promtool_takes_the_rules_and_their_tests_pass(tmp_path: Path):
    shutil.copy(MONITORING / "alerts.yaml", tmp_path)
    shutil.copy(Path(__file__).parent / "alerts_test.yaml", tmp_path)
    for command in (["check", "rules", "alerts.yaml"], ["test", "rules", "alerts_test.yaml"]):
        ran = subprocess.run([PROMTOOL, *command], cwd=tmp_path, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout + ran.stderr


@needs_promtool
def test_promtool_takes_the_configuration_of_the_laptop(tmp_path: Path):
    shutil.copy(MONITORING / "alerts.yaml", tmp_path)
    shutil.copy(SOURCE / "docker/prometheus/prometheus.yaml", tmp_path)
    ran = subprocess.run([PROMTOOL, "check", "config", "prometheus.yaml"], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def rules() -> list[dict]:
    return [
        rule for group in yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"] for rule in group["rules"]
    ]


def test_every_alert_is_tested_both_ways():
    quiet, loud = yaml.safe_load((Path(__file__).parent / "alerts_test.yaml").read_text())["tests"]
    alerts = {rule["alert"] for rule in rules() if "alert" in rule}
    assert {case["alertname"] for case in quiet["alert_rule_test"] if not case.get("exp_alerts")} == alerts
    assert {case["alertname"] for case in loud["alert_rule_test"] if case.get("exp_alerts")} == alerts


def test_the_operator_gets_the_same_rules():
    rule = yaml.safe_load((MONITORING / "prometheus-rule.yaml").read_text())
    assert rule["spec"] == yaml.safe_load((MONITORING / "alerts.yaml").read_text())


def expressions() -> list[str]:
    """Whatever is asked of Prometheus anywhere in deploy/."""
    found = [rule["expr"] for rule in rules()]
    panels = json.loads((MONITORING / "dashboard.json").read_text())["panels"]
    found += [target["expr"] for panel in panels for target in panel.get("targets", [])]
    for thing in build(SOURCE / "deploy/overlays/production"):
        if thing["kind"] == "ScaledObject":
            found += [trigger["metadata"]["query"] for trigger in thing["spec"]["triggers"]]
    return found


NAME = re.compile(r"\b((?:ddsp|grpc_server)_\w+)(?:\{([^}]*)\})?")


@pytest.fixture(scope="module")
def scrape() -> Iterator[dict[str, set[str]]]:
    """Names of all series of a server that has seen everything, with the labels that they have."""
    pb = pytest.importorskip("ddsp_client._proto")
    import ddsp_client
    from ddsp_server import Server, serves_jobs
    from ddsp_client import _channel as channel
    from ddsp_client._steps import call, run

    if not serves_jobs():
        pytest.skip("this server keeps no jobs")
    with tempfile.TemporaryDirectory() as data, tempfile.NamedTemporaryFile("w") as keys:
        hashed = hashlib.sha256(b"key").hexdigest()
        keys.write(f'key {{ tenant: "test" role: STREAM role: PUBLISH sha256: "{hashed}" }}')
        keys.flush()
        server = Server("--max-sessions=1", f"--data-dir={data}", f"--auth-keys={keys.name}")
        try:
            with ddsp_client.Client(server.address, attempts=1) as stranger:
                with pytest.raises(ddsp_client.UnauthenticatedError):
                    stranger.features(np.zeros(16000, np.float32))
            with ddsp_client.Client(server.address, attempts=1, token="key") as client:
                client.render(np.zeros(16000, np.float32), model="violin")
                with client.open(ddsp_client.StreamOptions(model="violin")):
                    with pytest.raises(ddsp_client.UnavailableError):
                        client.open(ddsp_client.StreamOptions(model="violin"))
                # A training that a worker ends without a voice: refused when it is to be published.
                recording = SOURCE / "testdata/audio/clips/singing.wav"
                client.jobs.submit_train(recording, model="my-cello")

                def unary(name: str, request: type, response: type) -> channel.Method:
                    return channel.Method(f"/ddsp.v1.Jobs/{name}", request, response)

                def ask(method: channel.Method, request: object) -> object:
                    return run(client._channel, call(method, request))

                claim = unary("Claim", pb.ClaimJobsRequest, pb.ClaimJobsResponse)
                (leased,) = ask(claim, pb.ClaimJobsRequest(worker="test", kinds=["train"])).jobs
                complete = pb.CompleteJobRequest(name=leased.job.name, lease_id=leased.lease.id)
                assert ask(unary("Complete", pb.CompleteJobRequest, pb.Job), complete).state == pb.JOB_STATE_FAILED
                client.jobs.submit_transfer(recording, model="violin")  # waits
            yield labels_by_name(wait_for(server, "ddsp_jobs{"))
        finally:
            server.stop()


def wait_for(server: object, text: str) -> str:
    """A scrape after the server's next round of counting."""
    import time

    for _ in range(300):
        if text in (scraped := server.metrics()):
            return scraped
        time.sleep(0.1)
    return scraped


def labels_by_name(text: str) -> dict[str, set[str]]:
    series: dict[str, set[str]] = {}
    for line in text.splitlines():
        if match := re.match(r"(\w+)(?:\{(.*)\})? ", line):
            series.setdefault(match[1], set()).update(re.findall(r'(\w+)="', match[2] or ""))
    return series


def test_every_metric_that_is_asked_for_exists(scrape: dict[str, set[str]]):
    asked = {name for expression in expressions() for name, _ in NAME.findall(expression)}
    assert len(asked) > 30
    assert asked <= set(scrape), f"no server gives {sorted(asked - set(scrape))}"


def test_every_label_that_is_asked_for_exists(scrape: dict[str, set[str]]):
    # Prometheus adds these to what it scrapes.
    scraped = {"instance", "job", "pod", "namespace", "le"}
    for expression in expressions():
        for name, selector in NAME.findall(expression):
            for label in re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", selector):
                assert label in scrape[name] | scraped, (name, label)
        known = set().union(*(scrape[name] for name, _ in NAME.findall(expression)), scraped)
        for group in re.findall(r"\bby \(([^)]*)\)", expression):
            for label in re.split(r",\s*", group):
                assert label in known, (expression, label)


def test_every_metric_of_the_server_is_shown_or_known_to_be_left_out(scrape: dict[str, set[str]]):
    asked = {
        re.sub(r"_(bucket|sum|count)$", "", name)
        for expression in expressions()
        for name, _ in NAME.findall(expression)
    }
    given = {re.sub(r"_(bucket|sum|count)$", "", name) for name in scrape if name.startswith("ddsp_")}
    assert given <= asked


def test_the_dashboard_is_whole():
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken
        assert all(x < 24 for x, _ in cells)
        taken |= cells
        if panel["type"] != "row":
            assert panel["title"]
            assert panel["targets"]
            assert all(target["expr"] for target in panel["targets"])
