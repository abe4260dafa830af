"""One live session on an event loop. One task may write while another reads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any

import grpc
import grpc.aio
import numpy.typing as npt

from ddsp_client import _proto as pb
from ddsp_client import _session_core as core
from ddsp_client._channel import STREAM_SESSION, serialize
from ddsp_client._steps import error_of
from ddsp_client.audio import AnySamples
from ddsp_client.errors import CancelledError, DdspError, DeadlineExceededError, InternalError
from ddsp_client.messages import AudioBlock, Event, Message, Parameters, Started, StreamOptions, Summary


class _Signal:
    """Wakes all who wait, whenever something changed."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []

    def notify_all(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def wait(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await future

    async def wait_for(self, seconds: float) -> None:
        """Or so long."""
        try:
            async with asyncio.timeout(seconds):
                await self.wait()
        except TimeoutError:
            pass


class Session:
    """A session that the server has started. Made by `await Client.open(options)`."""

    def __init__(self, channel: grpc.aio.Channel, options: StreamOptions) -> None:
        self._core = core.SessionCore(options)
        self._changed = _Signal()
        method: Any = channel.stream_stream(
            STREAM_SESSION.path, request_serializer=serialize, response_deserializer=STREAM_SESSION.read
        )
        self._call: Any = method(self._requests(), timeout=options.timeout)
        self._reader = asyncio.create_task(self._read_all(), name="ddsp-session")

    @classmethod
    async def open(cls, channel: grpc.aio.Channel, options: StreamOptions) -> Session:
        """Returns when the server has answered."""
        session = cls(channel, options)
        await session._await_started()
        return session

    async def _await_started(self) -> None:
        try:
            async with asyncio.timeout(self._core.options.open_timeout):
                while self._core.started is None and not self._core.ended:
                    await self._changed.wait()
        except TimeoutError:
            await self.close()
            raise DeadlineExceededError("no answer of the server within the timeout") from None
        except BaseException:
            self.cancel()
            raise
        if self._core.started is None:
            raise self._core.error or InternalError("the server ended the session before it started it")

    @property
    def started(self) -> Started:
        """What the server agreed to: formats, latency, tail."""
        assert self._core.started is not None
        return self._core.started

    @property
    def summary(self) -> Summary | None:
        """What the server counted; None before the end."""
        return self._core.summary

    @property
    def events(self) -> list[Event]:
        """All events so far; `read` gives them too."""
        return list(self._core.events)

    @property
    def unread_samples(self) -> int:
        """Samples that came and were not read."""
        return self._core.unread_samples

    async def write(self, audio: AnySamples) -> None:
        """Sends samples, as many as you like; waits while the server has no room for them."""
        samples = core.checked_samples(audio, self._core.options)
        while True:
            samples = samples[self._core.add_samples(samples) :]
            self._changed.notify_all()
            if not len(samples):
                return
            await self._changed.wait()

    async def write_controls(self, f0_hz: npt.ArrayLike, loudness_db: npt.ArrayLike, frame_samples: int = 320) -> None:
        """Sends frames of a session that controls drive; each holds for `frame_samples` at the input rate."""
        frames = core.checked_frames(f0_hz, loudness_db, frame_samples)
        while True:
            taken = self._core.add_controls(frames, frame_samples)
            frames = frames[taken:]
            self._changed.notify_all()
            if not frames:
                return
            if not taken:
                await self._changed.wait()

    def change_parameters(
        self, sample: int, *, pitch_shift_semitones: float | None = None, loudness_shift_db: float | None = None
    ) -> None:
        """Takes effect exactly at input sample `sample`, which must not lie before audio that was sent."""
        self._core.change_parameters(sample, Parameters(pitch_shift_semitones, loudness_shift_db))
        self._changed.notify_all()

    def flush(self, flush_id: int = 0) -> None:
        """Asks for a FLUSHED event after all output that is due without further input."""
        self._send(pb.StreamSessionRequest(flush=pb.Flush(id=flush_id)))

    def ping(self) -> None:
        """Tells the server that a silent client is alive."""
        self._send(pb.StreamSessionRequest(ping=pb.Ping(client_time_ns=time.monotonic_ns())))

    def finish(self) -> None:
        """No more input: the rest, the tail and the summary follow."""
        self._core.finish()
        self._changed.notify_all()

    async def read(self) -> Message | None:
        """The next message; None after the last one. DdspError with which the server ended the session."""
        while not self._core.unread and not self._core.ended:
            await self._changed.wait()
        message = self._core.pop()
        self._changed.notify_all()
        if message is None and self._core.error is not None:
            raise self._core.error
        return message

    async def audio(self) -> AsyncIterator[AudioBlock]:
        """The audio blocks among the messages, to the end."""
        async for message in self:
            if isinstance(message, AudioBlock):
                yield message

    async def __aiter__(self) -> AsyncIterator[Message]:
        while (message := await self.read()) is not None:
            yield message

    def cancel(self) -> None:
        """Ends the session at once. Its slot is free as soon as the server hears of it."""
        if not self._core.ended:
            self._core.error = self._core.error or CancelledError("this side cancelled the session")
        self._call.cancel()

    async def close(self) -> None:
        """Cancels a session that has not ended, and waits for the end."""
        self.cancel()
        await asyncio.wait([self._reader])

    async def __aenter__(self) -> Session:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def wait_until_read(self, max_unread_samples: int) -> None:
        """Returns when at most so many samples wait to be read, or the session has ended."""
        while self._core.unread_samples > max_unread_samples and not self._core.ended:
            await self._changed.wait()

    def _send(self, request: pb.StreamSessionRequest) -> None:
        self._core.send(request)
        self._changed.notify_all()

    async def _requests(self) -> AsyncIterator[pb.StreamSessionRequest]:
        """What gRPC sends."""
        session = self._core
        while True:
            try:
                async with asyncio.timeout(session.options.keepalive):
                    while not session.outbox and not session.input_complete and not session.ended:
                        await self._changed.wait()
            except TimeoutError:
                if session.started is not None:
                    session.outbox.append(pb.StreamSessionRequest(ping=pb.Ping(client_time_ns=time.monotonic_ns())))
            if session.ended or (session.input_complete and not session.outbox):
                return
            if session.outbox:
                yield session.outbox.popleft()

    async def _read_all(self) -> None:
        error: DdspError | None = CancelledError("the event loop cancelled the session")
        try:
            async for response in self._call:
                self._core.take(response)
                self._changed.notify_all()
            error = None
        except grpc.RpcError as failure:
            error = error_of(failure)
        except DdspError as broken:
            error = broken
            self._call.cancel()
        finally:
            self._core.end(error)
            self._changed.notify_all()
