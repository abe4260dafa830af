"""Opus packets, by the system's libopus. Nothing needs it but sessions with codec="opus"."""

from __future__ import annotations

import ctypes
import ctypes.util
from functools import cache

import numpy as np
import numpy.typing as npt

from ddsp_client.errors import DataLossError, InternalError, InvalidArgumentError, UnimplementedError

RATES = (8000, 12000, 16000, 24000, 48000)
_PACKET_MS = 20
_MAX_PACKET_MS = 120
_MAX_PACKET_BYTES = 1275 * 3 + 7
# As the C++ client has them, so that both send the same packets; its codec.cc says why.
_COMPLEXITY = 0
_DEFAULT_BITRATE = 72000

_RESTRICTED_LOWDELAY = 2051
_SET_BITRATE = 4002
_SET_COMPLEXITY = 4010
_GET_LOOKAHEAD = 4027


@cache
def _library() -> ctypes.CDLL:
    for name in ("libopus.so.0", "libopus.0.dylib", "opus.dll", "libopus-0.dll", ctypes.util.find_library("opus")):
        if name is None:
            continue
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        library.opus_encoder_create.restype = ctypes.c_void_p
        library.opus_decoder_create.restype = ctypes.c_void_p
        library.opus_encoder_destroy.argtypes = library.opus_decoder_destroy.argtypes = [ctypes.c_void_p]
        library.opus_encode_float.argtypes = [
            ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int32,
        ]  # fmt: skip
        library.opus_decode_float.argtypes = [
            ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, ctypes.c_void_p, ctypes.c_int, ctypes.c_int,
        ]  # fmt: skip
        library.opus_strerror.restype = ctypes.c_char_p
        return library
    raise UnimplementedError('codec="opus" needs libopus, which this machine does not have (Debian: libopus0)')


def available() -> bool:
    """Whether this machine has libopus."""
    try:
        _library()
    except UnimplementedError:
        return False
    return True


def _say(error: int) -> str:
    text: bytes = _library().opus_strerror(error)
    return text.decode()


def _check_rate(sample_rate: int) -> None:
    if sample_rate not in RATES:
        raise InvalidArgumentError(f"Opus has no sample rate of {sample_rate} Hz; use {', '.join(map(str, RATES))}")


class Encoder:
    """Samples to packets of 20 ms."""

    def __init__(self, sample_rate: int, bitrate: int) -> None:
        _check_rate(sample_rate)
        self._library = library = _library()
        self._encoder: int | None = library.opus_encoder_create(sample_rate, 1, _RESTRICTED_LOWDELAY, None)
        handle = ctypes.c_void_p(self._encoder)
        library.opus_encoder_ctl(handle, _SET_COMPLEXITY, ctypes.c_int32(_COMPLEXITY))
        library.opus_encoder_ctl(handle, _SET_BITRATE, ctypes.c_int32(bitrate or _DEFAULT_BITRATE))
        delay = ctypes.c_int32()
        library.opus_encoder_ctl(handle, _GET_LOOKAHEAD, ctypes.byref(delay))
        self.delay = delay.value
        self.packet_samples = sample_rate * _PACKET_MS // 1000

    def encode(self, samples: npt.NDArray[np.float32]) -> bytes:
        """One packet."""
        finite = np.isfinite(samples)
        if not finite.all():
            at = int(np.argmin(finite))
            raise InvalidArgumentError(f"sample {at} of a packet is {samples[at]}; it must be finite")
        samples = np.ascontiguousarray(samples, dtype=np.float32)
        packet = ctypes.create_string_buffer(_MAX_PACKET_BYTES)
        size = self._library.opus_encode_float(
            self._encoder, samples.ctypes.data, len(samples), packet, _MAX_PACKET_BYTES
        )
        if size < 0:
            raise InternalError(f"Opus encoder: {_say(size)}")
        return packet.raw[:size]

    def __del__(self) -> None:
        if getattr(self, "_encoder", None):
            self._library.opus_encoder_destroy(self._encoder)
            self._encoder = None


class Decoder:
    """Packets to samples."""

    def __init__(self, sample_rate: int) -> None:
        _check_rate(sample_rate)
        self._library = _library()
        self._decoder: int | None = self._library.opus_decoder_create(sample_rate, 1, None)
        self._max_samples = sample_rate * _MAX_PACKET_MS // 1000

    def decode(self, data: bytes) -> npt.NDArray[np.float32]:
        """The samples of one packet."""
        samples = np.empty(self._max_samples, np.float32)
        count = self._library.opus_decode_float(
            self._decoder, data, len(data), samples.ctypes.data, self._max_samples, 0
        )
        if count < 0:
            raise DataLossError(f"Opus packet of {len(data)} bytes: {_say(count)}")
        return samples[:count].copy()

    def __del__(self) -> None:
        if getattr(self, "_decoder", None):
            self._library.opus_decoder_destroy(self._decoder)
            self._decoder = None
