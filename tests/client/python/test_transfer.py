"""Live sessions against a real server."""

from __future__ import annotations

import struct
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from conftest import VOICE, read_clip
from ddsp_server import BIN, SOURCE, Server
from ddsp_client import (
    AudioBlock,
    CancelledError,
    Client,
    DeadlineExceededError,
    EventKind,
    FailedPreconditionError,
    Features,
    InvalidArgumentError,
    StreamOptions,
    opus,
)

HOP = 320
needs_opus = pytest.mark.skipif(not opus.available(), reason="libopus is not there")


def play(client: Client, audio: np.ndarray, chunk: int, **options) -> np.ndarray:
    cuts = (audio[at : at + chunk] for at in range(0, len(audio), chunk))
    with client.transfer(cuts, model=VOICE, **options) as transfer:
        return np.concatenate([np.zeros(0, np.float32), *transfer])


def wav_samples(path: Path) -> bytes:
    """The data chunk of a WAV file of floats, which Python's module does not read."""
    blob = path.read_bytes()
    at = 12
    while True:
        name, size = struct.unpack_from("<4sI", blob, at)
        if name == b"data":
            return blob[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


@pytest.mark.parametrize("codec", ["pcm", pytest.param("opus", marks=needs_opus)])
def test_answers_as_the_command_line_does_to_the_byte(client: Client, server: Server, tmp_path: Path, codec: str):
    clip = "singing.wav"
    out = tmp_path / "out.wav"
    settings = ["--pitch-shift", "-12", "--seed", "7", "--chunk-ms", "13", "--codec", codec]
    subprocess.run(
        [BIN / "ddsp", "transfer", SOURCE / "testdata/audio/clips" / clip, out, "--server", server.address, *settings],
        check=True,
        capture_output=True,
    )
    mine = play(client, read_clip(clip), 1000, pitch_shift_semitones=-12, loudness_shift_db=0, seed=7, codec=codec)
    assert mine.tobytes() == wav_samples(out)


def test_the_cut_into_blocks_changes_nothing(client: Client, melody: np.ndarray):
    whole = play(client, melody[:8003], 8003)
    assert np.abs(whole).max() > 1e-3
    for chunk in (1, 7, HOP - 1, HOP, HOP + 1, 997):
        assert np.array_equal(play(client, melody[:8003], chunk), whole), chunk


def test_output_is_as_long_as_input_and_tail(client: Client, melody: np.ndarray):
    with client.transfer(melody, model=VOICE) as transfer:
        samples = sum(len(block) for block in transfer)
        assert samples == len(melody) + transfer.started.tail_samples
        assert transfer.summary is not None
        assert transfer.summary.input_samples == len(melody)
        assert transfer.summary.output_samples == samples


def test_output_is_as_long_as_input_where_the_tail_is_cut(client: Client, melody: np.ndarray):
    for count in (1, HOP, 12345):
        assert len(play(client, melody[:count], 1000, tail=False)) == count


def test_other_rates_are_converted(client: Client, melody: np.ndarray):
    answer = play(client, melody[:44100], 441, sample_rate=44100, output_rate=48000, tail=False)
    assert len(answer) == 48000


def test_integers_and_floats_give_the_same(client: Client):
    clip = read_clip("flute_phrase.wav")[:32000]
    assert np.array_equal(play(client, clip, 640), play(client, clip / np.float32(32768), 640))


def test_sixteen_bits_on_the_wire_are_close(client: Client, melody: np.ndarray):
    # Input of 16 bits is sent exactly; the answer is rounded once and clipped.
    exact, rounded = play(client, melody, 640), play(client, melody, 640, codec="pcm16")
    assert np.abs(np.clip(exact, -1, 32767 / 32768) - rounded).max() <= 0.5 / 32768 + 1e-7


def test_no_input_gives_no_output(client: Client):
    with client.transfer([], model=VOICE) as transfer:
        assert list(transfer) == []
        assert transfer.summary is not None
        assert transfer.summary.output_samples == 0


def test_latency_is_kept_to(client: Client, melody: np.ndarray):
    """After M samples exactly max(0, M - latency) have been made."""
    with client.open(StreamOptions(model=VOICE)) as session:
        latency = session.started.latency_samples
        assert 0 < session.started.latency_seconds < 0.06
        due = 0
        for count in (latency, latency + 1, latency + HOP, 5003):
            session.write(melody[session._core.written : count])
            session.flush(count)
            while (message := session.read(timeout=30)) is not None:
                if isinstance(message, AudioBlock):
                    due += len(message.samples)
                elif message.kind is EventKind.FLUSHED and message.flush_id == count:
                    break
            assert due == count - latency


def test_flush_gives_what_is_due_and_then_its_mark(client: Client, melody: np.ndarray):
    with client.open(StreamOptions(model=VOICE)) as session:
        session.write(melody[:16000])
        session.flush(42)
        samples = 0
        while True:
            message = session.read(timeout=30)
            if isinstance(message, AudioBlock):
                samples += len(message.samples)
            elif message.kind is not EventKind.UNDERRUN:
                assert message.kind is EventKind.FLUSHED
                assert message.flush_id == 42
                break
        assert samples == 16000 - session.started.latency_samples
        # The session goes on.
        session.write(melody[16000:20000])
        session.finish()
        samples += sum(len(block.samples) for block in session.audio())
        assert samples == 20000 + session.started.tail_samples


def test_parameters_change_at_their_sample(client: Client, melody: np.ndarray):
    change = 4321

    def changed(chunk: int) -> np.ndarray:
        with client.open(StreamOptions(model=VOICE)) as session:
            session.change_parameters(change, loudness_shift_db=-30)
            for at in range(0, 9000, chunk):
                session.write(melody[at : min(9000, at + chunk)])
            session.finish()
            return np.concatenate([block.samples for block in session.audio()])

    plain, quiet = play(client, melody[:9000], HOP), changed(HOP)
    assert np.array_equal(changed(1777), quiet)
    # Not to the bit before: the reverb transforms whole hops, so what comes later in one moves the rounding.
    first = int(np.argmax(np.abs(plain - quiet) >= 1e-6))
    assert change <= first < change + 16


def test_credit_is_obeyed_however_much_is_written(client: Client, melody: np.ndarray):
    """Twenty seconds at once are many times the credit: nothing is lost, nothing is refused."""
    long = np.tile(melody, 5)
    with client.open(StreamOptions(model=VOICE, tail=False)) as session:
        assert session.started.input_credit < len(long)
        received: list[int] = []
        reader = threading.Thread(target=lambda: received.extend(len(block.samples) for block in session.audio()))
        reader.start()
        session.write(long)
        session.finish()
        reader.join()
        assert sum(received) == len(long)


def test_writing_everything_and_then_reading_does_not_deadlock(client: Client, melody: np.ndarray):
    with client.open(StreamOptions(model=VOICE, tail=False)) as session:
        session.write(np.tile(melody, 5))
        session.finish()
        assert sum(len(block.samples) for block in session.audio()) == 5 * len(melody)


def test_a_limit_of_unread_samples_is_kept(client: Client, melody: np.ndarray):
    limit = 3200
    with client.open(StreamOptions(model=VOICE, tail=False, max_unread_samples=limit)) as session:
        writer = threading.Thread(target=lambda: (session.write(melody), session.finish()))
        writer.start()
        total, most = 0, 0
        while (message := session.read()) is not None:
            if isinstance(message, AudioBlock):
                total += len(message.samples)
                if session._core.written < len(melody):
                    most = max(most, session.unread_samples)
        writer.join()
        assert total == len(melody)
        assert most <= limit


def test_a_slow_reader_holds_the_input_back(client: Client, melody: np.ndarray):
    taken = 0

    def microphone():
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield melody[:16000]

    with client.transfer(microphone(), model=VOICE, tail=False) as transfer:
        next(transfer)
        # Ten seconds may wait to be read, and a few more are on their way.
        deadline = time.monotonic() + 60
        while transfer._session.unread_samples < 160000 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert transfer._session.unread_samples >= 160000
        assert taken <= 20


def test_cancelling_frees_the_slot(client: Client, server: Server, melody: np.ndarray):
    def active() -> float:
        return server.metric("ddsp_sessions_active", model=VOICE)

    def wait_for(count: float) -> None:
        deadline = time.monotonic() + 30
        while active() != count and time.monotonic() < deadline:
            time.sleep(0.01)
        assert active() == count

    session = client.open(StreamOptions(model=VOICE))
    session.write(melody[:3200])
    wait_for(1)
    session.cancel()
    with pytest.raises(CancelledError):
        list(session)
    wait_for(0)
    # A loop that is left takes its session along, without a word.
    for block in client.transfer((melody for _ in range(1000)), model=VOICE):
        assert len(block)
        break
    wait_for(0)


def test_a_closed_session_takes_no_more(client: Client, melody: np.ndarray):
    with client.open(StreamOptions(model=VOICE)) as session:
        session.write(melody[:320])
        session.finish()
        with pytest.raises(FailedPreconditionError):
            session.write(melody[:320])
        list(session)
        assert session.summary is not None
    with pytest.raises(FailedPreconditionError):
        session.write(melody[:320])


def test_an_error_of_the_microphone_is_raised_where_the_answer_is_read(client: Client, melody: np.ndarray):
    def microphone():
        yield melody[:16000]
        raise OSError("unplugged")

    with pytest.raises(OSError, match="unplugged"):
        list(client.transfer(microphone(), model=VOICE))
    with pytest.raises(InvalidArgumentError, match="one channel"):
        list(client.transfer([np.zeros((2, 100), np.float32)], model=VOICE))


def test_reads_and_sessions_have_timeouts(client: Client, melody: np.ndarray):
    with client.open(StreamOptions(model=VOICE, timeout=3)) as session:
        with pytest.raises(TimeoutError):
            session.read(timeout=0.01)
        with pytest.raises(DeadlineExceededError):
            list(session)


def test_features_come_beside_audio(client: Client, melody: np.ndarray):
    with client.transfer(melody, model=VOICE, output="audio+features") as transfer:
        assert sum(map(len, transfer)) == len(melody) + transfer.started.tail_samples
        assert sum(map(len, transfer.features)) >= len(melody) // HOP
        assert transfer.summary is not None
        assert transfer.summary.feature_frames == sum(map(len, transfer.features))


def test_features_alone_need_no_voice(client: Client, melody: np.ndarray):
    with client.open(StreamOptions(output="features")) as session:
        session.write(melody[:16000])
        session.finish()
        frames = 0
        for message in session:
            if isinstance(message, Features):
                assert message.first_frame == frames
                assert message.frame_rate == 50
                frames += len(message)
    assert frames == 51


def test_controls_drive_a_voice(client: Client):
    frames = 5000
    with client.open(StreamOptions(model=VOICE, input="controls", tail=False)) as session:
        session.write_controls(np.full(frames, 440.0), np.full(frames, -20.0), HOP)
        session.finish()
        assert sum(len(block.samples) for block in session.audio()) == frames * HOP


@needs_opus
def test_opus_gives_every_sample_and_lines_up(client: Client, melody: np.ndarray):
    pcm = play(client, melody[:32000], 320)
    coded = play(client, melody[:32000], 100, codec="opus")
    assert len(coded) == len(pcm)
    with client.open(StreamOptions(model=VOICE, output_codec="opus", opus_bitrate=64000)) as session:
        session.write(melody[:32000])
        session.finish()
        answer = np.concatenate([block.samples for block in session.audio()])
    assert len(answer) == len(pcm)
    middle = slice(1000, 30000)
    lags = {lag: float(np.dot(pcm[middle], np.roll(answer, -lag)[middle])) for lag in range(-40, 41)}
    assert max(lags, key=lags.__getitem__) == 0


def test_pings_keep_a_silent_session_alive(melody: np.ndarray):
    server = Server("--idle-timeout-secs=3")
    try:
        with Client(server.address) as client:
            with (
                client.open(StreamOptions(model=VOICE, keepalive=0.2)) as kept,
                client.open(StreamOptions(model=VOICE)) as silent,
            ):
                messages = list(iter(lambda: _read_or_error(silent), None))
                assert messages[-1] == "SESSION_IDLE_TIMEOUT"
                assert any(getattr(message, "kind", None) is EventKind.IDLE_WARNING for message in messages)
                assert [event.kind for event in silent.events] == [EventKind.IDLE_WARNING]
                kept.write(melody[:320])
                kept.finish()
                assert sum(len(block.samples) for block in kept.audio()) == 320 + kept.started.tail_samples
    finally:
        server.stop()


def _read_or_error(session):
    try:
        return session.read(timeout=30)
    except Exception as error:
        if getattr(_read_or_error, "told", None) is session:
            return None
        _read_or_error.told = session
        return error.reason
