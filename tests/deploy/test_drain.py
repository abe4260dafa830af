"""A server is gone when the manifests say so: after its delay, its sessions' time and their last words."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

SOURCE = Path(__file__).resolve().parents[2]
BIN = Path(os.environ["DDSP_BIN"])
DELAY, SESSIONS, EXIT = 1, 2, 1
# Of a busy machine.
SLACK = 3


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def server() -> Iterator[tuple[subprocess.Popen, int]]:
    if not (BIN / "ddsp-server").exists():
        pytest.skip("this build has no ddsp-server")
    port = free_port()
    process = subprocess.Popen(
        [
            BIN / "ddsp-server",
            f"--model-repository={SOURCE / 'models'}",
            f"--listen=127.0.0.1:{port}",
            "--metrics-listen=127.0.0.1:0",
            "--admin-listen=127.0.0.1:0",
            f"--drain-delay-secs={DELAY}",
            f"--session-drain-timeout-secs={SESSIONS}",
            f"--exit-timeout-secs={EXIT}",
            "--log-format=json",
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    said = []
    for line in process.stderr:
        said.append(line)
        if '"server.serving"' in line:
            break
    else:
        pytest.fail(f"the server did not start: {said}")
    yield process, port
    process.kill()
    process.wait()


def leave(process: subprocess.Popen) -> float:
    """Seconds from SIGTERM to the end."""
    begin = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 0
    return time.monotonic() - begin


def test_without_sessions_it_goes_after_its_delay(server: tuple[subprocess.Popen, int]):
    process, _ = server
    assert DELAY <= leave(process) <= DELAY + SLACK


def test_a_session_that_stays_has_its_time(server: tuple[subprocess.Popen, int]):
    ddsp_client = pytest.importorskip("ddsp_client")
    process, port = server

    def for_ever() -> Iterator[np.ndarray]:
        while process.poll() is None:
            yield np.zeros(1600, np.float32)
            time.sleep(0.1)  # a microphone

    with ddsp_client.Client(f"127.0.0.1:{port}") as client:
        answer = client.transfer(for_ever(), model="violin")
        next(iter(answer))
        took = leave(process)
        with pytest.raises(ddsp_client.DdspError):
            list(answer)
    assert DELAY + SESSIONS <= took <= DELAY + SESSIONS + EXIT + SLACK
