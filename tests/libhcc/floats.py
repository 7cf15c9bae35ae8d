"""Random doubles of every kind a conversion or a function may meet."""

from __future__ import annotations

import math
import random
import struct

SPECIAL = [
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 2.5, -2.5, 1.5, -1.5, math.inf,
    -math.inf, math.nan, 5e-324, -5e-324, 2.2250738585072014e-308, -2.2250738585072014e-308,
    1e-310, 1.7976931348623157e308, -1.7976931348623157e308, 1e300, -1e300, 4503599627370495.5,
    4503599627370496.5, 9007199254740993.0, -4503599627370495.5, 0.49999999999999994,
    -0.49999999999999994, 709.8, -745.2, 1024.0, -1075.0, 1e22, 0.9999999999999999,
    1.0000000000000002, 171.7, -171.5, -170.0, 1e-20, 9.5, 99.5, 0.05, 9.995, 0.001, 1e15, 1e23,
]  # fmt: skip


def from_bits(bits: int) -> float:
    value: float = struct.unpack("d", struct.pack("Q", bits))[0]
    return value


def bits_of(value: float) -> int:
    bits: int = struct.unpack("Q", struct.pack("d", value))[0]
    return bits


def any_finite(rng: random.Random) -> float:
    """Uniform over the representations."""
    while True:
        value = from_bits(rng.getrandbits(64))
        if math.isfinite(value):
            return value


def magnitude(rng: random.Random, low: float, high: float) -> float:
    """2^e with e uniform in a range, of either sign."""
    return math.copysign(2.0 ** rng.uniform(low, high), rng.choice([1, -1]))


def of_any_kind(rng: random.Random) -> float:
    kind = rng.randrange(6)
    if kind == 0:
        return any_finite(rng)
    if kind == 1:
        return rng.uniform(-1000, 1000)
    if kind == 2:
        return math.ldexp(rng.randrange(-(10**6), 10**6), -rng.randrange(12))
    if kind == 3:
        return float(rng.randrange(-(10**17), 10**17) * 10.0 ** rng.randrange(-30, 30))
    if kind == 4:
        return float(f"{rng.uniform(0, 10):.{rng.randrange(1, 6)}g}")
    return rng.choice(SPECIAL)


def same(a: float, b: float) -> bool:
    """Equal bits, or both NaN."""
    return (a != a and b != b) or bits_of(a) == bits_of(b)
