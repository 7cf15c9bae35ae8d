"""Weight stationary: every cell keeps one weight; inputs are pumped through, sums run down.

Rows hold window words (K), columns filters (N), output pixels (M) run in time. R lines load the
weights; then inputs enter at the row edge, skewed, and partial sums leave at the column edge.
Each row fold writes its partial sums in full; SCALE-Sim never reads them back.
"""

from __future__ import annotations

from attrs import frozen

from ..operands import Dim, operands
from ..streams import Array, Drained, Plan, Skewed, Stationary
from ..topology import Layer


@frozen
class WeightStationary:
    """The ws dataflow."""

    name: str = "ws"

    def plan(self, layer: Layer, rows: int, cols: int, offsets: tuple[int, int, int]) -> Plan:
        """Lay a layer onto a rows x cols array."""
        ifmap, filter_, ofmap = operands(layer, offsets)
        array = Array(rows, cols, layer.k, layer.n)
        lines = 2 * rows + cols + layer.m - 2
        return Plan(
            array=array,
            time=layer.m,
            fold_lines=lines,
            skew_lines=lines + cols - 1,
            extra_writes=0,
            ifmap=Skewed(ifmap, Dim.M, Dim.K, "rows", array, lead=rows),
            filter=Stationary(filter_, Dim.K, Dim.N, array),
            ofmap=Drained(ofmap, Dim.M, Dim.N, array, 2 * rows - 1, resident=False),
        )
