"""An independent judge of command traces: every rule of the memory, for every pair of commands.

Written from the data sheet's rules (JESD235 and the parameters of spec/pim.md), not from the
scheduler: it keeps the times of past commands per bank and complains about whatever came too
early, in the wrong mode or to the wrong row.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field

from hcc.emulator.pim.commands import Command, Kind
from hcc.emulator.pim.specification import MemorySpec
from hcc.isa.pim.requests import Access

ENTER_ROW, LEAVE_ROW = 0x17FF, 0x1FFF
LONG_AGO = -(1 << 30)


@define
class Judge:
    """Goes through a trace; `problems` is what it found."""

    spec: MemorySpec
    ranks: int = 1
    magic: bool = True
    problems: list[str] = field(factory=list)
    all_bank: bool = False
    open_row: dict[int, int] = field(factory=dict)
    opened: dict[int, int] = field(factory=dict)
    closed: dict[int, int] = field(factory=dict)
    last_read: dict[int, int] = field(factory=dict)
    last_write: dict[int, int] = field(factory=dict)
    acts: list[tuple[int, int]] = field(factory=list)  # cycle, bank
    columns: list[tuple[int, int, bool, bool]] = field(factory=list)  # cycle, bank, WR, all-bank
    refreshed: int = LONG_AGO
    refreshes: dict[int, list[int]] = field(factory=dict)
    entering: set[int] = field(factory=set)
    leaving: set[int] = field(factory=set)

    def check(self, commands: Sequence[Command], accesses: Sequence[Access], end: int) -> list[str]:
        """All problems of a trace that ends at cycle `end`."""
        cycles = [command.cycle for command in commands]
        if cycles != sorted(cycles) or len(set(cycles)) != len(cycles):
            self.problems.append("two commands in one cycle, or out of order")
        for command in commands:
            match command.kind:
                case Kind.ACT:
                    self._activate(command)
                case Kind.PRE:
                    self._precharge(command)
                case Kind.REF:
                    self._refresh(command)
                case _:
                    self._column(command, accesses[command.request])
        served = [c.request for c in commands if c.kind in (Kind.RD, Kind.WR)]
        self._need(served == list(range(len(accesses))), end, "requests were not served in order")
        self._need(not self.open_row, end, "rows are left open")
        self._need(not self.magic or not self.all_bank, end, "the memory is left in all-bank mode")
        self._refreshes_are_in_time(end)
        return self.problems

    def _need(self, holds: bool, cycle: int, what: str) -> None:
        if not holds:
            self.problems.append(f"cycle {cycle}: {what}")

    def _apart(self, cycle: int, before: int, gap: int, rule: str) -> None:
        self._need(cycle - before >= gap, cycle, f"{rule}: {cycle - before} cycles, not {gap}")

    def _banks(self, bank: int) -> list[int]:
        """The banks a command means."""
        if not self.all_bank:
            return [bank]
        return [other for other in range(self.spec.banks) if other % 2 == bank % 2]

    def _same_group(self, a: int, b: int) -> bool:
        size = self.spec.banks // self.spec.bank_groups
        return self.all_bank or a // size == b // size

    def _activate(self, c: Command) -> None:
        s = self.spec
        for bank in self._banks(c.bank):
            self._need(bank not in self.open_row, c.cycle, f"ACT of open bank {bank}")
            self._apart(c.cycle, self.closed.get(bank, LONG_AGO), s.tRP, "tRP")
            self._apart(c.cycle, self.opened.get(bank, LONG_AGO), s.tRC, "tRC")
            self.open_row[bank], self.opened[bank] = c.row, c.cycle
        for cycle, bank in self.acts[-8:]:
            gap = s.tRRDL if self._same_group(bank, c.bank) else s.tRRDS
            self._apart(c.cycle, cycle, gap, "tRRD")
        if len(self.acts) >= 4 and not self.all_bank:
            self._apart(c.cycle, self.acts[-4][0], s.tFAW, "tFAW")
        self._apart(c.cycle, self.refreshed, s.tRFC, "tRFC")
        self.acts.append((c.cycle, c.bank))
        if self.magic and not self.all_bank and c.row == ENTER_ROW:
            self.entering.add(c.bank)
            if self.entering >= {0, 1, 8, 9}:
                self.entering.clear()
                self.all_bank = True

    def _precharge(self, c: Command) -> None:
        s = self.spec
        for bank in self._banks(c.bank):
            if bank not in self.open_row:
                continue
            self._apart(c.cycle, self.opened[bank], s.tRAS, "tRAS")
            to_read = s.BL // 2 + max(s.tRTPL, s.tCCDL) - s.tCCDL
            self._apart(c.cycle, self.last_read.get(bank, LONG_AGO), to_read, "RD to PRE")
            to_write = s.WL + s.BL // 2 + s.tWR
            self._apart(c.cycle, self.last_write.get(bank, LONG_AGO), to_write, "WR to PRE")
            row = self.open_row.pop(bank)
            self.closed[bank] = c.cycle
            if self.magic and self.all_bank and row == LEAVE_ROW and bank in (0, 1):
                self.leaving.add(bank)
        if self.leaving >= {0, 1}:
            self.leaving.clear()
            self.all_bank = False
            self._need(not self.open_row, c.cycle, "all-bank mode left with rows open")

    def _column(self, c: Command, access: Access) -> None:
        s = self.spec
        writes = c.kind is Kind.WR
        self._need(
            (c.bank, c.row, c.column, writes)
            == (access.bank, access.row, access.column, access.is_write),
            c.cycle, "the command is not what was asked for",
        )  # fmt: skip
        delay = s.tRCDWR if writes else s.tRCDRD
        banks = self._banks(c.bank)
        for bank in banks if self.open_row.get(banks[0]) != ENTER_ROW else [c.bank]:
            self._need(self.open_row.get(bank) == c.row, c.cycle, f"bank {bank} has no row {c.row}")
            self._apart(c.cycle, self.opened.get(bank, 0), delay + s.act_cycles - 1, "tRCD")
            (self.last_write if writes else self.last_read)[bank] = c.cycle
        for cycle, bank, wrote, _ in self.columns[-24:]:
            same = self._same_group(bank, c.bank)
            if wrote == writes:
                gap = max(s.tCCDL if same else s.tCCDS, s.BL // 2)
            elif wrote:
                gap = s.WL + s.BL // 2 + (s.tWTRL if same else s.tWTRS)
            else:
                gap = s.tRTW
            self._apart(c.cycle, cycle, gap, "column to column")
        self.columns.append((c.cycle, c.bank, writes, self.all_bank))

    def _refresh(self, c: Command) -> None:
        self.refreshes.setdefault(c.rank, []).append(c.cycle)
        if c.rank:
            return
        self._need(not self.open_row, c.cycle, "REF with rows open")
        for cycle in self.closed.values():
            self._apart(c.cycle, cycle, self.spec.tRP, "PRE to REF")
        self._apart(c.cycle, self.refreshed, self.spec.tRFC, "REF to REF")
        self.refreshed = c.cycle

    def _refreshes_are_in_time(self, end: int) -> None:
        """Each is due a tREFI after the last and postponed by one at most."""
        interval = self.spec.tREFI
        for rank in range(self.ranks):
            done = self.refreshes.get(rank, [])
            due = interval // self.ranks * (rank + 1)
            for number in range(max(0, (end - due) // interval) + 1):
                latest = due + (number + 1) * interval
                if number < len(done):
                    fits = due + number * interval <= done[number] <= latest
                    self._need(fits, done[number], f"REF {number} of rank {rank} out of time")
                else:
                    self._need(end <= latest, end, f"REF {number} of rank {rank} is missing")
