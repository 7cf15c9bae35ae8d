"""Migration plans: where programs go, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hcc.isa.errors import HccError, UnsupportedError
from hcc.isa.fatbinary import ARCHITECTURES
from hcc.runtime.engines import Cell
from hcc.runtime.migrate import Plan, RandomPlan, parse_plan
from hcc.runtime.process import Process, TimedOut
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

        class At(Plan):
            reached = 0

            def next_cell(self, isa: str, engine: str) -> Cell | None:
                self.reached += 1
                return Cell("aarch64") if self.reached in points else None  # noqa: B023

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
    def walk(seed: int) -> list[Cell | None]:
        plan = parse_plan("random@2", ARCHITECTURES, seed)
        return [plan.next_cell("x86_64", "jit") for _ in range(100)]

    assert isinstance(parse_plan("random@2", ARCHITECTURES, 0), RandomPlan)
    assert walk(3) == walk(3) != walk(4)
    assert {None, *map(Cell, ARCHITECTURES)} == set(walk(3))


@pytest.mark.parametrize(
    ("text", "fewest", "most"),
    [("random@1", 3000, 3000), ("random@30", 60, 150), ("aarch64,x86_64@7", 428, 428)],
)
def test_points_passed_at_once_make_no_difference_to_a_plan(
    text: str, fewest: int, most: int
) -> None:
    one_by_one, at_once = (parse_plan(text, ARCHITECTURES, 11) for _ in range(2))
    moves = [one_by_one.next_cell("x86_64", "jit") for _ in range(3000)]
    found: list[Cell | None] = []
    while len(found) < 3000:
        found.append(at_once.next_cell("x86_64", "jit"))
        found += [None] * at_once.pass_points(len(found) % 20)

    assert moves == found[:3000]
    assert fewest <= sum(move is not None for move in moves) <= most


@pytest.mark.parametrize("engine", ["interp", "jit"])
def test_a_plan_moves_between_engines_too(engine: str) -> None:
    path = PROGRAMS / "migrate_control.c"
    program = cells.build((path,), 2)
    ring = "x86_64/interp,x86_64/jit,aarch64/jit,aarch64/interp,riscv64/interp,riscv64/jit"

    assert cells.reference((path,)) == cells.run(
        program, "aarch64", plan=f"{ring}@1", engine=engine
    )


def test_a_ring_is_gone_through_in_order() -> None:
    plan = parse_plan("aarch64,aarch64/jit,x86_64@2", ARCHITECTURES, 0)
    went = [plan.next_cell("aarch64", "interp") for _ in range(8)]

    ring = Cell("aarch64"), Cell("aarch64", "jit"), Cell("x86_64")
    assert [None, ring[1], None, ring[2], None, ring[0], None, ring[1]] == went


def test_instructions_of_both_engines_are_counted() -> None:
    program = cells.build((PROGRAMS / "migrate_state.c",), 1)
    totals = []
    for plan in ("x86_64@5", "x86_64/interp,x86_64/jit@5"):
        process = Process(program, "x86_64", ["program"], engine="interp")
        process.personality.files[1].host = os.open(os.devnull, os.O_WRONLY)
        process.watch_points(parse_plan(plan, ARCHITECTURES, 0))
        process.run()
        process.close()
        totals.append(process.statistics.instructions)

    assert totals[0] == totals[1]


def test_a_run_on_two_engines_ends_at_its_time(tmp_path: Path) -> None:
    source = "int main(void) { volatile unsigned x = 0; for (;;) x++; }"
    path = tmp_path / "endless.c"
    path.write_text(source)
    program = cells.build((path,), 1)
    for ring in ("riscv64/interp,riscv64/jit", "riscv64/jit,riscv64/interp"):
        process = Process(program, "riscv64", ["program"], engine="interp")
        process.watch_points(parse_plan(f"{ring}@1000", ARCHITECTURES, 0))
        with pytest.raises(TimedOut):
            process.run(0.5)
        process.close()


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
        ("x86_64/fast@1", "the engine must be interp or jit: 'fast'"),
        ("x86_64/lockstep@1", "the engine must be"),
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


def test_a_trace_changes_no_plan(tmp_path: Path) -> None:
    path = tmp_path / "points.c"
    path.write_text(
        "#include <hcc.h>\n"
        "int main(void) { for (int i = 0; i < 50; i++) migrate_point(); return 7; }"
    )
    program = cells.build((path,), 1)
    found = []
    for engine in ("interp", "jit"):
        for traced in (False, True):
            process = Process(program, "x86_64", ["program"], engine=engine)
            process.watch_points(parse_plan("x86_64,aarch64@9", program.isas, 0))
            seen: list[int] = []
            if traced:
                process.trace = lambda at: seen.append(at.cpu.state.pc)  # noqa: B023
            assert 7 == process.run()
            process.close()
            found.append((process.statistics.points, process.statistics.migrations))
            assert len(seen) == (process.instructions if traced else 0)

    assert found == [(found[0][0], found[0][0] // 9)] * 4


def test_loops_that_never_reach_their_bound_come_by_points(tmp_path: Path) -> None:
    source = PROGRAMS / "migrate_endless.c"
    program = cells.build((source,), 2)
    for kind in range(22):
        process = Process(program, "x86_64", ["p", str(kind), "200000"], engine="jit")
        with (tmp_path / "out").open("wb") as out:
            process.personality.files[1].host = out.fileno()
            process.watch_points(None)
            process.run()
            process.close()

        assert process.statistics.points > 20, kind
