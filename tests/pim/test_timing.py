"""Cycles: the reference's own figures and traces, and hcc's schedule under an independent judge."""

from __future__ import annotations

import random
from typing import Any

import pytest
from _pytest.mark import ParameterSet
from attrs import evolve

from hcc.compiler.pim import pimsys, vendor
from hcc.compiler.pim.elementwise import compile_expression
from hcc.compiler.pim.expressions import Add, Array, Expr, Mul, Relu, Scalar
from hcc.compiler.pim.matvec import gemv
from hcc.emulator.pim.commands import Command
from hcc.emulator.pim.machine import Machine, Schedule
from hcc.emulator.pim.scheduler import Scheduler
from hcc.emulator.pim.specification import DRAMSYS_HBM2, SAMSUNG_HBM2
from hcc.isa.pim.plan import Plan
from hcc.isa.pim.requests import Access, Purpose

from .checker import Judge
from .golden import golden

EXPRESSIONS: dict[str, Expr] = {
    "add": Add(Array("a"), Array("b")),
    "mul": Mul(Array("a"), Array("b")),
    "relu": Relu(Array("a")),
}


def figures() -> list[ParameterSet]:
    """Every published point: kernel, channels, outputs, inputs, ranks, cycles."""
    found = []
    cycles = golden()["cycles"]
    for point in cycles["bench_64ch"]:
        size = point.get("n", point.get("in"))
        kernel = point["test"].split(".")[1]
        found.append((kernel, 64, point.get("out", size), size, 2, point["pim"]))
    for name in ("sweep_default_mem32768", "sweep_1ch_1or2ranks"):
        for point in cycles[name]:
            ranks = max(1, point["mem_MB"] // point["channels"] // 256)
            shape = (point["out"], point["in"])
            found.append((point["kernel"], point["channels"], *shape, ranks, point["cycles"]))
    extra = [(64, 256, 1138), (64, 4096, 13165), (128, 256, 1945), (256, 1024, 13382)]
    found += [("gemv", 1, outputs, inputs, 1, cycles_) for outputs, inputs, cycles_ in extra]
    return [
        pytest.param(*point, marks=[pytest.mark.long] if point[-1] > 12_000 else [])
        for point in dict.fromkeys(found)
    ]


def reference_plan(kernel: str, channels: int, outputs: int, inputs: int) -> Plan:
    if kernel.startswith("gemv"):
        return vendor.gemv(outputs, inputs, channels, tree=kernel == "gemv_tree")
    return vendor.elementwise(kernel, inputs, channels)


def own_plan(kernel: str, channels: int, outputs: int, inputs: int) -> Plan:
    if kernel.startswith("gemv"):
        return gemv(outputs, inputs, channels)
    return compile_expression(EXPRESSIONS[kernel], inputs, channels)


@pytest.mark.parametrize(("kernel", "channels", "outputs", "inputs", "ranks", "cycles"), figures())
def test_reference_schedule_takes_the_published_cycles(
    kernel: str, channels: int, outputs: int, inputs: int, ranks: int, cycles: int
) -> None:
    machine = Machine(channels, Schedule.REFERENCE, ranks=ranks)
    timing, _ = machine.time(reference_plan(kernel, channels, outputs, inputs).accesses)

    assert cycles == timing.cycles
    assert cycles == sum(timing.causes.values())


@pytest.mark.parametrize(("kernel", "channels", "outputs", "inputs", "ranks", "cycles"), figures())
def test_own_schedule_is_legal_and_faster(
    kernel: str, channels: int, outputs: int, inputs: int, ranks: int, cycles: int
) -> None:
    plan = own_plan(kernel, channels, outputs, inputs)
    machine = Machine(channels, Schedule.HCC, ranks=ranks)
    timing, commands = machine.time(plan.accesses)

    assert [] == Judge(SAMSUNG_HBM2, ranks).check(commands, plan.accesses, timing.cycles)
    assert timing.cycles < cycles
    assert timing.cycles == sum(timing.causes.values())


def test_aims_for_the_large_sizes_are_met() -> None:
    product = Machine(64, Schedule.HCC, ranks=2).time(gemv(4096, 4096, 64).accesses)[0]
    added = Machine(64, Schedule.HCC, ranks=2).time(
        compile_expression(EXPRESSIONS["add"], 1 << 20, 64).accesses
    )[0]

    assert product.cycles < 11_000
    assert added.cycles < 2_300


def reference_commands(trace: list[dict[str, Any]]) -> list[tuple[int, str, int]]:
    """ACT, PRE, RD and WR of a reference log: cycle, kind, bank (-1: a register write).

    The log stamps writes to the mode rows after HAB a cycle late, as it does those of instructions,
    and gives registers once a half.
    """
    found: dict[tuple[int, str, int], None] = {}
    for line in trace:
        if line["cmd"] not in ("ACT", "PRE", "RD", "WR"):
            continue
        bank = -1 if "reg" in line else line["bank"]
        late = line["cmd"] == "WR" and line.get("row") in (0x17FF, 0x1FFF) and line["cyc"] > 107
        found[(line["cyc"] - late, line["cmd"], bank)] = None
    return list(found)


@pytest.mark.parametrize("name", ["add_n2048", "gemv_64x256"])
def test_reference_schedule_is_the_published_trace(name: str) -> None:
    plan = vendor.elementwise("add", 2048, 1) if name[0] == "a" else vendor.gemv(64, 256, 1)
    machine = Machine(1, Schedule.REFERENCE)
    _, commands = machine.time(plan.accesses)
    ours = []
    for command in commands:
        access = plan.accesses[command.request] if command.request >= 0 else None
        bank = command.bank
        if command.kind.value == "WR" and access is not None and access.row == 0x3FFF:
            if access.purpose is Purpose.MODE:
                continue  # the log has the modes themselves instead
            bank = -1
        ours.append((command.cycle + 1, command.kind.value, bank))
    theirs = reference_commands(golden()["command_traces_1ch_1rank"][name])

    assert sorted(theirs) == sorted(ours)


def random_expression(rng: random.Random, depth: int = 3) -> Expr:
    if depth == 0 or rng.random() < 0.2:
        return Array(rng.choice("abc"))
    left, right = random_expression(rng, depth - 1), random_expression(rng, depth - 1)
    if rng.random() < 0.3:
        right = Scalar(rng.choice("st"))
    match rng.randrange(3):
        case 0:
            return Relu(left)
        case 1:
            return Add(left, right)
    return Mul(left, right)


def test_random_streams_are_legal() -> None:
    from hcc.compiler.pim.select import DoesNotFit

    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    for _ in range(25):
        channels, ranks = rng.randrange(1, 9), rng.choice([1, 1, 2, 4])
        try:
            if rng.random() < 0.4:
                plan = gemv(rng.randrange(1, 600), rng.randrange(1, 900), channels)
            else:
                expr = random_expression(rng)
                plan = compile_expression(expr, rng.randrange(1, 20000), channels)
        except DoesNotFit:
            continue
        machine = Machine(channels, Schedule.HCC, ranks=ranks)
        timing, commands = machine.time(plan.accesses)

        assert [] == Judge(SAMSUNG_HBM2, ranks).check(commands, plan.accesses, timing.cycles)


def test_plain_requests_between_kernels_are_legal() -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    scheduler = Scheduler(SAMSUNG_HBM2, 2)
    accesses: list[Access] = []
    commands: list[Command] = []
    for _ in range(6):
        plain = [
            Access(rng.random() < 0.5, rng.randrange(16), rng.randrange(3), rng.randrange(32))
            for _ in range(rng.randrange(1, 300))
        ]
        for stream in (plain, gemv(rng.randrange(1, 200), 300, 1).accesses):
            before = len(scheduler.commands)
            scheduler.run(stream)
            commands += [
                evolve(c, request=c.request + len(accesses) if c.request >= 0 else -1)
                for c in scheduler.commands[before:]
            ]
            accesses += stream

    assert [] == Judge(SAMSUNG_HBM2, 2).check(commands, accesses, scheduler.clock)


def test_pimsys_streams_are_legal() -> None:
    for plan in (pimsys.gemv(300, 500, 2), pimsys.compile_expression(EXPRESSIONS["add"], 9000, 2)):
        scheduler = Scheduler(DRAMSYS_HBM2, magic_rows=False)
        cycles = scheduler.run(plan.accesses)
        judge = Judge(DRAMSYS_HBM2, magic=False)

        assert [] == judge.check(scheduler.commands, plan.accesses, cycles)


def test_judge_finds_commands_that_come_too_early() -> None:
    plan = compile_expression(EXPRESSIONS["add"], 2048, 1)
    timing, commands = Machine(1, Schedule.HCC).time(plan.accesses)
    missed = 0
    for at, command in enumerate(commands):
        if at and command.cycle - commands[at - 1].cycle > 1:
            early = [*commands]
            early[at] = evolve(command, cycle=command.cycle - 1)
            missed += not Judge(SAMSUNG_HBM2).check(early, plan.accesses, timing.cycles)

    # What is not at its earliest: commands that other rules hold up no more than one another.
    assert missed < len(commands) // 4
