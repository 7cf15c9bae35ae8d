"""Positions in source text as single integers: file index, line and column packed.

Every token and every node of the syntax tree has one, and most are never looked at; so they
must cost nothing to make and to copy. `SourceFiles` turns them back into spans.
"""

from __future__ import annotations

from attrs import define, field

from hcc.compiler.diagnostics import Span
from hcc.compiler.ir.module import Location

COLUMN_BITS = 16
LINE_BITS = 24
COLUMN_MASK = (1 << COLUMN_BITS) - 1
LINE_MASK = (1 << LINE_BITS) - 1
FILE_SHIFT = LINE_BITS + COLUMN_BITS
ONE_LINE = 1 << COLUMN_BITS


def line_of(at: int) -> int:
    return at >> COLUMN_BITS & LINE_MASK


@define
class SourceFiles:
    """The files of a run, numbered in the order in which they were opened."""

    names: list[str] = field(factory=list)

    def add(self, name: str) -> int:
        """The position of line 0, column 0 of a file."""
        if name in self.names:
            return self.names.index(name) << FILE_SHIFT
        self.names.append(name)
        return len(self.names) - 1 << FILE_SHIFT

    def file_of(self, at: int) -> str:
        return self.names[at >> FILE_SHIFT]

    def span(self, at: int, length: int = 1) -> Span:
        return Span(self.file_of(at), line_of(at), at & COLUMN_MASK, length)

    def location(self, at: int) -> Location:
        return Location(self.file_of(at), line_of(at), at & COLUMN_MASK)
