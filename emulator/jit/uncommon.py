"""Uncommon code: what has never run is left out of what is optimised.

About half of the instructions of a hot function are for errors, rare cases and migration, and LLVM
takes as long for them as for the others. Quick code marks each of its blocks that it passes. By
then optimised code is made of the blocks with a mark only; where it would go to another, it goes on
in quick code instead (an *uncommon trap*, as HotSpot's compiler calls it). These exits count like
the heads of loops in quick code: if one turns out to be common, the functions that left it out are
made anew with it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Set

from hcc.emulator.jit.options import CodeSpan


class Uncommon:
    """What is known of one program on one ISA: which of the blocks that quick code begins at the
    given addresses have been passed, and which optimised functions left them out."""

    def __init__(self, span: CodeSpan) -> None:
        self._span = span
        self._passed = array("b", [0]) * span.entries
        self._flags: dict[int, bool] = {}
        self._left: dict[int, set[int]] = {}

    @property
    def address(self) -> int:
        """The host address of the marks, a byte for each entry of the function table."""
        return self._passed.buffer_info()[0]

    def add_quick(self, places: Iterable[int], flags: Set[int], passed: Iterable[int]) -> None:
        """There is quick code with blocks at some places; `flags` are those of them where condition
        flags matter, `passed` those that earlier runs have passed."""
        for pc in places:
            self._flags[pc] = pc in flags
        for pc in passed:
            self._mark(pc)

    def _mark(self, pc: int) -> None:
        index = self._span.index(pc)
        if index is not None:
            self._passed[index] = 1

    def add_optimised(self, starts: Iterable[int], left: Iterable[int]) -> None:
        """There are optimised functions with some starts that left some places out."""
        functions = set(starts)
        for pc in left:
            self._left.setdefault(pc, set()).update(functions)

    def take(self, pc: int) -> set[int]:
        """The starts of the functions that left a place out, which will be made anew: with it, even
        if other code than quick code has run there."""
        self._mark(pc)
        return self._left.pop(pc, set())

    def has(self, pc: int) -> bool:
        """Whether quick code has a block at an address, and has never passed it."""
        return pc in self._flags and not self.has_passed(pc)

    def has_passed(self, pc: int) -> bool:
        """Whether quick code has passed the block at an address."""
        index = self._span.index(pc)
        return index is not None and bool(self._passed[index])

    def wants_flags(self, pc: int) -> bool:
        """Whether condition flags may matter to the code at an address."""
        return self._flags.get(pc, True)
