"""What the compilation of a program's regions depends on, and how their functions are called."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

MAX_INSNS = 400
"""Instructions in a region at most, unless it is a loop."""


@frozen
class CodeSpan:
    """The guest addresses that the function table covers."""

    base: int
    size: int
    align: int

    @property
    def entries(self) -> int:
        return self.size // self.align

    def index(self, pc: int) -> int | None:
        """The place of an address in the table; None if it has none."""
        offset = pc - self.base
        if 0 <= offset < self.size and not offset % self.align:
            return offset // self.align
        return None

    @classmethod
    def of(cls, ranges: Sequence[tuple[int, bytes]], align: int) -> CodeSpan:
        """That of the first range of code, of instructions aligned so."""
        start, content = ranges[0]
        return cls(start, -(-len(content) // 16) * 16, align)


@frozen
class Options:
    """What kind of code to make.

    `count` keeps the exact number of instructions executed. Without `nest`, calls, returns and
    jumps out of a region all return to the engine.
    """

    count: bool = False
    nest: bool = True


def function_name(start: int) -> str:
    return f"r{start:x}"
