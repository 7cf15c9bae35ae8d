"""Memory specifications from files, and schedules under other specifications."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from attrs import evolve

from hcc.compiler.pim.elementwise import compile_expression
from hcc.compiler.pim.expressions import Add, Array
from hcc.compiler.pim.matvec import gemv
from hcc.emulator.pim.machine import Machine, Schedule
from hcc.emulator.pim.specification import DRAMSYS_HBM2, SAMSUNG_HBM2, MemorySpec, from_ini, load
from hcc.isa.errors import FormatError

from .checker import Judge
from .golden import golden


def test_vendor_ini_is_the_built_in_specification() -> None:
    parameters = golden()["timing"]["samsung_HBM2_ini"]
    text = "\n".join(f"{name}={value} ; comment" for name, value in parameters.items())

    assert evolve(SAMSUNG_HBM2, name="HBM2") == from_ini(text, "HBM2.ini")


def test_derived_distances_are_the_published_ones() -> None:
    published = golden()["timing"]["samsung_derived"]
    spec = SAMSUNG_HBM2

    assert published["READ_TO_PRE"] == spec.read_to_precharge
    assert published["WRITE_TO_PRE"] == spec.write_to_precharge
    assert published["READ_TO_WRITE"] == spec.read_to_write
    assert published["WRITE_TO_READ_same_bg"] == spec.write_to_read_long
    assert published["WRITE_TO_READ_diff_bg"] == spec.write_to_read_short


def test_dramsys_file_gives_its_timing(tmp_path: Path) -> None:
    file = tmp_path / "HBM2.json"
    file.write_text(json.dumps({"memspec": golden()["timing"]["dramsys_HBM2"]}))
    loaded = load(str(file))
    geometry = {"name": "dramsys", "banks": 16, "bank_groups": 4, "columns": 128, "rows": 65536}

    assert evolve(loaded, **geometry) == DRAMSYS_HBM2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"tRCX": 3}, "no parameter is called 'tRCX'"),
        ({"tRC": "x"}, "tRC is not a whole number"),
        ({"tRC": -1}, "tRC is negative"),
        ({"tREFI": 300}, "leaves no time between refreshes"),
        ({"RL": float("inf")}, "RL is not a whole number"),
        ({"RL": float("nan")}, "RL is not a whole number"),
        ({"RL": 1e300}, "RL is not a number up to 2147483647"),
        ({"tCK_ns": float("inf")}, "tCK_ns is not a positive number up to 1000000"),
        ({"tCK_ns": 1e308}, "tCK_ns is not a positive number up to 1000000"),
        ({"tCK_ns": 10**400}, "tCK_ns is not a positive number up to 1000000"),
        ({"base": "x"}, "no built-in specification is called 'x'"),
        ([], "is a JSON object"),
    ],
)
def test_bad_specifications_say_what_is_wrong(content: object, said: str, tmp_path: Path) -> None:
    file = tmp_path / "spec.json"
    file.write_text(json.dumps(content))
    with pytest.raises(FormatError, match=said):
        load(str(file))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("tCK=inf", "tCK_ns is not a number up to 1000000"),
        ("tCK=x", "m.ini:1: tCK is not a number: 'x'"),
        ("RL=²", "m.ini:1: RL is not a number: '²'"),
        (f"RL={'9' * 5000}", f"m.ini:1: RL is not a number: '{'9' * 40}'"),
    ],
)
def test_bad_ini_values_say_what_is_wrong(line: str, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        from_ini(line, "m.ini")


def random_spec(rng: random.Random) -> MemorySpec:
    near = {
        name: max(1, getattr(SAMSUNG_HBM2, name) + rng.randrange(-3, 8))
        for name in ("RL", "WL", "tRCDRD", "tRCDWR", "tRP", "tRAS", "tRRDL", "tWR", "tWTRL",
                     "tRTW", "tFAW")
    }  # fmt: skip
    long = rng.randrange(3, 8)
    return evolve(
        SAMSUNG_HBM2, **near, tCCDL=long, tCCDS=rng.randrange(2, long), tRTPL=long + 1,
        tRC=near["tRAS"] + near["tRP"], tREFI=rng.randrange(900, 4000),
        tRFC=rng.randrange(100, 400), act_cycles=rng.choice([1, 2]),
    )  # fmt: skip


def test_own_schedule_is_legal_under_any_specification() -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    add = Add(Array("a"), Array("b"))
    for _ in range(12):
        spec, ranks = random_spec(rng), rng.randrange(1, 5)
        for plan in (gemv(200, 700, 2), compile_expression(add, 12000, 1), gemv(1500, 100, 1)):
            machine = Machine(plan.channels, Schedule.HCC, spec, ranks)
            timing, commands = machine.time(plan.accesses)

            assert [] == Judge(spec, ranks).check(commands, plan.accesses, timing.cycles)
            assert timing.cycles == sum(timing.causes.values())
