"""The engines that run guest code: what a process wants of a CPU, and which there are.

    interp      the interpreter: exact, traceable, slow
    jit         compiled code where it is hot (`emulator.jit`)
    lockstep    both side by side, compared (`emulator.jit.lockstep`)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from attrs import frozen

from hcc.emulator.interpreter import CodeSpace, CpuState, Interpreter, Stop
from hcc.emulator.memory import Memory
from hcc.emulator.translations import Translations
from hcc.isa import architecture
from hcc.isa.arch import Arch, Insn
from hcc.isa.errors import HccError
from hcc.isa.fatbinary import Program

ENGINES = ("interp", "jit", "lockstep")
MOVABLE_ENGINES = ("interp", "jit")
"""Those between which a program can move while it runs."""


@frozen
class Cell:
    """Where code runs: an ISA, and an engine unless that is as it was at the start."""

    isa: str
    engine: str | None = None

    def holds(self, isa: str, engine: str) -> bool:
        """Whether this names an ISA and engine."""
        return self.isa == isa and self.engine in (None, engine)


class Cpu(Protocol):
    """One CPU of one ISA over a memory."""

    arch: Arch
    code: CodeSpace

    @property
    def state(self) -> CpuState:
        """The registers and the PC, to read and to change between runs."""

    @property
    def count(self) -> int:
        """Instructions executed so far."""

    def run(self, limit: int | None = None) -> Stop:
        """Run until something stops the CPU, or until `count` has reached `limit`."""

    def step(self) -> Stop | None:
        """Run one instruction; None if nothing stopped the CPU."""

    def close(self) -> None:
        """End what runs beside the CPU, and keep what later runs can use."""

    def insn_at(self, pc: int) -> Insn:
        """The decoded instruction at an address; HccError where there is none."""


def make_cpu(
    engine: str,
    program: Program,
    isa: str,
    memory: Memory,
    on_syscall: Callable[[], bool],
    count: bool,
) -> Cpu:
    """A CPU for a program.

    Engines with compiled code call `on_syscall` where they are, which is quicker than to return
    from `run`; it returns whether the CPU shall go on.
    """
    region = program.text[isa]
    code = CodeSpace([(region.addr, region.content)])
    arch = architecture(isa)
    if engine == "interp":
        return Interpreter(arch, memory, code, Translations.of(isa, code.ranges))
    if engine not in ENGINES:
        raise HccError(f"no such engine: '{engine}'")
    from hcc.emulator.jit.engine import JitCpu
    from hcc.emulator.jit.options import Options

    if engine == "lockstep":
        from hcc.emulator.jit.lockstep import LockstepCpu

        return LockstepCpu(arch, memory, code, functions_of(program, isa))
    cpu = JitCpu(arch, memory, code, functions_of(program, isa), Options(count=count))
    cpu.on_syscall = on_syscall
    return cpu


def functions_of(program: Program, isa: str) -> list[tuple[int, int]]:
    """Address and size of every function of a program on an ISA."""
    sizes = program.sites.isas[isa].code_sizes
    return [(s.addr, sizes[s.name]) for s in program.symbols if sizes.get(s.name)]
