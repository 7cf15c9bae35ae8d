"""Whole x86-64 programs: the corpus on our interpreter and on this machine or qemu-x86_64."""

from __future__ import annotations

import platform
import shutil
from pathlib import Path

import pytest

from hcc.isa.x86_64.architecture import ARCH
from tests.isa import harness
from tests.isa.harness import CORPUS, Toolchain

_IS_HOST = platform.machine() == "x86_64"
_PREFIX = "" if _IS_HOST else "x86_64-linux-gnu-"
GCC = Toolchain((f"{_PREFIX}gcc", "-no-pie", "-march=x86-64"), () if _IS_HOST else ("qemu-x86_64",))
PROGRAMS = sorted(path.stem for path in CORPUS.glob("*.c") if path.stem != "start")


_LONG = [pytest.param(level, marks=pytest.mark.long) for level in ("-O0", "-O1", "-O3", "-Os")]


@pytest.mark.parametrize("level", ["-O2", *_LONG])
@pytest.mark.parametrize("name", PROGRAMS)
def test_program_built_by_gcc_prints_what_the_machine_prints(
    name: str, level: str, tmp_path: Path
) -> None:
    missing = GCC.missing()
    if missing:
        pytest.skip(f"{missing} is not installed")
    program = GCC.build([CORPUS / f"{name}.c"], tmp_path / name, level)

    assert GCC.reference(program) == harness.run_program(ARCH, program)


@pytest.mark.long
@pytest.mark.parametrize("level", [0, 1, 2, 3])
@pytest.mark.parametrize("name", PROGRAMS)
def test_program_built_by_llvm_prints_what_the_machine_prints(
    name: str, level: int, tmp_path: Path
) -> None:
    missing = GCC.missing() or (None if shutil.which("clang") else "clang")
    if missing:
        pytest.skip(f"{missing} is not installed")
    triple = "x86_64-unknown-linux-gnu"
    code = harness.llvm_object(
        CORPUS / f"{name}.c", level, f"--target={triple} -march=x86-64", triple, "x86-64", ""
    )
    (tmp_path / "program.o").write_bytes(code)
    program = GCC.build([CORPUS / "start.c", tmp_path / "program.o"], tmp_path / name)

    assert GCC.reference(program) == harness.run_program(ARCH, program)
