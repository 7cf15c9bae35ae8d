"""Programs run in the IR interpreter and built by gcc do the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.generate import ProgramGenerator
from tests.kernelc.building import LIBRARY, PROGRAMS, complaints, run_by_gcc, run_in_ir

SUBJECTS = sorted(PROGRAMS.glob("c_*.c"))
HEADERS = sorted((LIBRARY / "include").rglob("*.h"))


@pytest.mark.parametrize("path", SUBJECTS, ids=[p.stem for p in SUBJECTS])
def test_program_does_what_gcc_makes_it_do(path: Path) -> None:
    assert run_by_gcc(path) == run_in_ir(path)


@pytest.mark.parametrize("header", HEADERS, ids=[h.stem for h in HEADERS])
def test_every_header_stands_alone_and_can_be_included_twice(header: Path) -> None:
    name = header.relative_to(LIBRARY / "include")

    assert [] == complaints(f"#include <{name}>\n#include <{name}>\nint x;\n")


def _generated(seed: int, folder: Path) -> None:
    path = folder / f"generated{seed}.c"
    path.write_text(ProgramGenerator(seed).program())

    assert run_by_gcc(path) == run_in_ir(path), f"seed {seed}"


@pytest.mark.parametrize("seed", range(4))
def test_generated_program(seed: int, tmp_path: Path) -> None:
    _generated(seed, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 160))
def test_generated_program_of_many(seed: int, tmp_path: Path) -> None:
    _generated(seed, tmp_path)
