"""Names for addresses: which function a PC lies in."""

from __future__ import annotations

from bisect import bisect_right

from attrs import define, field

from hcc.isa import elf
from hcc.isa.fatbinary import Program


@define
class Symbolizer:
    """Finds functions by address; code of every ISA has the same starts but its own sizes."""

    program: Program
    _starts: list[int] = field(init=False)
    _names: list[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        functions = sorted(
            (s.addr, s.name) for s in self.program.symbols if s.type == elf.STT_FUNC
        )
        self._starts = [addr for addr, _ in functions]
        self._names = [name for _, name in functions]

    def function_at(self, pc: int, isa: str) -> tuple[str, int] | None:
        """The function that contains `pc` on an ISA, and the offset in it."""
        i = bisect_right(self._starts, pc) - 1
        if i < 0:
            return None
        name, offset = self._names[i], pc - self._starts[i]
        size = self.program.sites.isas[isa].code_sizes.get(name, 0)
        return (name, offset) if offset < size else None

    def describe(self, pc: int, isa: str) -> str:
        """`function+0x1c`, or the bare address where no function is known."""
        found = self.function_at(pc, isa)
        return f"{found[0]}+{found[1]:#x}" if found else f"{pc:#x}"
