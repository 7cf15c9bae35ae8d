"""A PIM memory that runs streams: what its units compute, and when.

The controller decides the order and the cycles of commands; the units then take the commands in
that order. All pseudo-channels compute with their own data. They take the same requests, so the
timing is that of one and is worked out once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

from hcc.isa.errors import HccError
from hcc.isa.pim import LANES, modes
from hcc.isa.pim.requests import Access

from .attribution import attribute
from .commands import COLUMN_KINDS, Command, Kind
from .controller import Controller
from .energy import Energy, estimate
from .samsung import BANKS, SamsungChannels
from .scheduler import Scheduler
from .specification import SAMSUNG_HBM2, MemorySpec

Bits = NDArray[np.uint16]

_MODE_ROWS = (modes.ENTER_ROW, modes.LEAVE_ROW)


class Schedule(Enum):
    """Who orders the commands: the reference's controller, or hcc's scheduler."""

    REFERENCE = "reference"
    HCC = "hcc"


@frozen
class Timing:
    """What one stream took. `causes` adds up to `cycles`."""

    cycles: int
    commands: Sequence[Command] = field(repr=False)
    causes: Mapping[str, int]
    energy: Energy


@define(eq=False)
class Machine:
    """A memory of `channels` pseudo-channels with `ranks` ranks each, kernels in rank 0."""

    channels: int
    schedule: Schedule = Schedule.HCC
    spec: MemorySpec = SAMSUNG_HBM2
    ranks: int = 1
    device: SamsungChannels = field(init=False)
    controller: Controller | Scheduler = field(init=False)

    def __attrs_post_init__(self) -> None:
        if self.channels < 1 or self.ranks < 1:
            raise HccError("a memory has at least one channel and one rank")
        if self.spec.banks < BANKS:
            raise HccError(f"{self.spec.name}: {self.spec.banks} banks; units need {BANKS}")
        self.device = SamsungChannels(self.channels)
        if self.schedule is Schedule.HCC:
            self.controller = Scheduler(self.spec, self.ranks)
        else:
            self.controller = Controller(self.spec, self.ranks)

    def load(self, rows: Mapping[int, Bits]) -> None:
        """Put operands into the banks, without taking time."""
        for row, content in rows.items():
            self.device.banks.row(row)[...] = content

    def time(self, accesses: Sequence[Access]) -> tuple[Timing, Sequence[Command]]:
        """Order and time a stream; the timing, and the new commands."""
        before = len(self.controller.commands)
        start = self.controller.clock
        cycles = self.controller.run(accesses)
        commands = self.controller.commands[before:]
        causes = attribute(commands, accesses, self.spec, start, cycles)
        spent = estimate(commands, accesses, self.spec, cycles, self.channels)
        return Timing(cycles, commands, causes, spent), commands

    def run(
        self,
        accesses: Sequence[Access],
        constants: Mapping[str, Sequence[bytes]],
        streams: Mapping[str, Bits],
    ) -> Timing:
        """Run a stream: its timing; results are in `device`."""
        timing, commands = self.time(accesses)
        execute(self.device, commands, accesses, bound(constants, streams))
        return timing


def bound(constants: Mapping[str, Sequence[bytes]], streams: Mapping[str, Bits]) -> dict[str, Bits]:
    """Every operand that a stream may write, as [channel or 1, burst, lane]."""
    data = {
        name: np.frombuffer(b"".join(bursts), dtype="<u2").reshape(1, -1, LANES)
        for name, bursts in constants.items()
    }
    data.update(streams)
    data[""] = np.zeros((1, 1, LANES), np.uint16)
    return data


def execute(
    device: SamsungChannels,
    commands: Sequence[Command],
    accesses: Sequence[Access],
    data: Mapping[str, Bits],
) -> None:
    """Let the units take commands in their order, successive columns of a row together."""
    group: list[Access] = []

    def flush() -> None:
        if not group:
            return
        first = group[0]
        if not first.is_write:
            device.read(first.bank, first.row, first.column, len(group))
        elif first.operand:
            array = data[first.operand]
            device.write(
                first.bank, first.row, first.column,
                array[:, first.index : first.index + len(group)],
            )  # fmt: skip
        else:
            blank = np.zeros((1, len(group), LANES), np.uint16)
            device.write(first.bank, first.row, first.column, blank)
        group.clear()

    for command in commands:
        if command.kind in COLUMN_KINDS:
            access = accesses[command.request]
            if group and not _follows(group[-1], access):
                flush()
            group.append(access)
        elif command.row in _MODE_ROWS:
            flush()
            if command.kind is Kind.ACT:
                device.activate(command.bank, command.row, command.column)
            elif command.kind is Kind.PRE:
                device.precharge(command.bank, command.row)
    flush()


def _follows(last: Access, access: Access) -> bool:
    return (
        access.column == last.column + 1
        and access.row == last.row
        and access.bank == last.bank
        and access.is_write == last.is_write
        and access.operand == last.operand
        and (not access.operand or access.index == last.index + 1)
    )
