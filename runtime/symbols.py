"""Names for addresses: which function and, with -g, which source line a PC lies in."""

from __future__ import annotations

from bisect import bisect_right

from attrs import define, field

from hcc.isa import elf, lines
from hcc.isa.fatbinary import Program
from hcc.isa.lines import LineTable


@define
class Symbolizer:
    """Finds functions by address; code of every ISA has the same starts but its own sizes."""

    program: Program
    _starts: list[int] = field(init=False)
    _names: list[str] = field(init=False)
    _lines: LineTable | None = field(init=False)

    def __attrs_post_init__(self) -> None:
        functions = sorted(
            (s.addr, s.name) for s in self.program.symbols if s.type == elf.STT_FUNC
        )
        self._starts = [addr for addr, _ in functions]
        self._names = [name for _, name in functions]
        section = self.program.extra.get(lines.SECTION)
        self._lines = None if section is None else LineTable.decode(section)

    def function_at(self, pc: int, isa: str) -> tuple[str, int] | None:
        """The function that contains `pc` on an ISA, and the offset in it."""
        i = bisect_right(self._starts, pc) - 1
        if i < 0:
            return None
        name, offset = self._names[i], pc - self._starts[i]
        size = self.program.sites.isas[isa].code_sizes.get(name, 0)
        return (name, offset) if offset < size else None

    def line_at(self, pc: int, isa: str) -> tuple[str, int] | None:
        """The file and line that the code at `pc` comes from, where that is known."""
        found = self.function_at(pc, isa)
        if self._lines is None or found is None:
            return None
        return self._lines.find(isa, *found)

    def describe(self, pc: int, isa: str) -> str:
        """`function+0x1c`, with ` (file.c:12)` where that is known; a bare address where no
        function is."""
        line = self.line_at(pc, isa)
        place = f" ({line[0]}:{line[1]})" if line else ""
        return self.describe_function(pc, isa) + place

    def describe_function(self, pc: int, isa: str) -> str:
        """`function+0x1c`, or a bare address where no function is."""
        found = self.function_at(pc, isa)
        return f"{found[0]}+{found[1]:#x}" if found else f"{pc:#x}"
