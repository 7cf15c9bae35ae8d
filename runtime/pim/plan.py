"""Plans executed on the emulated memory: operands packed in, results computed, cycles counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from attrs import define, field
from numpy.typing import NDArray

from hcc.compiler.pim.functions import Step
from hcc.emulator.pim.attribution import attribute
from hcc.emulator.pim.energy import estimate
from hcc.emulator.pim.machine import Machine, Schedule, Timing
from hcc.emulator.pim.pimsys import COLUMNS_PER_BURST, PimsysChannels
from hcc.emulator.pim.scheduler import Scheduler
from hcc.emulator.pim.specification import DRAMSYS_HBM2, SAMSUNG_HBM2, MemorySpec
from hcc.isa.pim import LANES, Dialect
from hcc.isa.pim.configuration import BankMode, message
from hcc.isa.pim.plan import Plan

Half = NDArray[np.float16]

DEFAULT_SPEC = {Dialect.SAMSUNG: SAMSUNG_HBM2, Dialect.PIMSYS: DRAMSYS_HBM2}


@define
class Execution:
    """Results of one function: the arrays it made, the timing of each of its kernels."""

    arrays: dict[str, Half] = field(factory=dict)
    timings: list[Timing] = field(factory=list)

    @property
    def cycles(self) -> int:
        return sum(timing.cycles for timing in self.timings)


def run_plan(
    plan: Plan, values: Mapping[str, Half], spec: MemorySpec | None = None, *,
    schedule: Schedule = Schedule.HCC, ranks: int = 1,
) -> tuple[Half, Timing]:  # fmt: skip
    """A plan's result and timing in a fresh memory."""
    spec = spec or DEFAULT_SPEC[plan.dialect]
    if plan.dialect is Dialect.PIMSYS:
        return _run_pimsys(plan, values, spec)
    packed = plan.pack(values)
    machine = Machine(plan.channels, schedule, spec, ranks)
    machine.load(packed.rows)
    timing = machine.run(plan.accesses, plan.constants, packed.streams)
    return plan.unpack(machine.device.banks.row), timing


def _run_pimsys(plan: Plan, values: Mapping[str, Half], spec: MemorySpec) -> tuple[Half, Timing]:
    device = PimsysChannels(plan.channels, shared=True)
    for row, content in plan.pack(values).rows.items():
        device.banks.row(row)[...] = content
    device.configure(message(kernel=plan.program))
    device.configure(message(BankMode.PIM_ALL_BANK))
    blank = np.zeros(LANES, np.uint16)
    for access in plan.accesses:
        column = access.column * COLUMNS_PER_BURST
        if access.is_write:
            device.write(access.bank, access.row, column, blank)
        else:
            device.read(access.bank, access.row, column)
    device.configure(message(BankMode.SINGLE_BANK))
    scheduler = Scheduler(spec, magic_rows=False)
    cycles = scheduler.run(plan.accesses)
    commands = scheduler.commands
    timing = Timing(
        cycles,
        commands,
        attribute(commands, plan.accesses, spec, 0, cycles),
        estimate(commands, plan.accesses, spec, cycles, plan.channels),
    )
    return plan.unpack(device.banks.row), timing


def run_steps(
    steps: Sequence[Step], values: Mapping[str, Half], spec: MemorySpec | None = None
) -> Execution:
    """The loops of a function one after the other, each on what those before it left."""
    execution = Execution(dict(values))
    for step in steps:
        result, timing = run_plan(step.plan, execution.arrays, spec)
        execution.arrays[step.result] = result
        execution.timings.append(timing)
    return execution
