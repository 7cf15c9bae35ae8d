"""A machine made for one test: its instructions are the semantics functions the test passes.

The code is the list of functions itself, one byte each, so a test reads as a program in the
builder's vocabulary. Registers: r0..r7 of 64 bits, w0..w3 of 128, flags cf, zf, and an i8 `small`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hcc.emulator.interpreter import CodeSpace, Interpreter
from hcc.emulator.memory import READ, WRITE, Memory
from hcc.isa.arch import Arch, CallingConvention, Insn, Register, RegisterFile
from hcc.isa.builder import Builder
from hcc.isa.errors import HccError
from hcc.isa.values import Ty, int_type

REGISTERS = RegisterFile(
    (
        *(Register(f"r{i}", 64) for i in range(8)),
        *(Register(f"w{i}", 128) for i in range(4)),
        Register("cf", 1, flag=True),
        Register("zf", 1, flag=True),
        Register("small", 8),
    )
)
CONVENTION = CallingConvention("r7", "r6", ("r0",), "r0", None, "r0", ("r1",), "r0", {})

CODE = 0x1000
RAM = 0x10_0000
RAM_SIZE = 0x3000

patience = 0
TRANSLATES, STEPS = 0, 1 << 62
"""The patience of a CPU that never steps, and of one that always does."""

Step = Callable[[Any], None]


def machine(
    steps: Sequence[Step | None], registers: Mapping[str, int] | None = None, patience: int = 0
) -> Interpreter:
    """A CPU about to run `steps` from CODE on; None is a byte that does not decode. It translates
    what it has stepped through `patience` times.

    The middle one of three RAM pages is read-only.
    """

    def decode(raw: bytes, addr: int) -> Insn:
        if steps[addr - CODE] is None:
            raise HccError(f"no instruction at {addr:#x}")
        return Insn(addr, 1, f"step{addr - CODE}", ())

    def meaning(step: Step) -> Callable[[Builder, Insn], None]:
        return lambda m, insn: step(m)

    table = {f"step{i}": meaning(step) for i, step in enumerate(steps) if step is not None}
    arch = Arch(
        "toy", 0, 0, REGISTERS, CONVENTION, decode, table, 1, 1, {}, lambda insn, before: None
    )
    memory = Memory()
    memory.protect(RAM, RAM_SIZE, READ | WRITE)
    memory.protect(RAM + 0x1000, 0x1000, READ)
    cpu = Interpreter(arch, memory, CodeSpace([(CODE, bytes(len(steps)))]), patience=patience)
    cpu.state.pc = CODE
    for name, value in (registers or {}).items():
        cpu.state.set(name, value)
    return cpu


def compute(
    formula: Callable[..., Any], types: Sequence[Ty], operands: Sequence[Sequence[int]]
) -> list[int]:
    """The bits of formula(m, *values) for each list of operand bits (of at most 128 each), which
    translated code and stepping agree about."""

    def step(m: Any) -> None:
        values = [
            m.bitcast(m.trunc(m.get(f"w{i}"), ty.size_bits), ty) for i, ty in enumerate(types)
        ]
        result = formula(m, *values)
        bits = m.bitcast(result, int_type(result.ty.size_bits))
        m.set("w3", m.zext(bits, 128))

    results: list[list[int]] = []
    for patience in (TRANSLATES, STEPS):
        cpu = machine([step], patience=patience)
        results.append([])
        for bits in operands:
            for i, value in enumerate(bits):
                cpu.state.set(f"w{i}", value)
            cpu.state.pc = CODE
            cpu.run(cpu.count + 1)
            results[-1].append(cpu.state.get("w3"))
    translated, stepped = results
    assert translated == stepped
    return translated
