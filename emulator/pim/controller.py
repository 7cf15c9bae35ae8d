"""The reference memory controller: first ready, first come, first served between barriers.

It reproduces, cycle by cycle, what the controller of DRAMSim2's descendant in PIMSimulator does
with a list of requests that is handed to it at once; the figures of that simulator come out
exactly. Per pseudo-channel and cycle:

1. if the refresh of a rank is due, it is noted: rank i of n first at (tREFI / n) · (i + 1)
2. one command is issued, the first of these that may be: for a waiting refresh a PRE of an open
   bank, or the REF once none is open (it does not wait for tRP); a RD or WR to an open row, in
   order of arrival but never past a barrier; an ACT for a request whose bank is idle, up to the
   second barrier; a PRE of a bank whose row no request up to the first barrier wants, banks in
   rotation
3. one request moves into the command queue, which holds 64

A request with a barrier is served only when it is the oldest, and nothing younger before it. A
barrier set just when the transaction queue has become full (after the 64th request) is lost.
The device learns of a command one cycle after its issue; traces carry that later time.

Time is skipped to the next cycle in which anything can happen, so the work is per command.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field

from hcc.isa.pim import modes
from hcc.isa.pim.modes import Mode
from hcc.isa.pim.requests import Access

from .commands import COLUMN_KINDS, Command, Kind
from .specification import MemorySpec

QUEUE_DEPTH = 64
_NEVER = 1 << 60


@define
class _Bank:
    active: bool = False
    row: int = 0
    idle_at: int = 0
    next_act: int = 0
    next_read: int = 0
    next_write: int = 0
    next_pre: int = 0


@define
class Controller:
    """The state that outlives one list of requests."""

    spec: MemorySpec
    ranks: int = 1
    clock: int = 0
    commands: list[Command] = field(factory=list, repr=False)
    _banks: list[_Bank] = field(init=False, repr=False)
    _refresh_due: list[int] = field(init=False, repr=False)
    _refresh_rank: int = field(default=0, init=False)
    _refreshing: int | None = field(default=None, init=False)
    _precharge_from: int = field(default=0, init=False)
    _mode: Mode = field(default=Mode.SB, init=False)
    _mode_next: tuple[int, Mode] | None = field(default=None, init=False)
    _enter: set[int] = field(factory=set, init=False)
    _leave: set[int] = field(factory=set, init=False)

    def __attrs_post_init__(self) -> None:
        self._banks = [_Bank() for _ in range(self.spec.banks)]
        step = self.spec.tREFI // self.ranks
        self._refresh_due = [step * (rank + 1) for rank in range(self.ranks)]

    def run(self, accesses: Sequence[Access]) -> int:
        """Serve the requests; the cycles until the last data has been transferred."""
        start = self.clock
        barriers = [access.barrier for access in accesses]
        if len(accesses) >= QUEUE_DEPTH:
            barriers[QUEUE_DEPTH - 1] = False
        queue: list[int] = []
        arrived, total, finished = 0, len(accesses), start
        while arrived < total or queue:
            now = self.clock
            if self._mode_next and now >= self._mode_next[0]:
                self._mode, self._mode_next = self._mode_next[1], None
            self._note_refresh(now)
            issued, wake = self._issue(now, accesses, barriers, queue)
            if issued is not None:
                self.commands.append(issued)
                if issued.kind in COLUMN_KINDS:
                    finished = max(finished, self._data_done(issued))
            if arrived < total and len(queue) < QUEUE_DEPTH:
                queue.append(arrived)
                arrived += 1
                wake = now + 1
            if issued is not None:
                wake = now + 1
            if self._mode_next:
                wake = min(wake, self._mode_next[0])
            self.clock = max(now + 1, min(wake, self._refresh_due[self._refresh_rank]))
        self._idle_until(finished, barriers, accesses)
        return finished - start

    def _idle_until(self, end: int, barriers: list[bool], accesses: Sequence[Access]) -> None:
        """Let the clock run on to `end`: rows are closed, refreshes done."""
        while self.clock < end:
            now = self.clock
            if self._mode_next and now >= self._mode_next[0]:
                self._mode, self._mode_next = self._mode_next[1], None
            self._note_refresh(now)
            issued, wake = self._issue(now, accesses, barriers, [])
            if issued is not None:
                self.commands.append(issued)
                wake = now + 1
            if self._mode_next:
                wake = min(wake, self._mode_next[0])
            wake = min(wake, self._refresh_due[self._refresh_rank])
            self.clock = min(end, max(now + 1, wake))

    def _data_done(self, command: Command) -> int:
        spec = self.spec
        latency = spec.WL + 1 if command.kind is Kind.WR else spec.RL + 2
        return command.cycle + latency + spec.burst_cycles

    def _note_refresh(self, now: int) -> None:
        if now >= self._refresh_due[self._refresh_rank]:
            self._refreshing = self._refresh_rank
            self._refresh_due[self._refresh_rank] = now + self.spec.tREFI
            self._refresh_rank = (self._refresh_rank + 1) % self.ranks

    # Choosing a command

    def _issue(
        self, now: int, accesses: Sequence[Access], barriers: list[bool], queue: list[int]
    ) -> tuple[Command | None, int]:
        """The command of this cycle, or None and the next cycle in which there may be one."""
        wake = _NEVER
        for choose in (self._refresh, self._column, self._activate, self._precharge):
            command, later = choose(now, accesses, barriers, queue)
            if command is not None:
                return command, now + 1
            wake = min(wake, later)
        return None, wake

    def _refresh(
        self, now: int, accesses: Sequence[Access], barriers: list[bool], queue: list[int]
    ) -> tuple[Command | None, int]:
        if self._refreshing is None:
            return None, _NEVER
        rank, wake = self._refreshing, _NEVER
        if rank == 0:
            for number, bank in enumerate(self._banks):
                if bank.active:
                    if now >= bank.next_pre:
                        return self._do_precharge(now, number), now
                    wake = min(wake, bank.next_pre)
            if wake != _NEVER:
                return None, wake
            for bank in self._banks:
                bank.idle_at = bank.next_act = now + self.spec.tRFC
        self._refreshing = None
        return Command(now, Kind.REF, 0, 0, 0, -1, rank), now

    def _column(
        self, now: int, accesses: Sequence[Access], barriers: list[bool], queue: list[int]
    ) -> tuple[Command | None, int]:
        wake = _NEVER
        seen: list[Access] = []
        for position, number in enumerate(queue):
            if position and barriers[number]:
                break
            access = accesses[number]
            bank = self._banks[access.bank]
            if bank.active and bank.row == access.row:
                ready = bank.next_write if access.is_write else bank.next_read
                clash = any(
                    access.bank == s.bank and access.row == s.row and access.column == s.column
                    for s in seen
                )
                if not clash:
                    if now >= ready:
                        del queue[position]
                        return self._do_column(now, number, access), now
                    wake = min(wake, ready)
            if barriers[number]:
                break
            seen.append(access)
        return None, wake

    def _activate(
        self, now: int, accesses: Sequence[Access], barriers: list[bool], queue: list[int]
    ) -> tuple[Command | None, int]:
        wake = _NEVER
        for position, number in enumerate(queue):
            if position and barriers[number]:
                break
            access = accesses[number]
            bank = self._banks[access.bank]
            if bank.active or (self._mode is not Mode.SB and access.bank >= 2):
                continue
            ready = max(bank.idle_at, bank.next_act)
            if now >= ready:
                return self._do_activate(now, number, access), now
            wake = min(wake, ready)
        return None, wake

    def _precharge(
        self, now: int, accesses: Sequence[Access], barriers: list[bool], queue: list[int]
    ) -> tuple[Command | None, int]:
        wanted = set()
        for number in queue:
            wanted.add((accesses[number].bank, accesses[number].row))
            if barriers[number]:
                break
        wake = _NEVER
        count = len(self._banks)
        for step in range(count):
            number = (self._precharge_from + step) % count
            bank = self._banks[number]
            if bank.active and (number, bank.row) not in wanted:
                if now >= bank.next_pre:
                    self._precharge_from = number
                    return self._do_precharge(now, number), now
                wake = min(wake, bank.next_pre)
        return None, wake

    # What commands do

    def _do_precharge(self, now: int, number: int) -> Command:
        bank = self._banks[number]
        bank.active = False
        bank.idle_at = now + self.spec.tRP
        bank.next_act = max(bank.next_act, now + self.spec.tRP)
        if self._mode is Mode.HAB and bank.row == modes.LEAVE_ROW:
            self._leave |= {number} & set(modes.LEAVE_BANKS)
            if self._leave == set(modes.LEAVE_BANKS):
                self._leave.clear()
                self._mode_next = (now + 1, Mode.SB)
        return Command(now, Kind.PRE, number, bank.row, 0, -1)

    def _do_activate(self, now: int, request: int, access: Access) -> Command:
        spec, bank = self.spec, self._banks[access.bank]
        bank.active, bank.row = True, access.row
        bank.next_act = max(bank.next_act, now + spec.tRC)
        bank.next_pre = max(bank.next_pre, now + spec.tRAS)
        bank.next_read = max(bank.next_read, now + spec.tRCDRD)
        bank.next_write = max(bank.next_write, now + spec.tRCDWR)
        group = spec.bank_group(access.bank)
        for number, other in enumerate(self._banks):
            if other is not bank:
                gap = spec.tRRDL if spec.bank_group(number) == group else spec.tRRDS
                other.next_act = max(other.next_act, now + gap)
        if self._mode is Mode.SB and access.row == modes.ENTER_ROW:
            if access.column == modes.MODE_COLUMN:
                self._enter |= {access.bank} & set(modes.ENTER_BANKS)
            if self._enter == set(modes.ENTER_BANKS):
                self._enter.clear()
                self._mode_next = (now + 1, Mode.HAB)
        return Command(now, Kind.ACT, access.bank, access.row, access.column, request)

    def _do_column(self, now: int, request: int, access: Access) -> Command:
        spec, bank = self.spec, self._banks[access.bank]
        group = spec.bank_group(access.bank)
        for number, other in enumerate(self._banks):
            same = spec.bank_group(number) == group
            gap = max(spec.tCCDL if same else spec.tCCDS, spec.burst_cycles)
            if access.is_write:
                other.next_read = max(other.next_read, now + spec.write_to_read_long)
                other.next_write = max(other.next_write, now + gap)
            else:
                other.next_read = max(other.next_read, now + gap)
                other.next_write = max(other.next_write, now + spec.read_to_write)
        if access.is_write:
            bank.next_pre = max(bank.next_pre, now + spec.write_to_precharge)
        else:
            bank.next_pre = max(bank.next_pre, now + spec.read_to_precharge)
        kind = Kind.WR if access.is_write else Kind.RD
        return Command(now, kind, access.bank, access.row, access.column, request)
