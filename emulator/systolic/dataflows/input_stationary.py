"""Input stationary: every cell keeps one input word; filters are pumped through, sums run down.

The mirror of weight stationary: rows hold window words (K), columns output pixels (M), filters
(N) run in time.
"""

from __future__ import annotations

from attrs import frozen

from ..operands import Dim, operands
from ..streams import Array, Drained, Plan, Skewed, Stationary
from ..topology import Layer


@frozen
class InputStationary:
    """The is dataflow."""

    name: str = "is"

    def plan(self, layer: Layer, rows: int, cols: int, offsets: tuple[int, int, int]) -> Plan:
        """Lay a layer onto a rows x cols array."""
        ifmap, filter_, ofmap = operands(layer, offsets)
        array = Array(rows, cols, layer.k, layer.m)
        lines = 2 * rows + cols + layer.n - 2
        return Plan(
            array=array,
            time=layer.n,
            fold_lines=lines,
            skew_lines=lines + cols - 1,
            extra_writes=0,
            ifmap=Stationary(ifmap, Dim.K, Dim.M, array),
            filter=Skewed(filter_, Dim.N, Dim.K, "rows", array, lead=rows),
            ofmap=Drained(ofmap, Dim.N, Dim.M, array, 2 * rows - 1, resident=False),
        )
