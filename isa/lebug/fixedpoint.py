"""Values as W-bit words: LeBug's fixed point (W/2 integer, W/2 fraction bits) and plain integers.

Encoding rounds half to even at 2^-(W/2), clamps to +-(2^(W-1) - 1) (the most negative word is
never produced) and stores two's complement. LeBug's own encoder gives 2^W, one bit too many,
for a negative value that rounds to zero; that is its defect, and here such a value is 0.
An infinity, which LeBug's encoder cannot take, clamps like any value out of range; a NaN has
no word and is refused. Integers are refused when they do not fit: clamping a count would hide
an error that clamping a measurement does not.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..errors import HccError
from .machine import DataType


def encode_value(value: float, width: int) -> int:
    """The unsigned W-bit word of a real value in fixed point."""
    if math.isnan(value):
        raise HccError("NaN has no fixed-point encoding")
    largest = (1 << (width - 1)) - 1
    scaled = value * (1 << width // 2)
    if math.isinf(scaled):
        word = largest if scaled > 0 else -largest
    else:
        word = max(-largest, min(largest, round(scaled)))
    return word % (1 << width)


def decode_value(word: int, width: int) -> float:
    """The real value of an unsigned W-bit word."""
    return signed(word, width) / (1 << width // 2)


def signed(word: int, width: int) -> int:
    """An unsigned W-bit word as the two's complement number it stands for."""
    return word - (1 << width) if word >> (width - 1) & 1 else word


def wrap(words: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """Signed numbers reduced to W bits, as hardware adders leave them."""
    shift = np.int64(64 - width)
    return np.right_shift(np.left_shift(words, shift), shift)


def encode_array(
    values: NDArray[np.float64], width: int, kind: DataType, what: str, first: int = 0
) -> NDArray[np.int64]:
    """Signed W-bit words of an array; HccError names the first value that has none.

    `what` names the array in the message, `first` is the number of its first row.
    """
    bad = np.isnan(values)
    if bad.any():
        raise HccError(f"{what}{_place(bad, first)}: NaN has no {kind.label} encoding")
    largest = float((1 << (width - 1)) - 1)
    if kind is DataType.FIXED_POINT:
        with np.errstate(over="ignore"):
            scaled = np.rint(values * float(1 << width // 2))
        return np.clip(scaled, -largest, largest).astype(np.int64)
    finite = np.where(np.isposinf(values), largest, np.where(np.isneginf(values), -largest, values))
    bad = finite != np.trunc(finite)
    if bad.any():
        raise HccError(
            f"{what}{_place(bad, first)}: {finite[bad][0]:g} is not an integer (data type int)"
        )
    bad = (finite > largest) | (finite < -largest - 1)
    if bad.any():
        raise HccError(
            f"{what}{_place(bad, first)}: {finite[bad][0]:.17g} does not fit {width} bits"
        )
    return finite.astype(np.int64)


def decode_array(words: NDArray[np.int64], width: int, kind: DataType) -> NDArray[np.float64]:
    """Signed words as the values they stand for."""
    scale = float(1 << width // 2) if kind is DataType.FIXED_POINT else 1.0
    return np.asarray(words / scale, dtype=np.float64)


def to_unsigned(words: NDArray[np.int64], width: int) -> NDArray[np.uint64]:
    """Signed words as unsigned W-bit numbers."""
    mask = np.uint64((1 << width) - 1)
    return words.astype(np.uint64) & mask


def _place(bad: NDArray[np.bool_], first: int) -> str:
    index = [int(i) for i in np.argwhere(bad)[0]]
    index[0] += first
    return "".join(f"[{i}]" for i in index)
