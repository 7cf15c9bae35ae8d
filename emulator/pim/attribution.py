"""Where the cycles of a stream went.

Every cycle lies between two column commands (or before the first, or after the last). Of the gap
before a command, the part that its kind of work needs anyway (the column-to-column distance) is
booked under the purpose of its request: work, operand transfer, program, mode switch. The rest is
waiting, and is booked under what the command waited for last: a refresh in the gap, the turnaround
of the data bus, the row that had to be opened; what no rule of the memory explains is order, which
is to say barriers. The parts add up to the whole.
"""

from __future__ import annotations

from collections.abc import Sequence

from hcc.isa.pim import modes
from hcc.isa.pim.requests import Access, Purpose

from .commands import COLUMN_KINDS, Command, Kind
from .specification import MemorySpec

REFRESH = "refresh"
TURNAROUND = "bus turnaround"
ROW = "row change"
BARRIER = "barrier"
PARKING = "parking"
FINISH = "completion"

CAUSES = (
    Purpose.TRIGGER.value, Purpose.OPERAND.value, Purpose.PROGRAM.value, Purpose.DATA.value,
    ROW, TURNAROUND, BARRIER, Purpose.MODE.value, PARKING, REFRESH, FINISH,
)  # fmt: skip


def attribute(
    commands: Sequence[Command],
    accesses: Sequence[Access],
    spec: MemorySpec,
    start: int,
    cycles: int,
) -> dict[str, int]:
    """Cycles by cause, in the order of `CAUSES`, zeros left out."""
    booked = dict.fromkeys(CAUSES, 0)
    opened: dict[int, int] = {}
    last_read = last_write = -(1 << 30)
    previous = start - 1
    refreshed = -(1 << 30)
    for command in commands:
        if command.kind is Kind.ACT:
            opened[command.bank] = command.cycle
        elif command.kind is Kind.REF and command.rank == 0:
            refreshed = command.cycle
        if command.kind not in COLUMN_KINDS:
            continue
        access = accesses[command.request]
        at, gap = command.cycle, command.cycle - previous
        purpose = _purpose(access)
        own = min(gap, 1 if previous < start else max(spec.tCCDL, spec.burst_cycles))
        wait = gap - own
        if access.is_write:
            turned = last_read + spec.read_to_write
            row = opened.get(command.bank, 0) + spec.tRCDWR
        else:
            turned = last_write + spec.write_to_read_long
            row = opened.get(command.bank, 0) + spec.tRCDRD
        if wait and refreshed > previous:
            spent = min(wait, refreshed + spec.tRFC - previous - own)
            booked[REFRESH] += spent
            wait -= spent
        if purpose in (Purpose.MODE.value, PARKING):
            own, wait = own + wait, 0
        booked[purpose] += own
        if wait:
            in_row = max(0, min(wait, row - (previous + own))) if row <= at else 0
            in_turn = max(0, min(wait, turned - (previous + own))) if turned <= at else 0
            if in_row >= in_turn:
                booked[ROW] += in_row - in_turn
                booked[TURNAROUND] += in_turn
                wait -= in_row
            else:
                booked[TURNAROUND] += in_turn
                wait -= in_turn
            booked[BARRIER] += wait
        previous = at
        if access.is_write:
            last_write = at
        else:
            last_read = at
    booked[FINISH] += start + cycles - 1 - previous
    return {cause: spent for cause, spent in booked.items() if spent}


def _purpose(access: Access) -> str:
    if access.row == modes.PARK_ROW and access.purpose is Purpose.MODE:
        return PARKING
    return access.purpose.value
