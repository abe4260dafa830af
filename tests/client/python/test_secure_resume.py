"""A session goes on elsewhere where every server asks for TLS and a token."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from conftest import VOICE, Server
from secured_folder import secure

from ddsp_client import Client, Resume, ResumingSession, StreamOptions, UnauthenticatedError

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not there to make certificates")


@pytest.fixture(scope="module")
def flags(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Of replicas, with the folder's certificate as authority."""
    folder: Path = tmp_path_factory.mktemp("replicas")
    (folder / "session_keys").write_text("k" * 32 + "\n")
    return [*secure(folder, {"player": "STREAM"}), f"--session-key-file={folder}/session_keys"]


def certificate(flags: list[str]) -> Path:
    return Path(flags[0].partition("=")[2])


def play(session: ResumingSession, samples: np.ndarray, halfway: threading.Event, go_on: threading.Event) -> np.ndarray:
    """All of the answer. Half of the samples are written when `halfway` is set; the rest waits for `go_on`."""

    def write() -> None:
        for at in range(0, len(samples), 1600):
            if at >= len(samples) // 2 and not halfway.is_set():
                halfway.set()
                go_on.wait(60)
            session.write(samples[at : at + 1600])
        session.finish()

    writer = threading.Thread(target=write)
    writer.start()
    answer = np.concatenate([block.samples for block in session.audio()])
    writer.join()
    return answer


@pytest.mark.parametrize("end", ["terminate", "kill"])
def test_a_session_goes_on_with_tls_and_its_token(flags: list[str], melody: np.ndarray, end: str) -> None:
    options = StreamOptions(model=VOICE, seed=7, resume=Resume(snapshot_interval=0.1, give_up_after=60))
    with Server(*flags) as first, Server(*flags) as second:
        undisturbed = Client(second.address, ca=certificate(flags), token="player")
        both = Client(f"{first.address},{second.address}", ca=certificate(flags), token="player")
        with undisturbed, both:
            expected = np.concatenate(list(undisturbed.transfer(melody, model=VOICE, seed=7)))
            halfway, go_on = threading.Event(), threading.Event()

            def strike() -> None:
                halfway.wait(60)
                getattr(first.process, end)()
                first.process.wait(60)
                go_on.set()

            striker = threading.Thread(target=strike)
            striker.start()
            with both.open(options) as session:
                answer = play(session, melody, halfway, go_on)
                moves = session.resumptions
            striker.join()
        assert np.array_equal(answer, expected)
        assert [move.to_server for move in moves] == [second.address]
        # Before the first snapshot, it is replayed from its start.
        assert second.metric("ddsp_sessions_resumed_total") == moves[0].from_snapshot
        assert moves[0].from_snapshot or end == "kill"


def test_without_the_token_no_server_goes_on(flags: list[str]) -> None:
    with Server(*flags) as first, Server(*flags) as second:
        with Client(f"{first.address},{second.address}", ca=certificate(flags), token="stranger") as client:
            with pytest.raises(UnauthenticatedError) as caught:
                client.open(StreamOptions(model=VOICE, resume=Resume(give_up_after=5)))
            assert caught.value.reason == "TOKEN_INVALID"
