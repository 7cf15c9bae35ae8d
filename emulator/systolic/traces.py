"""SRAM and DRAM traces in SCALE-Sim's format, made as they are written and never held.

A line is a cycle and the addresses of that cycle, -1 for none; SRAM traces hold whole numbers,
DRAM traces floats. Two of SCALE-Sim's DRAM traces carry oddities that are repeated for 2.0 and
3.0, so that the files are the same: in USER mode every move of a read buffer after the first
fetches the same DRAM lines again (a row pointer is not advanced) and words at the seams are
nulled for good; in CALC mode the words of a set come in the order of a Python set, and shorter
lines are filled up with 1.0. "fixed" advances the pointer and nulls nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from attrs import define, field

from .config import Compat, Config
from .epochs import capacity
from .explicit import Demand, blocks
from .layer import Simulation
from .operands import Ints
from .replay import ReadTimes, Timeline
from .streams import ReadStream, Stationary, diagonal_of, diagonals_before
from .windows import sequence_words

TRACES = (
    "IFMAP_SRAM",
    "FILTER_SRAM",
    "OFMAP_SRAM",
    "IFMAP_DRAM",
    "FILTER_DRAM",
    "OFMAP_DRAM",
)
_ROWS = 4096


def _cycles(time: Timeline, first: int, count: int, side: str) -> Ints:
    """The cycles at which lines are served."""
    lines = np.arange(first, first + count)
    after = np.array([0, *time.after], dtype=np.int64)
    cycles: Ints = lines + after[np.searchsorted(np.array(time.lines, dtype=np.int64), lines)]
    cycles += 0 if side == "ofmap" else 1
    for line, waits in time.waits.items():
        if first <= line < first + count:
            cycles[line - first] += getattr(waits, side)
    return cycles


def _rows(rows: Iterable[list[int]], text: Callable[[int], str] = str) -> str:
    return "".join(",".join(map(text, row)) + "\n" for row in rows)


def _as_float(value: int) -> str:
    return f"{value}.0"


def _read_sram(simulation: Simulation, side: int) -> Iterator[str]:
    name = ("ifmap", "filter")[side]
    time = simulation.buffers.time
    reads = simulation.buffers.reads
    banked = reads is not None and reads[side].strict_waits
    for first, addresses in blocks(simulation.demands[side], simulation.plan):
        cycles = _cycles(time, first, len(addresses), name)
        if banked:
            # With banks SCALE-Sim serves a line that asks for nothing a cycle early.
            cycles -= (addresses < 0).all(axis=1)
        yield _rows(np.column_stack([cycles, addresses]).tolist())


def _write_sram(simulation: Simulation) -> Iterator[str]:
    time = simulation.buffers.time
    for first, addresses in _ofmap_blocks(simulation):
        cycles = _cycles(time, first, len(addresses), "ofmap")
        yield _rows(np.column_stack([cycles, addresses]).tolist())


def _ofmap_blocks(simulation: Simulation) -> Iterator[tuple[int, Ints]]:
    plan = simulation.plan
    step = max(1, _ROWS * 8 // plan.array.cols)
    for fold in range(plan.array.folds):
        for start in range(0, plan.fold_lines, step):
            stop = min(start + step, plan.fold_lines)
            sums = plan.ofmap.fold_sums(fold, start, stop)
            yield fold * plan.fold_lines + start, plan.ofmap.operand.real(sums)


def order_part(stream: ReadStream, start: int, stop: int) -> Ints:
    """The addresses at positions start..stop of a stream's prefetch order."""
    operand = stream.operand
    if isinstance(stream, Stationary):
        array = stream.array
        row, cell = np.divmod(np.arange(start, stop), array.cols)
        tile, inner = np.divmod(row, array.row_extent)
        column = tile * array.cols + cell
        inside = column < array.col_extent
        sums = stream.row_axis[inner] + stream.col_axis[np.where(inside, column, 0)]
        return np.where(inside, operand.real(sums), -1)
    rows, width = stream.length * stream.tiles, stream.width
    first = diagonal_of(start, rows, width)
    last = diagonal_of(stop - 1, rows, width)
    diagonal = np.arange(first, last + 1)[:, None]
    cell = np.broadcast_to(np.arange(width), (len(diagonal), width))
    row = diagonal - cell
    there = (row >= 0) & (row < rows)
    row, cell = row[there], cell[there]
    skip = start - diagonals_before(first, rows, width)
    row, cell = row[skip : skip + stop - start], cell[skip : skip + stop - start]
    tile, time = np.divmod(row, stream.length)
    space = tile * width + cell
    inside = space < stream.extent
    space = np.where(inside, space, 0)
    sums = operand.axis(stream.time)[time] + operand.axis(stream.space)[space]
    return np.where(inside, operand.real(sums), -1)


@define
class _FetchRows:
    """The DRAM lines of a prefetch order, and the words SCALE-Sim has nulled in them."""

    part: Callable[[int, int], Ints]
    words: int
    width: int
    heads: dict[int, int] = field(factory=dict)
    tails: dict[int, int] = field(factory=dict)

    @property
    def count(self) -> int:
        """Lines."""
        return -(-self.words // self.width)

    def read(self, start: int, stop: int) -> Ints:
        """Lines start..stop."""
        flat = self.part(start * self.width, min(stop * self.width, self.words))
        missing = (stop - start) * self.width - len(flat)
        rows = np.pad(flat, (0, missing), constant_values=-1).reshape(-1, self.width)
        for line in range(start, stop):
            if line in self.heads:
                rows[line - start, : self.heads[line]] = -1
            if line in self.tails:
                rows[line - start, self.tails[line] :] = -1
        return rows


def _lines_of(rows: _FetchRows, start: int, stop: int) -> Iterator[Ints]:
    for at in range(start, stop, _ROWS):
        yield rows.read(at, min(stop, at + _ROWS))


def _user_dram(rows: _FetchRows, side: ReadTimes, compat: Compat) -> Iterator[str]:
    fetch = side.fetch
    active, width, total = fetch.active_words, fetch.bandwidth, rows.count
    first, each = side.first_lines, fetch.refill_lines
    faithful = compat is not Compat.FIXED
    head = 0
    if first * width > active and faithful:
        head = rows.tails[first - 1] = active % width
    pointer = (first if first * width > active or not faithful else first + 1) % total
    cycle = -first

    def emit(block: Ints) -> str:
        nonlocal cycle
        cycles = np.arange(cycle, cycle + len(block))
        cycle += len(block)
        return _rows(np.column_stack([cycles, block]).tolist(), _as_float)

    for block in _lines_of(rows, 0, first):
        yield emit(block)
    for _ in range(side.moves):
        cycle += 1
        end = pointer + each
        if not faithful:
            for at in range(pointer, end, _ROWS):
                wanted = np.arange(at, min(end, at + _ROWS)) % total
                for block in np.split(wanted, np.flatnonzero(np.diff(wanted) < 0) + 1):
                    yield emit(rows.read(int(block[0]), int(block[-1]) + 1))
            pointer = end % total
            continue
        if end <= total:
            # Nulled in place: these words stay null.
            rows.heads[pointer] = max(head, rows.heads.get(pointer, 0))
            if each * width > active:
                rows.tails[end - 1] = min(active % width, rows.tails.get(end - 1, width))
            for block in _lines_of(rows, pointer, end):
                yield emit(block)
        else:
            parts = [rows.read(pointer, total), rows.read(0, min(end - total, pointer))]
            block = np.concatenate(parts)
            block[0, :head] = -1
            if each * width > active:
                block[-1, active % width :] = -1
            yield emit(block)
        if each * width > active:
            pointer = each % total
        else:
            pointer = (each + 1) % (width if compat is Compat.V2 else total)


def _groups(
    demand: Demand, simulation: Simulation, buffer_words: int
) -> Iterator[tuple[int, list[list[int]]]]:
    """The sets of each epoch in CALC mode, with the line of the flush that ends it (-1: none)."""
    items = buffer_words // 100
    limit = capacity(buffer_words)
    seen: set[int] = set()
    order: list[int] = []
    for first, addresses in blocks(demand, simulation.plan):
        for at, row in enumerate(addresses.tolist()):
            for address in row:
                if address == -1 or address in seen:
                    continue
                seen.add(address)
                order.append(address)
                if len(order) == limit:
                    yield first + at, _sets(order, items)
                    seen, order = set(), []
    yield -1, _sets(order, items)


def _sets(order: list[int], items: int) -> list[list[int]]:
    found = []
    for start in range(0, len(order), items):
        members: set[int] = set()
        for address in order[start : start + items]:
            members.add(address)
        found.append(list(members))
    return found


@define
class _Interval:
    """The cycles of one prefetch and the words a cycle it takes."""

    start: int
    end: int
    width: int


def _intervals(simulation: Simulation, side: int, size: int) -> list[_Interval]:
    """When each epoch's words come from DRAM, one for each group."""
    items = size // 100
    time = simulation.buffers.time
    demand = simulation.demands[side]
    found: list[_Interval] = []
    start = end = 0
    for line, sets in _groups(demand, simulation, size):
        words = len(sets) * items
        if not found:
            first = _first_cycle(demand, simulation) if line >= 0 else 0
            end = first - 2
            start = end - -(-words // 10) + 1
            found.append(_Interval(start, end, 10))
        else:
            found.append(_Interval(start, end, -(-words // max(1, end - start + 1))))
        start, end = end + 1, time.cycle(line)
    return found


def _first_cycle(demand: Demand, simulation: Simulation) -> int:
    for first, addresses in blocks(demand, simulation.plan):
        asked = np.flatnonzero((addresses >= 0).any(axis=1))
        if len(asked):
            return simulation.buffers.time.cycle(first + int(asked[0]))
    return 0


def _calc_dram(simulation: Simulation, side: int, size: int) -> Iterator[str]:
    intervals = _intervals(simulation, side, size)
    widest = max(interval.width for interval in intervals)
    groups = _groups(simulation.demands[side], simulation, size)
    for interval, (_, sets) in zip(intervals, groups, strict=True):
        words = [word for members in sets for word in members]
        width = interval.width
        lines = []
        for at in range(interval.end - interval.start + 1):
            part = words[at * width : (at + 1) * width]
            part += [-1] * (width - len(part)) + [1] * (widest - width)
            lines.append([interval.start + at + 1, *part])
        yield _rows(lines, _as_float)


def _write_dram(simulation: Simulation) -> Iterator[str]:
    writer = simulation.writer
    width = writer.bandwidth
    cycles = (drain.cycle + at for drain in writer.drains for at in range(drain.count))
    held: list[int] = []
    line = 0
    for _, addresses in _ofmap_blocks(simulation):
        flat = addresses.reshape(-1)
        held += flat[flat >= 0].tolist()
        lines = []
        start = 0
        while True:
            size = width - writer.short_lines.get(line, 0)
            if len(held) - start < size:
                break
            part = held[start : start + size] + [-1] * (width - size)
            lines.append([next(cycles), *part])
            start += size
            line += 1
            if start == len(held):
                break
        held = held[start:]
        if lines:
            yield _rows(lines, _as_float)


def trace(simulation: Simulation, config: Config, name: str) -> Iterator[str]:
    """The text of one of TRACES for a layer, in pieces."""
    compat = simulation.result.compat
    match name:
        case "IFMAP_SRAM":
            return _read_sram(simulation, 0)
        case "FILTER_SRAM":
            return _read_sram(simulation, 1)
        case "OFMAP_SRAM":
            return _write_sram(simulation)
        case "OFMAP_DRAM":
            return _write_dram(simulation)
    side = 0 if name == "IFMAP_DRAM" else 1
    if simulation.buffers.reads is None:
        return _calc_dram(simulation, side, (config.ifmap_kb, config.filter_kb)[side] * 1024)
    reads = simulation.buffers.reads[side]
    if simulation.orders is None:
        stream = (simulation.plan.ifmap, simulation.plan.filter)[side]
        words = sequence_words(stream)

        def part(start: int, stop: int) -> Ints:
            return order_part(stream, start, stop)
    else:
        order = simulation.orders[side]
        words = len(order)

        def part(start: int, stop: int) -> Ints:
            return order[start:stop]

    rows = _FetchRows(part, words, reads.fetch.bandwidth)
    return _user_dram(rows, reads, compat)
