"""The array with a memory of the user's own behind it.

The model's own buffers are for SCALE-Sim's numbers. A larger simulator wants to put its own
memory there: so a layer's demand can be had as an iterator, and a layer can be stepped line by
line against anything that answers how long a line has to wait. Several arrays stepped in the
order of their cycles can share one memory (examples/systolic/shared_dram.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from attrs import define, field, frozen

from .config import Config
from .dataflows import DATAFLOWS, Dataflow
from .explicit import StreamDemand
from .operands import Ints
from .streams import Plan
from .topology import Layer

_BLOCK_WORDS = 1 << 14


@frozen(eq=False)
class Line:
    """One cycle's demand: addresses for each edge cell, -1 where a cell asks for nothing."""

    number: int
    ifmap: Ints
    filter: Ints
    ofmap: Ints


class Memory(Protocol):
    """What an array needs of a memory."""

    def serve(self, cycle: int, line: Line) -> int:
        """The cycles the array has to wait for a line presented at `cycle`."""
        ...

    def finish(self, cycle: int) -> int:
        """The array is done at `cycle`; returns the cycle at which the memory is."""
        ...


def plan_layer(config: Config, layer: Layer, dataflow: Dataflow | None = None) -> Plan:
    """Lay a layer onto the configuration's array."""
    flow = dataflow or DATAFLOWS[config.dataflow]
    offsets = (config.ifmap_offset, config.filter_offset, config.ofmap_offset)
    return flow.plan(layer, config.rows, config.cols, offsets)


def demand_lines(plan: Plan) -> Iterator[Line]:
    """All lines of a layer in order, made in small blocks and never held together."""
    sides = [StreamDemand(plan.ifmap), StreamDemand(plan.filter)]
    widest = max(plan.array.rows, plan.array.cols)
    step = max(1, _BLOCK_WORDS // widest)
    for fold in range(plan.array.folds):
        for start in range(0, plan.fold_lines, step):
            stop = min(start + step, plan.fold_lines)
            ifmap, filter_ = (side.addresses(fold, start, stop) for side in sides)
            ofmap = plan.ofmap.operand.real(plan.ofmap.fold_sums(fold, start, stop))
            first = fold * plan.fold_lines + start
            for at in range(stop - start):
                yield Line(first + at, ifmap[at], filter_[at], ofmap[at])


@define
class ArrayRun:
    """A layer on its way through an array, stepped line by line against a memory."""

    plan: Plan
    memory: Memory
    start: int = 0
    line: int = 0
    stalls: int = 0
    _demand: Iterator[Line] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._demand = demand_lines(self.plan)

    @property
    def done(self) -> bool:
        """True after the last line."""
        return self.line == self.plan.lines

    @property
    def cycle(self) -> int:
        """The cycle at which the next line is presented."""
        return self.start + self.line + self.stalls

    def step(self) -> None:
        """Present the next line."""
        self.stalls += self.memory.serve(self.cycle, next(self._demand))
        self.line += 1

    def run(self) -> int:
        """Present all lines left; returns the cycle at which the memory is done as well."""
        while not self.done:
            self.step()
        return self.memory.finish(self.cycle)

    @property
    def utilisation(self) -> float:
        """Share of the cells' cycles so far that a finished layer spends on MACs, in percent."""
        array = self.plan.array
        macs = array.row_extent * array.col_extent * self.plan.time
        return 100 * macs / ((self.cycle - self.start) * array.rows * array.cols)
