"""Binary16 arithmetic on arrays, bit for bit as the units do it, several times faster than numpy's.

Values are kept as float32 that happen to be representable in binary16. A product of two such
values is exact in float32 and a sum is rounded there to more than twice binary16's digits plus
two, so rounding the float32 result once more gives the correctly rounded binary16 result.

That rounding is done by adding and subtracting 1.5 · 2^13 times the value's power of two, whose
last place is the last place of binary16; below 2^-14 the place stays at 2^-24, which is how
binary16's subnormals are rounded. The sign is copied back for results of zero. Values of 2^15 and
more, where rounding may overflow, and NaN take numpy's own conversion.

MAC and MAD round twice: the product, then the sum.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bits = NDArray[np.uint16]

_EXPONENT = np.uint32(0x7F80_0000)
_SIGN = np.uint32(0x8000_0000)
_LEAST = np.uint32((127 - 14) << 23)
_TO_MAGIC = np.uint32((13 << 23) + (1 << 22))
_LARGE = (127 + 15) << 23
_INFINITE_HALF = np.uint16(0x7C00)


def widen(bits: Bits) -> Floats:
    """The values of bit patterns, as a fresh contiguous array."""
    magnitude = np.ascontiguousarray(bits).astype(np.uint32)
    sign = (magnitude & np.uint32(0x8000)) << np.uint32(16)
    magnitude &= np.uint32(0x7FFF)
    if magnitude.size and int(magnitude.max()) >= int(_INFINITE_HALF):
        return bits.view(np.float16).astype(np.float32)
    magnitude <<= np.uint32(13)
    values = magnitude.view(np.float32)
    values *= np.float32(2.0**112)
    magnitude |= sign
    return values


def narrow(values: Floats) -> Bits:
    """The bit patterns of values that binary16 holds exactly."""
    with np.errstate(invalid="ignore", over="ignore"):
        return values.astype(np.float16).view(np.uint16)


def round_half(values: Floats) -> Floats:
    """`values`, a contiguous array, rounded to binary16 in place."""
    bits = values.view(np.uint32)
    magic = bits & _EXPONENT
    if magic.size and int(magic.max()) >= _LARGE:
        with np.errstate(over="ignore", invalid="ignore"):
            values[...] = values.astype(np.float16)
        return values
    np.maximum(magic, _LEAST, out=magic)
    magic += _TO_MAGIC
    sign = bits & _SIGN
    shift = magic.view(np.float32)
    values += shift
    values -= shift
    bits |= sign
    return values


def multiply(a: Floats, b: Floats) -> Floats:
    """a · b, rounded."""
    with np.errstate(invalid="ignore", over="ignore"):
        return round_half(np.ascontiguousarray(a * b))


def add(a: Floats, b: Floats) -> Floats:
    """a + b, rounded."""
    with np.errstate(invalid="ignore", over="ignore"):
        return round_half(np.ascontiguousarray(a + b))


def multiply_add(a: Floats, b: Floats, c: Floats) -> Floats:
    """a · b rounded, plus c, rounded again."""
    with np.errstate(invalid="ignore", over="ignore"):
        result = round_half(np.ascontiguousarray(a * b))
        result += c
        return round_half(result)


def relu(values: Floats) -> Floats:
    """Zero where the sign bit is set, be it of a zero or a NaN."""
    return np.where(np.signbit(values), np.float32(0), values)
