"""How hot quick code is: a counter for each address at which it may ask for better code.

Quick code counts down where a function begins and at the heads of loops, and asks when a counter
has fallen below zero. What has been given to a counter less what is left are the passes.
"""

from __future__ import annotations

from array import array

from hcc.emulator.jit.options import CodeSpan

HOT_PASSES = 100_000
"""Passes after which quick code asks."""
HOT_PASSES_AGAIN = 1_000
"""The same where the quick code was made by an earlier run: a program that is run again is worth
more, and does not need LLVM for anything else."""
_NEVER = (1 << 31) - 1


class Heat:
    """The counters of one program on one ISA, one for each entry of the function table."""

    def __init__(self, span: CodeSpan) -> None:
        self._span = span
        self._most = HOT_PASSES
        self._left = array("i", [self._most]) * span.entries
        self._before: dict[int, int] = {}
        """Passes before a counter was last set."""

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
        return self._before.get(pc, 0) + self._most - self._left[self._index(pc)]

    def add(self, pc: int, passes: int) -> None:
        """Count some passes more, as the code does."""
        self._left[self._index(pc)] -= passes

    def cool(self, pc: int) -> None:
        """Have an address that is hot ask again when it has been passed as often once more."""
        self._before[pc] = self.passes(pc)
        self._left[self._index(pc)] = self._most

    def silence(self, pc: int) -> None:
        """Have an address not ask again for very long."""
        self._left[self._index(pc)] = _NEVER

    def _index(self, pc: int) -> int:
        index = self._span.index(pc)
        assert index is not None
        return index
