"""Read buffers against any demand: for what is not a plain dense layer.

Sparse filters, custom layouts and streams of the user's own have demands and prefetch orders
that no closed form describes. Here both are arrays of addresses (-1: no access): the demand in
blocks of lines, the prefetch order as a whole. The rules are those of windows.py and epochs.py;
the work is a few array operations for each block and each move of a window.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from attrs import frozen

from hcc.isa.errors import UnsupportedError

from .config import Banks
from .epochs import Fetched, capacity
from .operands import Bools, Ints
from .streams import Plan, ReadStream, Stationary
from .window import Fetch, Misses

# Words of demand looked at in one block.
_BLOCK = 1 << 15


class Demand(Protocol):
    """What one buffer is asked for, fold by fold."""

    @property
    def width(self) -> int:
        """Cells in a line."""
        ...

    def addresses(self, fold: int, start: int, stop: int) -> Ints:
        """Addresses of a fold's lines start..stop, one row a line; -1 where nothing is asked."""
        ...


@frozen
class StreamDemand:
    """The demand of a stream; with a table, its address sums stand for other addresses."""

    stream: ReadStream
    table: Ints | None = None

    @property
    def width(self) -> int:
        """Cells in a line."""
        return self.stream.width

    def addresses(self, fold: int, start: int, stop: int) -> Ints:
        """Addresses of a fold's lines start..stop."""
        sums = self.stream.fold_sums(fold, start, stop)
        if self.table is None:
            return self.stream.operand.real(sums)
        return np.where(
            sums < self.stream.operand.space, self.table[np.minimum(sums, len(self.table) - 1)], -1
        )


def blocks(demand: Demand, plan: Plan) -> Iterator[tuple[int, Ints]]:
    """The whole demand of a layer in blocks: (first line, addresses)."""
    step = max(1, _BLOCK // demand.width)
    for fold in range(plan.array.folds):
        for start in range(0, plan.fold_lines, step):
            stop = min(start + step, plan.fold_lines)
            yield fold * plan.fold_lines + start, demand.addresses(fold, start, stop)


def prefetch_order(stream: ReadStream, table: Ints | None = None) -> Ints:
    """The order in which a stream's operand is prefetched, nulls included."""
    demand = StreamDemand(stream, table)
    if isinstance(stream, Stationary):
        array = stream.array
        parts = []
        for col_fold in range(array.col_folds):
            for row_fold in range(array.row_folds):
                fold = col_fold * array.row_folds + row_fold
                used = array.used_rows(row_fold)
                rows = demand.addresses(fold, array.rows - used, array.rows)
                parts.append(rows[::-1].reshape(-1))
        return np.concatenate(parts)
    width, length, tiles = stream.width, stream.length, stream.tiles
    stacked = np.full((length * tiles, width), -1, dtype=np.int64)
    for tile in range(tiles):
        fold = tile if stream.edge == "rows" else tile * stream.array.row_folds
        lines = demand.addresses(fold, stream.lead, stream.lead + length + width - 1)
        for cell in range(stream.tile_width(tile)):
            column = lines[cell : cell + length, cell]
            stacked[tile * length : (tile + 1) * length, cell] = column
    rows, cells = np.indices(stacked.shape)
    keys = ((rows + cells) * width + cells).reshape(-1)
    return stacked.reshape(-1)[np.argsort(keys, kind="stable")]


@frozen(eq=False)
class Sets:
    """A prefetch order cut into sets: the words without nulls, and their numbers.

    `known` are the different addresses, ascending; a demand is turned into places in it.
    """

    words: Ints
    known: Ints
    numbers: Ints
    set_words: int

    @property
    def count(self) -> int:
        """Sets, the last, perhaps empty one included."""
        return len(self.words) // self.set_words + 1

    def places(self, addresses: Ints) -> Ints:
        """Where addresses stand in `known`; len(known) for no access."""
        at = np.searchsorted(self.known, addresses)
        inside = np.minimum(at, len(self.known) - 1)
        if bool(((self.known[inside] != addresses) & (addresses >= 0)).any()):
            raise UnsupportedError(
                "the array asks for addresses the prefetch order does not have;"
                " SCALE-Sim never ends on such a run (a custom layout wants the operand's"
                " offset 0 and layout factors that cover the layer)"
            )
        return np.where(addresses < 0, len(self.known), at)


def cut_sets(order: Ints, set_words: int) -> Sets:
    """Cut a prefetch order into sets."""
    words = order[order >= 0]
    known, numbers = np.unique(words, return_inverse=True)
    return Sets(words, known, numbers.reshape(-1), set_words)


def find_explicit_misses(demand: Demand, plan: Plan, sets: Sets, fetch: Fetch) -> Misses:
    """The misses of a read buffer in USER mode."""
    count = sets.count
    visible = min(-(-fetch.active_words // sets.set_words), count)
    step = min(-(-fetch.refill_words // sets.set_words), count - visible)
    lines: list[int] = []
    moves: list[int] = []
    shown: Bools = np.ones(len(sets.known) + 1, dtype=np.bool_)
    start = 0

    def show() -> None:
        shown[:] = False
        shown[-1] = True
        end = start + visible
        numbers = sets.numbers[start * sets.set_words : end * sets.set_words]
        shown[numbers] = True
        if end > count:
            shown[sets.numbers[: (end - count) * sets.set_words]] = True

    if visible < count:
        show()
    for first, addresses in blocks(demand, plan):
        places = sets.places(addresses).reshape(-1)
        if visible == count:
            continue
        at = 0
        while at < len(places):
            hits = shown[places[at:]]
            miss = int(hits.argmin())
            if hits[miss]:
                break
            at += miss
            turns = 0
            while not shown[places[at]]:
                start = (start + step) % count
                turns += 1
                show()
            line = first + at // demand.width
            if lines and lines[-1] == line:
                moves[-1] += turns
            else:
                lines.append(line)
                moves.append(turns)
    return Misses(lines, moves)


def count_explicit_fetches(demand: Demand, plan: Plan, buffer_words: int) -> Fetched:
    """What a read buffer fetches in CALC mode."""
    limit = capacity(buffer_words)
    top = 0
    for _, addresses in blocks(demand, plan):
        top = max(top, int(addresses.max()))
    seen = np.zeros(top + 2, dtype=np.bool_)
    order = np.zeros(top + 2, dtype=np.int64)
    seen[-1] = True
    held = fetched = flushes = 0
    last = -1
    for first, addresses in blocks(demand, plan):
        flat = addresses.reshape(-1)
        at = 0
        while at < len(flat):
            part = flat[at:]
            count = np.arange(len(part))
            order[part[::-1]] = count[::-1]
            new = np.cumsum((order[part] == count) & ~seen[part])
            if held + int(new[-1]) < limit:
                held += int(new[-1])
                fetched += int(new[-1])
                seen[part] = True
                break
            at += int(np.searchsorted(new, limit - held)) + 1
            fetched += limit - held
            held = 0
            flushes += 1
            last = first + (at - 1) // demand.width
            seen[:] = False
            seen[-1] = True
    return Fetched(fetched, flushes, last)


def bank_penalties(demand: Demand, plan: Plan, sets: Sets, banks: Banks) -> dict[int, int]:
    """Lines that wait for SRAM banks: a bank serves `ports` buffer lines (sets) at a time.

    A word's column in its set, and so its bank, is its place in the iteration order of a Python
    set; that is what SCALE-Sim 3 does, and it is repeated here.
    """
    bank_words = banks.bandwidth // banks.banks
    set_of = np.zeros(len(sets.known) + 1, dtype=np.int64)
    bank_of = np.zeros(len(sets.known) + 1, dtype=np.int64)
    for index in range(sets.count):
        numbers = sets.numbers[index * sets.set_words : (index + 1) * sets.set_words]
        members: set[int] = set()
        for address in sets.known[numbers].tolist():
            members.add(address)
        where = np.searchsorted(sets.known, np.array(list(members), dtype=np.int64))
        set_of[where] = index
        bank_of[where] = np.arange(len(where)) // bank_words
    codes = bank_of * sets.count + set_of
    codes[-1] = banks.banks * sets.count
    found: dict[int, int] = {}
    for first, addresses in blocks(demand, plan):
        rows = np.sort(codes[sets.places(addresses)], axis=1)
        fresh = np.ones(rows.shape, dtype=np.bool_)
        fresh[:, 1:] = rows[:, 1:] != rows[:, :-1]
        line, _ = np.nonzero(fresh)
        bank = rows[fresh] // sets.count
        asked = np.bincount(
            line * (banks.banks + 1) + bank, minlength=len(rows) * (banks.banks + 1)
        )
        most = asked.reshape(-1, banks.banks + 1)[:, : banks.banks].max(axis=1)
        waits = -(-most // banks.ports) - 1
        for at in np.flatnonzero(waits > 0).tolist():
            found[first + at] = int(waits[at])
    return found


def line_span(demand: Demand, plan: Plan) -> tuple[int, int]:
    """The first and last line of the layer that ask for something."""
    first = last = -1
    for start, addresses in blocks(demand, plan):
        asked = np.flatnonzero((addresses >= 0).any(axis=1))
        if len(asked):
            first = start + int(asked[0]) if first < 0 else first
            last = start + int(asked[-1])
    return first, last
