"""The window over an operand that is loaded row by row; see windows.py for the idea."""

from __future__ import annotations

from functools import cached_property

from attrs import define, field

from .operands import Bools, Ints, Unfolded
from .streams import Stationary
from .window import Window, idle

# Words marked in one step.
_STEP = 1 << 13


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
        return idle(self.stream, self.stream.operand.space + 1)

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
            for at in range(begin, end, _STEP // array.cols + 1):
                upto = min(end, at + _STEP // array.cols + 1)
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
            count = self.seek(self.sharers(top + used - 1 - line, col_fold * array.cols + column))
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
