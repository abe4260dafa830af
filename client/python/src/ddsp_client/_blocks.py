"""Samples to numbered blocks and back: sizes, numbering, credit, codec delay. Knows no transport and no thread."""

from __future__ import annotations

import numpy as np

from ddsp_client import _proto as pb
from ddsp_client.audio import Decoder, Encoder, Samples
from ddsp_client.errors import DataLossError
from ddsp_client.messages import AudioBlock

_DEFAULT_BLOCK_BYTES = 64 << 10


class InputBlocks:
    """Cuts what is written into the audio blocks of a session."""

    def __init__(self, encoder: Encoder, credit: int, max_block_bytes: int, codec_delay: int) -> None:
        self._encoder = encoder
        self._credit = credit
        self._max_block_samples = (max_block_bytes or _DEFAULT_BLOCK_BYTES) // 4
        self._codec_delay = codec_delay
        self.written = 0  # samples so far, filling of codecs not counted
        self._sent = 0  # in blocks, filling included
        self._seq = 0
        # The server skips its own idea of the delay: silence makes up for an encoder that has less.
        self._packet: Samples = np.zeros(max(0, codec_delay - encoder.delay), np.float32)

    def grant(self, samples: int) -> None:
        """Adds to what may be sent."""
        self._credit += samples

    def add(self, samples: Samples) -> tuple[int, list[pb.AudioBlock]]:
        """Takes as many samples as credit allows; says how many. The last ones may wait for their packet to fill."""
        if self._encoder.packet_samples:
            taken, blocks = self._add_to_packets(samples)
        else:
            taken, blocks = 0, []
            while taken < len(samples) and self._credit > 0:
                part = min(len(samples) - taken, self._credit, self._max_block_samples)
                blocks.append(self._encode(samples[taken : taken + part]))
                taken += part
        self.written += taken
        return taken, blocks

    def take_controls(self, frames: int, frame_samples: int) -> int:
        """How many of `frames` may be sent; they use the credit of as much audio."""
        taken = min(frames, self._credit // max(1, frame_samples))
        self._credit -= taken * frame_samples
        self.written += taken * frame_samples
        return taken

    def complete(self) -> tuple[bool, list[pb.AudioBlock]]:
        """The rest of the last packet and the codec's delay. False while credit is missing: again after a grant."""
        size = self._encoder.packet_samples
        blocks: list[pb.AudioBlock] = []
        if size == 0 or self.written == 0:
            return True, blocks
        # What is decoded must reach the last sample written although the server skips the delay at its start.
        while self._sent < self.written + self._codec_delay:
            if self._credit < size:
                return False, blocks
            packet = np.zeros(size, np.float32)
            packet[: len(self._packet)] = self._packet
            blocks.append(self._encode(packet))
            self._packet = packet[:0]
        return True, blocks

    def _encode(self, samples: Samples) -> pb.AudioBlock:
        block = pb.AudioBlock(data=self._encoder.encode(samples), seq=self._seq, start_sample=self._sent)
        self._seq += 1
        self._sent += len(samples)
        self._credit -= len(samples)
        return block

    def _add_to_packets(self, samples: Samples) -> tuple[int, list[pb.AudioBlock]]:
        size = self._encoder.packet_samples
        blocks: list[pb.AudioBlock] = []
        taken = 0
        while True:
            part = min(len(samples) - taken, max(0, size - len(self._packet)))
            self._packet = np.concatenate([self._packet, samples[taken : taken + part]])
            taken += part
            if len(self._packet) < size or self._credit < size:
                return taken, blocks
            blocks.append(self._encode(self._packet[:size]))
            self._packet = self._packet[size:]


class OutputBlocks:
    """Turns the blocks that come back into samples."""

    def __init__(
        self, decoder: Decoder, codec: str, codec_delay: int, first_seq: int = 0, first_sample: int = 0
    ) -> None:
        self._decoder = decoder
        self._is_opus = codec == "opus"
        self._codec_delay = codec_delay
        self._seq = first_seq
        self._next_sample = first_sample - codec_delay  # of what is decoded; negative within the codec's delay
        self.total: int | None = None  # samples from here on are filling of the last packet

    @property
    def position(self) -> int:
        """What has come so far, as blocks count: the codec's delay included."""
        return self._next_sample + self._codec_delay

    def take(self, block: pb.AudioBlock) -> AudioBlock:
        """The samples of the next block; DataLossError for a gap or a repeat."""
        if block.seq != self._seq:
            raise DataLossError(f"output block {self._seq} was expected, {block.seq} came")
        self._seq += 1
        samples = self._decoder.decode(block.data)
        if not self._is_opus and block.start_sample != self._next_sample:
            raise DataLossError(f"output sample {self._next_sample} was expected, {block.start_sample} came")
        begin = self._next_sample
        self._next_sample += len(samples)
        if self.total is not None and self._next_sample > self.total:
            samples = samples[: max(0, self.total - begin)]
        skipped = min(max(0, -begin), len(samples))
        return AudioBlock(begin + skipped, samples[skipped:])
