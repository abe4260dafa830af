"""Samples to numbered blocks and back, without a server."""

from __future__ import annotations

import numpy as np
import pytest

from ddsp_client import AudioBlock, DataLossError, InvalidArgumentError, audio, opus
from ddsp_client import _proto as pb
from ddsp_client._blocks import InputBlocks, OutputBlocks

needs_opus = pytest.mark.skipif(not opus.available(), reason="libopus is not there")


def ramp(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.float32) / 65536


def test_blocks_are_numbered_and_bounded():
    blocks = InputBlocks(audio.make_encoder("pcm", 16000, 0), credit=10000, max_block_bytes=1200, codec_delay=0)
    taken, sent = blocks.add(ramp(1000))
    assert taken == 1000
    assert [(block.seq, block.start_sample, len(block.data)) for block in sent] == [
        (0, 0, 1200), (1, 300, 1200), (2, 600, 1200), (3, 900, 400),
    ]  # fmt: skip
    assert b"".join(block.data for block in sent) == ramp(1000).tobytes()
    assert blocks.complete() == (True, [])


def test_no_more_than_credit_is_sent():
    blocks = InputBlocks(audio.make_encoder("pcm", 16000, 0), credit=500, max_block_bytes=0, codec_delay=0)
    assert blocks.add(ramp(800))[0] == 500
    assert blocks.add(ramp(800)) == (0, [])
    blocks.grant(20)
    assert blocks.take_controls(10, 8) == 2  # controls share it
    assert blocks.add(ramp(800))[0] == 4
    assert blocks.written == 500 + 16 + 4


@needs_opus
def test_packets_are_filled_and_wait_for_credit():
    encoder = audio.make_encoder("opus", 16000, 0)
    delay = encoder.delay
    blocks = InputBlocks(encoder, credit=640, max_block_bytes=0, codec_delay=delay)
    taken, sent = blocks.add(ramp(1000))
    assert (taken, len(sent)) == (960, 2)  # two packets went, the third is full and waits
    assert blocks.complete() == (False, [])
    blocks.grant(10000)
    assert blocks.add(ramp(40))[0] == 40
    done, rest = blocks.complete()
    assert done
    assert 320 * (2 + len(rest) + 1) >= 1000 + delay
    decoder = opus.Decoder(16000)
    assert all(len(decoder.decode(block.data)) == 320 for block in sent + rest)


def test_lost_and_repeated_blocks_are_noticed():
    def take(*blocks: tuple[int, int]) -> list[AudioBlock]:
        output = OutputBlocks(audio.make_decoder("pcm", 16000), "pcm", 0)
        return [output.take(pb.AudioBlock(seq=seq, start_sample=at, data=b"\0" * 40)) for seq, at in blocks]

    assert [block.start_sample for block in take((0, 0), (1, 10), (2, 20))] == [0, 10, 20]
    for wrong in ([(1, 0)], [(0, 0), (0, 0)], [(0, 0), (2, 10)], [(0, 0), (1, 11)], [(0, 5)]):
        with pytest.raises(DataLossError, match="was expected"):
            take(*wrong)


def test_delay_and_filling_are_taken_off():
    output = OutputBlocks(audio.make_decoder("pcm", 16000), "opus", codec_delay=4)
    output.total = 14
    first = output.take(pb.AudioBlock(seq=0, data=ramp(10).tobytes()))
    second = output.take(pb.AudioBlock(seq=1, data=ramp(10).tobytes()))
    assert (first.start_sample, len(first.samples), first.samples[0]) == (0, 6, ramp(10)[4])
    assert (second.start_sample, len(second.samples)) == (6, 8)
    assert len(output.take(pb.AudioBlock(seq=2, data=ramp(10).tobytes())).samples) == 0


def test_samples_of_every_kind_are_taken():
    assert audio.as_samples(np.array([-32768, 16384], np.int16)).tolist() == [-1.0, 0.5]
    assert audio.as_samples([0.5, -0.25]).dtype == np.float32
    assert audio.as_samples(np.zeros((10, 1))).shape == (10,)
    assert audio.as_samples([]).shape == (0,)
    for wrong in (np.zeros((2, 10)), np.zeros(3, np.int32), np.zeros(3, np.uint8), np.zeros(3, complex)):
        with pytest.raises(InvalidArgumentError):
            audio.as_samples(wrong)


def test_sixteen_bits_round_and_clip():
    samples = np.array([0, 1, -1, 2, 0.5 / 32768, 1.5 / 32768], np.float32)
    assert audio.to_pcm16(samples).tolist() == [0, 32767, -32768, 32767, 0, 2]
    with pytest.raises(InvalidArgumentError, match="sample 1"):
        audio.to_pcm16(np.array([0, np.nan], np.float32))


@needs_opus
def test_opus_refuses_what_it_does_not_have():
    for make in (opus.Decoder, lambda rate: opus.Encoder(rate, 0)):
        with pytest.raises(InvalidArgumentError, match="44100"):
            make(44100)
    with pytest.raises(DataLossError):
        opus.Decoder(48000).decode(b"\xff" * 7)
