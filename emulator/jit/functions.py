"""The functions of a guest program, as far as its symbols tell."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from hcc.emulator.jit.options import CodeSpan


class Functions:
    """Where functions begin and end: `known` are their addresses and sizes, in order."""

    def __init__(self, known: Sequence[tuple[int, int]], span: CodeSpan) -> None:
        self.known = sorted(known)
        self._starts = [start for start, _ in self.known]
        self.span = span

    def bounds_of(self, pc: int) -> tuple[int, int]:
        """The range of the function around an address; all code where none is known."""
        i = bisect_right(self._starts, pc) - 1
        if i >= 0:
            start, size = self.known[i]
            if pc < start + size:
                return start, start + size
        return self.span.base, self.span.base + self.span.size

    def is_function(self, pc: int) -> bool:
        """Whether a known function begins at an address."""
        i = bisect_right(self._starts, pc) - 1
        return i >= 0 and self._starts[i] == pc
