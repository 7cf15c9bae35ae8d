"""Instruction traces: a line before each instruction, and what the one before it changed."""

from __future__ import annotations

from typing import TextIO

from attrs import define, field

from hcc.isa.errors import HccError
from hcc.runtime.process import Process


@define
class Tracer:
    """Prints `isa pc function+offset: instruction`, then the registers that it changed."""

    out: TextIO
    _before: list[int] = field(factory=list)
    _isa: str = ""

    def __call__(self, process: Process) -> None:
        cpu = process.cpu
        state = cpu.state
        if self._isa == process.isa:
            changes = [
                f"{register.name}={new:#x}"
                for register, old, new in zip(
                    cpu.arch.registers.registers, self._before, state.regs, strict=True
                )
                if old != new
            ]
            self.out.write(f"    {' '.join(changes)}\n" if changes else "\n")
        elif self._isa:
            self.out.write("\n")
        try:
            text = cpu.insn_at(state.pc).text
        except HccError:
            text = "no instruction"
        where = process.symbols.describe(state.pc, process.isa)
        self.out.write(f"{process.isa} {state.pc:#x} {where}: {text}")
        self._before, self._isa = list(state.regs), process.isa
