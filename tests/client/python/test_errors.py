"""What goes wrong is a typed error with the code, the reason and the values; and the slot is free again."""

from __future__ import annotations

import dataclasses

import grpc
import numpy as np
import pytest

import ddsp_client
from conftest import VOICE
from ddsp_server import Server
from ddsp_client import (
    AbortedError,
    Client,
    DdspError,
    DeadlineExceededError,
    EventKind,
    FailedPreconditionError,
    InternalError,
    InvalidArgumentError,
    NotFoundError,
    OutOfRangeError,
    PerformerProfile,
    ResourceExhaustedError,
    Session,
    StreamOptions,
    UnavailableError,
    errors,
)
from ddsp_client import _proto as pb

LIVE = StreamOptions(model=VOICE)


def refusal(client: Client, **changes) -> DdspError:
    with pytest.raises(DdspError) as caught:
        client.open(dataclasses.replace(LIVE, **changes)).close()
    return caught.value


# ruff: noqa: E501
BAD_CONFIGS = {
    "unknown model": ({"model": "kazoo"}, NotFoundError, "MODEL_NOT_FOUND", None),
    "no model": ({"model": ""}, InvalidArgumentError, "INVALID_CONFIG", "model"),
    "rate": ({"sample_rate": 96000, "output_rate": 48000}, InvalidArgumentError, "FORMAT_UNSUPPORTED", "input_format.sample_rate_hz"),
    "output rate": ({"output_rate": 1000}, InvalidArgumentError, "FORMAT_UNSUPPORTED", "output_format.sample_rate_hz"),
    "pitch": ({"pitch_shift_semitones": 49.0}, InvalidArgumentError, "INVALID_CONFIG", "parameters.pitch_shift_semitones"),
    "loudness": ({"loudness_shift_db": -61.0}, InvalidArgumentError, "INVALID_CONFIG", "parameters.loudness_shift_db"),
    "block": ({"output_block_samples": -1}, InvalidArgumentError, "INVALID_CONFIG", "output_block_samples"),
    "bitrate": ({"opus_bitrate": 1}, InvalidArgumentError, "INVALID_CONFIG", "opus_bitrate"),
    "profile": (
        {"profile": PerformerProfile("me", [-20, -40], 60)}, InvalidArgumentError, "INVALID_CONFIG", "profile",
    ),
    "features of controls": (
        {"input": "controls", "output": "audio+features"}, InvalidArgumentError, "INVALID_CONFIG", "output",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_CONFIGS)
def test_a_bad_config_is_named(client: Client, server: Server, name: str):
    changes, kind, reason, field = BAD_CONFIGS[name]
    error = refusal(client, **changes)
    assert type(error) is kind
    assert error.code is kind.code
    assert error.reason == reason
    assert [violation.field for violation in error.violations] == ([field] if field else [])
    assert reason in str(error)
    assert server.metric("ddsp_sessions_active") == 0


def test_what_is_wrong_on_this_side_is_not_sent(client: Client):
    for changes in ({"codec": "mp3"}, {"input": "midi"}, {"output": "video"}):
        error = refusal(client, **changes)
        assert isinstance(error, InvalidArgumentError)
        assert error.reason == ""


def audio(session: Session, **fields) -> pb.StreamSessionRequest:
    given = {"seq": 0, "start_sample": 0, "data": b"\0" * 1280} | fields
    return pb.StreamSessionRequest(audio=pb.AudioBlock(**given))


def frames(**fields) -> pb.StreamSessionRequest:
    return pb.StreamSessionRequest(control=pb.ControlBlock(**fields))


NAN = np.array([0, 0, np.nan], "<f4").tobytes()
# What a client of ours never sends, sent by hand; each ends the session with this code and reason.
BAD_REQUESTS = {
    "config twice": (lambda s: pb.StreamSessionRequest(config=pb.SessionConfig()), FailedPreconditionError, "CONFIG_NOT_FIRST"),
    "repeat": (lambda s: audio(s, seq=1), OutOfRangeError, "BLOCK_SEQUENCE_GAP"),
    "gap": (lambda s: audio(s, start_sample=1), OutOfRangeError, "BLOCK_SEQUENCE_GAP"),
    "large": (lambda s: audio(s, data=b"\0" * (s.started.max_block_bytes + 4)), InvalidArgumentError, "BLOCK_TOO_LARGE"),
    "part of a sample": (lambda s: audio(s, data=b"\0" * 7), InvalidArgumentError, "BLOCK_MALFORMED"),
    "not finite": (lambda s: audio(s, data=NAN), InvalidArgumentError, "AUDIO_NOT_FINITE"),
    "parameter": (
        lambda s: frames(parameters=pb.Parameters(pitch_shift_semitones=1000)), InvalidArgumentError, "INVALID_CONTROL",
    ),
    "frames": (
        lambda s: frames(frames=[pb.ControlFrame(f0_hz=440)], frame_samples=320), InvalidArgumentError, "INPUT_MISMATCH",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_a_bad_request_ends_the_session_and_frees_the_slot(client: Client, server: Server, name: str):
    request, kind, reason = BAD_REQUESTS[name]
    with client.open(LIVE) as session:
        session._send(request(session))
        with pytest.raises(kind) as caught:
            list(session)
        assert type(caught.value) is kind
        assert caught.value.reason == reason
        # How far it had come is told.
        assert {"input_samples", "output_samples"} <= set(caught.value.metadata)
        # Writing tells the same.
        with pytest.raises(kind):
            session.write(np.zeros(320, np.float32))
    assert server.metric("ddsp_sessions_active") == 0


def test_more_than_credit_is_refused(client: Client):
    with client.open(LIVE) as session:
        block = np.zeros(session.started.max_block_bytes // 4, "<f4").tobytes()
        for k in range(64):
            start = k * len(block) // 4
            try:
                session._send(audio(session, seq=k, start_sample=start, data=block))
            except DdspError:
                break
        with pytest.raises(ResourceExhaustedError) as caught:
            list(session)
        assert caught.value.reason == "CREDIT_EXCEEDED"


def test_audio_that_is_not_finite_is_told_with_its_sample(client: Client, melody: np.ndarray):
    broken = melody[:3200].copy()
    broken[1234] = np.inf
    with pytest.raises(InvalidArgumentError) as caught:
        list(client.transfer(broken, model=VOICE))
    assert caught.value.reason == "AUDIO_NOT_FINITE"
    assert "1234" in caught.value.metadata.values()


def test_a_full_server_says_when_to_come_again(melody: np.ndarray):
    server = Server("--max-sessions=1")
    try:
        with Client(server.address, attempts=1) as client, client.open(LIVE) as session:
            with pytest.raises(UnavailableError) as caught:
                client.open(LIVE)
            assert caught.value.reason == "SESSION_SLOTS_EXHAUSTED"
            assert caught.value.retry_delay
            assert caught.value.retry_delay > 0
            # Whoever is in is served.
            session.write(melody[:3200])
            session.finish()
            assert sum(len(block.samples) for block in session.audio()) == 3200 + session.started.tail_samples
            client.open(LIVE).close()
    finally:
        server.stop()


def test_a_draining_server_tells_its_sessions_and_lets_them_end(melody: np.ndarray):
    server = Server()
    try:
        with Client(server.address, attempts=1) as client, client.open(LIVE) as session:
            session.write(melody[:3200])
            server.process.terminate()
            message = session.read(timeout=30)
            while getattr(message, "kind", None) is not EventKind.DRAINING:
                message = session.read(timeout=30)
            with pytest.raises(UnavailableError) as caught:
                client.open(LIVE)
            assert caught.value.reason in ("SERVER_DRAINING", "")  # "": the connection was refused already
            session.finish()
            list(session)
            assert session.summary is not None
            assert session.summary.output_samples == 3200 + session.started.tail_samples
        assert server.process.wait(30) == 0
    finally:
        server.stop()


def test_a_server_that_dies_ends_the_session(melody: np.ndarray):
    server = Server()
    try:
        with Client(server.address) as client, client.open(LIVE) as session:
            session.write(melody[:3200])
            server.stop()
            with pytest.raises(UnavailableError):
                list(session)
    finally:
        server.stop()


def test_nobody_there_is_unavailable():
    with Client("127.0.0.1:1", attempts=1) as client, pytest.raises(UnavailableError):
        client.open(LIVE)


def test_whoever_does_not_answer_is_given_up():
    """A port that takes connections and says nothing."""
    import socket

    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        with Client(f"127.0.0.1:{deaf.getsockname()[1]}") as client, pytest.raises(DeadlineExceededError):
            client.open(dataclasses.replace(LIVE, open_timeout=0.3))


def test_every_code_has_its_class():
    codes = set(grpc.StatusCode) - {grpc.StatusCode.OK, grpc.StatusCode.UNKNOWN}
    assert {kind.code for kind in DdspError.__subclasses__()} >= codes
    for code in codes:
        assert errors.make_error(code, "").code is code
    assert isinstance(errors.make_error(grpc.StatusCode.DEADLINE_EXCEEDED, ""), TimeoutError)
    assert issubclass(AbortedError, ddsp_client.DdspError)
    assert issubclass(InternalError, ddsp_client.DdspError)


def test_details_that_are_garbage_are_none():
    error = errors.from_call(grpc.StatusCode.INTERNAL, "x", [("grpc-status-details-bin", b"\xff\xff\xff")])
    assert isinstance(error, InternalError)
    assert error.reason == ""


def test_retry_info_and_violations_are_read():
    status = pb.Status(code=14, message="full")
    for detail in (
        pb.ErrorInfo(reason="QUEUE_FULL", domain="ddsp.dev", metadata={"waiting": "16"}),
        pb.BadRequest(field_violations=[pb.BadRequest.FieldViolation(field="a.b", description="is bad")]),
    ):
        status.details.add(
            type_url=f"type.googleapis.com/{detail.DESCRIPTOR.full_name}", value=detail.SerializeToString()
        )
    retry = pb.RetryInfo()
    retry.retry_delay.seconds, retry.retry_delay.nanos = 1, 500_000_000
    status.details.add(type_url="type.googleapis.com/google.rpc.RetryInfo", value=retry.SerializeToString())
    trailers = [("grpc-status-details-bin", status.SerializeToString())]
    error = errors.from_call(grpc.StatusCode.UNAVAILABLE, "full", trailers)
    assert (error.reason, error.details.domain, dict(error.metadata)) == ("QUEUE_FULL", "ddsp.dev", {"waiting": "16"})
    assert error.retry_delay == 1.5
    assert error.violations == (errors.FieldViolation("a.b", "is bad"),)
