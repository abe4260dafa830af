"""The `tritonclient` package of PyPI, unchanged: everything that it can ask a voice."""

from __future__ import annotations

import asyncio
import queue
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tritonclient.grpc as triton
import tritonclient.grpc.aio as triton_aio
from tritonclient.utils import InferenceServerException

from conftest import CLIP, RATE, VOICE
from ddsp_server import BIN, Server

HOP = RATE // 50


@pytest.fixture
def client(server: Server) -> Iterator[triton.InferenceServerClient]:
    with triton.InferenceServerClient(server.address) as connected:
        yield connected
    deadline = time.monotonic() + 30
    while server.metric("ddsp_sessions_active") > 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.metric("ddsp_sessions_active") == 0, "every slot is free again"


def tensor(name: str, values: np.ndarray, datatype: str = "FP32") -> triton.InferInput:
    made = triton.InferInput(name, list(values.shape), datatype)
    made.set_data_from_numpy(values)
    return made


def inputs(audio: np.ndarray, pitch: float | None = None, seed: int | None = None) -> list[triton.InferInput]:
    made = [tensor("audio", audio)]
    if pitch is not None:
        made.append(tensor("pitch_shift_semitones", np.array([pitch], np.float32)))
    if seed is not None:
        made.append(tensor("seed", np.array([seed], np.uint64), "UINT64"))
    return made


class Stream:
    """One stream of requests, with the answers in the order in which they come."""

    def __init__(self, client: triton.InferenceServerClient, **options) -> None:
        self._client, self._answers = client, queue.Queue()
        client.start_stream(lambda result, error: self._answers.put((result, error)), **options)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *unused) -> None:
        self._client.stop_stream()

    def send(self, audio: np.ndarray, sequence: int | str, start: bool = False, end: bool = False, **options) -> None:
        self._client.async_stream_infer(
            options.pop("model", VOICE),
            options.pop("inputs", None) or inputs(audio),
            sequence_id=sequence,
            sequence_start=start,
            sequence_end=end,
            **options,
        )

    def read(self) -> triton.InferResult:
        result, error = self._answers.get(timeout=60)
        if error is not None:
            raise error
        return result

    def read_error(self) -> InferenceServerException:
        with pytest.raises(InferenceServerException) as caught:
            self.read()
        return caught.value


def play(stream: Stream, audio: np.ndarray, chunk: int, sequence: int | str, **first) -> np.ndarray:
    """Sends a recording in cuts, then reads all answers."""
    cuts = range(0, len(audio), chunk)
    for at in cuts:
        part = audio[at : at + chunk]
        more = {"inputs": inputs(part, **first)} if at == 0 else {}
        stream.send(part, sequence, at == 0, at + chunk >= len(audio), request_id=str(at), **more)
    answers = [stream.read() for _ in cuts]
    assert [answer.get_response().id for answer in answers] == [str(at) for at in cuts]
    return np.concatenate([answer.as_numpy("audio") for answer in answers])


def wav_samples(path: Path) -> np.ndarray:
    """The data chunk of a WAV file of floats, which Python's module does not read."""
    blob, at = path.read_bytes(), 12
    while True:
        name, size = struct.unpack_from("<4sI", blob, at)
        if name == b"data":
            return np.frombuffer(blob[at + 8 : at + 8 + size], "<f4")
        at += 8 + size + size % 2


# ---------------------------------------------------------------- what there is


def test_health(client: triton.InferenceServerClient):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(VOICE)
    assert client.is_model_ready(VOICE, "1")
    assert not client.is_model_ready("kazoo")
    assert not client.is_model_ready(VOICE, "77")


def test_metadata(client: triton.InferenceServerClient):
    server = client.get_server_metadata()
    assert server.name == "ddsp-server"
    assert {"statistics", "sequence", "sequence(string_id)", "model_repository"} <= set(server.extensions)
    model = client.get_model_metadata(VOICE, as_json=True)
    assert model["inputs"][0] == {"name": "audio", "datatype": "FP32", "shape": ["-1"]}
    assert model["outputs"][0] == {"name": "audio", "datatype": "FP32", "shape": ["-1"]}
    assert "1" in model["versions"]


def test_config(client: triton.InferenceServerClient):
    config = client.get_model_config(VOICE).config
    assert config.name == VOICE
    assert config.max_batch_size == 0
    assert config.HasField("sequence_batching")
    assert not config.model_transaction_policy.decoupled
    assert [tensor.optional for tensor in config.input] == [False, True, True, True]


def test_statistics_count(client: triton.InferenceServerClient, singing: np.ndarray):
    def successes() -> int:
        stats = client.get_inference_statistics(VOICE).model_stats
        assert len(stats) == 1
        return stats[0].inference_stats.success.count

    before = successes()
    client.infer(VOICE, inputs(singing[:1000]))
    assert successes() == before + 1


def test_what_is_not_advertised_is_unimplemented(client: triton.InferenceServerClient):
    for ask in (
        client.get_system_shared_memory_status,
        client.get_cuda_shared_memory_status,
        client.get_trace_settings,
        client.get_log_settings,
    ):
        with pytest.raises(InferenceServerException) as caught:
            ask()
        assert caught.value.status() == "StatusCode.UNIMPLEMENTED"


def test_repository(client: triton.InferenceServerClient, server: Server, singing: np.ndarray):
    index = client.get_model_repository_index(as_json=True)["models"]
    assert {"name": VOICE, "version": "1", "state": "READY"} in index
    for refused in (lambda: client.load_model(VOICE), lambda: client.unload_model(VOICE)):
        with pytest.raises(InferenceServerException, match="ADMIN_PORT_ONLY") as caught:
            refused()
        assert caught.value.status() == "StatusCode.PERMISSION_DENIED"
    with triton.InferenceServerClient(server.admin) as admin:
        admin.unload_model(VOICE)
        try:
            assert not client.is_model_ready(VOICE)
            with pytest.raises(InferenceServerException, match="MODEL_NOT_READY"):
                client.infer(VOICE, inputs(singing[:320]))
        finally:
            admin.load_model(VOICE)
    assert client.is_model_ready(VOICE)


# ---------------------------------------------------------------- playing


def test_answers_as_the_native_surface_does_to_the_byte(
    client: triton.InferenceServerClient, server: Server, singing: np.ndarray, tmp_path: Path
):
    out = tmp_path / "out.wav"
    settings = ["--pitch-shift", "-12", "--seed", "7", "--codec", "pcm"]
    subprocess.run(
        [BIN / "ddsp", "transfer", CLIP, out, "--server", server.address, *settings], check=True, capture_output=True
    )
    native = wav_samples(out)
    assert np.abs(native).max() > 1e-3
    whole = client.infer(VOICE, inputs(singing, pitch=-12, seed=7)).as_numpy("audio")
    assert whole.tobytes() == native.tobytes()
    with Stream(client) as stream:
        for chunk in (HOP, 1777, RATE):
            assert play(stream, singing, chunk, chunk, pitch=-12, seed=7).tobytes() == native.tobytes()


def test_each_request_has_one_response_with_what_is_due(client: triton.InferenceServerClient, singing: np.ndarray):
    properties = 832  # samples of latency, as SessionStarted tells natively
    with Stream(client) as stream:
        sent = got = 0
        for size in (100, 900, HOP, 3000):
            stream.send(singing[sent : sent + size], 1, start=sent == 0)
            sent += size
            got += len(stream.read().as_numpy("audio"))
            assert got == max(0, sent - properties)
        stream.send(singing[:0], 1, end=True)
        rest = stream.read()
        assert len(rest.as_numpy("audio")) > sent - got, "the tail rings out"
        assert rest.get_response().parameters["sequence_end"].bool_param


def test_sequences_may_have_names(client: triton.InferenceServerClient, singing: np.ndarray):
    with Stream(client) as stream:
        by_name = play(stream, singing[:8000], 1000, "lead voice")
        by_number = play(stream, singing[:8000], 999, 5)
    assert np.array_equal(by_name, by_number)


def test_many_sequences_share_a_stream(client: triton.InferenceServerClient, singing: np.ndarray):
    alone = client.infer(VOICE, inputs(singing[:3200])).as_numpy("audio")
    count, answers = 8, {}
    with Stream(client) as stream:
        for at in range(0, 3200, HOP):
            for sequence in range(1, count + 1):
                stream.send(
                    singing[at : at + HOP], sequence, at == 0, at + HOP == 3200, request_id=f"{sequence}/{at}"
                )
        for _ in range(count * 10):
            answer = stream.read()
            sequence = answer.get_response().id.split("/")[0]
            answers.setdefault(sequence, []).append(answer.as_numpy("audio"))
    assert len(answers) == count
    for parts in answers.values():
        assert np.array_equal(np.concatenate(parts), alone)


def test_without_a_sequence_a_streams_request_is_a_whole_recording(
    client: triton.InferenceServerClient, singing: np.ndarray
):
    alone = client.infer(VOICE, inputs(singing[:3200])).as_numpy("audio")
    with Stream(client) as stream:
        stream.send(singing[:3200], 0)
        assert np.array_equal(stream.read().as_numpy("audio"), alone)


def test_asyncio(server: Server, singing: np.ndarray):
    async def requests():
        for at in range(0, 3200, HOP):
            yield {
                "model_name": VOICE,
                "inputs": inputs(singing[at : at + HOP]),
                "sequence_id": 9,
                "sequence_start": at == 0,
                "sequence_end": at + HOP == 3200,
            }

    async def run() -> tuple[np.ndarray, np.ndarray]:
        async with triton_aio.InferenceServerClient(server.address) as client:
            parts = []
            async for result, error in client.stream_infer(requests()):
                assert error is None
                parts.append(result.as_numpy("audio"))
            whole = await client.infer(VOICE, inputs(singing[:3200]))
            return np.concatenate(parts), whole.as_numpy("audio")

    streamed, whole = asyncio.run(run())
    assert np.array_equal(streamed, whole)


# ---------------------------------------------------------------- errors

LONG = np.zeros(64 * 1024 // 4 + 1, np.float32)
SOME = np.zeros(HOP, np.float32)
# What is sent in a stream whose sequence 1 is live, and what it is answered with.
FAULTS = {
    "dtype": ({"inputs": [tensor("audio", SOME.astype(np.float64), "FP64")]}, "FORMAT_UNSUPPORTED", "INVALID_ARGUMENT"),
    "shape": ({"inputs": [tensor("audio", SOME.reshape(1, -1))]}, "BLOCK_MALFORMED", "INVALID_ARGUMENT"),
    "no audio": (
        {"inputs": [tensor("pitch_shift_semitones", SOME[:1])]}, "INPUT_MISMATCH", "INVALID_ARGUMENT",
    ),
    "unknown input": (
        {"inputs": [tensor("audio", SOME), tensor("tempo", SOME[:1])]}, "INVALID_CONFIG", "INVALID_ARGUMENT",
    ),
    "NaN": ({"inputs": [tensor("audio", SOME * np.float32("nan"))]}, "AUDIO_NOT_FINITE", "INVALID_ARGUMENT"),
    "too long": ({"inputs": [tensor("audio", LONG)]}, "BLOCK_TOO_LARGE", "INVALID_ARGUMENT"),
    "unknown model": ({"sequence": 2, "start": True, "model": "kazoo"}, "MODEL_NOT_FOUND", "NOT_FOUND"),
    "unknown version": ({"sequence": 2, "start": True, "model_version": "99"}, "MODEL_NOT_FOUND", "NOT_FOUND"),
    "unknown sequence": ({"sequence": 2}, "SESSION_NOT_FOUND", "NOT_FOUND"),
    "second start": ({"start": True}, "SESSION_EXISTS", "ALREADY_EXISTS"),
    "unknown parameter": ({"parameters": {"swing": 3}}, "INVALID_CONFIG", "INVALID_ARGUMENT"),
    "unknown output": ({"outputs": [triton.InferRequestedOutput("f0")]}, "INVALID_CONFIG", "INVALID_ARGUMENT"),
    "classification": (
        {"outputs": [triton.InferRequestedOutput("audio", class_count=3)]}, "INVALID_CONFIG", "INVALID_ARGUMENT",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_an_error_is_told_and_the_stream_goes_on(client: triton.InferenceServerClient, name: str):
    fault, reason, _ = FAULTS[name]
    with Stream(client) as stream:
        stream.send(SOME, 1, start=True)
        stream.read()
        stream.send(SOME, fault.get("sequence", 1), **{key: value for key, value in fault.items() if key != "sequence"})
        assert reason in stream.read_error().message()
        play(stream, SOME, HOP, 3)


@pytest.mark.parametrize("name", FAULTS)
def test_an_error_is_a_status_for_who_asks(client: triton.InferenceServerClient, name: str):
    fault, reason, code = FAULTS[name]
    with Stream(client, headers={"triton_grpc_error": "true"}) as stream:
        stream.send(SOME, 1, start=True)
        stream.read()
        stream.send(SOME, fault.get("sequence", 1), **{key: value for key, value in fault.items() if key != "sequence"})
        error = stream.read_error()
        assert error.message().startswith(reason)
        assert error.status() == f"StatusCode.{code}"


def test_errors_of_a_whole_recording(client: triton.InferenceServerClient):
    for model, options, reason, code in (
        ("kazoo", {}, "MODEL_NOT_FOUND", "NOT_FOUND"),
        (VOICE, {"model_version": "99"}, "MODEL_NOT_FOUND", "NOT_FOUND"),
        (VOICE, {"parameters": {"swing": 3}}, "INVALID_CONFIG", "INVALID_ARGUMENT"),
        (VOICE, {"sequence_id": 1, "sequence_start": True}, "INVALID_CONFIG", "INVALID_ARGUMENT"),
    ):
        with pytest.raises(InferenceServerException, match=reason) as caught:
            client.infer(model, inputs(SOME), **options)
        assert caught.value.status() == f"StatusCode.{code}"


def test_a_deadline_frees_the_slot(client: triton.InferenceServerClient, singing: np.ndarray):
    with pytest.raises(InferenceServerException) as caught:
        client.infer(VOICE, inputs(np.tile(singing, 4)[: 60 * RATE]), client_timeout=0.05)
    assert "Deadline" in caught.value.message() or "DEADLINE" in str(caught.value.status())
