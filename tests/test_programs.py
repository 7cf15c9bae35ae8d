"""Every test program prints what gcc's build prints, on every cell.

The quick run takes each program at -O2 on the three emulators, and moved at every migration
point; the long one takes all -O levels, random moves, the extracted ELFs and both engines.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from hcc.isa.fatbinary import ARCHITECTURES
from hcc.runtime.verify import verify_program
from tests import cells

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.c"))
names = [p.stem for p in PROGRAMS]


@pytest.mark.parametrize("path", PROGRAMS, ids=names)
def test_program_prints_what_gcc_prints(path: Path) -> None:
    expected = cells.reference((path,))
    program = cells.build((path,), 2)

    assert verify_program(program) == []
    for isa in ARCHITECTURES:
        assert expected == cells.run(program, isa), isa
    for engine in cells.ENGINES:
        moved = cells.run(program, "x86_64", plan=f"{cells.RING}@1", engine=engine)
        assert expected == moved, engine


@pytest.mark.long
@pytest.mark.parametrize("opt_level", [0, 1, 2, 3])
@pytest.mark.parametrize("path", PROGRAMS, ids=names)
def test_program_on_every_cell(path: Path, opt_level: int) -> None:
    expected = cells.reference((path,))
    program = cells.build((path,), opt_level)

    assert verify_program(program) == []
    for isa in ARCHITECTURES:
        assert expected == cells.run_extracted(program, isa), f"{isa} extracted"
    for isa, engine in product(ARCHITECTURES, cells.ENGINES):
        assert expected == cells.run(program, isa, engine=engine), f"{isa} {engine}"
    first = ARCHITECTURES[opt_level % len(ARCHITECTURES)]  # it comes by all of them from there
    for seed, engine in enumerate(cells.ENGINES):
        moved = cells.run(program, first, plan=f"{cells.RING}@1", engine=engine)
        assert expected == moved, f"{first} {engine} moved"
        moved = cells.run(program, "x86_64", plan="random@7", seed=seed, engine=engine)
        assert expected == moved, f"{engine} seed {seed}"
