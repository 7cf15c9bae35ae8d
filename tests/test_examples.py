"""The examples print their reference output on every cell, moved at every point and at random."""

from __future__ import annotations

from pathlib import Path

import pytest

from hcc.isa.fatbinary import ARCHITECTURES
from hcc.runtime.bench.examples import EXAMPLES, Example, examples
from hcc.runtime.verify import verify_program
from tests import cells

ALL = examples()
names = [e.name for e in ALL]


def expected_of(path: Path) -> cells.Outcome:
    return cells.Outcome(path.read_bytes(), 0)


@pytest.mark.parametrize("example", ALL, ids=names)
def test_example_on_a_real_cpu_and_moved(example: Example) -> None:
    program = cells.build(example.sources, 2)
    small = expected_of(example.expected_small)

    assert verify_program(program) == []
    full = cells.run_extracted(program, "x86_64", example.full, folder=EXAMPLES)
    assert expected_of(example.expected_full) == full
    moved = cells.run(program, "x86_64", example.small, plan="random@7", folder=EXAMPLES)
    assert small == moved


@pytest.mark.long
@pytest.mark.parametrize("opt_level", [0, 1, 2, 3])
@pytest.mark.parametrize("example", ALL, ids=names)
def test_example_on_every_cell(example: Example, opt_level: int) -> None:
    program = cells.build(example.sources, opt_level)
    small = expected_of(example.expected_small)

    assert verify_program(program) == []
    for isa in ARCHITECTURES:
        for engine in cells.ENGINES:
            run = cells.run(program, isa, example.small, folder=EXAMPLES, engine=engine)
            assert small == run, f"{isa} {engine}"
        extracted = cells.run_extracted(program, isa, example.small, folder=EXAMPLES)
        assert small == extracted, f"{isa} extracted"
    plan = f"{cells.RING}@1"
    for engine in cells.ENGINES:
        moved = cells.run(
            program, "x86_64", example.small, plan=plan, folder=EXAMPLES, engine=engine
        )
        assert small == moved, engine


@pytest.mark.long
@pytest.mark.parametrize("example", ALL, ids=names)
def test_example_moved_at_random(example: Example) -> None:
    program = cells.build(example.sources, 2)
    small = expected_of(example.expected_small)
    for seed in range(8):
        engine = cells.ENGINES[seed % len(cells.ENGINES)]
        run = cells.run(
            program, "x86_64", example.small, plan="random@7", seed=seed, folder=EXAMPLES,
            engine=engine,
        )  # fmt: skip
        assert small == run, f"{engine} seed {seed}"


@pytest.mark.long
@pytest.mark.parametrize("isa", ARCHITECTURES)
@pytest.mark.parametrize("example", ALL, ids=names)
def test_full_example_compiled(example: Example, isa: str) -> None:
    program = cells.build(example.sources, 2)
    run = cells.run(program, isa, example.full, folder=EXAMPLES, engine="jit")

    assert expected_of(example.expected_full) == run


@pytest.mark.long
def test_ten_thousand_frames_move() -> None:
    path = Path(__file__).parent / "programs" / "deep_recursion.c"
    program = cells.build((path,), 2)
    expected = cells.reference((path,), ["deep"])

    # At every point would be ten thousand moves of ten thousand frames: at the bottom, and some.
    assert expected == cells.run(program, "x86_64", ["deep"], plan=f"{cells.RING}@2000")
    assert expected == cells.run(program, "riscv64", ["deep"], plan="random@3000", seed=1)
