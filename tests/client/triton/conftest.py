"""A real server with the repository's voices, and a recording."""

from __future__ import annotations

import wave
from collections.abc import Iterator

import numpy as np
import pytest
from ddsp_server import SOURCE, Server

VOICE = "violin"
RATE = 16000


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
