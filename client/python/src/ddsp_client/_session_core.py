"""A session without transport: what to send next, what came. The synchronous and the asyncio sessions drive it."""

from __future__ import annotations

from collections import deque

import numpy.typing as npt

from ddsp_client import _proto as pb
from ddsp_client import _translate as translate
from ddsp_client._blocks import InputBlocks, OutputBlocks
from ddsp_client.audio import AnySamples, Samples, as_samples, make_decoder, make_encoder
from ddsp_client.errors import DdspError, FailedPreconditionError, InternalError, InvalidArgumentError
from ddsp_client.messages import AudioBlock, Event, Message, Parameters, Started, StreamOptions, Summary

_MAX_FRAMES = 1000  # of a message: keeps it far below every limit
_EVERYTHING = 1 << 62


class SessionCore:
    """State of one session. Not safe for threads: its owner locks."""

    def __init__(self, options: StreamOptions) -> None:
        self.options = options
        self.outbox: deque[pb.StreamSessionRequest] = deque()
        self.started: Started | None = None
        self.summary: Summary | None = None
        self.events: list[Event] = []
        self.unread: deque[Message] = deque()
        self.unread_samples = 0
        self.ended = False
        self.error: DdspError | None = None
        self._finishing = False
        self.input_complete = False  # nothing will be added to the outbox: half-close when it is empty
        self._control_seq = 0
        self._input: InputBlocks | None = None
        self._output: OutputBlocks | None = None
        # Codecs that this side does not have are found out before the server is asked.
        self._encoder = make_encoder(options.codec, options.sample_rate, options.opus_bitrate)
        make_decoder(options.output_codec or options.codec, options.output_rate or options.sample_rate)
        self.outbox.append(pb.StreamSessionRequest(config=self._config()))

    def _config(self) -> pb.SessionConfig:
        config = translate.to_config(self.options)
        if self.options.codec == "opus":
            config.input_codec_delay_samples = self._encoder.delay
        return config

    # What comes.

    def take(self, response: pb.StreamSessionResponse) -> None:
        """Takes a message of the server; DdspError where it breaks the protocol."""
        kind = response.WhichOneof("response")
        if self.started is None and kind != "started":
            raise InternalError("the server's first message is not `started`")
        if kind == "started":
            self._take_started(response.started)
        elif kind == "audio":
            assert self._output is not None
            block = self._output.take(response.audio)
            self.unread_samples += len(block.samples)
            self.unread.append(block)
        elif kind == "features":
            self.unread.append(translate.from_features(response.features))
        elif kind == "event":
            event = translate.from_event(response.event)
            self.events.append(event)
            self.unread.append(event)
        elif kind == "summary":
            self.summary = translate.from_summary(response.summary)
            self.unread.append(self.summary)
        elif kind == "credit":
            self._take_grant(response.credit.samples)
        # Pongs, and what later servers may say.

    def end(self, error: DdspError | None) -> None:
        """The call is over. The first reason counts."""
        self.ended = True
        self.error = self.error or error

    def pop(self) -> Message | None:
        """The oldest message that was not read; grants the server as many samples."""
        if not self.unread:
            return None
        message = self.unread.popleft()
        if isinstance(message, AudioBlock):
            self.unread_samples -= len(message.samples)
            if self.options.max_unread_samples and not self.ended and not self.input_complete and len(message.samples):
                self.outbox.append(pb.StreamSessionRequest(credit=pb.CreditGrant(samples=len(message.samples))))
        return message

    # What goes.

    def check_writable(self) -> None:
        """DdspError with which the session ended, or FailedPreconditionError after its clean end."""
        if self.ended:
            raise self.error or FailedPreconditionError("the session has ended")
        if self._finishing:
            raise FailedPreconditionError("the session's input is finished")

    def add_samples(self, samples: Samples) -> int:
        """Puts as many into the outbox as credit allows; says how many."""
        self.check_writable()
        assert self._input is not None
        taken, blocks = self._input.add(samples)
        self._send(blocks)
        return taken

    def add_controls(self, frames: list[pb.ControlFrame], frame_samples: int) -> int:
        """Likewise for frames."""
        self.check_writable()
        assert self._input is not None
        start = self._input.written
        taken = self._input.take_controls(min(len(frames), _MAX_FRAMES), frame_samples)
        if taken:
            self._send_control(pb.ControlBlock(start_sample=start, frames=frames[:taken], frame_samples=frame_samples))
        return taken

    def change_parameters(self, sample: int, parameters: Parameters) -> None:
        """From `sample` on."""
        self.check_writable()
        self._send_control(pb.ControlBlock(start_sample=sample, parameters=translate.to_parameters(parameters)))

    def send(self, request: pb.StreamSessionRequest) -> None:
        """Anything that needs no credit."""
        self.check_writable()
        self.outbox.append(request)

    def finish(self) -> None:
        """Nothing more will be written."""
        self.check_writable()
        self._finishing = True
        assert self.started is not None
        assert self._input is not None
        assert self._output is not None
        if "opus" in (self.options.codec, self.options.output_codec):
            self._output.total = translate.total_output(self.started, self.options.tail, self._input.written)
        self._complete()

    @property
    def written(self) -> int:
        """Samples so far."""
        return self._input.written if self._input else 0

    def _take_started(self, started: pb.SessionStarted) -> None:
        if self.started is not None:
            raise InternalError("the server started the session twice")
        self.started = translate.from_started(started)
        codec = self.options.output_codec or self.options.codec
        decoder = make_decoder(codec, self.started.output.sample_rate)
        self._output = OutputBlocks(decoder, codec, self.started.output_codec_delay)
        self._input = InputBlocks(
            self._encoder, self.started.input_credit, self.started.max_block_bytes, self.started.input_codec_delay
        )

    def _take_grant(self, samples: int) -> None:
        assert self._input is not None
        self._input.grant(samples)
        # What was held back for want of credit goes first.
        if self._finishing and not self.input_complete:
            self._complete()
        elif not self._finishing:
            self._send(self._input.add(as_samples([]))[1])

    def _complete(self) -> None:
        assert self._input is not None
        self.input_complete, blocks = self._input.complete()
        self._send(blocks)
        if self.input_complete and self.options.max_unread_samples:
            # Nothing can be granted after the half-close, and what is left to come is bounded by the server's buffers.
            self.outbox.append(pb.StreamSessionRequest(credit=pb.CreditGrant(samples=_EVERYTHING)))

    def _send(self, blocks: list[pb.AudioBlock]) -> None:
        self.outbox.extend(pb.StreamSessionRequest(audio=block) for block in blocks)

    def _send_control(self, control: pb.ControlBlock) -> None:
        control.seq = self._control_seq
        self._control_seq += 1
        self.outbox.append(pb.StreamSessionRequest(control=control))


def checked_samples(audio: AnySamples, options: StreamOptions) -> Samples:
    """What was given to a write; InvalidArgumentError in a session of controls."""
    if options.input != "audio":
        raise InvalidArgumentError("the session is driven by controls: use write_controls")
    return as_samples(audio)


def checked_frames(f0_hz: npt.ArrayLike, loudness_db: npt.ArrayLike, frame_samples: int) -> list[pb.ControlFrame]:
    """What was given to a write of controls."""
    if frame_samples < 1:
        raise InvalidArgumentError(f"frame_samples is {frame_samples}; at least 1")
    return translate.to_frames(f0_hz, loudness_db)
