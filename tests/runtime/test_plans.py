"""Migration plans: where programs go, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from hcc.isa.errors import HccError, UnsupportedError
from hcc.isa.fatbinary import ARCHITECTURES
from hcc.runtime.migrate import RandomPlan, parse_plan
from hcc.runtime.process import Process
from tests import cells

PROGRAMS = Path(__file__).parent.parent / "programs"


@pytest.mark.parametrize("isa", ARCHITECTURES)
def test_a_move_to_the_same_isa_is_a_move(isa: str) -> None:
    path = PROGRAMS / "migrate_memory.c"
    program = cells.build((path,), 2)

    assert cells.reference((path,)) == cells.run(program, isa, plan=f"{isa}@1")


@pytest.mark.parametrize("plan", ["riscv64@1", "aarch64,aarch64,x86_64@2", "riscv64,x86_64@3"])
def test_rings_of_any_kind_work(plan: str) -> None:
    path = PROGRAMS / "migrate_state.c"
    program = cells.build((path,), 1)

    assert cells.reference((path,)) == cells.run(program, "x86_64", plan=plan)


def test_first_and_last_point_alone(tmp_path: Path) -> None:
    path = PROGRAMS / "migrate_control.c"
    program = cells.build((path,), 2)
    counting = Process(program, "x86_64", ["program"])
    counting.watch_points(None)
    out = (tmp_path / "out").open("w+b")
    counting.personality.files[1].host = out.fileno()
    counting.run()
    counting.close()
    last = counting.statistics.points
    assert last > 1
    for points in ({1}, {last}, {1, last}):

        class At:
            reached = 0

            def next_isa(self, current: str) -> str | None:
                self.reached += 1
                return "aarch64" if self.reached in points else None  # noqa: B023

        process = Process(program, "x86_64", ["program"])
        process.poison = True
        process.watch_points(At())
        with (tmp_path / "moved").open("w+b") as moved:
            process.personality.files[1].host = moved.fileno()
            status = process.run()
            process.close()

        assert cells.reference((path,)).status == status
        assert (tmp_path / "out").read_bytes() == (tmp_path / "moved").read_bytes()
        assert len(points) == process.statistics.migrations


def test_random_plans_follow_their_seed_and_take_every_isa() -> None:
    def walk(seed: int) -> list[str | None]:
        plan = parse_plan("random@2", ARCHITECTURES, seed)
        return [plan.next_isa("x86_64") for _ in range(100)]

    assert isinstance(parse_plan("random@2", ARCHITECTURES, 0), RandomPlan)
    assert walk(3) == walk(3) != walk(4)
    assert {None, *ARCHITECTURES} == set(walk(3))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not of the form"),
        ("x86_64", "is not of the form"),
        ("x86_64@0", "is not of the form"),
        ("x86_64@-1", "is not of the form"),
        ("random@two", "is not of the form"),
        ("mips@1", "no such ISA: 'mips'"),
        ("x86_64,,aarch64@1", "no such ISA: ''"),
        ("riscv64@1", "the program has no code for riscv64"),
    ],
)
def test_bad_plans_are_refused(text: str, message: str) -> None:
    with pytest.raises(HccError, match=message):
        parse_plan(text, ("x86_64", "aarch64"), 0)


def test_a_program_without_points_does_not_move() -> None:
    program = cells.build((PROGRAMS / "c_integers.c",), 1, "none")
    process = Process(program, "x86_64", ["program"])

    with pytest.raises(UnsupportedError, match="no migration points"):
        process.watch_points(parse_plan("random@7", ARCHITECTURES, 0))
