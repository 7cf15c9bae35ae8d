"""One layer on one configuration: from closed forms and events to the figures of the reports."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from attrs import evolve, frozen

from hcc.isa.errors import UnsupportedError

from .config import Compat, Config, Interface
from .dataflows import DATAFLOWS, Dataflow
from .epochs import Fetched, capacity, count_fetches
from .explicit import Demand, StreamDemand
from .operands import Ints, Unfolded
from .replay import ReadTimes, Timeline, replay, replay_writes
from .sparsity import Storage
from .streams import Plan, ReadStream, Skewed
from .topology import Layer
from .window import Fetch, Misses
from .windows import find_misses, sequence_words
from .writebuffer import WriteBuffer

# Folds whose shares are added up in one step.
_FOLDS_AT_ONCE = 1 << 16


@frozen
class Span:
    """Accesses to one memory: first and last cycle, and how many."""

    start: int
    stop: int
    count: float

    @property
    def bandwidth(self) -> float:
        """Words a cycle between start and stop."""
        return self.count / (self.stop - self.start + 1)


@frozen
class LayerResult:
    """All figures of one layer; the properties are the columns of SCALE-Sim's reports."""

    name: str
    compat: Compat
    macs: int
    cells: int
    total_cycles: int
    stall_cycles: int
    mapping_efficiency: float
    compute_utilisation: float
    sram_ifmap: Span
    sram_filter: Span
    sram_ofmap: Span
    dram_ifmap: Span
    dram_filter: Span
    dram_ofmap: Span
    storage: Storage | None = None

    def __attrs_post_init__(self) -> None:
        if self.total_cycles < 1:
            raise UnsupportedError(
                f"layer '{self.name}' is over in its first line: SCALE-Sim's count of cycles,"
                " one less than the lines, is 0 and gives no utilisation"
            )

    @property
    def cycles_with_prefetch(self) -> int:
        """From the first prefetch to the last write."""
        return self.dram_ofmap.stop - min(self.dram_ifmap.start, self.dram_filter.start)

    @property
    def overall_utilisation(self) -> float:
        """Share of the cells' cycles spent on MACs, stalls included, in percent."""
        return (self.macs * 100) / (self.total_cycles * self.cells)

    def sram_bandwidth(self, span: Span) -> float:
        """Words a cycle of an SRAM over the layer's cycles."""
        return span.count / self.total_cycles

    def compute_row(self) -> dict[str, float]:
        """The row of COMPUTE_REPORT.csv."""
        row: dict[str, float] = {}
        if self.compat is Compat.V3:
            row["Total Cycles (incl. prefetch)"] = self.cycles_with_prefetch
        row["Total Cycles"] = self.total_cycles
        row["Stall Cycles"] = self.stall_cycles
        row["Overall Util %"] = self.overall_utilisation
        row["Mapping Efficiency %"] = self.mapping_efficiency
        row["Compute Util %"] = self.compute_utilisation
        return row

    def bandwidth_row(self) -> dict[str, float]:
        """The row of BANDWIDTH_REPORT.csv."""
        row = {
            "Avg IFMAP SRAM BW": self.sram_bandwidth(self.sram_ifmap),
            "Avg FILTER SRAM BW": self.sram_bandwidth(self.sram_filter),
        }
        if self.storage is not None:
            row["Avg FILTER Metadata SRAM BW"] = self.storage.metadata / self.total_cycles
        row["Avg OFMAP SRAM BW"] = self.sram_bandwidth(self.sram_ofmap)
        row["Avg IFMAP DRAM BW"] = self.dram_ifmap.bandwidth
        row["Avg FILTER DRAM BW"] = self.dram_filter.bandwidth
        row["Avg OFMAP DRAM BW"] = self.dram_ofmap.bandwidth
        return row

    def access_row(self) -> dict[str, float]:
        """The row of DETAILED_ACCESS_REPORT.csv; cycles are floats there."""
        row: dict[str, float] = {}
        for name, span in (
            ("SRAM IFMAP", self.sram_ifmap),
            ("SRAM Filter", self.sram_filter),
            ("SRAM OFMAP", self.sram_ofmap),
            ("DRAM IFMAP", self.dram_ifmap),
            ("DRAM Filter", self.dram_filter),
            ("DRAM OFMAP", self.dram_ofmap),
        ):
            row[f"{name} Start Cycle"] = float(span.start)
            row[f"{name} Stop Cycle"] = float(span.stop)
            row[f"{name} {'Writes' if 'OFMAP' in name else 'Reads'}"] = span.count
        return row

    def sparse_row(self) -> dict[str, float]:
        """The row of SPARSE_REPORT.csv, without the representation."""
        storage = self.storage
        if storage is None:
            return {}
        return {
            "Original Filter Storage": storage.original,
            "New Storage (Filter+Metadata)": storage.compressed,
            "Filter Metadata Storage": storage.metadata,
            "Avg FILTER Metadata SRAM BW": storage.metadata / self.total_cycles,
        }

    def as_dict(self) -> dict[str, Any]:
        """All figures by report and column, for JSON."""
        out: dict[str, Any] = {
            "name": self.name,
            "compute": self.compute_row(),
            "bandwidth": self.bandwidth_row(),
            "accesses": self.access_row(),
        }
        if self.storage is not None:
            out["sparsity"] = self.sparse_row()
        return out


def fold_means(plan: Plan) -> tuple[float, float]:
    """(mapping efficiency, compute utilisation) in percent, means over the folds.

    The sums run over the folds one after another, as SCALE-Sim's do, so that the last printed
    digit is the same. np.cumsum adds strictly from left to right.
    """
    array = plan.array
    cells = array.rows * array.cols
    used_rows = np.full(array.row_folds, array.rows)
    used_rows[-1] = array.used_rows(array.row_folds - 1)
    used_cols = np.full(array.col_folds, array.cols)
    used_cols[-1] = array.used_cols(array.col_folds - 1)
    mapping = compute = 0.0
    step = max(1, _FOLDS_AT_ONCE // array.row_folds)
    for start in range(0, array.col_folds, step):
        used = (used_cols[start : start + step, None] * used_rows).reshape(-1)
        mapping = _add_up(mapping, used / cells)
        compute = _add_up(compute, used * plan.time / (cells * plan.skew_lines))
    return mapping / array.folds * 100, compute / array.folds * 100


def _add_up(total: float, values: npt.NDArray[np.float64]) -> float:
    return float(np.cumsum(np.concatenate(([total], values)))[-1])


def sram_counts(plan: Plan) -> tuple[int, int, int]:
    """Accesses of the three SRAMs, those off the input's edge included."""
    array = plan.array

    def reads(stream: ReadStream) -> int:
        first, second = stream.operand.sizes.values()
        if not isinstance(stream, Skewed):
            return first * second
        return first * second * (array.col_folds if stream.edge == "rows" else array.row_folds)

    writes = plan.ofmap.words_before_fold(array.folds) + plan.extra_writes * array.folds
    return reads(plan.ifmap), reads(plan.filter), writes


def first_and_last_line(plan: Plan, stream: ReadStream) -> tuple[int, int]:
    """The first and last line of the layer in which a stream asks for a word."""
    fold = plan.array.folds - 1
    last = fold * plan.fold_lines + stream.last_line(fold)
    operand = stream.operand
    if not isinstance(operand, Unfolded) or not operand.has_nulls:
        return stream.first_line, last
    while fold >= 0:
        line = _last_real_line(stream, operand, fold)
        if line is not None:
            return stream.first_line, fold * plan.fold_lines + line
        fold -= 1
    raise AssertionError("the first window is inside the input")


def _last_real_line(stream: ReadStream, operand: Unfolded, fold: int) -> int | None:
    """The last line of a fold with a word on the input; looked for from the fold's end."""
    stop = stream.last_line(fold) + 1
    block = 16
    while stop > 0:
        start = max(0, stop - block)
        sums = stream.fold_sums(fold, start, stop)
        real = (operand.real(sums) >= operand.offset).any(axis=1)
        if real.any():
            return start + int(np.flatnonzero(real)[-1])
        stop = start
        block = min(block * 4, 1 << 14)
    return None


def sram_spans(
    plan: Plan,
    time: Timeline,
    read_lines: tuple[tuple[int, int], tuple[int, int]],
    counts: tuple[float, float, float],
) -> tuple[Span, Span, Span]:
    """SRAM accesses from the first and last lines of the streams."""
    spans = []
    for (first, last), count, side in zip(read_lines, counts[:2], ("ifmap", "filter"), strict=True):
        start, stop = (
            time.cycle(line) + 1 + getattr(time.wait(line), side) for line in (first, last)
        )
        spans.append(Span(start, stop, count))
    fold = plan.array.folds - 1
    begin, _, _ = plan.ofmap.shape(0)
    last_start, length, cols = plan.ofmap.shape(fold)
    final = fold * plan.fold_lines + last_start + length - 1 + cols - 1
    start, stop = (time.cycle(line) + time.wait(line).ofmap for line in (begin, final))
    return spans[0], spans[1], Span(start, stop, counts[2])


def ofmap_span(writer: WriteBuffer, compat: Compat) -> Span:
    """DRAM writes; 2.0 takes the last drain's end as the stop, the others the latest."""
    drains = writer.drains
    if compat is Compat.V2:
        return Span(drains[0].cycle, drains[-1].cycle + drains[-1].count - 1, writer.writes)
    start = min(drain.cycle for drain in drains)
    stop = max(drain.cycle + drain.count - 1 for drain in drains)
    return Span(start, stop, writer.writes)


def calc_span(fetched: Fetched, buffer_words: int, time: Timeline, first_line: int) -> Span:
    """DRAM reads of a buffer in CALC mode; the first fill runs at 10 words a cycle."""
    items = buffer_words // 100
    if not fetched.flushes:
        sets = -(-fetched.words // items)
        return Span(-sets * items // 10, -1, fetched.words)
    fill = -(-capacity(buffer_words) // 10)
    return Span(time.cycle(first_line) - fill, time.cycle(fetched.last_flush) + 1, fetched.words)


@frozen
class Buffers:
    """What the read side of a layer comes to: cycles of all lines, DRAM reads, and the events
    behind them (misses in USER mode, fetches in CALC mode)."""

    time: Timeline
    dram: tuple[Span, Span]
    reads: tuple[ReadTimes, ReadTimes] | None = None
    misses: tuple[Misses, Misses] | None = None
    fetched: tuple[Fetched, Fetched] | None = None


def sizes_in_words(config: Config) -> tuple[int, int, int]:
    """Words of the three buffers."""
    return config.ifmap_kb * 1024, config.filter_kb * 1024, config.ofmap_kb * 1024


def _run_buffers(config: Config, plan: Plan, compat: Compat, writer: WriteBuffer) -> Buffers:
    sizes = sizes_in_words(config)[:2]
    streams = (plan.ifmap, plan.filter)
    if config.interface is Interface.USER:
        fetches = [
            Fetch(size, width)
            for size, width in zip(sizes, config.read_bandwidths(compat), strict=True)
        ]
        ifmap, filter_ = (
            ReadTimes(fetch, compat, fetch.first_lines(sequence_words(stream)))
            for fetch, stream in zip(fetches, streams, strict=True)
        )
        missed = (
            find_misses(plan.ifmap, plan, fetches[0]),
            find_misses(plan.filter, plan, fetches[1]),
        )
        time = replay(plan, missed, (ifmap, filter_), writer, compat)
        return Buffers(time, (read_span(ifmap), read_span(filter_)), (ifmap, filter_), missed)
    time = replay_writes(plan, writer, compat)
    fetched = (
        count_fetches(plan.ifmap, plan, sizes[0]),
        count_fetches(plan.filter, plan, sizes[1]),
    )
    dram = (
        calc_span(fetched[0], sizes[0], time, plan.ifmap.first_line),
        calc_span(fetched[1], sizes[1], time, plan.filter.first_line),
    )
    return Buffers(time, dram, fetched=fetched)


def read_span(side: ReadTimes) -> Span:
    """DRAM reads of a buffer in USER mode."""
    return Span(-side.first_lines, side.last_cycle, side.reads)


@frozen
class Simulation:
    """A simulated layer with what traces need beyond the figures: `orders` are the prefetch
    orders where they are not the streams' own."""

    result: LayerResult
    plan: Plan
    buffers: Buffers
    writer: WriteBuffer
    demands: tuple[Demand, Demand]
    orders: tuple[Ints, Ints] | None = None

    def named(self, name: str) -> Simulation:
        """The same for a layer of the same shape."""
        return evolve(self, result=evolve(self.result, name=name))


def simulate(
    config: Config,
    layer: Layer,
    compat: Compat = Compat.V2,
    dataflow: Dataflow | None = None,
) -> Simulation:
    """Run one dense layer with standard layouts; `dataflow` overrides the configuration's."""
    flow = dataflow or DATAFLOWS[config.dataflow]
    offsets = (config.ifmap_offset, config.filter_offset, config.ofmap_offset)
    plan = flow.plan(layer, config.rows, config.cols, offsets)
    writer = WriteBuffer(plan, sizes_in_words(config)[2], config.write_bandwidth())
    buffers = _run_buffers(config, plan, compat, writer)
    time = buffers.time
    mapping, compute = fold_means(plan)
    lines = (
        first_and_last_line(plan, plan.ifmap),
        first_and_last_line(plan, plan.filter),
    )
    sram = sram_spans(plan, time, lines, sram_counts(plan))
    result = LayerResult(
        name=layer.name,
        compat=compat,
        macs=layer.macs,
        cells=config.rows * config.cols,
        total_cycles=time.last_ofmap_cycle,
        stall_cycles=time.stalls,
        mapping_efficiency=mapping,
        compute_utilisation=compute,
        sram_ifmap=sram[0],
        sram_filter=sram[1],
        sram_ofmap=sram[2],
        dram_ifmap=buffers.dram[0],
        dram_filter=buffers.dram[1],
        dram_ofmap=ofmap_span(writer, compat),
    )
    demands = StreamDemand(plan.ifmap), StreamDemand(plan.filter)
    return Simulation(result, plan, buffers, writer, demands)
