"""The asyncio client against a real server: the same samples, and nothing left behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from conftest import VOICE
from ddsp_server import Server
from ddsp_client import (
    AudioBlock,
    CancelledError,
    Client,
    DeadlineExceededError,
    EventKind,
    FailedPreconditionError,
    NotFoundError,
    StreamOptions,
    UnavailableError,
    aio,
)


def test_answers_as_the_synchronous_client_does(server: Server, client: Client, melody: np.ndarray):
    async def microphone():
        for at in range(0, len(melody), 441):
            yield melody[at : at + 441]
            await asyncio.sleep(0)

    async def play() -> np.ndarray:
        async with aio.Client(server.address) as connected:
            async with connected.transfer(microphone(), model=VOICE, seed=5) as transfer:
                blocks = [block async for block in transfer]
                assert transfer.summary is not None
                assert transfer.summary.output_samples == len(melody) + transfer.started.tail_samples
                return np.concatenate(blocks)

    expected = np.concatenate(list(client.transfer(melody, model=VOICE, seed=5)))
    assert np.array_equal(asyncio.run(play()), expected)


def test_many_streams_share_a_loop(server: Server, client: Client, melody: np.ndarray):
    async def play_all() -> list[np.ndarray]:
        async with aio.Client(server.address) as connected:

            async def one(seed: int) -> np.ndarray:
                cuts = (melody[at : at + 500 + seed] for at in range(0, len(melody), 500 + seed))
                transfer = connected.transfer(cuts, model=VOICE, seed=seed)
                return np.concatenate([block async for block in transfer])

            return await asyncio.gather(*(one(seed) for seed in range(8)))

    for seed, answer in enumerate(asyncio.run(play_all())):
        expected = np.concatenate(list(client.transfer(melody, model=VOICE, seed=seed)))
        assert np.abs(answer - expected).max() <= 1e-5


def test_sessions_write_read_and_flush(server: Server, melody: np.ndarray):
    async def go() -> None:
        async with aio.Client(server.address) as client, await client.open(StreamOptions(model=VOICE)) as session:
            await session.write(melody[:16000])
            session.flush(9)
            samples = 0
            while True:
                message = await session.read()
                if isinstance(message, AudioBlock):
                    samples += len(message.samples)
                elif message.kind is not EventKind.UNDERRUN:
                    assert (message.kind, message.flush_id) == (EventKind.FLUSHED, 9)
                    break
            assert samples == 16000 - session.started.latency_samples
            session.change_parameters(16000, pitch_shift_semitones=12)
            # Far more than the credit: the writer waits, the reader reads.
            writer = asyncio.create_task(session.write(np.tile(melody, 4)))
            async with asyncio.timeout(60):
                while samples < 16000 + 3 * len(melody):
                    message = await session.read()
                    samples += len(message.samples) if isinstance(message, AudioBlock) else 0
                await writer
            session.finish()
            with pytest.raises(FailedPreconditionError):
                await session.write(melody)
            samples += sum([len(block.samples) async for block in session.audio()])
            assert samples == 16000 + 4 * len(melody) + session.started.tail_samples

    asyncio.run(go())


def test_controls_and_whole_recordings(server: Server, client: Client, melody: np.ndarray):
    async def go() -> None:
        async with aio.Client(server.address) as connected:
            rendering = await connected.render(melody[:16000], model=VOICE)
            assert np.array_equal(rendering.audio, client.render(melody[:16000], model=VOICE).audio)
            features = await connected.features(melody[:16000])
            assert np.array_equal(features.f0_hz, client.features(melody[:16000]).f0_hz)
            long = await connected.render(np.tile(melody, 18), model=VOICE, tail=False)
            assert len(long.audio) == 18 * len(melody)
            controls = await connected.render_controls([440] * 100, [-20] * 100, model=VOICE, tail=False)
            options = StreamOptions(model=VOICE, input="controls", tail=False)
            async with await connected.open(options) as session:
                await session.write_controls([440] * 100, [-20] * 100)
                session.finish()
                stream = np.concatenate([block.samples async for block in session.audio()])
            assert np.array_equal(controls.audio, stream)

    asyncio.run(go())


async def wait_for_active(server: Server, count: int) -> None:
    async with asyncio.timeout(30):
        while server.metric("ddsp_sessions_active", model=VOICE) != count:
            await asyncio.sleep(0.01)


def test_cancellation_frees_the_slot(server: Server, melody: np.ndarray):
    async def listen(client: aio.Client) -> None:
        async def endless():
            while True:
                yield melody
                await asyncio.sleep(0.01)

        async with client.transfer(endless(), model=VOICE) as transfer:
            async for _ in transfer:
                pass

    async def go() -> None:
        async with aio.Client(server.address) as client:
            task = asyncio.create_task(listen(client))
            await wait_for_active(server, 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await wait_for_active(server, 0)
            session = await client.open(StreamOptions(model=VOICE))
            session.cancel()
            with pytest.raises(CancelledError):
                await session.read()
            await wait_for_active(server, 0)

    asyncio.run(go())


def test_errors_are_typed(server: Server, melody: np.ndarray):
    async def go() -> None:
        async with aio.Client(server.address) as client:
            with pytest.raises(NotFoundError) as caught:
                await client.open(StreamOptions(model="kazoo"))
            assert caught.value.reason == "MODEL_NOT_FOUND"

            async def microphone():
                yield melody
                raise OSError("unplugged")

            with pytest.raises(OSError, match="unplugged"):
                async for _ in client.transfer(microphone(), model=VOICE):
                    pass
            async with await client.open(StreamOptions(model=VOICE, timeout=3)) as session:
                with pytest.raises(DeadlineExceededError):
                    await session.read()
        async with aio.Client("127.0.0.1:1", attempts=1) as nobody:
            with pytest.raises(UnavailableError):
                await nobody.render(melody, model=VOICE)

    asyncio.run(go())


def test_pings_keep_a_silent_session_alive(melody: np.ndarray):
    server = Server("--idle-timeout-secs=3")

    async def go() -> None:
        async with aio.Client(server.address) as client:
            options = StreamOptions(model=VOICE, keepalive=0.1)
            async with await client.open(options) as kept, await client.open(StreamOptions(model=VOICE)) as silent:
                with pytest.raises(Exception, match="SESSION_IDLE_TIMEOUT"):
                    async for _ in silent:
                        pass
                await kept.write(melody[:320])
                kept.finish()
                assert sum([len(block.samples) async for block in kept.audio()]) == 320 + kept.started.tail_samples

    try:
        asyncio.run(go())
    finally:
        server.stop()


def test_nothing_is_left_of_a_closed_client(server: Server, melody: np.ndarray, tmp_path: Path):
    async def go() -> set[str]:
        async with aio.Client(server.address) as client, client.transfer([melody], model=VOICE) as transfer:
            await anext(transfer)
        await asyncio.sleep(0)
        return {task.get_name() for task in asyncio.all_tasks()} & {"ddsp-session", "ddsp-transfer"}

    assert asyncio.run(go()) == set()
