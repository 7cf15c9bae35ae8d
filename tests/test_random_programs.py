"""Generated programs agree with gcc -O0 on all three ISAs, migrated and not."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from hcc.isa.fatbinary import ARCHITECTURES
from hcc.runtime.verify import verify_program
from tests import cells
from tests.generate import ProgramGenerator


def check(seed: int, opt_level: int, folder: Path) -> None:
    """One program at one -O level, on the three ISAs and moved at every point and at random."""
    print(f"seed {seed}, -O{opt_level}")
    path = folder / f"random{seed}.c"
    path.write_text(ProgramGenerator(seed).program())
    expected = cells.reference((path,))
    program = cells.build((path,), opt_level)

    assert verify_program(program) == []
    for isa in ARCHITECTURES:
        assert expected == cells.run(program, isa), isa
    for engine in cells.ENGINES:
        moved = cells.run(program, "x86_64", plan=f"{cells.RING}@1", engine=engine)
        assert expected == moved, engine
    assert expected == cells.run(program, "aarch64", plan="random@5", seed=seed)


@pytest.mark.parametrize("round_number", range(6))
def test_random_program(round_number: int, tmp_path: Path) -> None:
    check(random.randrange(1 << 32), 2, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("opt_level", [0, 1, 2, 3])
@pytest.mark.parametrize("round_number", range(12))
def test_many_random_programs(round_number: int, opt_level: int, tmp_path: Path) -> None:
    check(random.randrange(1 << 32), opt_level, tmp_path)


@pytest.mark.long
def test_nested_loops_of_an_inlined_recursion_are_compiled_in_time(tmp_path: Path) -> None:
    check(385349611, 3, tmp_path)  # LLVM's peeling came to no end on RISC-V
