"""A stream of audio played by a voice while it is still being recorded, on an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from ddsp_client.aio.session import Session
from ddsp_client.audio import AnySamples, Samples
from ddsp_client.errors import DdspError
from ddsp_client.messages import AudioBlock, Event, Features, Started, StreamOptions, Summary

# Output that may wait for a slow reader before no more input is taken, in seconds.
_MAX_UNREAD_SECONDS = 10

Blocks = AsyncIterable[AnySamples] | Iterable[AnySamples] | npt.NDArray[Any]


class Transfer(AsyncIterator[Samples]):
    """Iterates over the answer, float32 arrays without gaps, lined up with the input. Made by `Client.transfer`.

    The session is opened by `async with` or the first iteration. A task takes blocks from the iterable that was given
    and sends them; it takes no more while the answer is not read. Leaving the `async with` block, `close`, and any
    error end the session.
    """

    def __init__(
        self, open_session: Callable[[StreamOptions], Awaitable[Session]], options: StreamOptions, blocks: Blocks
    ) -> None:
        self._open_session = open_session
        self._options = options
        self._blocks = blocks
        self._session: Session | None = None
        self._writer: asyncio.Task[None] | None = None
        self._input_error: BaseException | None = None
        self.features: list[Features] = []  # where the session was asked for them

    @property
    def started(self) -> Started:
        """What the server agreed to: formats, latency, tail. Only once the session is open."""
        assert self._session is not None, "the session is not open yet: use `async with`"
        return self._session.started

    @property
    def summary(self) -> Summary | None:
        """What the server counted; None before the end."""
        return self._session.summary if self._session else None

    @property
    def events(self) -> list[Event]:
        """Everything that happened so far."""
        return self._session.events if self._session else []

    def change_parameters(
        self, sample: int, *, pitch_shift_semitones: float | None = None, loudness_shift_db: float | None = None
    ) -> None:
        """Takes effect exactly at input sample `sample`, which must not lie before audio that was sent."""
        assert self._session is not None, "the session is not open yet: use `async with`"
        self._session.change_parameters(
            sample, pitch_shift_semitones=pitch_shift_semitones, loudness_shift_db=loudness_shift_db
        )

    def __aiter__(self) -> Transfer:
        return self

    async def __anext__(self) -> Samples:
        session = await self._open()
        try:
            return await self._next(session)
        except BaseException as error:
            if not isinstance(error, StopAsyncIteration):
                session.cancel()
            if self._input_error is not None and isinstance(error, DdspError):
                raise self._input_error from None
            raise

    async def close(self) -> None:
        """Ends the session, if it has not ended by itself."""
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.wait([self._writer])
        if self._session is not None:
            await self._session.close()

    async def __aenter__(self) -> Transfer:
        await self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def _open(self) -> Session:
        if self._session is None:
            self._session = await self._open_session(self._options)
            self._writer = asyncio.create_task(self._write_all(self._session), name="ddsp-transfer")
        return self._session

    async def _next(self, session: Session) -> Samples:
        while (message := await session.read()) is not None:
            if isinstance(message, Features):
                self.features.append(message)
            elif isinstance(message, AudioBlock) and len(message.samples):
                return message.samples
        raise StopAsyncIteration

    async def _write_all(self, session: Session) -> None:
        limit = _MAX_UNREAD_SECONDS * session.started.output.sample_rate
        try:
            async for block in _each(self._blocks):
                await session.wait_until_read(limit)
                await session.write(block)
            session.finish()
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # of the caller's iterable too: raised where the answer is read
            self._input_error = error
            session.cancel()


async def _each(blocks: Blocks) -> AsyncIterator[AnySamples]:
    if isinstance(blocks, np.ndarray):
        yield blocks
    elif isinstance(blocks, AsyncIterable):
        async for block in blocks:
            yield block
    else:
        for block in blocks:
            yield block
            await asyncio.sleep(0)  # an iterable that never waits must not keep the loop to itself
