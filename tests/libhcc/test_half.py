"""Half precision: every half, and floats and doubles around every rounding, against numpy."""

from __future__ import annotations

import ctypes
import random
from typing import Any

import numpy as np
import pytest

from tests.libhcc import floats


@pytest.fixture
def half(ours: ctypes.CDLL) -> ctypes.CDLL:
    ours.__hcc_f16_to_f32.restype = ctypes.c_float
    ours.__hcc_f16_to_f32.argtypes = [ctypes.c_uint16]
    ours.__hcc_f32_to_f16.restype = ctypes.c_uint16
    ours.__hcc_f32_to_f16.argtypes = [ctypes.c_float]
    ours.__hcc_f64_to_f16.restype = ctypes.c_uint16
    ours.__hcc_f64_to_f16.argtypes = [ctypes.c_double]
    return ours


def bits16(value: Any) -> int:
    with np.errstate(over="ignore", under="ignore"):
        return int(np.float16(value).view(np.uint16))


def test_every_half_widens_exactly(half: ctypes.CDLL) -> None:
    widen = half.__hcc_f16_to_f32
    for bits in range(1 << 16):
        expected = float(np.uint16(bits).view(np.float16))

        assert floats.same(expected, widen(bits)), hex(bits)


def test_every_half_comes_back(half: ctypes.CDLL) -> None:
    widen, narrow = half.__hcc_f16_to_f32, half.__hcc_f32_to_f16
    for bits in range(1 << 16):
        is_nan = bits & 0x7FFF > 0x7C00

        assert (bits | 0x0200 if is_nan else bits) == narrow(widen(bits)), hex(bits)


def test_roundings_around_every_half(half: ctypes.CDLL) -> None:
    narrow32, narrow64 = half.__hcc_f32_to_f16, half.__hcc_f64_to_f16
    for bits in range(0x7C00):
        low = float(np.uint16(bits).view(np.float16))
        high = 65536.0 if bits == 0x7BFF else float(np.uint16(bits + 1).view(np.float16))
        middle = (low + high) / 2
        for value in (middle, np.nextafter(middle, 0), -np.nextafter(middle, 1e9)):
            assert bits16(np.float64(value)) == narrow64(value), value
            single = np.float32(value)
            assert bits16(single) == narrow32(single), value


def test_doubles_are_rounded_once(half: ctypes.CDLL, rng: random.Random) -> None:
    narrow = half.__hcc_f64_to_f16
    for _ in range(20000):
        value = floats.any_finite(rng) if rng.random() < 0.1 else floats.magnitude(rng, -30, 18)

        assert bits16(np.float64(value)) == narrow(value), value


def test_nan_keeps_sign_and_top_of_payload(half: ctypes.CDLL) -> None:
    quiet = floats.from_bits(0xFFF8_0000_0000_0000 | 0x155 << 42)

    assert half.__hcc_f64_to_f16(quiet) == 0xFE00 | 0x155
