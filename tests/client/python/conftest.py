"""A real server with the repository's voices, a client of it, and recordings."""

from __future__ import annotations

import tempfile
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from ddsp_server import SOURCE, Server, serves_jobs

from ddsp_client import Client

VOICE = "violin"


@pytest.fixture(scope="session")
def data_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def server(data_dir: Path) -> Iterator[Server]:
    flags = [f"--data-dir={data_dir}"] if serves_jobs() else []
    running = Server(*flags)
    yield running
    running.stop()


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(server.address) as connected:
        yield connected


def read_clip(name: str) -> np.ndarray:
    """Samples of a 16-bit recording at 16 kHz."""
    with wave.open(str(SOURCE / "testdata" / "audio" / "clips" / name)) as recording:
        assert (recording.getsampwidth(), recording.getframerate()) == (2, 16000)
        return np.frombuffer(recording.readframes(recording.getnframes()), "<i2")


@pytest.fixture(scope="session")
def melody() -> np.ndarray:
    """Four seconds of singing, float32."""
    return (read_clip("singing.wav")[:64000] / np.float32(32768)).astype(np.float32)
