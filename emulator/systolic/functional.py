"""The array really computes: the streams of a plan, fed into cells that multiply and add.

Every line each cell takes what its left and upper neighbour held, the edges take what the
streams bring, and the products are added up, in the cell (results stay) or in the sum that runs
down the column (something was loaded). With running sums the column edge gives its sums to the
addresses, in the lines, that the ofmap stream says: the result is right only if all three
streams agree in time. Results that stay are read out when their fold is over (SCALE-Sim's os
stream starts to write before the lowest cells are done; see docs/systolic.md), in the stream's
order of addresses.

Integers are added in 64 bits, half-precision numbers in single precision, as arrays do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hcc.isa.errors import FormatError

from .dataflows import DATAFLOWS, Dataflow
from .operands import Bools, Ints, Unfolded
from .streams import Plan, ReadStream, Skewed, Stationary
from .topology import Layer

Numbers = npt.NDArray[Any]


def _accumulator(ifmap: Numbers, filters: Numbers) -> np.dtype[Any]:
    kinds = {ifmap.dtype.kind, filters.dtype.kind}
    if kinds <= {"i", "u"}:
        return np.dtype(np.int64)
    if ifmap.dtype == filters.dtype == np.float16:
        return np.dtype(np.float32)
    raise FormatError(
        f"the array multiplies integers or float16, not {ifmap.dtype} by {filters.dtype}"
    )


def _values(stream: ReadStream, data: Numbers, kind: np.dtype[Any]) -> Numbers:
    """The operand's words by address sum, 0 in the padding and beyond."""
    operand = stream.operand
    if isinstance(operand, Unfolded):
        layer = operand.layer
        image = np.zeros((operand.height, operand.width, layer.channels), dtype=kind)
        image[: layer.ifmap_h, : layer.ifmap_w] = data
        words = image.reshape(-1)
    else:
        words = data.reshape(-1).astype(kind)
    return np.concatenate([words, np.zeros(1, dtype=kind)])


def _fold_values(stream: ReadStream, words: Numbers, fold: int, lines: int) -> Numbers:
    sums = np.minimum(stream.fold_sums(fold, 0, lines), stream.operand.space)
    return words[sums]


def _resident_fold(plan: Plan, left: Numbers, top: Numbers, kind: np.dtype[Any]) -> Numbers:
    """Cells that keep their sum: the sums after a fold."""
    shape = (plan.array.rows, plan.array.cols)
    across, down = np.zeros(shape, dtype=kind), np.zeros(shape, dtype=kind)
    total = np.zeros(shape, dtype=kind)
    for line in range(plan.fold_lines):
        across[:, 1:] = across[:, :-1].copy()
        across[:, 0] = left[line]
        down[1:] = down[:-1].copy()
        down[0] = top[line]
        total += across * down
    return total


def _loaded_fold(
    plan: Plan, left: Numbers, loaded: Numbers, sums: Ints, out: Numbers, kind: np.dtype[Any]
) -> None:
    """Cells that keep an operand: sums run down and leave in the lines of the ofmap stream."""
    shape = (plan.array.rows, plan.array.cols)
    kept, across = np.zeros(shape, dtype=kind), np.zeros(shape, dtype=kind)
    running = np.zeros(shape, dtype=kind)
    blank = plan.ofmap.blank
    for line in range(plan.fold_lines):
        if line < plan.array.rows:
            kept[1:] = kept[:-1].copy()
            kept[0] = loaded[line]
        across[:, 1:] = across[:, :-1].copy()
        across[:, 0] = left[line]
        running[1:] = running[:-1].copy()
        running[0] = 0
        running += across * kept
        written: Bools = sums[line] < blank
        out[sums[line][written]] += running[-1][written]


def multiply(
    layer: Layer,
    ifmap: Numbers,
    filters: Numbers,
    rows: int,
    cols: int,
    dataflow: Dataflow | str = "ws",
) -> Numbers:
    """Run a layer's arithmetic through the array.

    `ifmap` has the shape (height, width, channels), `filters` (filters, height, width, channels)
    of the layer; for a product M x K by K x N that is A with shape (M, K, 1) and B transposed
    with shape (N, 1, K, 1). Returns (output height, output width, filters).
    """
    if ifmap.shape != (layer.ifmap_h, layer.ifmap_w, layer.channels):
        raise FormatError(f"layer '{layer.name}' does not take an input of shape {ifmap.shape}")
    if filters.shape != (layer.filters, layer.filter_h, layer.filter_w, layer.channels):
        raise FormatError(f"layer '{layer.name}' does not take filters of shape {filters.shape}")
    kind = _accumulator(ifmap, filters)
    flow = DATAFLOWS[dataflow] if isinstance(dataflow, str) else dataflow
    plan = flow.plan(layer, rows, cols, (0, 0, 0))
    data = {"ifmap": ifmap, "filter": filters}
    out = np.zeros(layer.m * layer.n, dtype=kind)
    streams = (plan.ifmap, plan.filter)
    words = [_values(stream, data[stream.operand.name], kind) for stream in streams]
    lines = plan.fold_lines
    for fold in range(plan.array.folds):
        values = [
            _fold_values(stream, word, fold, lines)
            for stream, word in zip(streams, words, strict=True)
        ]
        sums = plan.ofmap.fold_sums(fold, 0, lines)
        if plan.ofmap.resident:
            left = 0 if isinstance(plan.ifmap, Skewed) and plan.ifmap.edge == "rows" else 1
            total = _resident_fold(plan, values[left], values[1 - left], kind)
            _, used, used_cols = plan.ofmap.shape(fold)
            for column in range(used_cols):
                column_sums = sums[:, column]
                addresses = column_sums[column_sums < plan.ofmap.blank]
                out[addresses] = total[:used, column][::-1]
        else:
            loaded = 0 if isinstance(plan.ifmap, Stationary) else 1
            _loaded_fold(plan, values[1 - loaded], values[loaded], sums, out, kind)
    return out.reshape(layer.ofmap_h, layer.ofmap_w, layer.filters)
