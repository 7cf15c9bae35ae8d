"""Cycles and utilisation of very many configurations at once, without stalls.

Without stalls a layer's cycles are a closed form of the array's shape, so arrays of shapes,
dataflows and layers broadcast against each other: a million configurations take well under a
second. What memory sizes and bandwidths do to the cycles is not in here; see layer.run_layer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from attrs import frozen

from .operands import Ints
from .topology import Layer

Floats = npt.NDArray[np.float64]

FLOWS = ("os", "ws", "is")


@frozen(eq=False)
class Estimate:
    """Arrays of one shape: total cycles, and three utilisations in percent."""

    cycles: Ints
    overall: Floats
    mapping: Floats
    compute: Floats


def estimate(
    m: npt.ArrayLike,
    n: npt.ArrayLike,
    k: npt.ArrayLike,
    rows: npt.ArrayLike,
    cols: npt.ArrayLike,
    dataflow: npt.ArrayLike,
) -> Estimate:
    """Cycles and utilisation of products M x K by K x N; all arguments broadcast.

    `dataflow` is "os", "ws" or "is", or an array of indices into FLOWS.
    """
    m, n, k, rows, cols = (np.asarray(x, dtype=np.int64) for x in (m, n, k, rows, cols))
    flow = np.asarray(dataflow)
    if flow.dtype.kind in "US":
        flow = np.vectorize(FLOWS.index, otypes=[np.int64])(flow)
    os, is_ = flow == 0, flow == 2
    row_extent = np.where(os, m, k)
    col_extent = np.where(is_, m, n)
    time = np.where(os, k, np.where(is_, n, m))
    row_folds = -(-row_extent // rows)
    col_folds = -(-col_extent // cols)
    fold = time + cols + np.where(os, rows, 2 * rows) - 2
    skewed = fold + np.where(os, 0, cols - 1)
    cycles = row_folds * col_folds * fold - 1
    mapping = row_extent * col_extent / (row_folds * rows * (col_folds * cols))
    # A layer of one line has 0 cycles in SCALE-Sim's count.
    with np.errstate(divide="ignore"):
        overall = m * n * (k * 100.0) / (cycles.astype(np.float64) * rows * cols)
    return Estimate(cycles, overall, mapping * 100, mapping * 100 * time / skewed)


def estimate_layers(
    layers: Sequence[Layer],
    rows: npt.ArrayLike,
    cols: npt.ArrayLike,
    dataflow: npt.ArrayLike,
) -> Estimate:
    """The same for layers: the arrays get one axis more, in front, for the layers."""
    rows, cols = np.asarray(rows), np.asarray(cols)
    flow = np.asarray(dataflow)
    rank = max(rows.ndim, cols.ndim, flow.ndim)
    sizes = np.array([(layer.m, layer.n, layer.k) for layer in layers], dtype=np.int64)
    m, n, k = (column.reshape(-1, *[1] * rank) for column in sizes.T)
    return estimate(m, n, k, rows, cols, flow)
