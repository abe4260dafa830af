"""Samples to the bytes of audio blocks and back: float or 16-bit PCM, or Opus packets."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ddsp_client import _proto as pb
from ddsp_client import opus
from ddsp_client.errors import DataLossError, InvalidArgumentError

Samples = npt.NDArray[np.float32]
# float32 (full scale is 1), int16, or anything that numpy turns into floats.
AnySamples = npt.ArrayLike | npt.NDArray[Any]

CODECS = ("pcm", "pcm16", "opus")
_ENCODINGS = {"pcm": pb.PCM_F32LE, "pcm16": pb.PCM_S16LE, "opus": pb.OPUS}


def encoding_of(codec: str) -> pb.AudioEncoding:
    """The wire's number of a codec; InvalidArgumentError for a name that is none."""
    if codec not in _ENCODINGS:
        raise InvalidArgumentError(f"codec is {codec!r}; expected one of {', '.join(CODECS)}")
    return _ENCODINGS[codec]


def codec_of(encoding: int) -> str:
    """The codec of a number on the wire."""
    return next((codec for codec, value in _ENCODINGS.items() if value == encoding), f"encoding {encoding}")


def as_samples(audio: AnySamples) -> Samples:
    """One-dimensional float32, full scale 1: integers of 16 bits are scaled, floats are taken as they are."""
    array = np.asarray(audio)
    if array.ndim == 2 and 1 in array.shape:
        array = array.reshape(-1)  # what sounddevice and soundfile give for one channel
    if array.ndim != 1:
        raise InvalidArgumentError(f"audio has the shape {array.shape}; expected one channel")
    if array.dtype == np.int16:
        return np.asarray(array, np.float32) / np.float32(32768)
    if array.size and array.dtype.kind != "f":
        raise InvalidArgumentError(f"samples are {array.dtype}; expected float32 or int16")
    return np.ascontiguousarray(array, dtype=np.float32)


def to_pcm16(samples: Samples) -> npt.NDArray[np.int16]:
    """Rounded to 16 bits and clipped. InvalidArgumentError for NaN and infinity, which 16 bits do not have."""
    finite = np.isfinite(samples)
    if not finite.all():
        at = int(np.argmin(finite))
        raise InvalidArgumentError(f"sample {at} of the write is {samples[at]}; it must be finite")
    scaled: Samples = np.clip(samples * np.float32(32768), -32768, 32767)
    return np.rint(scaled).astype(np.int16)


class Encoder(Protocol):
    """Samples to the data of a block."""

    packet_samples: int  # that a block takes exactly; 0: any number
    delay: int  # samples by which what is decoded lags behind

    def encode(self, samples: Samples) -> bytes:
        """The data of one block."""


class Decoder(Protocol):
    """The data of a block to samples."""

    def decode(self, data: bytes) -> Samples:
        """The samples; DataLossError for bytes that are none."""


class _Float:
    packet_samples = 0
    delay = 0

    def encode(self, samples: Samples) -> bytes:
        """Sends what it is given, NaN included: the server has the say."""
        return samples.astype("<f4", copy=False).tobytes()

    def decode(self, data: bytes) -> Samples:
        if len(data) % 4:
            raise DataLossError(f"{len(data)} bytes are no float samples")
        return np.frombuffer(data, "<f4").astype(np.float32)


class _Pcm16:
    packet_samples = 0
    delay = 0

    def encode(self, samples: Samples) -> bytes:
        return to_pcm16(samples).astype("<i2", copy=False).tobytes()

    def decode(self, data: bytes) -> Samples:
        if len(data) % 2:
            raise DataLossError(f"{len(data)} bytes are no 16-bit samples")
        return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32768)


def make_encoder(codec: str, sample_rate: int, opus_bitrate: int) -> Encoder:
    """Of a session's input."""
    if codec == "opus":
        return opus.Encoder(sample_rate, opus_bitrate)
    return _Float() if codec == "pcm" else _Pcm16()


def make_decoder(codec: str, sample_rate: int) -> Decoder:
    """Of a session's output."""
    if codec == "opus":
        return opus.Decoder(sample_rate)
    return _Float() if codec == "pcm" else _Pcm16()
