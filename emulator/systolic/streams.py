"""What an array asks of its buffers, line by line: three shapes of stream cover all dataflows.

A layer is cut into folds, row folds times column folds, the row fold running fastest. A fold
takes a fixed number of lines (cycles without stalls), and in every line each of the three
buffers sees one row of addresses, one column of it for each edge cell of the array.

* `Skewed`: an operand that is pumped through the array. Cell c of the edge gets its t-th word in
  line lead + t + c. The fold fixes which slice of the operand (a *tile*) enters.
* `Stationary`: an operand that is loaded into the array before the fold computes, one matrix row
  a line, the bottom row of the array first.
* `Drained`: results leaving the array, column c delayed by c lines.

Everything here is arithmetic on these shapes: how many words were asked for before a line, in
which line the i-th word is asked for, and the addresses of a block of lines. "Word" is a real
access; cells outside an edge fold and lines outside the diagonal ask for nothing.
"""

from __future__ import annotations

import bisect
from functools import cached_property
from typing import Literal

import numpy as np
from attrs import define, field, frozen

from .operands import Dim, Ints, Operand


def triangle(side: int) -> int:
    """1 + 2 + ... + side, 0 for a negative side."""
    return side * (side + 1) // 2 if side > 0 else 0


def diagonals_before(count: int, rows: int, cols: int) -> int:
    """Elements (i, c) of a rows x cols matrix with i + c < count."""
    return (
        triangle(count)
        - triangle(count - cols)
        - triangle(count - rows)
        + triangle(count - rows - cols)
    )


def diagonal_of(index: int, rows: int, cols: int) -> int:
    """The diagonal i + c of the index-th element in diagonal order."""
    short, long = min(rows, cols), max(rows, cols)
    ramp = triangle(short - 1)
    if ramp <= index < short * long - ramp:
        return short - 1 + (index - ramp) // short
    return (
        bisect.bisect_right(
            range(rows + cols), index, key=lambda count: diagonals_before(count, rows, cols)
        )
        - 1
    )


@frozen
class Array:
    """The edge lengths of the array and how often the layer folds onto it."""

    rows: int
    cols: int
    row_extent: int
    col_extent: int

    @property
    def row_folds(self) -> int:
        """Folds along the rows."""
        return -(-self.row_extent // self.rows)

    @property
    def col_folds(self) -> int:
        """Folds along the columns."""
        return -(-self.col_extent // self.cols)

    @property
    def folds(self) -> int:
        """All folds."""
        return self.row_folds * self.col_folds

    def used_rows(self, fold: int) -> int:
        """Array rows in use in a row fold."""
        return min(self.rows, self.row_extent - fold * self.rows)

    def used_cols(self, fold: int) -> int:
        """Array columns in use in a column fold."""
        return min(self.cols, self.col_extent - fold * self.cols)


@define(slots=False)
class Skewed:
    """An operand pumped through one edge of the array: `time` along the lines, `space` along the
    edge, which is the array's row edge or its column edge."""

    operand: Operand
    time: Dim
    space: Dim
    edge: Literal["rows", "cols"]
    array: Array
    lead: int

    @cached_property
    def length(self) -> int:
        """Words a cell gets in a fold."""
        return self.operand.sizes[self.time]

    @cached_property
    def width(self) -> int:
        """Cells of the edge."""
        return self.array.rows if self.edge == "rows" else self.array.cols

    @cached_property
    def extent(self) -> int:
        """Length of the operand's other axis."""
        return self.operand.sizes[self.space]

    @cached_property
    def tiles(self) -> int:
        """Slices of the operand."""
        return -(-self.extent // self.width)

    def tile_width(self, tile: int) -> int:
        """Edge cells in use for a tile."""
        return min(self.width, self.extent - tile * self.width)

    def tile_of(self, fold: int) -> int:
        """The tile that enters in a fold."""
        col_fold, row_fold = divmod(fold, self.array.row_folds)
        return row_fold if self.edge == "rows" else col_fold

    def fold_words(self, fold: int) -> int:
        """Words a fold asks for, those off the edge of the input included."""
        return self.length * self.tile_width(self.tile_of(fold))

    def line_of(self, fold: int, index: int) -> int:
        """The line, from the fold's start, of its index-th word (none off the edge)."""
        return self.lead + diagonal_of(index, self.length, self.tile_width(self.tile_of(fold)))

    @property
    def first_line(self) -> int:
        """The first line of fold 0 that asks for a word."""
        return self.lead

    def last_line(self, fold: int) -> int:
        """The last line of a fold with a word, on or off the edge."""
        return self.lead + self.length - 1 + self.tile_width(self.tile_of(fold)) - 1

    @cached_property
    def _time_axis(self) -> Ints:
        return self.operand.axis(self.time)

    @cached_property
    def _space_axis(self) -> Ints:
        return self.operand.axis(self.space)

    @cached_property
    def blank(self) -> int:
        """A sum that, with any edge term added, is beyond the operand's addresses."""
        return self.operand.space

    @cached_property
    def sum_limit(self) -> int:
        """One more than any sum in a view."""
        return self.blank + int(self._space_axis[-1]) + 1

    @cached_property
    def _time_view(self) -> Ints:
        """Row j, column c holds the time term of word j - c, `blank` where there is none."""
        pad = np.full(self.width - 1, self.blank, dtype=np.int64)
        line = np.concatenate([pad, self._time_axis, pad])
        step = line.strides[0]
        return np.lib.stride_tricks.as_strided(
            line[self.width - 1 :],
            (self.length + self.width - 1, self.width),
            (step, -step),
            writeable=False,
        )

    def tile_sums(self, tile: int, start: int, stop: int, out: Ints | None = None) -> Ints:
        """Address sums of a tile's lines start..stop (without lead), one column a used cell."""
        used = self.tile_width(tile)
        first = tile * self.width
        terms = self._space_axis[first : first + used]
        return np.add(self._time_view[start:stop, :used], terms, out=out)

    def fold_sums(self, fold: int, start: int, stop: int) -> Ints:
        """Address sums of a fold's lines start..stop, `blank` or more where nothing is asked."""
        tile = self.tile_of(fold)
        out = np.full((stop - start, self.width), self.blank, dtype=np.int64)
        lines = self.length + self.tile_width(tile) - 1
        low, high = max(start - self.lead, 0), min(stop - self.lead, lines)
        if low < high:
            begin = low + self.lead - start
            sums = self.tile_sums(tile, low, high)
            out[begin : begin + high - low, : sums.shape[1]] = sums
        return out


@define(slots=False)
class Stationary:
    """An operand loaded into the array in the first lines of a fold, bottom row first."""

    operand: Operand
    row_dim: Dim
    col_dim: Dim
    array: Array

    @property
    def width(self) -> int:
        """Cells of the edge."""
        return self.array.cols

    @property
    def blank(self) -> int:
        """A sum beyond the operand's addresses."""
        return self.operand.space

    def fold_words(self, fold: int) -> int:
        """Words a fold asks for, those off the edge of the input included."""
        col_fold, row_fold = divmod(fold, self.array.row_folds)
        return self.array.used_rows(row_fold) * self.array.used_cols(col_fold)

    def line_of(self, fold: int, index: int) -> int:
        """The line, from the fold's start, of its index-th word."""
        col_fold, row_fold = divmod(fold, self.array.row_folds)
        idle = self.array.rows - self.array.used_rows(row_fold)
        return idle + index // self.array.used_cols(col_fold)

    @property
    def first_line(self) -> int:
        """The first line of fold 0 that asks for a word: an edge fold starts late."""
        return self.array.rows - self.array.used_rows(0)

    def last_line(self, fold: int) -> int:
        """The last line of a fold with a word."""
        return self.array.rows - 1

    @cached_property
    def row_axis(self) -> Ints:
        """Address terms down the array."""
        return self.operand.axis(self.row_dim)

    @cached_property
    def col_axis(self) -> Ints:
        """Address terms across the array."""
        return self.operand.axis(self.col_dim)

    def fold_sums(self, fold: int, start: int, stop: int) -> Ints:
        """Address sums of a fold's lines start..stop, `blank` where nothing is asked."""
        out = np.full((stop - start, self.width), self.blank, dtype=np.int64)
        array = self.array
        col_fold, row_fold = divmod(fold, array.row_folds)
        used_rows, used_cols = array.used_rows(row_fold), array.used_cols(col_fold)
        low, high = max(start, array.rows - used_rows), min(stop, array.rows)
        if low < high:
            top = row_fold * array.rows
            rows = self.row_axis[top + array.rows - high : top + array.rows - low][::-1]
            left = col_fold * array.cols
            cols = self.col_axis[left : left + used_cols]
            out[low - start : high - start, :used_cols] = rows[:, None] + cols
        return out


@define(slots=False)
class Drained:
    """Results leaving through the column edge: in a fold, column c writes `length` words from
    line start + c on. With `resident` results (they stayed in the cells) the length is the rows
    in use, written bottom row first after the unused rows; else it is the streamed axis."""

    operand: Operand
    row_dim: Dim
    col_dim: Dim
    array: Array
    start: int
    resident: bool = field(kw_only=True)

    @property
    def width(self) -> int:
        """Cells of the edge."""
        return self.array.cols

    @property
    def blank(self) -> int:
        """A sum beyond the operand's addresses."""
        return self.operand.space

    @cached_property
    def _rows(self) -> int:
        return self.operand.sizes[self.row_dim]

    def shape(self, fold: int) -> tuple[int, int, int]:
        """(first line, words a column, columns) of a fold."""
        array = self.array
        col_fold, row_fold = divmod(fold, array.row_folds)
        cols = array.used_cols(col_fold)
        if not self.resident:
            return self.start, self._rows, cols
        used = array.used_rows(row_fold)
        return self.start + array.rows - used, used, cols

    def words_before_fold(self, fold: int) -> int:
        """Words written in all folds before one."""
        array = self.array
        col_fold, row_fold = divmod(fold, array.row_folds)
        if col_fold == array.col_folds:
            done, here = array.col_extent, 0
        else:
            done, here = col_fold * array.cols, array.used_cols(col_fold)
        if self.resident:
            return done * self._rows + here * row_fold * array.rows
        return (done * array.row_folds + here * row_fold) * self._rows

    def fold_of_word(self, index: int) -> int:
        """The fold that writes the index-th word."""
        array = self.array
        column_words = self._rows * (1 if self.resident else array.row_folds)
        col_fold = index // (column_words * array.cols)
        index -= col_fold * column_words * array.cols
        each = array.used_cols(col_fold) * (array.rows if self.resident else self._rows)
        return col_fold * array.row_folds + index // each

    def words_before(self, line: int, fold_lines: int) -> int:
        """Words written in all lines before a line of the layer."""
        fold, local = divmod(line, fold_lines)
        before = self.words_before_fold(fold)
        if fold == self.array.folds:
            return before
        start, length, cols = self.shape(fold)
        return before + diagonals_before(local - start, length, cols)

    def line_of_word(self, index: int, fold_lines: int) -> int:
        """The line of the layer in which the index-th word is written."""
        fold = self.fold_of_word(index)
        start, length, cols = self.shape(fold)
        local = diagonal_of(index - self.words_before_fold(fold), length, cols)
        return fold * fold_lines + start + local

    @cached_property
    def _axes(self) -> tuple[Ints, Ints]:
        return self.operand.axis(self.row_dim), self.operand.axis(self.col_dim)

    def fold_sums(self, fold: int, start: int, stop: int) -> Ints:
        """Address sums of a fold's lines start..stop, `blank` where nothing is written."""
        out = np.full((stop - start, self.width), self.blank, dtype=np.int64)
        first, length, cols = self.shape(fold)
        col_fold, row_fold = divmod(fold, self.array.row_folds)
        rows_axis, cols_axis = self._axes
        if self.resident:
            top = row_fold * self.array.rows
            rows = rows_axis[top : top + length][::-1]
        else:
            rows = rows_axis
        left = col_fold * self.array.cols
        place = np.arange(start - first, stop - first)[:, None] - np.arange(cols)
        inside = (place >= 0) & (place < length)
        sums = rows[np.clip(place, 0, length - 1)] + cols_axis[left : left + cols]
        out[:, :cols] = np.where(inside, sums, self.blank)
        return out


ReadStream = Skewed | Stationary


@define(slots=False)
class Plan:
    """A layer laid onto an array: folds, lines, the three streams and what reports count.

    `skew_lines` are the cycles a fold counts for in "Compute Util %" (SCALE-Sim counts a skew
    there that ws and is do not have). `extra_writes` are added to the ofmap SRAM writes of every
    fold (os; SCALE-Sim adds the two edge lengths).
    """

    array: Array
    time: int
    fold_lines: int
    skew_lines: int
    extra_writes: int
    ifmap: ReadStream
    filter: ReadStream
    ofmap: Drained

    @property
    def lines(self) -> int:
        """Lines of the whole layer."""
        return self.fold_lines * self.array.folds
