"""Whole programs: the corpus on our interpreter and on qemu-user, or the host for its own ISA."""

from __future__ import annotations

import platform
import shutil
from pathlib import Path

import pytest
from attrs import frozen

from hcc.isa import architecture
from tests.isa import harness
from tests.isa.harness import CORPUS, Toolchain

_IS_HOST = platform.machine() == "x86_64"
_PREFIX = "" if _IS_HOST else "x86_64-linux-gnu-"


@frozen
class Target:
    """How programs for an ISA are built, by gcc and by LLVM."""

    gcc: Toolchain
    clang: str  # --target and what goes with it
    llvm: tuple[str, ...]  # triple, CPU, features, ABI


TARGETS = {
    "x86_64": Target(
        Toolchain(
            (f"{_PREFIX}gcc", "-no-pie", "-march=x86-64"), () if _IS_HOST else ("qemu-x86_64",)
        ),
        "--target=x86_64-unknown-linux-gnu -march=x86-64",
        ("x86_64-unknown-linux-gnu", "x86-64", ""),
    ),
    "aarch64": Target(
        Toolchain(("aarch64-linux-gnu-gcc",), ("qemu-aarch64",)),
        "--target=aarch64-linux-gnu",
        ("aarch64-unknown-linux-gnu", "generic", "+neon"),
    ),
    "riscv64": Target(
        Toolchain(("riscv64-linux-gnu-gcc", "-march=rv64gc", "-mabi=lp64d"), ("qemu-riscv64",)),
        "--target=riscv64-linux-gnu -march=rv64gc -mabi=lp64d",
        ("riscv64-unknown-linux-gnu", "generic-rv64", "+m,+a,+f,+d,+c,-relax", "lp64d"),
    ),
}
PROGRAMS = sorted(path.stem for path in CORPUS.glob("*.c") if path.stem != "start")

_LONG = [pytest.param(level, marks=pytest.mark.long) for level in ("-O0", "-O1", "-O3", "-Os")]


@pytest.mark.parametrize("level", ["-O2", *_LONG])
@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("isa", TARGETS)
def test_program_built_by_gcc_prints_what_the_reference_prints(
    isa: str, name: str, level: str, tmp_path: Path
) -> None:
    gcc = TARGETS[isa].gcc
    missing = gcc.missing()
    if missing:
        pytest.skip(f"{missing} is not installed")
    program = gcc.build([CORPUS / f"{name}.c"], tmp_path / name, level)

    assert gcc.reference(program) == harness.run_program(architecture(isa), program)


@pytest.mark.long
@pytest.mark.parametrize("level", [0, 1, 2, 3])
@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("isa", TARGETS)
def test_program_built_by_llvm_prints_what_the_reference_prints(
    isa: str, name: str, level: int, tmp_path: Path
) -> None:
    target = TARGETS[isa]
    missing = target.gcc.missing() or (None if shutil.which("clang") else "clang")
    if missing:
        pytest.skip(f"{missing} is not installed")
    code = harness.llvm_object(CORPUS / f"{name}.c", level, target.clang, *target.llvm)
    (tmp_path / "program.o").write_bytes(code)
    program = target.gcc.build([CORPUS / "start.c", tmp_path / "program.o"], tmp_path / name)

    assert target.gcc.reference(program) == harness.run_program(architecture(isa), program)
