"""How the tests of the JIT run programs: compiled here, and everything about the run kept."""

from __future__ import annotations

import hashlib
import tempfile
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from attrs import frozen

from hcc.compiler.build import BuildOptions
from hcc.compiler.driver import CompileOptions, compile_program
from hcc.compiler.kernelc import FrontEndOptions
from hcc.emulator.memory import PAGE_SIZE, Memory
from hcc.isa.fatbinary import ARCHITECTURES, Program
from hcc.runtime.address_space import STACK_SIZE, STACK_TOP
from hcc.runtime.engines import Cell
from hcc.runtime.migrate import Plan, parse_plan
from hcc.runtime.process import Process

ISAS = ARCHITECTURES
ONE_QUICKLY = (
    "riscv64", *(pytest.param(isa, marks=pytest.mark.long) for isa in ("x86_64", "aarch64"))
)  # fmt: skip
"""For tests that take a while: one ISA in the quick run, all in the long one."""


@frozen
class Run:
    """Output, end, registers, memory, instructions and points of a run.

    Condition flags are not carried over calls and returns by compiled code, so they are left out,
    and r11 with them, in which x86-64 system calls leave a copy.
    """

    output: bytes
    end: object
    registers: dict[str, int]
    memory: str
    instructions: int
    points: tuple[tuple[str, int, int], ...]


def compiled(
    path: Path, text: str | None = None, opt_level: int = 2, isas: tuple[str, ...] = ISAS
) -> Program:
    """The program of a C file, which is written first if its text is given."""
    if text is not None:
        path.write_text(text)
    return compiled_together([path], opt_level, isas)


def compiled_together(paths: Sequence[Path], opt_level: int, isas: tuple[str, ...]) -> Program:
    """The program of several C files."""
    return compile_program(paths, CompileOptions(FrontEndOptions(), BuildOptions(opt_level, isas)))


class _Watch(Plan):
    """A plan that notes each point on its way to another plan."""

    def __init__(self, process: Process, plan: str) -> None:
        self.process = process
        self.plan = parse_plan(plan, process.program.isas, 1)
        self.points: list[tuple[str, int, int]] = []

    def next_cell(self, isa: str, engine: str) -> Cell | None:
        state = self.process.cpu.state
        sp = state.get(state.arch.convention.stack_pointer)
        self.points.append((isa, state.pc, sp))
        return self.plan.next_cell(isa, engine)


def run(
    program: Program,
    isa: str,
    engine: str,
    args: tuple[str, ...] = (),
    plan: str | None = None,
    count: bool = True,
    timeout: float | None = None,
) -> Run:
    """Run a program to its end."""
    process = Process(program, isa, ["program", *args], engine=engine, count=count)
    watch = None
    if plan is not None:
        watch = _Watch(process, plan)
        process.watch_points(watch)
    with tempfile.TemporaryFile() as out:
        for fd in (1, 2):
            process.personality.files[fd].host = out.fileno()
        try:
            end = process.run(timeout)
            state = process.cpu.state
            kept = [r for r in state.arch.registers.registers if not r.flag and r.name != "r11"]
            registers = {r.name: state.get(r.name) for r in kept}
            memory = _digest(process)
        finally:
            process.close()
        out.seek(0)
        points = tuple(watch.points) if watch else ()
        return Run(out.read(), end, registers, memory, process.instructions, points)


def _digest(process: Process) -> str:
    """A digest of all of memory but zeros and what lies below the stack pointer."""
    state = process.cpu.state
    sp = state.get(state.arch.convention.stack_pointer)
    digest = hashlib.sha256()
    for start, end, access in process.memory.mapped_ranges():
        digest.update(f"{start:x} {end:x} {access}".encode())
        low = max(start, sp) if STACK_TOP - STACK_SIZE <= start < STACK_TOP else start
        for page in _present(process.memory, low, end):
            content = process.memory.data[max(page, low) : page + PAGE_SIZE]
            if any(content):
                digest.update(f"{page:x}".encode() + content)
    return digest.hexdigest()


def _present(memory: Memory, start: int, end: int) -> Iterator[int]:
    """The pages of a range that the host has given memory (proc_pid_pagemap(5))."""
    first = start // PAGE_SIZE
    with Path("/proc/self/pagemap").open("rb", buffering=0) as file:
        file.seek((memory.host_addr // PAGE_SIZE + first) * 8)
        entries = array("Q", file.read((end // PAGE_SIZE - first) * 8))
    for number, entry in enumerate(entries):
        if entry >> 62:  # present or swapped out
            yield (first + number) * PAGE_SIZE
