"""A live session that outlives its servers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import grpc

from ddsp_client import _proto as pb
from ddsp_client._channel import STREAM_SESSION, serialize
from ddsp_client._relay import Call, Over, Relay, Seek, Wait
from ddsp_client._resumable_core import ResumableCore
from ddsp_client._rotation import resolve_servers
from ddsp_client._steps import error_of
from ddsp_client.errors import DdspError
from ddsp_client.messages import Resume, Resumption, StreamOptions
from ddsp_client.session import Session


class ResumingSession(Session):
    """When its server stops, dies or falls silent, it goes on at the next one.

    It does so from the newest snapshot, with the input since then: whoever reads gets one sequence in which no sample
    is missing and none comes twice. Made by `Client.open`.
    """

    def __init__(self, connect: Callable[[str], grpc.Channel], servers: Sequence[str], options: StreamOptions) -> None:
        resume = options.resume or Resume()
        self._connect = connect
        self._servers = servers
        self._on_resumed = resume.on_resumed
        self._core: ResumableCore = ResumableCore(options, resume)
        self._changed = threading.Condition()
        self._relay = Relay(self._core, resume, resolve_servers(servers), time.monotonic())
        self._call: Any = None
        self._link_reader: threading.Thread | None = None
        self._reader = threading.Thread(target=self._drive, name="ddsp-session", daemon=True)
        self._reader.start()
        self._await_started()

    @property
    def resumptions(self) -> list[Resumption]:
        """All moves so far."""
        with self._changed:
            return list(self._relay.moves)

    def cancel(self) -> None:
        """Ends the session at once, from any thread."""
        with self._changed:
            self._relay.cancel()
            self._changed.notify_all()

    def _drive(self) -> None:
        while True:
            with self._changed:
                step = self._relay.step(time.monotonic())
                self._changed.notify_all()  # there may be something to send, or it is over
                if isinstance(step, Wait):
                    self._changed.wait(step.seconds)
                    continue
            if isinstance(step, Call):
                self._begin(step)
            elif isinstance(step, Seek):
                self._leave()
                addresses = resolve_servers(self._servers)
                with self._changed:
                    self._relay.move(addresses, time.monotonic())
                    self._changed.notify_all()
            elif isinstance(step, Over):
                break
        if self._call is not None:
            self._call.cancel()
        if self._link_reader is not None:
            self._link_reader.join()

    def _begin(self, call: Call) -> None:
        channel = self._connect(call.address)
        method = channel.stream_stream(
            STREAM_SESSION.path, request_serializer=serialize, response_deserializer=STREAM_SESSION.read
        )
        self._call = method(self._requests_of(call))
        arguments = (call.link, self._call, channel)
        self._link_reader = threading.Thread(target=self._read_link, args=arguments, name="ddsp-link", daemon=True)
        self._link_reader.start()

    def _leave(self) -> None:
        # A server that goes ends the call itself.
        if self._call is not None and not self._core.left:
            self._call.cancel()

    def _requests_of(self, call: Call) -> Iterator[pb.StreamSessionRequest]:
        """Runs on a thread of gRPC's, which sends what this gives."""
        yield call.first
        while True:
            with self._changed:
                request = None
                while self._relay.link == call.link and not self._core.ended:
                    request = self._core.next_request()
                    if request is not None or self._core.all_sent:
                        break
                    self._changed.wait()
            if request is None:
                return
            yield request

    def _read_link(self, link: int, call: Any, channel: grpc.Channel) -> None:
        error: DdspError | None = None
        try:
            for response in call:
                with self._changed:
                    move = self._relay.received(link, response, time.monotonic())
                    self._changed.notify_all()
                if move is not None and self._on_resumed is not None:
                    self._on_resumed(move)
        except grpc.RpcError as failure:
            error = error_of(failure)
        finally:
            with self._changed:
                self._relay.ended(link, error, time.monotonic())
                self._changed.notify_all()
            channel.close()
