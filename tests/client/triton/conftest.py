"""A real server for the tests, on ports of its choice, with the repository's voices."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import urllib.request
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

SOURCE = Path(__file__).resolve().parents[3]
BIN = Path(os.environ.get("DDSP_BIN", SOURCE / "build" / "release" / "bin"))
VOICE = "violin"
RATE = 16000


class Server:
    """A ddsp-server process."""

    def __init__(self, *flags: str) -> None:
        self.log: list[str] = []
        self._ready = threading.Event()
        self.process = subprocess.Popen(
            [
                BIN / "ddsp-server",
                f"--model-repository={SOURCE / 'models'}",
                "--listen=127.0.0.1:0",
                "--metrics-listen=127.0.0.1:0",
                "--admin-listen=127.0.0.1:0",
                # Tests run beside each other, and a busy machine is no reason to refuse a session.
                "--max-device-load=0",
                *flags,
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._read_log, daemon=True).start()
        if not self._ready.wait(120) or self.process.poll() is not None:
            self.stop()
            raise RuntimeError("the server did not start: " + "".join(self.log))
        ports = re.search(r"serving on port (\d+), metrics on (\d+), admin on (\d+)", "".join(self.log))
        assert ports, self.log
        self.address, self._metrics, self.admin = (f"127.0.0.1:{port}" for port in ports.groups())

    def _read_log(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.log.append(line)
            if "serving on port" in line:
                self._ready.set()
        self._ready.set()

    def live_sessions(self) -> float:
        """Sessions that hold a slot."""
        with urllib.request.urlopen(f"http://{self._metrics}/metrics", timeout=10) as answer:
            scrape = answer.read().decode()
        return sum(float(value) for value in re.findall(r"^ddsp_sessions_active\{.*\} (\S+)$", scrape, re.MULTILINE))

    def stop(self) -> None:
        """Ends it at once."""
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.stop()


CLIP = SOURCE / "testdata" / "audio" / "clips" / "singing.wav"


@pytest.fixture(scope="session")
def singing() -> np.ndarray:
    """A recording, float32."""
    with wave.open(str(CLIP)) as recording:
        assert (recording.getsampwidth(), recording.getframerate()) == (2, RATE)
        samples = np.frombuffer(recording.readframes(recording.getnframes()), "<i2")
    return (samples / np.float32(32768)).astype(np.float32)
