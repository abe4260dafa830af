"""A session that may be played by one server after another: what to send to the present one, what of its answer is new.

It keeps the newest snapshot and all input since then. With every server it begins by handing over that snapshot, and
sends the input again from where the server says that it stands.
"""

from __future__ import annotations

import time
from collections import deque

from ddsp_client import _proto as pb
from ddsp_client import _translate as translate
from ddsp_client._blocks import InputBlocks, OutputBlocks
from ddsp_client._replay import OutputCursor, ReplayBuffer
from ddsp_client._session_core import SessionCore
from ddsp_client.audio import Samples, make_decoder
from ddsp_client.errors import DdspError, FailedPreconditionError, InternalError, InvalidArgumentError
from ddsp_client.messages import AudioBlock, Event, Message, Resume, StreamOptions

_EVERYTHING = 1 << 40
_DEFAULT_BLOCK_BYTES = 64 << 10
_MAX_FRAMES = 1000


def _check(resume: Resume) -> None:
    if resume.snapshot_interval < 0.1:
        raise InvalidArgumentError(f"snapshot_interval is {resume.snapshot_interval}; at least 0.1 s")
    if not 0 < resume.ping_interval <= resume.dead_after:
        raise InvalidArgumentError(
            f"ping_interval is {resume.ping_interval} and dead_after {resume.dead_after}; "
            "expected 0 < ping_interval <= dead_after"
        )


class ResumableCore(SessionCore):
    """State of one session, whoever plays it. Not safe for threads: its owner locks."""

    def __init__(self, options: StreamOptions, resume: Resume) -> None:
        super().__init__(options)
        _check(resume)
        self._resume = resume
        self._replay = ReplayBuffer(resume.max_replay_bytes)
        self._cursor = OutputCursor()
        self._snapshot = b""  # the newest whose output has come
        self._total: int | None = None
        self.broken: DdspError | None = None  # it cannot go on, whoever plays it
        # The present server's.
        self.playing = False  # it has answered
        self.left = False  # it has sent its last snapshot: go on elsewhere
        self.from_snapshot = False
        self.replayed_input = 0
        self._feature_seq = 0
        self._credit = 0
        self._snapshots: deque[pb.SessionSnapshot] = deque()  # whose output is still to come
        self._all_granted = False
        self._withheld = 0  # samples whose reading is not granted: they came from another server
        self._repeated_before = 0
        self.outbox.clear()

    # With another server, or the first one.

    def begin(self) -> pb.StreamSessionRequest:
        """The message to begin with. What was under way with the last server is forgotten."""
        self.playing = self.left = self._all_granted = False
        self._output = None
        self._feature_seq = self._credit = self.replayed_input = 0
        self.outbox.clear()  # pings and grants, which are not sent again
        self._snapshots.clear()
        self._withheld = self.unread_samples
        self._repeated_before = self._cursor.repeated
        self.from_snapshot = bool(self._snapshot)
        config = self._config()
        if self.started is not None and not self._snapshot:
            # From its start it is played again by the very version that played it; a snapshot knows its own.
            config.model = self.started.model
        config.snapshot_interval.FromNanoseconds(round(self._resume.snapshot_interval * 1e9))
        config.resume = self._snapshot
        return pb.StreamSessionRequest(config=config)

    @property
    def repeated_output(self) -> int:
        """Samples that came again from this server."""
        return self._cursor.repeated - self._repeated_before

    def take(self, response: pb.StreamSessionResponse) -> None:
        """Takes a message of the server; DdspError where it breaks the protocol, or something is missing."""
        kind = response.WhichOneof("response")
        if not self.playing and kind != "started":
            raise InternalError("the server's first message is not `started`")
        if kind == "started":
            self._take_started(response.started)
        elif kind == "audio":
            self._take_audio(response.audio)
        elif kind == "features":
            self._feature_seq = response.features.seq + 1
            features = self._cursor.features(translate.from_features(response.features))
            if len(features):
                self.unread.append(features)
        elif kind == "event":
            self._take_event(response.event)
        elif kind == "summary":
            if self.summary is None:
                super().take(response)
        elif kind == "credit":
            self._credit += response.credit.samples
        elif kind == "snapshot":
            self._snapshots.append(response.snapshot)
        self._adopt_snapshots()

    def next_request(self) -> pb.StreamSessionRequest | None:
        """The next message to send; None while there is none, or no credit for it."""
        if not self.playing:
            return None
        if self.outbox:
            return self.outbox.popleft()
        if entry := self._replay.pop(self._credit):
            self._credit -= entry[1]
            return entry[0]
        if not self._finishing or self._all_granted or not self.options.max_unread_samples or not self._replay.all_sent:
            return None
        # Nothing can be granted after the half-close, and what is left to come is bounded by the server's buffers.
        self._all_granted = True
        return pb.StreamSessionRequest(credit=pb.CreditGrant(samples=_EVERYTHING))

    @property
    def all_sent(self) -> bool:
        """Nothing follows: half-close."""
        granted = self._all_granted or not self.options.max_unread_samples
        return self.playing and self._finishing and granted and not self.outbox and self._replay.all_sent

    def ping(self) -> None:
        """Asks the present server for a sign of life."""
        if self.playing and not self.all_sent:
            self.outbox.append(pb.StreamSessionRequest(ping=pb.Ping(client_time_ns=time.monotonic_ns())))

    # The user's side.

    def pop(self) -> Message | None:
        """The oldest message that was not read; as much may come again."""
        if not self.unread:
            return None
        message = self.unread.popleft()
        if isinstance(message, AudioBlock):
            count = len(message.samples)
            self.unread_samples -= count
            withheld = min(count, self._withheld)
            self._withheld -= withheld
            self._grant(count - withheld)
        return message

    def add_samples(self, samples: Samples) -> int:
        """Takes as many as may wait to be sent; says how many."""
        self.check_writable()
        assert self._input is not None
        taken, blocks = self._input.add(samples[: self._room()])
        self._send(blocks)
        return taken

    def add_controls(self, frames: list[pb.ControlFrame], frame_samples: int) -> int:
        """Likewise for frames."""
        self.check_writable()
        assert self._input is not None
        assert self.started is not None
        most = max(1, min(_MAX_FRAMES, self.started.input_credit // 2 // frame_samples))
        taken = min(len(frames), most, self._room() // frame_samples)
        if taken:
            start = self._input.written
            self._input.take_controls(taken, frame_samples)
            self._send_control(pb.ControlBlock(start_sample=start, frames=frames[:taken], frame_samples=frame_samples))
        return taken

    def send(self, request: pb.StreamSessionRequest) -> None:
        """A flush, which is kept until it is answered; anything else goes to the present server alone."""
        self.check_writable()
        if request.HasField("flush"):
            self._keep(request, 0)
        else:
            self.outbox.append(request)

    def finish(self) -> None:
        """Nothing more will be written."""
        self.check_writable()
        self._finishing = True
        assert self.started is not None
        assert self._input is not None
        if "opus" in (self.options.codec, self.options.output_codec):
            self._total = translate.total_output(self.started, self.options.tail, self._input.written)
            if self._output is not None:
                self._output.total = self._total
        self._complete()

    def _take_started(self, started: pb.SessionStarted) -> None:
        if self.playing:
            raise InternalError("the server started the session twice")
        info = translate.from_started(started)
        if self.started is not None and info.model != self.started.model:
            raise FailedPreconditionError(
                f"the session is one of {self.started.model}, and the server has {info.model}"
            )
        at = started.resumed_at  # all zero where the session begins
        self.replayed_input = self._replay.rewind(at)
        if self.started is None:
            self.started = info
            # A block must fit into what is granted at once, since it is not cut again for another server.
            half_credit = 4 * max(1, info.input_credit // 2)
            block_bytes = min(info.max_block_bytes or _DEFAULT_BLOCK_BYTES, half_credit)
            self._input = InputBlocks(self._encoder, _EVERYTHING, block_bytes, info.input_codec_delay)
        codec = self.options.output_codec or self.options.codec
        decoder = make_decoder(codec, info.output.sample_rate)
        self._output = OutputBlocks(decoder, codec, info.output_codec_delay, at.output_seq, at.output_sample)
        self._output.total = self._total
        self._feature_seq = at.feature_seq
        self._credit = info.input_credit
        self.playing = True

    def _take_audio(self, block: pb.AudioBlock) -> None:
        assert self._output is not None
        came = self._output.take(block)
        fresh = self._cursor.audio(came)
        self._grant(len(came.samples) - len(fresh.samples))  # what is dropped is as good as read
        if len(fresh.samples):
            self.unread_samples += len(fresh.samples)
            self.unread.append(fresh)

    def _take_event(self, message: pb.SessionEvent) -> None:
        # That this server goes is no matter of the user's, and what is flushed is told once.
        if message.kind == pb.SessionEvent.DRAINING:
            return
        if message.kind == pb.SessionEvent.FLUSHED and not self._replay.forget_flush(message.flush_id):
            return
        event: Event = translate.from_event(message)
        self.events.append(event)
        self.unread.append(event)

    def _adopt_snapshots(self) -> None:
        while self._snapshots and self._output is not None:
            at = self._snapshots[0].position
            # Going on from a place whose output has not come would leave a hole.
            if at.output_sample > self._output.position or at.feature_seq > self._feature_seq:
                return
            snapshot = self._snapshots.popleft()
            self._snapshot = snapshot.data
            self._replay.forget(at)
            self.left |= snapshot.last

    def _grant(self, samples: int) -> None:
        if samples and self.options.max_unread_samples and self.playing and not self._all_granted and not self.ended:
            self.outbox.append(pb.StreamSessionRequest(credit=pb.CreditGrant(samples=samples)))

    def _room(self) -> int:
        return max(0, int(self._resume.max_unsent * self.options.sample_rate) - self._replay.unsent_samples)

    def _complete(self) -> None:
        assert self._input is not None
        _, blocks = self._input.complete()
        self._send(blocks)

    def _samples_of(self, block: pb.AudioBlock) -> int:
        if self._encoder.packet_samples:
            return self._encoder.packet_samples
        return len(block.data) // (2 if self.options.codec == "pcm16" else 4)

    def _send(self, blocks: list[pb.AudioBlock]) -> None:
        for block in blocks:
            self._keep(pb.StreamSessionRequest(audio=block), self._samples_of(block))

    def _send_control(self, control: pb.ControlBlock) -> None:
        control.seq = self._control_seq
        self._control_seq += 1
        self._keep(pb.StreamSessionRequest(control=control), len(control.frames) * control.frame_samples)

    def _keep(self, request: pb.StreamSessionRequest, samples: int) -> None:
        try:
            self._replay.add(request, samples)
        except DdspError as full:
            self.broken = full  # part of what was written is gone
            raise
