"""CRC-32C (Castagnoli) with numpy: many stretches of the data side by side, then joined."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

_POLYNOMIAL = 0x82F63B78  # reflected
_LANE = 1024  # bytes of a stretch
_U32 = npt.NDArray[np.uint32]


@cache
def _table() -> _U32:
    values = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        values = np.where(values & 1, (values >> 1) ^ np.uint32(_POLYNOMIAL), values >> 1).astype(np.uint32)
    return values


@cache
def _shift_tables() -> list[list[int]]:
    """What _LANE zero bytes make of each byte of a register: a linear function of it, as four tables of 256."""
    registers = np.concatenate([np.arange(256, dtype=np.uint32) << np.uint32(8 * byte) for byte in range(4)])
    table = _table()
    for _ in range(_LANE):
        registers = table[registers & 0xFF] ^ (registers >> 8)
    shifted: list[list[int]] = registers.reshape(4, 256).tolist()
    return shifted


def crc32c(data: bytes) -> int:
    """The checksum of `data`."""
    table = _table()
    lanes = len(data) // _LANE
    register = 0xFFFFFFFF
    if lanes:
        columns = np.frombuffer(data, np.uint8, lanes * _LANE).reshape(lanes, _LANE).T.astype(np.uint32)
        registers = np.zeros(lanes, np.uint32)
        for column in columns:
            registers = table[(registers ^ column) & 0xFF] ^ (registers >> 8)
        first, second, third, fourth = _shift_tables()
        for lane in registers.tolist():
            register = (
                first[register & 0xFF]
                ^ second[register >> 8 & 0xFF]
                ^ third[register >> 16 & 0xFF]
                ^ fourth[register >> 24]
                ^ lane
            )
    plain = table.tolist()
    for byte in data[lanes * _LANE :]:
        register = plain[(register ^ byte) & 0xFF] ^ (register >> 8)
    return register ^ 0xFFFFFFFF
