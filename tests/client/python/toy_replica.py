"""The server's side of a session in small.

A voice whose every output sample depends on all input before it, and whose state can be told and taken up; and servers
in this process that stop playing it in one of several ways.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from concurrent import futures

import grpc
import numpy as np

from ddsp_client import _channel as channel
from ddsp_client import _proto as pb

LATENCY = 100  # samples that an answer lags behind
BLOCK = 320


def play(samples: np.ndarray, memory: float) -> tuple[np.ndarray, float]:
    """Integers, so that order does not matter to the bit."""
    sums = memory + np.cumsum(samples, dtype=np.float64)
    return sums.astype("<f4"), float(sums[-1]) if len(sums) else memory


def toy_answer(samples: np.ndarray) -> np.ndarray:
    """What the toy plays for an input, all in all."""
    return play(samples, 0.0)[0]


class ToySession:
    """One session, without transport."""

    def __init__(self, snapshot_every: int = 0, version: str = "1", credit: int = 4000) -> None:
        self._snapshot_every = snapshot_every
        self._version = version
        self._credit = credit
        self.at = pb.SessionPosition()
        self._memory = 0.0
        self._due = np.zeros(0, "<f4")
        self._since_snapshot = 0
        self.refusal = ""  # what the client did wrong

    def take(self, request: pb.StreamSessionRequest) -> list[pb.StreamSessionResponse]:
        """Answers of the server to a message."""
        if request.HasField("config"):
            return [self._start(request.config)]
        if request.HasField("audio"):
            return self._take_audio(request.audio)
        if request.HasField("flush"):
            event = pb.SessionEvent(kind=pb.SessionEvent.FLUSHED, flush_id=request.flush.id)
            return [*self._emit(1, LATENCY), pb.StreamSessionResponse(event=event)]
        if request.HasField("ping"):
            return [pb.StreamSessionResponse(pong=pb.Pong(client_time_ns=request.ping.client_time_ns))]
        return []

    def finish(self) -> list[pb.StreamSessionResponse]:
        """Answers to the half-close."""
        rest = self._emit(1, 0)
        summary = pb.SessionSummary(input_samples=self.at.input_sample, output_samples=self.at.output_sample)
        return [*rest, pb.StreamSessionResponse(summary=summary)]

    def snapshot(self, last: bool) -> pb.StreamSessionResponse:
        """All that there is to know."""
        state = pb.SessionSnapshot(data=np.float64(self._memory).tobytes() + self._due.tobytes(), position=self.at)
        return pb.StreamSessionResponse(
            snapshot=pb.SessionSnapshot(data=state.SerializeToString(), position=self.at, last=last)
        )

    def _start(self, config: pb.SessionConfig) -> pb.StreamSessionResponse:
        started = pb.SessionStarted(
            model=f"toy/{self._version}",
            input_format=config.input_format,
            output_format=config.output_format,
            latency_samples=LATENCY,
            input_credit=self._credit,
        )
        if config.resume:
            state = pb.SessionSnapshot.FromString(config.resume)
            self.at.CopyFrom(state.position)
            self._memory = float(np.frombuffer(state.data[:8], "<f8")[0])
            self._due = np.frombuffer(state.data[8:], "<f4")
            started.resumed_at.CopyFrom(self.at)
        return pb.StreamSessionResponse(started=started)

    def _take_audio(self, block: pb.AudioBlock) -> list[pb.StreamSessionResponse]:
        samples = np.frombuffer(block.data, "<f4")
        if (block.seq, block.start_sample) != (self.at.input_seq, self.at.input_sample):
            self.refusal = "an audio block is missing or repeated"
        self._credit -= len(samples)
        if self._credit < 0:
            self.refusal = "more was sent than granted"
        self._credit += len(samples)
        self.at.input_seq += 1
        self.at.input_sample += len(samples)
        made, self._memory = play(samples, self._memory)
        self._due = np.concatenate([self._due, made])
        answers = [pb.StreamSessionResponse(credit=pb.CreditGrant(samples=len(samples))), *self._emit(BLOCK, LATENCY)]
        self._since_snapshot += len(samples)
        if self._snapshot_every and self._since_snapshot >= self._snapshot_every:
            self._since_snapshot = 0
            answers.append(self.snapshot(last=False))
        return answers

    def _emit(self, least: int, held_back: int) -> list[pb.StreamSessionResponse]:
        answers = []
        while len(self._due) - held_back >= least:
            part, self._due = np.split(self._due, [min(BLOCK, len(self._due) - held_back)])
            block = pb.AudioBlock(seq=self.at.output_seq, start_sample=self.at.output_sample, data=part.tobytes())
            self.at.output_seq += 1
            self.at.output_sample += len(part)
            answers.append(pb.StreamSessionResponse(audio=block))
        return answers


class Fate(enum.Enum):
    """How a replica stops."""

    NONE = enum.auto()
    LEAVES = enum.auto()  # a last snapshot, then SERVER_DRAINING
    BREAKS = enum.auto()  # the call ends as one does whose connection is cut
    FALLS_MUTE = enum.auto()  # says nothing any more
    FAILS = enum.auto()  # an error of the server's own
    REFUSES = enum.auto()  # every session, as one that drains does


class ToyReplica:
    """Plays toy sessions on a port of its choice."""

    def __init__(self, fate: Fate = Fate.NONE, after_samples: int = 8000, snapshot_every: int = 3000) -> None:
        self._fate = fate
        self._after_samples = after_samples
        self._snapshot_every = snapshot_every
        self.sessions = self.resumed = self.pings = 0
        self.refusal = ""
        self._server = grpc.server(futures.ThreadPoolExecutor(8))
        handler = grpc.stream_stream_rpc_method_handler(
            self._stream_session,
            request_deserializer=pb.StreamSessionRequest.FromString,
            response_serializer=channel.serialize,
        )
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("ddsp.v1.Synthesis", {"StreamSession": handler}),)
        )
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def stop(self) -> None:
        """At once."""
        self._server.stop(None).wait()

    def _stream_session(
        self, requests: Iterator[pb.StreamSessionRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.StreamSessionResponse]:
        if self._fate is Fate.REFUSES:
            self._fail(context, grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
        session, begin = ToySession(self._snapshot_every), 0
        for request in requests:
            yield from session.take(request)
            self.refusal = self.refusal or session.refusal
            self.pings += request.HasField("ping")
            if request.HasField("config"):
                self.sessions += 1
                self.resumed += bool(request.config.resume)
                begin = session.at.input_sample
            elif self._fate is not Fate.NONE and session.at.input_sample - begin >= self._after_samples:
                yield from self._meet(session, requests, context)
                return
        yield from session.finish()

    def _meet(
        self, session: ToySession, requests: Iterator[pb.StreamSessionRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.StreamSessionResponse]:
        if self._fate is Fate.LEAVES:
            yield pb.StreamSessionResponse(event=pb.SessionEvent(kind=pb.SessionEvent.DRAINING))
            yield session.snapshot(last=True)
            self._fail(context, grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
        elif self._fate is Fate.FALLS_MUTE:
            for request in requests:  # until the client goes
                self.pings += request.HasField("ping")
        elif self._fate is Fate.FAILS:
            self._fail(context, grpc.StatusCode.INTERNAL, "MODEL_NUMERIC_FAULT")
        else:
            context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")

    def _fail(self, context: grpc.ServicerContext, code: grpc.StatusCode, reason: str) -> None:
        status = pb.Status(code=code.value[0], message=reason)
        info = pb.ErrorInfo(reason=reason)
        status.details.add(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=info.SerializeToString())
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(code, reason)
