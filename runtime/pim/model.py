"""What PIM kernels must compute, in plain numpy binary16: the check behind `hcc pim bench`.

Nothing here knows rows, banks or registers. Each product and each sum is one numpy operation on
float16 arrays, in the order in which the layout feeds the units; the host's own additions follow
in float32, rounded once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hcc.compiler.pim.matvec import Split

Half = NDArray[np.float16]
LANES = 16


def elementwise(kernel: str, a: Half, b: Half | None) -> Half:
    """add, mul or relu of whole arrays."""
    with np.errstate(over="ignore", invalid="ignore"):
        match kernel:
            case "add":
                assert b is not None
                return a + b
            case "mul":
                assert b is not None
                return a * b
    return np.where(np.signbit(a), np.float16(0), a)


def accumulate(w: Half, x: Half, order: Sequence[int]) -> Half:
    """Per output and lane, w · x over bursts of sixteen inputs in the given order: [output, lane].

    Two roundings a step, as the units do.
    """
    chunks = w.reshape(len(w), -1, LANES)
    vector = x.reshape(-1, LANES)
    total = np.zeros((len(w), LANES), np.float16)
    with np.errstate(over="ignore", invalid="ignore"):
        for chunk in order:
            total += chunks[:, chunk] * vector[chunk]
    return total


def reference_order(inputs: int) -> list[int]:
    """The bursts of a vector as the reference library sends them: even tiles, then odd ones."""
    tiles = inputs // 128
    return [8 * tile + burst for first in (0, 1) for tile in range(first, tiles, 2)
            for burst in range(8)]  # fmt: skip


def product(w: Half, x: Half, split: Split) -> Half:
    """W x as hcc's layout computes it, for one pass over the outputs."""
    outputs, inputs = w.shape
    wide = np.zeros((outputs, split.inputs), np.float16)
    wide[:, :inputs] = w
    vector = np.zeros(split.inputs, np.float16)
    vector[:inputs] = x
    length = split.inputs // split.slices
    parts = []
    for number in range(split.slices):
        piece = slice(number * length, (number + 1) * length)
        if split.way == "dot":
            parts.append(_dot(wide[:, piece], vector[piece], split))
        else:
            parts.append(_column(wide[:, piece], vector[piece])[:, None])
    flat = np.concatenate(parts, axis=1).astype(np.float32)
    total = np.zeros(outputs, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        for part in flat.T:
            total += part
        return total.astype(np.float16)


def _dot(w: Half, x: Half, split: Split) -> Half:
    """Tiles in order; the halves of a tile change places when its serial number is odd."""
    result = np.empty((len(w), LANES), np.float16)
    rows = np.arange(len(w))
    passes = rows // 64 % split.passes
    for number in range(split.passes):
        order = []
        for tile in range(split.tiles):
            halves = (0, 4) if (number * split.tiles + tile) % 2 == 0 else (4, 0)
            order += [8 * tile + half + burst for half in halves for burst in range(4)]
        chosen = rows[passes == number]
        result[chosen] = accumulate(w[chosen], x, order)
    return result


def _column(w: Half, x: Half) -> Half:
    total = np.zeros(len(w), np.float16)
    columns = np.ascontiguousarray(w.T)
    with np.errstate(over="ignore", invalid="ignore"):
        for column, value in zip(columns, x, strict=True):
            total += column * value
    return total
