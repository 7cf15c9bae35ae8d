"""Compiling sources given as text, and running them: in the IR interpreter, and built by gcc."""

from __future__ import annotations

import subprocess
import tempfile
from functools import cache
from pathlib import Path

from hcc.compiler.diagnostics import CompileError, Diagnostic, Diagnostics
from hcc.compiler.ir.module import Module
from hcc.compiler.ir.verifier import verify
from hcc.compiler.kernelc import FrontEndOptions, compile_c
from tests.conftest import require
from tests.kernelc.ir_interpreter import GuestTrap, Machine

ROOT = Path(__file__).parent.parent.parent
LIBRARY = ROOT / "compiler" / "libhcc"
PROGRAMS = ROOT / "tests" / "programs"


def module_of(source: str, diagnostics: Diagnostics | None = None) -> Module:
    """The verified IR of a source text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.c"
        path.write_text(source)
        module = compile_c(path, FrontEndOptions(), "t", diagnostics)
    verify(module)
    return module


def found_in(source: str) -> list[Diagnostic]:
    """The diagnostics of a source text, errors or not, in the order of the source."""
    diagnostics = Diagnostics()
    try:
        module_of(source, diagnostics)
    except CompileError as error:
        return list(error.diagnostics)
    return diagnostics.in_order()


def complaints(source: str) -> list[str]:
    """The diagnostics as `line:column: severity: message`."""
    return [
        f"{d.span.line}:{d.span.column}: {d.severity.value}: {d.message}" for d in found_in(source)
    ]


def call(source: str, function: str = "f", *args: int) -> int:
    """What a function of a source text returns, as the IR has it; no library."""
    result: int = Machine([module_of(source)]).run(function, *args)
    return result


@cache
def library() -> tuple[Module, ...]:
    """libhcc, compiled once."""
    return tuple(
        compile_c(path, FrontEndOptions(), path.stem) for path in sorted(LIBRARY.glob("*.c"))
    )


def run_in_ir(path: Path) -> tuple[bytes, int | str]:
    """Output and exit status (or the reason of a trap) of a program, linked with libhcc."""
    module = compile_c(path, FrontEndOptions(), "program")
    verify(module)
    machine = Machine([module, *library()])
    name = machine.string(str(path))
    argv = machine.break_address
    machine.memory[argv : argv + 8] = name.to_bytes(8, "little")
    machine.break_address += 64
    try:
        status = machine.run("main", 1, argv, argv + 8)
        machine.run("fflush", 0)
    except GuestTrap as trap:
        return bytes(machine.output), str(trap)
    return bytes(machine.output), status & 0xFF


def run_by_gcc(path: Path) -> tuple[bytes, int]:
    """The same of gcc's build, with hcc's meaning where C leaves it open."""
    gcc = require("gcc")
    flags = ["-std=gnu99", "-w", "-O0", "-fwrapv", "-fno-strict-aliasing", "-ffp-contract=off"]
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "program"
        command = [gcc, *flags, "-fexcess-precision=16", f"-I{LIBRARY / 'host'}", str(path)]
        subprocess.run([*command, "-o", str(program), "-lm"], check=True)
        done = subprocess.run([str(program)], capture_output=True, check=False, timeout=60)
    return done.stdout, done.returncode
