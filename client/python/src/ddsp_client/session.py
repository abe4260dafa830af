"""One live session: write, read, change parameters, flush, finish. A thread may write while another reads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import grpc
import numpy.typing as npt

from ddsp_client import _proto as pb
from ddsp_client import _session_core as core
from ddsp_client._channel import STREAM_SESSION, serialize
from ddsp_client.audio import AnySamples
from ddsp_client.errors import CancelledError, DdspError, DeadlineExceededError, InternalError, from_call
from ddsp_client.messages import AudioBlock, Event, Message, Parameters, Started, StreamOptions, Summary


class Session:
    """A session that the server has started. Made by `Client.open`."""

    def __init__(self, channel: grpc.Channel, options: StreamOptions) -> None:
        self._core = core.SessionCore(options)
        self._changed = threading.Condition()
        method = channel.stream_stream(
            STREAM_SESSION.path, request_serializer=serialize, response_deserializer=STREAM_SESSION.read
        )
        self._call: Any = method(self._requests(), timeout=options.timeout)
        self._reader = threading.Thread(target=self._read_all, name="ddsp-session", daemon=True)
        self._reader.start()
        self._await_started()

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
        with self._changed:
            return list(self._core.events)

    @property
    def unread_samples(self) -> int:
        """Samples that came and were not read."""
        return self._core.unread_samples

    def write(self, audio: AnySamples, timeout: float | None = None) -> None:
        """Sends samples, as many as you like; waits while the server has no room for them."""
        samples = core.checked_samples(audio, self._core.options)
        deadline = _deadline(timeout)
        with self._changed:
            while True:
                samples = samples[self._core.add_samples(samples) :]
                self._changed.notify_all()
                if not len(samples):
                    return
                self._wait(deadline, "room for the write")

    def write_controls(self, f0_hz: npt.ArrayLike, loudness_db: npt.ArrayLike, frame_samples: int = 320) -> None:
        """Sends frames of a session that controls drive; each holds for `frame_samples` at the input rate."""
        frames = core.checked_frames(f0_hz, loudness_db, frame_samples)
        with self._changed:
            while True:
                taken = self._core.add_controls(frames, frame_samples)
                frames = frames[taken:]
                self._changed.notify_all()
                if not frames:
                    return
                if not taken:
                    self._changed.wait()

    def change_parameters(
        self, sample: int, *, pitch_shift_semitones: float | None = None, loudness_shift_db: float | None = None
    ) -> None:
        """Takes effect exactly at input sample `sample`, which must not lie before audio that was sent."""
        with self._changed:
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
        with self._changed:
            self._core.finish()
            self._changed.notify_all()

    def read(self, timeout: float | None = None) -> Message | None:
        """The next message; None after the last one. DdspError with which the server ended the session."""
        deadline = _deadline(timeout)
        with self._changed:
            while not self._core.unread and not self._core.ended:
                self._wait(deadline, "a message")
            message = self._core.pop()
            self._changed.notify_all()
            if message is None and self._core.error is not None:
                raise self._core.error
            return message

    def audio(self) -> Iterator[AudioBlock]:
        """The audio blocks among the messages, to the end."""
        return (message for message in self if isinstance(message, AudioBlock))

    def __iter__(self) -> Iterator[Message]:
        while (message := self.read()) is not None:
            yield message

    def cancel(self) -> None:
        """Ends the session at once, from any thread. Its slot is free as soon as the server hears of it."""
        with self._changed:
            if not self._core.ended:
                self._core.error = self._core.error or CancelledError("this side cancelled the session")
        self._call.cancel()

    def close(self) -> None:
        """Cancels a session that has not ended, and waits for the end."""
        self.cancel()
        self._reader.join()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _send(self, request: pb.StreamSessionRequest) -> None:
        with self._changed:
            self._core.send(request)
            self._changed.notify_all()

    def _wait(self, deadline: float | None, what: str) -> None:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise DeadlineExceededError(f"no {what} within the timeout")
        self._changed.wait(left)

    def wait_until_read(self, max_unread_samples: int) -> None:
        """Returns when at most so many samples wait to be read, or the session has ended."""
        with self._changed:
            while self._core.unread_samples > max_unread_samples and not self._core.ended:
                self._changed.wait()

    def _await_started(self) -> None:
        deadline = _deadline(self._core.options.open_timeout)
        try:
            with self._changed:
                while self._core.started is None and not self._core.ended:
                    self._wait(deadline, "answer of the server")
        except BaseException:
            self.close()
            raise
        if self._core.started is None:
            raise self._core.error or InternalError("the server ended the session before it started it")

    def _requests(self) -> Iterator[pb.StreamSessionRequest]:
        """Runs on a thread of gRPC's, which sends what this gives."""
        session = self._core
        while True:
            quiet_until = _deadline(session.options.keepalive)
            with self._changed:
                while not session.outbox and not session.input_complete and not session.ended:
                    left = None if quiet_until is None else max(0.0, quiet_until - time.monotonic())
                    if left == 0 and session.started is not None:
                        session.outbox.append(pb.StreamSessionRequest(ping=pb.Ping(client_time_ns=time.monotonic_ns())))
                    else:
                        self._changed.wait(left or None)
                if session.ended or not session.outbox:
                    return
                request = session.outbox.popleft()
            yield request

    def _read_all(self) -> None:
        error: DdspError | None = None
        try:
            for response in self._call:
                with self._changed:
                    self._core.take(response)
                    self._changed.notify_all()
        except grpc.RpcError as failure:
            call: Any = failure  # a call too
            error = from_call(call.code(), call.details(), call.trailing_metadata())
        except DdspError as broken:
            error = broken
            self._call.cancel()
        finally:
            with self._changed:
                self._core.end(error)
                self._changed.notify_all()


def _deadline(timeout: float | None) -> float | None:
    return None if timeout is None else time.monotonic() + timeout
