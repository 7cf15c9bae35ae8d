"""Whole programs: compiled and interpreted runs agree in everything, moved or not."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from attrs import evolve

from hcc.isa.fatbinary import Program
from hcc.runtime import snapshot
from hcc.runtime.migrate import parse_plan
from hcc.runtime.process import CheckpointReached, Process
from tests.generate import ProgramGenerator
from tests.jit.running import ISAS, ONE_QUICKLY, compiled, compiled_together, run

PROGRAMS = Path(__file__).parent.parent / "programs"
RING = ",".join(ISAS)
WITH_TIMES = {"files"}
"""Programs that have files' times, and names made of the clock, in their memory."""


def agree(program: Program, isa: str, plan: str | None = None, timeless: bool = True) -> None:
    """Output, end and the order of points are equal; of a timeless program registers, memory and
    instruction count too."""
    runs = [run(program, isa, engine, plan=plan) for engine in ("interp", "jit")]
    if not timeless:
        runs = [evolve(r, registers={}, memory="", instructions=0) for r in runs]
    assert runs[0] == runs[1]


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("isa", ONE_QUICKLY)
@pytest.mark.parametrize("name", ["c_control"])
def test_program_compiled_at_once(name: str, isa: str) -> None:
    agree(compiled(PROGRAMS / f"{name}.c"), isa)


@pytest.mark.usefixtures("eager")
def test_points_come_in_the_same_order_on_both_engines() -> None:
    agree(compiled(PROGRAMS / "migrate_control.c"), "riscv64", f"{RING}@3")


@pytest.mark.parametrize(
    "plan", [None, f"{RING}@997", "random@500", "aarch64/interp,riscv64/jit@3"]
)
def test_points_that_compiled_code_passes_by_itself_count(plan: str | None, source: Path) -> None:
    text = """
    #include <stdio.h>
    static unsigned depth(unsigned n) { return n ? 1 + depth((n * 7 + 1) % (n + 1) / 2) : 0; }
    int main(void) {
        unsigned sum = 0;
        for (unsigned i = 0; i < 3000; i++) {
            sum = sum * 31 + depth(i);
            if (i % 500 == 0) printf("%u\\n", sum);
        }
        return sum & 63;
    }
    """
    program = compiled(source, text)
    found = []
    for engine in ("interp", "jit"):
        process = Process(program, "x86_64", ["program"], engine=engine)
        process.watch_points(plan and parse_plan(plan, ISAS, 5))
        with source.with_suffix(".out").open("w+b") as out:
            process.personality.files[1].host = out.fileno()
            end = process.run()
            process.close()
            out.seek(0)
            found.append((end, out.read(), evolve(process.statistics, migration_seconds=0.0)))

    assert found[0] == found[1]
    assert 10000 < process.statistics.points
    assert bool(plan) == bool(process.statistics.migrations)


TIERS = pytest.mark.parametrize("tier", ["eager", "never_optimised"])


@pytest.mark.long
@TIERS
@pytest.mark.parametrize("name", [p.stem for p in sorted(PROGRAMS.glob("*.c"))])
def test_every_program_compiled_at_once(
    name: str, tier: str, request: pytest.FixtureRequest
) -> None:
    """As it is on two ISAs, or where there is quick code only on one, and moved from the other."""
    request.getfixturevalue(tier)
    opt_level, isas = random.randrange(4), random.sample(ISAS, 3)
    print(f"-O{opt_level}, {isas}")
    program = compiled(PROGRAMS / f"{name}.c", opt_level=opt_level)
    timeless = name not in WITH_TIMES
    for isa in isas[: 2 if tier == "eager" else 1]:
        agree(program, isa, timeless=timeless)
    agree(program, isas[2], "random@7", timeless)


BATCHES = int(os.environ.get("HCC_RANDOM_PROGRAMS", "1000")) // 20
"""How many batches of random programs the long run tries."""


def check_random(folder: Path, opt_level: int, isa: str, count: int) -> None:
    """Random programs, compiled into one so that start-up and library count once."""
    seeds = [random.randrange(1 << 32) for _ in range(count)]
    print(f"seeds {seeds}, -O{opt_level}, {isa}")
    sources = [folder / f"program{i}.c" for i in range(count + 1)]
    for i, seed in enumerate(seeds):
        sources[i].write_text(ProgramGenerator(seed).program(f"main{i}"))
    declared = " ".join(f"int main{i}(void);" for i in range(count))
    calls = " + ".join(f"main{i}()" for i in range(count))
    sources[count].write_text(f"{declared} int main(void) {{ return ({calls}) & 63; }}")
    agree(compiled_together(sources, opt_level, (isa,)), isa)


@TIERS
@pytest.mark.parametrize("isa", ONE_QUICKLY)
def test_random_programs_agree(
    tmp_path: Path, isa: str, tier: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(tier)
    check_random(tmp_path, random.randrange(4), isa, 3)


@pytest.mark.long
@pytest.mark.parametrize("batch", range(BATCHES))
def test_many_random_programs_agree(
    tmp_path: Path, batch: int, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("never_optimised" if batch % 4 == 3 else "eager")
    check_random(tmp_path, batch // 3 % 4, ISAS[batch % len(ISAS)], 20)


@pytest.mark.usefixtures("eager")
def test_snapshots_are_the_same_bytes_on_every_engine(tmp_path: Path) -> None:
    program = compiled(PROGRAMS / "migrate_state.c")
    contents = []
    for engine in ("interp", "jit"):
        process = Process(program, "x86_64", ["program"], engine=engine)
        process.watch_points(None, checkpoint_at=5)
        process.personality.files[1].host = (tmp_path / "output").open("wb").fileno()
        with pytest.raises(CheckpointReached):
            process.run()
        snapshot.save(snapshot.capture(process), tmp_path / "snapshot")
        contents.append((tmp_path / "snapshot").read_bytes())
        process.close()

    assert contents[0] == contents[1]


ENGINES = (
    ("jit", "jit"),
    pytest.param(("interp", "jit"), marks=pytest.mark.long),
    pytest.param(("jit", "interp"), marks=pytest.mark.long),
)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("engines", ENGINES)
def test_checkpoint_and_resume_between_engines(engines: tuple[str, str], tmp_path: Path) -> None:
    program = compiled(PROGRAMS / "migrate_memory.c")
    whole = run(program, "x86_64", "interp").output
    for isa in ISAS:
        output = tmp_path / "output"
        with output.open("wb") as out:
            first = Process(program, "x86_64", ["program"], engine=engines[0])
            first.personality.files[1].host = out.fileno()
            first.watch_points(None, checkpoint_at=4)
            with pytest.raises(CheckpointReached):
                first.run()
            saved = snapshot.capture(first)
            first.close()
            second = snapshot.restore(saved, isa, engines[1])
            second.personality.files[1].host = out.fileno()
            second.stop_watching()
            assert 0 == second.run()
            second.close()
        assert whole == output.read_bytes(), isa


@pytest.mark.parametrize("isa", ONE_QUICKLY)
def test_hot_code_is_compiled_beside_the_running_guest(isa: str, source: Path) -> None:
    text = """
    #include <stdio.h>
    static int f(int n) { return n < 2 ? n : f(n - 1) + f(n - 2); }
    int main(void) {
        unsigned sum = 0;
        for (int i = 0; i < 400000; i++) sum = sum * 31 + (sum >> 7) + i;
        printf("%u %d\\n", sum, f(20));
        return 0;
    }
    """
    program = compiled(source, text)
    expected = run(program, isa, "interp")
    got = run(program, isa, "jit")

    assert expected == got
    fast = run(program, isa, "jit", count=False)
    assert evolve(expected, instructions=0) == evolve(fast, instructions=0)
    assert fast.instructions < expected.instructions * 0.8, "little was compiled"
