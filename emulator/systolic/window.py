"""One read buffer's window over its prefetch order: sets, ranks, keys, and moving on.

windows.py tells what this is for. Here is what the windows over skewed and over stationary
operands have in common.
"""

from __future__ import annotations

import abc
import bisect

import numpy as np
from attrs import define, field, frozen

from .operands import Bools, Unfolded
from .streams import ReadStream


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
class Window(abc.ABC):
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
    wraps: bool = field(init=False, default=False)
    null_keys: list[int] = field(init=False, factory=list)
    _set_keys: dict[int, int] = field(init=False, factory=dict)
    _bitmap: Bools | None = field(init=False, default=None)
    _bitmap_start: int = field(init=False, default=-1)

    @abc.abstractmethod
    def structural_rank(self, key: int) -> int:
        """Words before a key, those off the edge included."""

    def place(self, nulls: list[int]) -> None:
        """Set up the sets and the first window; `nulls` are the sorted keys off the edge."""
        self.null_keys = nulls
        self.set_words = self.fetch.set_words
        self.sets = (self.present - len(nulls)) // self.set_words + 1
        self.visible = min(-(-self.fetch.active_words // self.set_words), self.sets)
        self.step = min(-(-self.fetch.refill_words // self.set_words), self.sets - self.visible)
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

    @property
    @abc.abstractmethod
    def idle_sums(self) -> Bools:
        """True for sums that ask for nothing."""

    @abc.abstractmethod
    def mark(self, bitmap: Bools, low: int, high: int) -> None:
        """Set the bits of all words with keys low..high."""


def idle(stream: ReadStream, limit: int) -> Bools:
    """For every sum below a limit, whether it asks for nothing: padding, or beyond."""
    mask = np.zeros(limit, dtype=np.bool_)
    mask[stream.operand.space :] = True
    if isinstance(stream.operand, Unfolded) and stream.operand.has_nulls:
        mask[: stream.operand.space] = stream.operand.padding()
    return mask
