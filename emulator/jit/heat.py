"""How hot quick code is: a counter for each address at which it may ask for better code.

Quick code counts down where a function begins and at the heads of loops, and asks when a counter
has fallen below zero. What has been given to a counter less what is left are the passes.
"""

from __future__ import annotations

from array import array

from hcc.emulator.jit.options import CodeSpan

HOT_PASSES = 3_000_000
"""Passes after which quick code asks. A pass and its optimisation both cost in proportion to the
size of what is passed; after so many the one has cost about as much as the other will."""
HOT_PASSES_AGAIN = 100_000
"""The same where the quick code was made by an earlier run: a program that is run again is worth
more, and does not need LLVM for anything else."""
_NEVER = (1 << 31) - 1


class Heat:
    """The counters of one program on one ISA, one for each entry of the function table."""

    def __init__(self, span: CodeSpan) -> None:
        self._span = span
        self._most = HOT_PASSES
        self._left = array("i", [self._most]) * span.entries
        self._given: dict[int, tuple[int, int]] = {}
        """For counters that were set anew: the passes before, and what they were given."""

    @property
    def address(self) -> int:
        """The host address of the counters, 32 bits each."""
        return self._left.buffer_info()[0]

    def begin_again(self) -> None:
        """Before any pass: the code has run before."""
        self._most = min(HOT_PASSES, HOT_PASSES_AGAIN)
        memoryview(self._left)[:] = array("i", [self._most]) * len(self._left)

    def passes(self, pc: int) -> int:
        """How often quick code has passed an address."""
        before, given = self._given.get(pc, (0, self._most))
        return before + given - self._left[self._index(pc)]

    def add(self, pc: int, passes: int) -> None:
        """Count some passes more, as the code does."""
        self._left[self._index(pc)] -= passes

    def cool(self, pc: int) -> None:
        """Have an address that is hot ask again when it has been passed as often once more."""
        self.rest(pc, self._most)

    def rest(self, pc: int, passes: int) -> None:
        """Have an address not ask again before some passes more."""
        self._given[pc] = self.passes(pc), passes
        self._left[self._index(pc)] = passes

    def waits(self, pc: int, times: float) -> bool:
        """Whether an address has not been passed so many times as often as makes it hot; it will
        ask again when it has."""
        passes = int(times * self._most) - self.passes(pc)
        if passes > 0:
            self.rest(pc, min(passes, _NEVER))
        return passes > 0

    def silence(self, pc: int) -> None:
        """Have an address not ask again for very long."""
        self.rest(pc, _NEVER)

    def _index(self, pc: int) -> int:
        index = self._span.index(pc)
        assert index is not None
        return index
