"""A layer's arithmetic through the array, against the same sums by numpy."""

from __future__ import annotations

import numpy as np

from hcc.emulator.systolic import Layer, multiply
from hcc.emulator.systolic.functional import Numbers
from hcc.emulator.systolic.operands import operands
from hcc.isa.errors import HccError

_MOST_BYTES = 4 << 30


def by_numpy(layer: Layer, ifmap: Numbers, filters: Numbers) -> Numbers:
    """The layer's output, windows over the edge reading zeros, in 64-bit integers or doubles."""
    kind = np.int64 if ifmap.dtype.kind in "iu" else np.float64
    height = (layer.ofmap_h - 1) * layer.stride_h + layer.filter_h
    width = (layer.ofmap_w - 1) * layer.stride_w + layer.filter_w
    pads = (max(0, height - layer.ifmap_h), max(0, width - layer.ifmap_w))
    image = np.pad(ifmap.astype(kind), ((0, pads[0]), (0, pads[1]), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(
        image, (layer.filter_h, layer.filter_w), axis=(0, 1)
    )[:: layer.stride_h, :: layer.stride_w][: layer.ofmap_h, : layer.ofmap_w]
    result: Numbers = np.einsum("yxchw,nhwc->yxn", windows, filters.astype(kind))
    return result


def _bytes(layer: Layer, rows: int, cols: int) -> int:
    """The size of operands, results, the array's registers and the streams of one fold."""
    matrices = sum(operand.space for operand in operands(layer, (0, 0, 0)))
    lines = max(layer.m, layer.n, layer.k) + 2 * rows + cols
    return 8 * (matrices + 4 * rows * cols + lines * (rows + 2 * cols))


def compare(layer: Layer, rows: int, cols: int, dataflow: str, kind: str, seed: int) -> str | None:
    """Run random matrices both ways; what differs, or None.

    Integers have to be equal. Half-precision products added in single precision may be off by
    the rounding of their K additions. HccError if it would take too much memory.
    """
    taken = _bytes(layer, rows, cols)
    if taken > _MOST_BYTES:
        raise HccError(
            f"layer '{layer.name}' on a {rows}x{cols} array would take {taken / (1 << 30):.1f} GiB;"
            f" the most is {_MOST_BYTES >> 30}"
        )
    random = np.random.default_rng(seed)
    shapes = (
        (layer.ifmap_h, layer.ifmap_w, layer.channels),
        (layer.filters, layer.filter_h, layer.filter_w, layer.channels),
    )
    ifmap: Numbers
    filters: Numbers
    if kind == "int8":
        ifmap, filters = (random.integers(-128, 128, shape, dtype=np.int8) for shape in shapes)
    else:
        ifmap, filters = (random.standard_normal(shape).astype(np.float16) for shape in shapes)
    got = multiply(layer, ifmap, filters, rows, cols, dataflow)
    wanted = by_numpy(layer, ifmap, filters)
    if kind == "int8":
        wrong = int(np.count_nonzero(got != wanted))
        return None if not wrong else f"{wrong} of {got.size} sums differ"
    size = by_numpy(layer, np.abs(ifmap), np.abs(filters))
    allowed = size * layer.k * float(np.finfo(np.float32).eps)
    worst = float((np.abs(got - wanted) - allowed).max())
    return None if worst <= 0 else f"off by up to {worst:g} more than rounding allows"
