"""Breakpoints of `hcc run --break`: where a program is looked at, and what is shown there.

A place is a function, a file and line (of a program compiled with -g) or an address. Functions
have one address on all ISAs; a line has as many addresses as pieces of code were made from it.
At each hit the place and the registers are written to a stream, and the program goes on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TextIO

from attrs import define, field

from hcc.emulator.interpreter import Interpreter
from hcc.isa import elf, lines
from hcc.isa.errors import HccError
from hcc.isa.fatbinary import Program

if TYPE_CHECKING:
    from hcc.isa.arch import Arch
    from hcc.runtime.process import Process

_LINE = re.compile(r"(?:(?P<file>.+))?:(?P<line>\d+)")
_COLUMNS = 4


class HasArch(Protocol):
    """A CPU of some ISA."""

    arch: Arch


@define
class Breakpoints:
    """Addresses by ISA. `hits` counts how often one was reached."""

    addrs: dict[str, frozenset[int]]
    out: TextIO
    hits: int = field(default=0, init=False)

    def arm(self, cpu: HasArch) -> None:
        """Make a CPU stop at the breakpoints of its ISA."""
        if not isinstance(cpu, Interpreter):
            raise HccError("breakpoints need --engine interp")
        cpu.breakpoints = self.addrs[cpu.arch.name]

    def reached(self, process: Process) -> None:
        """Show where a process is and what its registers hold."""
        self.hits += 1
        cpu, pc = process.cpu, process.cpu.state.pc
        where = process.symbols.describe(pc, process.isa)
        self.out.write(
            f"breakpoint: pc {pc:#x} in {where} on {process.isa}, instruction {cpu.count}: "
            f"{cpu.insn_at(pc).text}\n"
        )
        registers = cpu.arch.registers.registers
        cells = [
            f"{register.name:>9} {value:#0{register.bits // 4 + 2}x}"
            for register, value in zip(registers, cpu.state.regs, strict=True)
            if register.bits == 64
        ]
        for i in range(0, len(cells), _COLUMNS):
            self.out.write(" ".join(cells[i : i + _COLUMNS]) + "\n")
        flags = [r.name for r, v in zip(registers, cpu.state.regs, strict=True) if r.flag and v]
        if any(r.flag for r in registers):
            self.out.write(f"    flags {' '.join(flags) or 'none'}\n")


def find_places(program: Program, places: Sequence[str]) -> dict[str, frozenset[int]]:
    """The addresses on each ISA of the places a user names; HccError for one there is not."""
    section = program.extra.get(lines.SECTION)
    table = None if section is None else lines.LineTable.decode(section)
    found: dict[str, set[int]] = {isa: set() for isa in program.isas}
    for place in places:
        symbol = program.symbol(place)
        if symbol is not None and symbol.type == elf.STT_FUNC:
            for addrs in found.values():
                addrs.add(symbol.addr)
        elif place.startswith("0x"):
            try:
                addr = int(place, 16)
            except ValueError:
                raise HccError(f"--break {place}: not an address") from None
            for addrs in found.values():
                addrs.add(addr)
        elif match := _LINE.fullmatch(place):
            if table is None:
                raise HccError(f"--break {place}: the program was compiled without -g")
            where = _code_of_line(program, table, match["file"], int(match["line"]))
            if not any(where.values()):
                raise HccError(f"--break {place}: there is no code of this line")
            for isa, addrs in where.items():
                found[isa] |= addrs
        else:
            raise HccError(f"--break {place}: no such function (nor FILE:LINE, nor 0xADDRESS)")
    return {isa: frozenset(addrs) for isa, addrs in found.items()}


def _code_of_line(
    program: Program, table: lines.LineTable, file: str | None, line: int
) -> dict[str, set[int]]:
    """Where code of a line begins: the first address in each function that has any."""
    starts = {s.name: s.addr for s in program.symbols if s.type == elf.STT_FUNC}
    found: dict[str, set[int]] = {}
    for isa, functions in table.rows.items():
        found[isa] = set()
        for name, rows in functions.items():
            offsets = [
                row.offset
                for row in rows
                if row.line == line and (file is None or _same_file(row.file, file))
            ]
            if offsets:
                found[isa].add(starts[name] + min(offsets))
    return found


def _same_file(known: str, asked: str) -> bool:
    return known == asked or known.endswith("/" + asked)
