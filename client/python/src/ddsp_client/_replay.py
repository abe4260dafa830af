"""What a session sent since its newest snapshot, and what of its answer came: so that another server can go on.

Knows no transport and no thread.
"""

from __future__ import annotations

from dataclasses import dataclass

from ddsp_client import _proto as pb
from ddsp_client.errors import DataLossError, ErrorDetails, ResourceExhaustedError
from ddsp_client.messages import AudioBlock, Features


@dataclass(frozen=True)
class _Entry:
    message: pb.StreamSessionRequest
    samples: int  # of credit that it needs
    size: int  # bytes


class ReplayBuffer:
    """Messages in order, to be sent again to another server."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._entries: list[_Entry] = []
        self._next = 0
        self._audio_end = 0  # numbers of the blocks that will be added next
        self._control_end = 0
        self.size = 0
        self.unsent_samples = 0

    def add(self, message: pb.StreamSessionRequest, samples: int) -> None:
        """Appends a message; ResourceExhaustedError (REPLAY_TOO_LONG) where too much is kept."""
        size = message.ByteSize()
        if self.size + size > self._max_bytes:
            raise ResourceExhaustedError(
                f"the server has sent no snapshot while {self.size} bytes of input were written, "
                f"of {self._max_bytes} that are kept to be replayed",
                ErrorDetails("REPLAY_TOO_LONG", "client.ddsp.dev"),
            )
        if message.HasField("audio"):
            self._audio_end = message.audio.seq + 1
        elif message.HasField("control"):
            self._control_end = message.control.seq + 1
        self._entries.append(_Entry(message, samples, size))
        self.size += size
        self.unsent_samples += samples

    def pop(self, credit: int) -> tuple[pb.StreamSessionRequest, int] | None:
        """The first message that is still to be sent, and its samples, if credit allows it."""
        if self._next == len(self._entries) or self._entries[self._next].samples > credit:
            return None
        entry = self._entries[self._next]
        self._next += 1
        self.unsent_samples -= entry.samples
        return entry.message, entry.samples

    @property
    def all_sent(self) -> bool:
        """Nothing waits."""
        return self._next == len(self._entries)

    def forget(self, position: pb.SessionPosition) -> None:
        """Blocks before `position` are not needed any more. Flushes are until they are answered."""

        def is_before(message: pb.StreamSessionRequest) -> bool:
            if message.HasField("audio"):
                return message.audio.seq < position.input_seq
            return message.HasField("control") and message.control.seq < position.control_seq

        self._erase([is_before(entry.message) for entry in self._entries])

    def forget_flush(self, flush_id: int) -> bool:
        """A flush was answered. False where it is not waiting: it has been answered before."""
        for index, entry in enumerate(self._entries):
            if entry.message.HasField("flush") and entry.message.flush.id == flush_id:
                self._erase([i == index for i in range(len(self._entries))])
                return True
        return False

    def rewind(self, position: pb.SessionPosition) -> int:
        """Sends again from `position` on; says how many samples again. DataLossError where a block is missing."""
        self.forget(position)
        audio = [entry.message.audio.seq for entry in self._entries if entry.message.HasField("audio")]
        control = [entry.message.control.seq for entry in self._entries if entry.message.HasField("control")]
        for kind, wanted, kept in (
            ("audio", position.input_seq, min(audio, default=self._audio_end)),
            ("control", position.control_seq, min(control, default=self._control_end)),
        ):
            if wanted != kept:
                raise DataLossError(f"the server goes on with {kind} block {wanted}; what is kept begins with {kept}")
        samples = sum(entry.samples for entry in self._entries)
        repeated = samples - self.unsent_samples
        self._next, self.unsent_samples = 0, samples
        return repeated

    def _erase(self, which: list[bool]) -> None:
        gone = [entry for entry, out in zip(self._entries, which, strict=True) if out]
        self.size -= sum(entry.size for entry in gone)
        self.unsent_samples -= sum(
            entry.samples for entry, out in zip(self._entries[self._next :], which[self._next :], strict=True) if out
        )
        self._next -= sum(which[: self._next])
        self._entries = [entry for entry, out in zip(self._entries, which, strict=True) if not out]


class OutputCursor:
    """What was delivered, so that nothing is delivered twice and nothing is missing."""

    def __init__(self) -> None:
        self.samples = 0
        self.frames = 0
        self.repeated = 0  # samples that came again

    def audio(self, block: AudioBlock) -> AudioBlock:
        """What of a block is new; DataLossError for a gap."""
        if not len(block.samples):
            return block
        if block.start_sample > self.samples:
            raise DataLossError(f"output sample {self.samples} was expected, {block.start_sample} came")
        again = min(self.samples - block.start_sample, len(block.samples))
        self.repeated += again
        self.samples = max(self.samples, block.start_sample + len(block.samples))
        return AudioBlock(block.start_sample + again, block.samples[again:])

    def features(self, block: Features) -> Features:
        """Likewise."""
        if not len(block):
            return block
        if block.first_frame > self.frames:
            raise DataLossError(f"output frame {self.frames} was expected, {block.first_frame} came")
        again = min(self.frames - block.first_frame, len(block))
        self.frames = max(self.frames, block.first_frame + len(block))
        return Features(
            block.frame_rate,
            block.f0_hz[again:],
            block.f0_confidence[again:],
            block.voiced[again:],
            block.loudness_db[again:],
            block.power_db[again:],
            block.first_frame + again,
        )
