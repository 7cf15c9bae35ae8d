"""Whole RV64GC programs: the corpus, built by gcc and by LLVM, on our interpreter and qemu-riscv64."""

from __future__ import annotations

from pathlib import Path

import pytest

from hcc.isa.riscv64 import ARCH
from tests.isa import harness
from tests.isa.harness import CORPUS, Toolchain

GCC = Toolchain(("riscv64-linux-gnu-gcc", "-march=rv64gc", "-mabi=lp64d"), ("qemu-riscv64",))
PROGRAMS = sorted(path.stem for path in CORPUS.glob("*.c") if path.stem != "start")


@pytest.mark.parametrize("level", ["-O0", "-O1", "-O2", "-O3"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_program_built_by_gcc_prints_what_qemu_prints(
    name: str, level: str, tmp_path: Path
) -> None:
    missing = GCC.missing()
    if missing:
        pytest.skip(f"{missing} is not installed")
    program = GCC.build([CORPUS / f"{name}.c"], tmp_path / name, level)

    assert GCC.reference(program) == harness.run_program(ARCH, program)
