"""The read buffers in USER mode: in which lines they miss, and how often they move on.

SCALE-Sim fetches an operand in a fixed *prefetch order* (with all im2col duplicates and with
nulls for unused cells) and cuts the non-null words of that order into *sets* of a hundredth of
the buffer. Half the buffer is visible: a window of consecutive sets. A word that no set of the
window holds is a miss, and the window moves on, cyclically, half a buffer at a time, until the
word is in it. None of this depends on time, so the misses of a layer can be listed first and
given their cycles later (replay.py).

The prefetch order of a skewed operand is the anti-diagonal order of its tiles stacked on each
other, in which diagonal d = tile*T + t + c, column c. Inside a fold the demand runs through
the same diagonals in the same order: so a word's own *key* d*W + c grows along the fold, the
window is an interval of keys, and all words up to its end are hits without looking. Only beyond
its own interval can a word still hit through a duplicate. For single words that is looked up from
the (few) windows that share the pixel; where hits go on, a bitmap of the window's addresses
takes over. Nothing is ever done per hit inside the interval. A stationary operand is prefetched
row by row and demanded bottom row first; there a fold is looked at only if it leaves the window.

What a fold does depends only on its tile and the window's place, so it is computed once for
each such pair.
"""

from __future__ import annotations

import bisect
from functools import cached_property

import numpy as np
from attrs import define, field, frozen

from .operands import Bools, Dim, Ints, Unfolded
from .streams import Plan, ReadStream, Skewed, Stationary, diagonals_before, triangle
from .touched import Rect, Touched, touch

# Words beyond the window that are looked up one by one before a bitmap of the window is made.
_SINGLES = 12
# Words looked at in one step with the bitmap: from the first to the largest step.
_FIRST_STEP, _LAST_STEP = 1 << 10, 1 << 13

# Tiles whose touched image parts are kept.
_KEPT_TILES = 256


@frozen
class Misses:
    """Lines of a layer in which a buffer moved on, ascending, and how many times it did."""

    lines: list[int]
    moves: list[int]


@frozen
class Fetch:
    """Sizes of one read buffer against its operand: all in words, sets or DRAM lines."""

    words: int
    bandwidth: int

    @property
    def set_words(self) -> int:
        """Words that close a set."""
        return -(-self.words // 100)

    @property
    def active_words(self) -> int:
        """The visible half, rounded up."""
        return -(-self.words // 2)

    @property
    def refill_words(self) -> int:
        """The half that is filled behind it."""
        return self.words - self.active_words

    @property
    def refill_lines(self) -> int:
        """DRAM lines of one move."""
        return -(-self.refill_words // self.bandwidth)

    def first_lines(self, sequence: int) -> int:
        """DRAM lines of the first fill, for a prefetch order of `sequence` words."""
        return min(-(-self.active_words // self.bandwidth), -(-sequence // self.bandwidth))


@define(slots=False)
class Window:
    """Common part of the two kinds: sets, ranks and keys, and the window's place.

    A *rank* counts the words before one in prefetch order, nulls left out; set = rank // words
    of a set. Subclasses give `structural_rank`, which ignores words off the input's edge.
    """

    fetch: Fetch
    keys: int
    present: int
    set_words: int = field(init=False)
    sets: int = field(init=False)
    visible: int = field(init=False)
    step: int = field(init=False)
    start: int = field(init=False, default=0)
    low: int = field(init=False, default=0)
    high: int = field(init=False, default=0)
    null_keys: list[int] = field(init=False, factory=list)
    _set_keys: dict[int, int] = field(init=False, factory=dict)
    _bitmap: Bools | None = field(init=False, default=None)
    _bitmap_start: int = field(init=False, default=-1)

    def structural_rank(self, key: int) -> int:
        """Words before a key, those off the edge included."""
        raise AssertionError(key)

    def place(self, nulls: list[int]) -> None:
        """Set up the sets and the first window; `nulls` are the sorted keys off the edge."""
        self.null_keys = nulls
        self.set_words = self.fetch.set_words
        self.sets = (self.present - len(nulls)) // self.set_words + 1
        self.visible = min(-(-self.fetch.active_words // self.set_words), self.sets)
        self.step = min(
            -(-self.fetch.refill_words // self.set_words), self.sets - self.visible
        )
        self.move_to(0)

    def rank(self, key: int) -> int:
        """Words before a key in prefetch order."""
        rank = self.structural_rank(key)
        return rank - bisect.bisect_left(self.null_keys, key) if self.null_keys else rank

    def set_key(self, index: int) -> int:
        """The key of a set's first word; beyond all keys for a set that is empty."""
        key = self._set_keys.get(index)
        if key is None:
            rank = index * self.set_words
            if rank == 0:
                key = 0
            elif rank >= self.present - len(self.null_keys):
                key = self.keys
            else:
                key = self.key_of(rank)
            self._set_keys[index] = key
        return key

    def key_of(self, rank: int) -> int:
        """The key of the word with a rank."""
        return bisect.bisect_right(range(self.keys), rank, key=self.rank) - 1

    def move_to(self, start: int) -> None:
        """Put the window's start at a set."""
        end = start + self.visible
        if self.visible < self.sets:
            end %= self.sets
        self.start = start
        self.low, self.high = self.set_key(start), self.set_key(end)
        self.wraps = end <= start

    wraps: bool = field(init=False, default=False)

    def shows(self, key: int) -> bool:
        """True if the window holds the word with this key."""
        if self.wraps:
            return key >= self.low or key < self.high
        return self.low <= key < self.high

    def seek(self, keys: list[int]) -> int:
        """Move on until one of the keys is in the window; returns the number of moves."""
        start, moves = (self.start + self.step) % self.sets, 1
        self.move_to(start)
        if any(self.shows(key) for key in keys):
            return moves
        sets = [self.rank(key) // self.set_words for key in keys]
        while True:
            start = (start + self.step) % self.sets
            moves += 1
            if any((index - start) % self.sets < self.visible for index in sets):
                break
        self.move_to(start)
        return moves

    def bitmap(self) -> Bools:
        """For every address sum, whether the window holds it; True where there is no access."""
        if self._bitmap is None:
            self._bitmap = np.empty_like(self.idle_sums)
        if self._bitmap_start != self.start:
            np.copyto(self._bitmap, self.idle_sums)
            self._bitmap_start = self.start
            if self.wraps:
                self.mark(self._bitmap, self.low, self.keys)
                self.mark(self._bitmap, 0, self.high)
            else:
                self.mark(self._bitmap, self.low, self.high)
        return self._bitmap

    @cached_property
    def idle_sums(self) -> Bools:
        """True for sums that ask for nothing."""
        raise AssertionError

    def mark(self, bitmap: Bools, low: int, high: int) -> None:
        """Set the bits of all words with keys low..high."""
        raise AssertionError


def _idle(stream: ReadStream, limit: int) -> Bools:
    mask = np.zeros(limit, dtype=np.bool_)
    mask[stream.operand.space :] = True
    if isinstance(stream.operand, Unfolded) and stream.operand.has_nulls:
        mask[: stream.operand.space] = stream.operand.padding()
    return mask


@define(slots=False)
class SkewedWindow(Window):
    """The window over a skewed operand."""

    stream: Skewed = field(kw_only=True)
    rows: int = field(init=False)
    body: int = field(init=False)
    last_width: int = field(init=False)
    steady: range = field(init=False)
    patience: int = field(init=False, default=_SINGLES)

    def __attrs_post_init__(self) -> None:
        stream = self.stream
        width = stream.width
        self.rows = stream.length * stream.tiles
        # The stacked rows above the last tile, the only one that may be narrower.
        self.body = self.rows - stream.length
        self.last_width = stream.tile_width(stream.tiles - 1)
        # Keys whose diagonals, and all between them, have a word in every column.
        self.steady = range((width - 1) * width, max(self.body, width - 1) * width)
        self.start_gap = triangle(width - 1)

    start_gap: int = field(init=False, default=0)
    tiles: dict[int, Touched] = field(init=False, factory=dict)
    scratch: Ints = field(init=False, factory=lambda: np.empty(2 * _LAST_STEP, dtype=np.int64))

    def structural_rank(self, key: int) -> int:
        """Words before a key: whole diagonals, then the columns before it in its own."""
        if key in self.steady:
            return key - self.start_gap
        width, length = self.stream.width, self.stream.length
        rows, body, last = self.rows, self.body, self.last_width
        diagonal, column = divmod(key, width)
        before = diagonals_before(diagonal, rows, width)
        if last < width:
            before -= diagonals_before(diagonal - body - last, length, width - last)
        low = max(0, diagonal - rows + 1)
        high = min(column, diagonal + 1)
        if high > low:
            before += high - low
            # Columns the last tile does not have.
            gap = min(high, diagonal - body + 1) - max(last, low)
            if gap > 0:
                before -= gap
        return before

    def key_of(self, rank: int) -> int:
        """The key of the word with a rank; straight where every column has its word."""
        key = least = rank + self.start_gap
        while self.null_keys:
            key = least + bisect.bisect_right(self.null_keys, key)
            if key == least + bisect.bisect_right(self.null_keys, key):
                break
        if key in self.steady:
            return key
        return Window.key_of(self, rank)

    @cached_property
    def idle_sums(self) -> Bools:
        """True for sums that ask for nothing."""
        return _idle(self.stream, self.stream.sum_limit)

    def mark(self, bitmap: Bools, low: int, high: int) -> None:
        """Set the bits of all words with keys low..high."""
        stream = self.stream
        width, length = stream.width, stream.length
        first, first_column = divmod(low, width)
        last, last_column = divmod(high, width)
        earliest = max(0, (first - width + 2) // length - 1)
        for tile in range(earliest, min(last // length + 1, stream.tiles)):
            base = tile * length
            lines = length + stream.tile_width(tile) - 1
            begin, end = max(first - base, 0), min(last + 1 - base, lines)
            if first < base and last >= base + lines and self.whole_tile(bitmap, tile):
                continue
            for at in range(begin, end, _LAST_STEP // width + 1):
                upto = min(end, at + _LAST_STEP // width + 1)
                block = self.sums(tile, at, upto)
                if at + base == first and first_column:
                    bitmap[block[0, first_column:]] = True
                    block = block[1:]
                if upto + base == last + 1 and len(block):
                    bitmap[block[-1, :last_column]] = True
                    block = block[:-1]
                bitmap[block] = True

    def sums(self, tile: int, start: int, stop: int) -> Ints:
        """Stream.tile_sums, in memory that the next call uses again."""
        stream = self.stream
        shape = (stop - start, stream.tile_width(tile))
        size = shape[0] * shape[1]
        if len(self.scratch) < size:
            self.scratch = np.empty(size, dtype=np.int64)
        return stream.tile_sums(tile, start, stop, self.scratch[:size].reshape(shape))

    def whole_tile(self, bitmap: Bools, tile: int) -> bool:
        """Set the bits of a tile by image rows and columns; False if the operand is no image."""
        stream = self.stream
        operand = stream.operand
        if not isinstance(operand, Unfolded):
            return False
        found = self.tiles.get(tile)
        if found is None:
            start = tile * stream.width
            stop = start + stream.tile_width(tile)
            if stream.time is Dim.M:
                rect = Rect(0, stream.length, start, stop)
            else:
                rect = Rect(start, stop, 0, stream.length)
            found = self.tiles[tile] = touch(operand.layer, rect)
            if len(self.tiles) > _KEPT_TILES:
                self.tiles.clear()
        image = bitmap[: operand.space].reshape(operand.height, -1)
        for box in found.boxes:
            box.write(image, True)
        return True

    def sharers(self, tile: int, line: int, column: int) -> list[int]:
        """The keys of all words with the address of one, itself included."""
        stream = self.stream
        width, length = stream.width, stream.length
        time, space = line - column, tile * width + column
        operand = stream.operand
        assert isinstance(operand, Unfolded)
        keys = []
        if stream.time is Dim.M:
            for time, space in operand.sharers(time, space):
                at, cell = divmod(space, width)
                keys.append((at * length + time + cell) * width + cell)
        else:
            for space, time in operand.sharers(space, time):
                at, cell = divmod(space, width)
                keys.append((at * length + time + cell) * width + cell)
        return keys

    def scan(self, tile: int, line: int, column: int) -> tuple[int, int] | None:
        """The first miss of a tile from a place on, found with the bitmap."""
        bitmap = self.bitmap()
        stream = self.stream
        used = stream.tile_width(tile)
        lines = stream.length + used - 1
        row = bitmap[self.sums(tile, line, line + 1)[0, column:]]
        if not row.all():
            return line, column + int(row.argmin())
        line += 1
        step = _FIRST_STEP
        while line < lines:
            upto = min(lines, line + step // used + 1)
            hits = bitmap[self.sums(tile, line, upto)].reshape(-1)
            at = int(hits.argmin())
            if not hits[at]:
                return line + at // used, at % used
            line = upto
            step = min(2 * step, _LAST_STEP)
        return None

    def fold(self, tile: int) -> tuple[list[int], list[int]]:
        """The misses of one fold that pumps a tile, in lines of the tile; moves the window."""
        stream = self.stream
        width, length = stream.width, stream.length
        used = stream.tile_width(tile)
        lines = length + used - 1
        base = tile * length
        shared = not stream.operand.unique
        nulls = self.null_keys
        found: list[int] = []
        moves: list[int] = []
        line = column = 0
        singles = 0
        while True:
            column = max(column, line - length + 1)
            if column >= min(used, line + 1):
                line += 1
                column = max(0, line - length + 1)
            if line >= lines:
                return found, moves
            key = (base + line) * width + column
            if self.shows(key):
                if self.wraps and key >= self.low:
                    return found, moves
                line, column = divmod(self.high, width)
                line -= base
                continue
            if nulls:
                at = bisect.bisect_left(nulls, key)
                if at < len(nulls) and nulls[at] == key:
                    column += 1
                    continue
            keys = [key]
            if shared:
                if singles >= self.patience:
                    miss = self.scan(tile, line, column)
                    far = miss is None or miss > (line + 1, column)
                    self.patience = 1 if far else _SINGLES
                    if miss is None:
                        return found, moves
                    line, column = miss
                    keys = self.sharers(tile, line, column)
                else:
                    singles += 1
                    keys = self.sharers(tile, line, column)
                    if any(self.shows(other) for other in keys):
                        column += 1
                        continue
            count = self.seek(keys)
            if found and found[-1] == line:
                moves[-1] += count
            else:
                found.append(line)
                moves.append(count)
            singles = 0
            column += 1


@define(slots=False)
class StationaryWindow(Window):
    """The window over an operand that is loaded row by row."""

    stream: Stationary = field(kw_only=True)

    def structural_rank(self, key: int) -> int:
        """Words before a key; only the last column of tiles has short rows."""
        array = self.stream.array
        row, column = divmod(key, array.cols)
        body = (array.col_folds - 1) * array.row_extent
        last = array.used_cols(array.col_folds - 1)
        if row < body:
            return key
        return body * array.cols + (row - body) * last + min(column, last)

    @cached_property
    def idle_sums(self) -> Bools:
        """True for sums that ask for nothing."""
        return _idle(self.stream, self.stream.operand.space + 1)

    def rows_of(self, col_fold: int, start: int, stop: int) -> Ints:
        """Address sums of rows start..stop of a column of tiles."""
        stream = self.stream
        left = col_fold * stream.array.cols
        cols = stream.col_axis[left : left + stream.array.used_cols(col_fold)]
        return stream.row_axis[start:stop, None] + cols

    def mark(self, bitmap: Bools, low: int, high: int) -> None:
        """Set the bits of all words with keys low..high."""
        array = self.stream.array
        first, first_column = divmod(low, array.cols)
        last, last_column = divmod(high, array.cols)
        extent = array.row_extent
        for col_fold in range(first // extent, min(last // extent + 1, array.col_folds)):
            base = col_fold * extent
            begin, end = max(first - base, 0), min(last + 1 - base, array.row_extent)
            for at in range(begin, end, _LAST_STEP // array.cols + 1):
                upto = min(end, at + _LAST_STEP // array.cols + 1)
                block = self.rows_of(col_fold, at, upto)
                if at + base == first and first_column:
                    bitmap[block[0, first_column:]] = True
                    block = block[1:]
                if upto + base == last + 1 and len(block):
                    bitmap[block[-1, :last_column]] = True
                    block = block[:-1]
                bitmap[block] = True

    def sharers(self, row: int, column: int) -> list[int]:
        """The keys of all words with the address of element (row, column) of the operand."""
        array = self.stream.array
        operand = self.stream.operand
        if operand.unique:
            pairs = [(column, row)]
        else:
            assert isinstance(operand, Unfolded)
            pairs = operand.sharers(column, row)
        keys = []
        for other_column, other_row in pairs:
            tile, cell = divmod(other_column, array.cols)
            keys.append((tile * array.row_extent + other_row) * array.cols + cell)
        return keys

    def fold(self, fold: int) -> tuple[list[int], list[int]]:
        """The misses of one fold, in lines of the fold; moves the window."""
        array = self.stream.array
        col_fold, row_fold = divmod(fold, array.row_folds)
        top, used = row_fold * array.rows, array.used_rows(row_fold)
        cols = array.used_cols(col_fold)
        base = col_fold * array.row_extent
        found: list[int] = []
        moves: list[int] = []
        first = (base + top) * array.cols
        final = (base + top + used - 1) * array.cols + cols - 1
        if self.shows(first) and self.shows(final) and self._whole(first, final):
            return found, moves
        if self.stream.operand.unique and not self.null_keys:
            return self.plain_fold((base + top) * array.cols, used, cols)
        block = self.rows_of(col_fold, top, top + used)[::-1].reshape(-1)
        at = 0
        while at < len(block):
            hits = self.bitmap()[block[at:]]
            miss = int(hits.argmin())
            if hits[miss]:
                break
            at += miss
            line, column = divmod(at, cols)
            count = self.seek(
                self.sharers(top + used - 1 - line, col_fold * array.cols + column)
            )
            line += array.rows - used
            if found and found[-1] == line:
                moves[-1] += count
            else:
                found.append(line)
                moves.append(count)
            at += 1
        return found, moves

    def plain_fold(self, first: int, used: int, cols: int) -> tuple[list[int], list[int]]:
        """The misses of a fold of words that all differ: intervals of keys, row by row.

        `first` is the key of the fold's top left word.
        """
        width = self.stream.array.cols
        idle = self.stream.array.rows - used
        found: list[int] = []
        moves: list[int] = []
        line = column = 0
        while line < used:
            key = first + (used - 1 - line) * width + column
            if self.shows(key):
                open_end = self.wraps and key >= self.low
                column = cols if open_end else min(cols, column + self.high - key)
                if column == cols:
                    # The rows below in memory, next in time, are hits down to the window's start.
                    bottom = 0 if self.wraps and not open_end else self.low
                    line = max(line + 1, used + min(0, (first - bottom) // width))
                    column = 0
                continue
            count = self.seek([key])
            if found and found[-1] == line + idle:
                moves[-1] += count
            else:
                found.append(line + idle)
                moves.append(count)
        return found, moves

    def _whole(self, first: int, final: int) -> bool:
        """Both ends are in the window: True if all between them are."""
        return not self.wraps or not (first < self.high and final >= self.low)


def _null_keys(stream: ReadStream) -> list[int]:
    """The keys of words off the edge of the input, sorted."""
    operand = stream.operand
    if not isinstance(operand, Unfolded) or not operand.has_nulls:
        return []
    m, k = operand.null_elements()
    if isinstance(stream, Stationary):
        array = stream.array
        tile, cell = np.divmod(m, array.cols)
        keys = (tile * array.row_extent + k) * array.cols + cell
    else:
        time, space = (m, k) if stream.time is Dim.M else (k, m)
        tile, cell = np.divmod(space, stream.width)
        keys = (tile * stream.length + time + cell) * stream.width + cell
    keys.sort()
    result: list[int] = keys.tolist()
    return result


def sequence_words(stream: ReadStream) -> int:
    """Words of the prefetch order, nulls included."""
    if isinstance(stream, Stationary):
        return stream.array.row_extent * stream.array.cols * stream.array.col_folds
    return stream.length * stream.tiles * stream.width


def find_misses(stream: ReadStream, plan: Plan, fetch: Fetch) -> Misses:
    """All misses of a layer's read buffer in USER mode."""
    first, second = stream.operand.sizes.values()
    words = first * second
    if words < fetch.active_words:
        return Misses([], [])
    nulls = _null_keys(stream)
    lines: list[int] = []
    moves: list[int] = []
    if isinstance(stream, Stationary):
        window = StationaryWindow(fetch, sequence_words(stream), words, stream=stream)
        window.place(nulls)
        if window.step:
            for fold in range(plan.array.folds):
                found, counts = window.fold(fold)
                base = fold * plan.fold_lines
                lines += [base + line for line in found]
                moves += counts
        return Misses(lines, moves)
    keys = (stream.length * stream.tiles + stream.width - 1) * stream.width
    skewed = SkewedWindow(fetch, keys, words, stream=stream)
    skewed.place(nulls)
    if not skewed.step:
        return Misses([], [])
    known: dict[tuple[int, int], tuple[list[int], list[int], int]] = {}
    for fold in range(plan.array.folds):
        tile = stream.tile_of(fold)
        state = tile, skewed.start
        seen = known.get(state)
        if seen is None:
            found, counts = skewed.fold(tile)
            known[state] = found, counts, skewed.start
        else:
            found, counts, start = seen
            if start != skewed.start:
                skewed.move_to(start)
        if found:
            base = fold * plan.fold_lines + stream.lead
            lines += [base + line for line in found]
            moves += counts
    return Misses(lines, moves)
