"""A live session that outlives its servers, on an event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import grpc
import grpc.aio

from ddsp_client import _proto as pb
from ddsp_client._channel import STREAM_SESSION, serialize
from ddsp_client._relay import Call, Over, Relay, Seek, Wait
from ddsp_client._resumable_core import ResumableCore
from ddsp_client._rotation import resolve_servers
from ddsp_client._steps import error_of
from ddsp_client.aio.session import Session, _Signal
from ddsp_client.errors import CancelledError, DdspError
from ddsp_client.messages import Resume, Resumption, StreamOptions


class ResumingSession(Session):
    """As `ddsp_client.ResumingSession`. Made by `await Client.open(options)`."""

    def __init__(
        self, connect: Callable[[str], grpc.aio.Channel], servers: Sequence[str], options: StreamOptions
    ) -> None:
        self._resume = options.resume or Resume()
        self._connect = connect
        self._servers = servers
        self._core: ResumableCore = ResumableCore(options, self._resume)
        self._changed = _Signal()
        self._relay = Relay(self._core, self._resume, servers, time.monotonic())
        self._call: Any = None
        self._links: set[asyncio.Task[None]] = set()
        self._reader = asyncio.create_task(self._drive(), name="ddsp-session")

    @classmethod
    async def begin(
        cls, connect: Callable[[str], grpc.aio.Channel], servers: Sequence[str], options: StreamOptions
    ) -> ResumingSession:
        """Returns when a server has answered."""
        session = cls(connect, await _resolve(servers), options)
        session._servers = servers
        await session._await_started()
        return session

    @property
    def resumptions(self) -> list[Resumption]:
        """All moves so far."""
        return list(self._relay.moves)

    def cancel(self) -> None:
        """Ends the session at once."""
        self._relay.cancel()
        self._changed.notify_all()

    async def _drive(self) -> None:
        try:
            while not isinstance(step := self._relay.step(time.monotonic()), Over):
                self._changed.notify_all()  # there may be something to send
                if isinstance(step, Wait):
                    await self._changed.wait_for(step.seconds)
                elif isinstance(step, Call):
                    self._begin(step)
                elif isinstance(step, Seek):
                    # A server that goes ends the call itself.
                    if self._call is not None and not self._core.left:
                        self._call.cancel()
                    self._relay.move(await _resolve(self._servers), time.monotonic())
        finally:
            self._core.end(CancelledError("the event loop cancelled the session") if not self._core.ended else None)
            self._changed.notify_all()
            for link in self._links:
                link.cancel()
            if self._links:
                await asyncio.wait(self._links)

    def _begin(self, call: Call) -> None:
        channel = self._connect(call.address)
        method: Any = channel.stream_stream(
            STREAM_SESSION.path, request_serializer=serialize, response_deserializer=STREAM_SESSION.read
        )
        self._call = method(self._requests_of(call))
        link = asyncio.create_task(self._read_link(call.link, self._call, channel), name="ddsp-link")
        self._links.add(link)
        link.add_done_callback(self._links.discard)

    async def _requests_of(self, call: Call) -> AsyncIterator[pb.StreamSessionRequest]:
        """What gRPC sends."""
        yield call.first
        while self._relay.link == call.link and not self._core.ended:
            request = self._core.next_request()
            if request is not None:
                yield request
            elif self._core.all_sent:
                return
            else:
                await self._changed.wait()

    async def _read_link(self, link: int, call: Any, channel: grpc.aio.Channel) -> None:
        error: DdspError | None = None
        try:
            async for response in call:
                move = self._relay.received(link, response, time.monotonic())
                self._changed.notify_all()
                if move is not None and self._resume.on_resumed is not None:
                    self._resume.on_resumed(move)
        except grpc.RpcError as failure:
            error = error_of(failure)
        except asyncio.CancelledError:
            if not call.cancelled():
                call.cancel()
        finally:
            self._relay.ended(link, error, time.monotonic())
            self._changed.notify_all()
            await channel.close()


async def _resolve(servers: Sequence[str]) -> list[str]:
    if not any(server.startswith("dns:///") for server in servers):
        return list(servers)
    return await asyncio.get_running_loop().run_in_executor(None, resolve_servers, servers)
