"""Which pixels a rectangle of an unfolded input touches, and when first and last.

A fold of an input operand is a rectangle of A: output pixels m0..m1 times window words k0..k1.
Cut at the ends of output rows and filter rows it becomes at most nine *boxes*, in each of which
output rows, output columns, filter rows and (filter column, channel) run independently. The words
of the image a box touches are then rows times columns, and since the place of an element in
the demand is a linear function of m and k, the first and the last place at which a word is
touched is a sum of one term for its row and one for its column, each the end of an interval. So
the set and both times cost a few one-dimensional operations and no look at any access.
"""

from __future__ import annotations

from functools import cached_property, lru_cache

import numpy as np
from attrs import frozen

from .operands import Bools, Ints
from .topology import Layer

Index = slice | Ints


@frozen
class Rect:
    """Output pixels m0..m1, window words k0..k1; element (m, k) is demanded at place
    base + m*by_m + k*by_k."""

    m0: int
    m1: int
    k0: int
    k1: int
    base: int = 0
    by_m: int = 0
    by_k: int = 0

    @property
    def words(self) -> int:
        """Elements, those off the edge included."""
        return (self.m1 - self.m0) * (self.k1 - self.k0)


@frozen(eq=False)
class Axis:
    """Touched indices along one image axis, ascending, with the terms of first and last place."""

    index: Ints
    first: Ints
    last: Ints
    step: int

    def times(self) -> list[Ints]:
        """The terms of all touches, first ones first; words with fewer repeat their last."""
        if not self.step:
            return [self.first]
        most = int((self.last - self.first).max()) // self.step
        return [np.minimum(self.first + turn * self.step, self.last) for turn in range(most + 1)]

    def select(self) -> Index:
        """The indices as a slice where they are evenly spaced."""
        index = self.index
        if len(index) == 1:
            return slice(int(index[0]), int(index[0]) + 1)
        step = int(index[1] - index[0])
        if index[-1] - index[0] == step * (len(index) - 1) and (
            step == 1 or bool((np.diff(index) == step).all())
        ):
            return slice(int(index[0]), int(index[-1]) + 1, step)
        return index


@frozen(eq=False, slots=False)
class Box:
    """Touched rows and touched (column, channel) positions; all their crossings are touched."""

    rows: Axis
    cols: Axis
    where: tuple[Index, Index]
    base: int

    @property
    def size(self) -> int:
        """Words touched."""
        return len(self.rows.index) * len(self.cols.index)

    def first(self) -> Ints:
        """The place each word is first touched at."""
        places: Ints = self.rows.first[:, None] + (self.cols.first + self.base)
        return places

    @cached_property
    def span(self) -> tuple[Ints, Ints, Ints, Ints]:
        """For each row, the least and greatest place of a first touch, then of a last touch."""
        first, last = self.rows.first + self.base, self.rows.last + self.base
        return (
            first + int(self.cols.first.min()),
            first + int(self.cols.first.max()),
            last + int(self.cols.last.min()),
            last + int(self.cols.last.max()),
        )

    def touched_after(self, place: int) -> Bools:
        """Which words are touched after a place; only rows the place falls into are looked at."""
        _, _, least, most = self.span
        whole = least > place
        mask = np.empty((len(whole), len(self.cols.index)), dtype=np.bool_)
        mask[...] = whole[:, None]
        mixed = np.flatnonzero((most > place) & ~whole)
        if len(mixed):
            mask[mixed] = self.rows.last[mixed, None] + (self.cols.last + self.base) > place
        return mask

    def first_after(self, place: int, rows: Ints) -> Ints:
        """The first place after `place` the words of some rows are touched at; very large if
        they are not."""
        if place < int(self.span[0][rows].min()):
            places: Ints = self.rows.first[rows, None] + (self.cols.first + self.base)
            return places
        never = np.iinfo(np.int64).max
        best = np.full((len(rows), len(self.cols.index)), never, dtype=np.int64)
        for row_times in self.rows.times():
            for col_times in self.cols.times():
                places = row_times[rows, None] + (col_times + self.base)
                np.copyto(best, places, where=(places > place) & (places < best))
        return best

    def read(self, image: Bools) -> Bools:
        """The box's part of an image: a view where the indices are even, else a copy."""
        rows, cols = self.where
        if isinstance(rows, slice) or isinstance(cols, slice):
            return image[rows, cols]
        return image[rows[:, None], cols]

    def write(self, image: Bools, values: Bools | bool) -> None:
        """Set the box's part of an image."""
        rows, cols = self.where
        if isinstance(rows, slice) or isinstance(cols, slice):
            image[rows, cols] = values
        else:
            image[rows[:, None], cols] = values

    def apart(self, other: Box) -> bool:
        """True if the two boxes touch no common word."""
        return _disjoint(self.rows.index, other.rows.index) or _disjoint(
            self.cols.index, other.cols.index
        )


def _disjoint(first: Ints, second: Ints) -> bool:
    if first[-1] < second[0] or second[-1] < first[0]:
        return True
    return not bool(np.isin(first, second, assume_unique=True).any())


def _split(start: int, stop: int, length: int) -> list[tuple[int, int, int, int]]:
    """Cut start..stop at multiples of `length`: (first row, end row, first, end inside a row)."""
    first, inside = divmod(start, length)
    last, rest = divmod(stop, length)
    if first == last:
        return [(first, first + 1, inside, rest)]
    parts = []
    if inside:
        parts.append((first, first + 1, inside, length))
        first += 1
    if first < last:
        parts.append((first, last, 0, length))
    if rest:
        parts.append((last, last + 1, 0, rest))
    return parts


@lru_cache(maxsize=32)
def _axis(
    windows: tuple[int, int],
    taps: tuple[int, int],
    stride: int,
    limit: int,
    by_window: int,
    by_tap: int,
) -> Axis:
    """Positions window*stride + tap below `limit`, and the least and greatest value of
    window*by_window + tap*by_tap for each."""
    low, high = windows
    first, end = taps
    position = np.arange(
        low * stride + first, min((high - 1) * stride + end, limit), dtype=np.int64
    )
    if high - low == 1:
        once = position * by_tap + low * (by_window - by_tap * stride)
        return Axis(position, once, once, 0)
    least = np.maximum(-((end - 1 - position) // stride), low)
    most = np.minimum((position - first) // stride, high - 1)
    if end - first < stride:
        there = least <= most
        position, least, most = position[there], least[there], most[there]
    slope = by_window - by_tap * stride
    fixed = position * by_tap
    if slope >= 0:
        return Axis(position, fixed + least * slope, fixed + most * slope, slope)
    return Axis(position, fixed + most * slope, fixed + least * slope, -slope)


@frozen(eq=False)
class RowSpans:
    """For each row of some boxes: least and greatest place of a first touch, greatest of a last
    one; the rows by least place, the widest spread, and where each box's rows end."""

    low: Ints
    high: Ints
    late: Ints
    order: Ints
    spread: int
    ends: list[int]


@frozen(eq=False, slots=False)
class Touched:
    """The boxes of a rectangle."""

    rect: Rect
    boxes: tuple[Box, ...]

    @cached_property
    def apart(self) -> bool:
        """True if no two boxes touch a common word."""
        return all(a.apart(b) for i, a in enumerate(self.boxes) for b in self.boxes[:i])

    @cached_property
    def row_spans(self) -> RowSpans:
        """The places of all boxes' rows, one box after another."""
        spans = [np.concatenate(part) for part in zip(*(b.span for b in self.boxes), strict=True)]
        low, high, _, late = spans
        ends = np.cumsum([len(box.rows.index) for box in self.boxes]).tolist()
        return RowSpans(low, high, late, np.argsort(low), int((high - low).max()), ends)

    @cached_property
    def all_differ(self) -> bool:
        """True if every element of the rectangle is on the input and has its own word."""
        return sum(box.size for box in self.boxes) == self.rect.words and self.apart


def touch(layer: Layer, rect: Rect) -> Touched:
    """The boxes of a rectangle; empty ones (all off the edge) are left out."""
    tap_row = layer.filter_w * layer.channels
    image_row = layer.ifmap_w * layer.channels
    found = []
    for rows0, rows1, cols0, cols1 in _split(rect.m0, rect.m1, layer.ofmap_w):
        for taps0, taps1, word0, word1 in _split(rect.k0, rect.k1, tap_row):
            rows = _axis(
                (rows0, rows1),
                (taps0, taps1),
                layer.stride_h,
                layer.ifmap_h,
                rect.by_m * layer.ofmap_w,
                rect.by_k * tap_row,
            )
            cols = _axis(
                (cols0, cols1),
                (word0, word1),
                layer.stride_w * layer.channels,
                image_row,
                rect.by_m,
                rect.by_k,
            )
            if len(rows.index) and len(cols.index):
                where = (rows.select(), cols.select())
                found.append(Box(rows, cols, where, rect.base))
    return Touched(rect, tuple(found))


def distinct_words(layer: Layer) -> int:
    """Words of the input that some window touches."""
    rows = _count(layer.ofmap_h, layer.stride_h, layer.filter_h, layer.ifmap_h)
    cols = _count(layer.ofmap_w, layer.stride_w, layer.filter_w, layer.ifmap_w)
    return rows * cols * layer.channels


def _count(windows: int, stride: int, size: int, limit: int) -> int:
    """Positions below `limit` that windows of a size, a stride apart, cover."""
    if stride <= size or windows == 1:
        return min((windows - 1) * stride + size, limit)
    whole = (windows - 1) * size
    return whole + max(0, min(size, limit - (windows - 1) * stride))


def nth_place(touched: Touched, fresh: list[Bools], index: int, after: int = -1) -> int:
    """The place at which the index-th (from 0) of some fresh words is touched first after a place.

    `fresh` marks the words of each box that count, none of them in two boxes. The rows bound the
    answer: a row's words lie between its own term plus the least and plus the greatest column
    term, so that only few rows are looked into.
    """
    spans = touched.row_spans
    low, high, spread = spans.low, spans.high, spans.spread
    if after >= 0:
        # Rows begun before the place are bounded by it and by their last touch; their order
        # by least place stays.
        high = np.where(low > after, high, spans.late)
        low = np.maximum(low, after + 1)
        spread = int((high - low).max())
    counts = np.concatenate(
        [np.add.reduce(new.view(np.uint8), axis=1, dtype=np.int32) for new in fresh]
    )
    at = counts[spans.order].cumsum().searchsorted(index, side="right")
    least = int(low[spans.order[at]])
    early = high < least
    below = int(counts[early].sum())
    # No word is later than its row's least place plus the widest row's spread.
    close = ((low <= least + spread) & ~early).nonzero()[0]
    near = []
    start = 0
    for box, new, end in zip(touched.boxes, fresh, spans.ends, strict=True):
        first, last = close.searchsorted((start, end)).tolist()
        if first < last:
            rows = close[first:last] - start
            near.append(box.first_after(after, rows)[new[rows]])
        start = end
    places = np.concatenate(near)
    places.partition(index - below)
    return int(places[index - below])


def nth_shared_place(
    touched: Touched, fresh: list[Bools], index: int, shape: tuple[int, int]
) -> int:
    """Like nth_place from the start, for boxes with words in common: `fresh` marks a word in the
    first box that has it, `shape` is the image's."""
    places = np.full(shape, np.iinfo(np.int64).max, dtype=np.int64)
    wanted = np.zeros(shape, dtype=np.bool_)
    for box, new in zip(touched.boxes, fresh, strict=True):
        grid = np.ix_(box.rows.index, box.cols.index)
        places[grid] = np.minimum(places[grid], box.first())
        wanted[grid] |= new
    return int(np.partition(places[wanted], index)[index])
