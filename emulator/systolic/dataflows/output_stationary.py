"""Output stationary: every cell keeps one output pixel; inputs and filters are pumped through.

Rows hold output pixels (M), columns filters (N), the window (K) runs in time. Inputs enter at the
row edge, filters at the column edge, both skewed. SCALE-Sim lets the results leave in the same
T + R + C - 2 lines, from the bottom row up, starting when the first cell is done.
"""

from __future__ import annotations

from attrs import frozen

from ..operands import Dim, operands
from ..streams import Array, Drained, Plan, Skewed
from ..topology import Layer


@frozen
class OutputStationary:
    """The os dataflow."""

    name: str = "os"

    def plan(self, layer: Layer, rows: int, cols: int, offsets: tuple[int, int, int]) -> Plan:
        """Lay a layer onto a rows x cols array."""
        ifmap, filter_, ofmap = operands(layer, offsets)
        array = Array(rows, cols, layer.m, layer.n)
        lines = layer.k + rows + cols - 2
        return Plan(
            array=array,
            time=layer.k,
            fold_lines=lines,
            skew_lines=lines,
            extra_writes=rows + cols,
            ifmap=Skewed(ifmap, Dim.K, Dim.M, "rows", array, lead=0),
            filter=Skewed(filter_, Dim.K, Dim.N, "cols", array, lead=0),
            ofmap=Drained(ofmap, Dim.M, Dim.N, array, layer.k - 1, resident=True),
        )
