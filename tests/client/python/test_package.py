"""What pip makes of it: a package that holds what it needs, and a README whose examples run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import ddsp_client
from ddsp_server import SOURCE, Server
from ddsp_client import _proto as pb

README = SOURCE / "client" / "python" / "README.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README.read_text("utf-8"), re.M | re.S)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_of_the_readme_runs(server: Server, tmp_path: Path, number: int):
    shutil.copy(SOURCE / "testdata/audio/clips/singing.wav", tmp_path)
    program = EXAMPLES[number].replace("localhost:8001", server.address)
    ran = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout


def test_the_package_is_typed_and_complete():
    folder = Path(ddsp_client.__file__).parent
    assert (folder / "py.typed").is_file()
    assert (folder / "_proto" / "ddsp" / "v1" / "session_pb2.pyi").is_file()
    for name in ddsp_client.__all__:
        assert hasattr(ddsp_client, name)


def test_messages_are_those_of_the_proto_files():
    """Every field of the files is known under its number: the package was made from them as they are now."""
    for name in ("audio", "session", "features", "jobs"):
        text = re.sub(r"//.*", "", (SOURCE / f"proto/ddsp/v1/{name}.proto").read_text("utf-8"))
        fields = re.findall(r"^\s+(?:repeated |optional )?[\w.<>, ]+ (\w+) = (\d+);", text, re.M)
        messages = [getattr(pb, message) for message in re.findall(r"^message (\w+)", text, re.M)]
        assert fields
        known = {(field.name, str(field.number)) for message in messages for field in message.DESCRIPTOR.fields}
        values = {(key, str(value)) for key, value in vars(pb).items() if isinstance(value, int)}
        nested = {
            (value.name, str(value.number))
            for message in messages
            for enum in message.DESCRIPTOR.enum_types
            for value in enum.values
        }
        assert set(fields) <= known | values | nested


def test_other_stubs_of_the_protocol_do_not_clash():
    """Somebody's own session_pb2 lives in the default pool, with the same names."""
    from google.protobuf import descriptor_pool

    with pytest.raises(KeyError):
        descriptor_pool.Default().FindMessageTypeByName("ddsp.v1.SessionConfig")


def test_a_source_distribution_makes_the_same_wheel(tmp_path: Path):
    tree = tmp_path / "tree"
    shutil.copytree(
        SOURCE / "client/python", tree / "client/python", ignore=shutil.ignore_patterns("build", "*.egg-info")
    )
    shutil.copytree(SOURCE / "proto", tree / "proto")
    run = {"check": True, "capture_output": True, "env": {**os.environ, "PYTHONPATH": ""}}
    subprocess.run([sys.executable, "setup.py", "sdist", "-d", tmp_path], cwd=tree / "client/python", **run)
    (archive,) = tmp_path.glob("ddsp_client-*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path / "unpacked")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    site = tmp_path / "site"
    options = ["--no-index", "--no-deps", "--no-build-isolation", "--target", site]
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", *options, unpacked], **run)
    here = Path(ddsp_client.__file__).parent
    there = site / "ddsp_client"
    names = {path.relative_to(here) for path in here.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert names == {path.relative_to(there) for path in there.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert (here / "_proto/messages.binpb").read_bytes() == (there / "_proto/messages.binpb").read_bytes()
