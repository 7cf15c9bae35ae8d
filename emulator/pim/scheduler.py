"""hcc's own schedule: requests in their order, rows opened ahead, every command legal.

Requests are served strictly in order, so no barriers are needed and instructions meet their
triggers by construction; what is gained over the reference controller is gained by opening the
next row of a bank while the other banks' commands are still on the bus, by leaving out the parking
reads, and by streams that the compiler lays out for it. Each request's RD or WR takes the
first cycle that all rules allow; the PRE and ACT it needs go into the earliest free cycles, which
may lie before commands already placed.

The rules are those of the specification, strictly: in HAB a command to bank 0 or 1 is one to all
even or all odd banks, so all of them must be closed before an ACT, and all count as one bank
group. A refresh of every rank is due each tREFI, staggered over the ranks. That of the rank at work
is postponed while requests wait, but by one tREFI at most (data sheets allow eight), so a short
stream is not interrupted and what it owes is done in the pause behind it; all banks are closed for
tRP before and nothing is opened for tRFC after.
Ranks that hold no work take a cycle of the command bus for theirs.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence

from attrs import define, field

from hcc.isa.pim import modes
from hcc.isa.pim.modes import Mode
from hcc.isa.pim.requests import Access

from .commands import Command, Kind
from .specification import MemorySpec

POSTPONED = 1  # refreshes that may be owed


@define
class _Bank:
    active: bool = False
    row: int = 0
    opened: int = -(1 << 30)
    can_open: int = 0  # tRP after its PRE, tRC after its ACT
    can_close: int = 0
    closed: int = -(1 << 30)  # its last PRE


@define
class Scheduler:
    """The state that outlives one stream."""

    spec: MemorySpec
    ranks: int = 1
    magic_rows: bool = True  # whether rows switch modes (samsung) or are rows like any other
    clock: int = 0
    commands: list[Command] = field(factory=list, repr=False)
    _banks: list[_Bank] = field(init=False, repr=False)
    _mode: Mode = field(default=Mode.SB, init=False)
    _floor: int = field(default=0, init=False)  # nothing may be placed before this cycle
    _busy: set[int] = field(factory=set, init=False, repr=False)
    _acts: list[tuple[int, int]] = field(factory=list, init=False, repr=False)
    _last_column: int = field(default=-1, init=False)
    _next_read: list[int] = field(init=False, repr=False)
    _next_write: list[int] = field(init=False, repr=False)
    _refresh_due: int = field(init=False)
    _others_due: list[int] = field(init=False, repr=False)
    _enter: set[int] = field(factory=set, init=False)

    def __attrs_post_init__(self) -> None:
        count = self.spec.banks
        self._banks = [_Bank() for _ in range(count)]
        self._next_read, self._next_write = [0] * count, [0] * count
        step = self.spec.tREFI // self.ranks
        self._refresh_due = step
        self._others_due = [step * (rank + 1) for rank in range(1, self.ranks)]

    def run(self, accesses: Sequence[Access]) -> int:
        """Serve the requests; the cycles until the last is done and all banks are closed."""
        start = self._floor = max(self._floor, self.clock)
        self._busy = {cycle for cycle in self._busy if cycle >= start}
        del self._acts[:-16]
        for number, access in enumerate(accesses):
            if self._last_column >= self._latest_refresh() and self._mode_settled():
                self._refresh()
            self._open(access, number)
            at = self._place_column(access, number)
            self._follow_mode(access, at)
        end = self._close_all()
        self._other_refreshes(end)
        self.commands.sort(key=lambda command: command.cycle)
        self.clock = end
        return end - start

    def _other_refreshes(self, end: int) -> None:
        """Refreshes of idle ranks, each in a free cycle at or after its due time."""
        for rank, due in enumerate(self._others_due, 1):
            while due < end:
                at = self._free(due)
                self._busy.add(at)
                self.commands.append(Command(at, Kind.REF, 0, 0, 0, -1, rank))
                due += self.spec.tREFI
            self._others_due[rank - 1] = due

    # Banks

    def _group(self, bank: int) -> int:
        return self.spec.bank_group(bank) if self._mode is Mode.SB else 0

    def _set_of(self, bank: int) -> range:
        """The banks that a command to `bank` reaches."""
        if self._mode is Mode.SB:
            return range(bank, bank + 1)
        return range(bank & 1, self.spec.banks, 2)

    def _free(self, at: int) -> int:
        while at in self._busy:
            at += 1
        return at

    def _open(self, access: Access, number: int) -> None:
        bank = self._banks[access.bank]
        if bank.active and bank.row == access.row:
            return
        for other in self._set_of(access.bank):
            if self._banks[other].active:
                self._close(other)
        spec = self.spec
        ready = max(self._banks[other].can_open for other in self._set_of(access.bank))
        at = self._act_slot(max(ready, self._floor), access.bank)
        self._busy.update(range(at, at + spec.act_cycles))
        insort(self._acts, (at, access.bank))
        self.commands.append(Command(at, Kind.ACT, access.bank, access.row, access.column, number))
        bank.active, bank.row, bank.opened = True, access.row, at
        bank.can_close = at + spec.tRAS
        for other in self._set_of(access.bank):
            self._banks[other].can_open = at + spec.tRC
        if self.magic_rows and self._mode is Mode.SB and access.row == modes.ENTER_ROW:
            self._enter |= {access.bank} & set(modes.ENTER_BANKS)

    def _act_slot(self, at: int, bank: int) -> int:
        """The first cycle from `at` that keeps its distance from every other ACT, be it placed
        before or after."""
        spec, group = self.spec, self._group(bank)
        reach = max(spec.tRRDL, spec.tRRDS, spec.tFAW)
        while True:
            at = self._free(at)
            near = self._acts[bisect_left(self._acts, (at - reach, -1)) :]
            near = near[: bisect_left(near, (at + reach, -1))]
            later = [
                cycle + gap
                for cycle, number in near
                if abs(at - cycle)
                < (gap := spec.tRRDL if self._group(number) == group else spec.tRRDS)
            ]
            if later:
                at = max(at + 1, max(later))
            elif self._mode is Mode.SB and self._crowded(at, [cycle for cycle, _ in near]):
                at += 1
            else:
                return at

    def _crowded(self, at: int, near: list[int]) -> bool:
        """Whether an ACT at `at` would be one of five within tFAW."""
        cycles = sorted([*near, at])
        return any(
            cycles[first + 4] - cycles[first] < self.spec.tFAW for first in range(len(cycles) - 4)
        )

    def _close(self, number: int) -> None:
        bank = self._banks[number]
        at = self._free(max(bank.can_close, self._floor))
        self._busy.add(at)
        self.commands.append(Command(at, Kind.PRE, number, bank.row, 0, -1))
        bank.active = False
        bank.closed = at
        bank.can_open = max(bank.can_open, at + self.spec.tRP)

    # Columns

    def _place_column(self, access: Access, number: int) -> int:
        spec, bank = self.spec, self._banks[access.bank]
        latency = spec.tRCDWR if access.is_write else spec.tRCDRD
        ready = self._next_write if access.is_write else self._next_read
        earliest = bank.opened + latency + spec.act_cycles - 1
        at = self._free(max(earliest, ready[access.bank], self._last_column + 1, self._floor))
        self._busy.add(at)
        self._last_column = at
        kind = Kind.WR if access.is_write else Kind.RD
        self.commands.append(Command(at, kind, access.bank, access.row, access.column, number))
        group = self._group(access.bank)
        to_close = spec.write_to_precharge if access.is_write else spec.read_to_precharge
        bank.can_close = max(bank.can_close, at + to_close)
        # The switch to HAB comes with the fourth ACT, which may pass the commands before it.
        entering = self.magic_rows and access.row == modes.ENTER_ROW
        for other in range(spec.banks):
            same = entering or self._group(other) == group
            gap = max(spec.tCCDL if same else spec.tCCDS, spec.burst_cycles)
            if access.is_write:
                turn = spec.write_to_read_long if same else spec.write_to_read_short
                read, write = turn, gap
            else:
                read, write = gap, spec.read_to_write
            self._next_read[other] = max(self._next_read[other], at + read)
            self._next_write[other] = max(self._next_write[other], at + write)
        return at

    # Modes and refresh

    def _mode_settled(self) -> bool:
        """Whether no mode switch is half done."""
        leaving = self._mode is not Mode.SB and any(
            self._banks[number].active and self._banks[number].row == modes.LEAVE_ROW
            for number in modes.LEAVE_BANKS
        )
        return not self._enter and not leaving

    def _follow_mode(self, access: Access, at: int) -> None:
        if not self.magic_rows:
            return
        if self._mode is Mode.SB:
            last = access.row == modes.ENTER_ROW and access.bank == modes.ENTER_BANKS[-1]
            if last and self._enter == set(modes.ENTER_BANKS):
                self._enter.clear()
                self._mode = Mode.HAB
                for parity in (0, 1):
                    self._close_parity(parity)
                self._spread()
        elif access.row == modes.LEAVE_ROW:
            leaving = [self._banks[number] for number in modes.LEAVE_BANKS]
            if any(not bank.active or bank.row != modes.LEAVE_ROW for bank in leaving):
                return
            for number in modes.LEAVE_BANKS:
                self._close(number)
            self._floor = 1 + max(command.cycle for command in self.commands[-2:])
            self._spread()
            self._mode = Mode.SB

    def _close_parity(self, parity: int) -> None:
        """The first PRE in HAB: it closes what is open in all banks of a parity."""
        banks = [self._banks[number] for number in range(parity, self.spec.banks, 2)]
        if not any(bank.active for bank in banks):
            return
        banks[0].can_close = max(bank.can_close for bank in banks if bank.active)
        self._close(parity)
        for bank in banks[1:]:
            if bank.active:
                bank.active, bank.closed = False, banks[0].closed
                bank.can_open = max(bank.can_open, bank.closed + self.spec.tRP)

    def _spread(self) -> None:
        """At a mode switch, every bank takes over what its parity or group must wait for."""
        for parity in (0, 1):
            banks = range(parity, self.spec.banks, 2)
            can_open = max(self._banks[number].can_open for number in banks)
            for number in banks:
                self._banks[number].can_open = can_open
        self._next_read = [max(self._next_read)] * self.spec.banks
        self._next_write = [max(self._next_write)] * self.spec.banks

    def _close_all(self) -> int:
        for number, bank in enumerate(self._banks):
            if bank.active:
                self._close(number)
        return max(self._floor, self._last_column + 1, max(bank.can_open for bank in self._banks))

    def _latest_refresh(self) -> int:
        """The cycle from which a refresh that is due can no longer be postponed: with what has to
        happen before it, it is done within one tREFI."""
        spec = self.spec
        before = spec.write_to_precharge + spec.tRAS + spec.tRP + spec.tRCDRD + spec.banks
        return self._refresh_due + max(0, POSTPONED * spec.tREFI - before)

    def _refresh(self) -> None:
        spec = self.spec
        self._floor = max(self._floor, self._last_column + 1)
        closed = max(self._close_all_for_refresh(), self._refresh_due)
        at = self._free(closed)
        self._busy.add(at)
        self.commands.append(Command(at, Kind.REF, 0, 0, 0, -1, 0))
        for bank in self._banks:
            bank.can_open = max(bank.can_open, at + spec.tRFC)
        self._floor = at + 1
        self._refresh_due += spec.tREFI

    def _close_all_for_refresh(self) -> int:
        """Close every bank; when tRP has passed for all."""
        for number, bank in enumerate(self._banks):
            if bank.active:
                self._close(number)
        return max(self._floor, *(bank.closed + self.spec.tRP for bank in self._banks))
