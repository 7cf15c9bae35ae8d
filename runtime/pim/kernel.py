"""A bare microkernel run on arrays: its requests are read off its program.

The arrays lie as the vendor's library lays them out in one channel: burst j of an array (sixteen
values) in bank j mod 16, in the even banks only (j mod 8) where a samsung program names no
ODD_BANK. Each array begins in rows of its own, in the order given, the result behind them.

The program is followed slot by slot. The n-th of the instructions that read a given bank operand
reads array n; each time it is reached it goes on where it stopped. A slot of NOP is a WR that
stores the result's next bursts: of GRF_A to the even banks or of GRF_B to the odd ones, whichever
was computed last (a NOP of sixteen slots: eight of each). In pimsys, FILL BANK is the WR, and EXIT
takes a dummy RD. Where this is not what a program means, its requests can be given instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

from hcc.emulator.pim.attribution import attribute
from hcc.emulator.pim.machine import Machine, Schedule
from hcc.emulator.pim.pimsys import COLUMNS_PER_BURST, PimsysChannels
from hcc.emulator.pim.scheduler import Scheduler
from hcc.emulator.pim.specification import MemorySpec
from hcc.isa.errors import FormatError, HccError
from hcc.isa.pim import LANES, Dialect, File, Instruction, Op
from hcc.isa.pim.configuration import BankMode, message
from hcc.isa.pim.modes import CONTROL_ROW, GRF_A_COLUMN, GRF_B_COLUMN, SRF_COLUMN, control_burst
from hcc.isa.pim.requests import Access, Purpose, Stream

Half = NDArray[np.float16]

BANKS, BURSTS = 16, 32
_MOST_SLOTS = 1 << 20
_REQUEST = re.compile(r"(RD|WR)\s+([0-9]{1,9})\s+([0-9]{1,9})\s+([0-9]{1,9})")


@frozen
class Slot:
    """One trigger: an instruction, and what the request to make it is."""

    instruction: Instruction
    at: int
    is_write: bool
    reads: File | None
    stores: File | None


@frozen
class Result:
    """What a microkernel left, and how long it took."""

    values: Half = field(repr=False)
    cycles: int
    slots: int
    causes: Mapping[str, int]


def follow(program: Sequence[Instruction], dialect: Dialect) -> Iterator[Slot]:
    """The slots a program takes, in order."""
    pc, left, jump_at, taken = 0, 0, -1, 0
    last = File.GRF_A
    while pc < len(program):
        i = program[pc]
        if i.op is Op.JUMP:
            if jump_at != pc:
                jump_at, left = pc, i.count
            if left:
                left -= 1
                pc += i.offset
            else:
                jump_at = -1
                pc += 1
            continue
        if i.op is Op.EXIT:
            if dialect is Dialect.PIMSYS:
                yield Slot(i, pc, False, None, None)
            return
        bank = next((o.file for o in i.sources if o.is_bank), None)
        to_bank = i.dst is not None and i.dst.is_bank
        slots = i.slots(dialect)
        for number in range(slots):
            stores = None
            if to_bank and i.src0 is not None:
                stores = i.src0.file
            elif i.op is Op.NOP and dialect is Dialect.SAMSUNG:
                stores = last
                if slots > 8:
                    stores = (File.GRF_A, File.GRF_B)[number // 8 % 2]
            yield Slot(i, pc, stores is not None, bank, stores)
            taken += 1
            if taken > _MOST_SLOTS:
                raise HccError(f"the program takes more than {_MOST_SLOTS} slots")
        if i.dst is not None and i.dst.file in (File.GRF_A, File.GRF_B):
            last = i.dst.file
        pc += 1


def parse_requests(text: str, source: str) -> list[tuple[bool, int, int, int]]:
    """Lines `RD BANK ROW COLUMN` or `WR …`, columns in bursts: (is a write, bank, row, column)."""
    found = []
    for number, raw in enumerate(text.splitlines(), 1):
        content = raw.split("#")[0].strip()
        if not content:
            continue
        match = _REQUEST.fullmatch(content.upper())
        if match is None:
            raise FormatError(f"{source}:{number}: expected RD or WR BANK ROW COLUMN")
        bank, row, column = (int(match[n]) for n in (2, 3, 4))
        if bank >= BANKS or row >= 4096 or column >= BURSTS:
            raise FormatError(
                f"{source}:{number}: banks are 0 to 15, rows 0 to 4095, columns 0 to 31"
            )
        found.append((match[1] == "WR", bank, row, column))
    return found


@define
class _Arrays:
    """Where arrays lie, and how far each instruction has read."""

    sizes: list[int]
    parities: tuple[int, ...]  # of the banks in use
    dialect: Dialect
    rows: list[int] = field(init=False)
    _cursor: dict[tuple[object, ...], int] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        per_row = BURSTS * LANES * self.lanes_of_banks
        spans = [-(-size // per_row) for size in self.sizes]
        self.rows = [sum(spans[:number]) for number in range(len(spans) + 1)]

    @property
    def lanes_of_banks(self) -> int:
        return len(self.parities) * BANKS // 2

    @property
    def result_row(self) -> int:
        return self.rows[-1]

    def banks(self) -> list[int]:
        return [bank for bank in range(BANKS) if bank % 2 in self.parities]

    def next(self, key: tuple[object, ...], first_row: int) -> tuple[int, int]:
        """Row and column of the next burst under a cursor."""
        at = self._cursor.get(key, 0)
        self._cursor[key] = at + 1
        return first_row + at // BURSTS, at % BURSTS

    def stored(self) -> int:
        """How many bursts of a bank have been stored."""
        return max((at for key, at in self._cursor.items() if key[0] == "store"), default=0)


def _derive(
    program: Sequence[Instruction], dialect: Dialect, arrays: _Arrays
) -> list[tuple[bool, int, int, int]]:
    """The requests of a program on the arrays."""
    readers: dict[File, list[int]] = {}
    requests = []
    last = (0, 0, 0)
    for slot in follow(program, dialect):
        if slot.reads is not None:
            known = readers.setdefault(slot.reads, [])
            if slot.at not in known:
                known.append(slot.at)
            number = known.index(slot.at)
            if number >= len(arrays.sizes):
                raise HccError(
                    f"instruction {slot.at} reads array {number + 1}, but {len(arrays.sizes)} "
                    f"{'is' if len(arrays.sizes) == 1 else 'are'} given"
                )
            row, column = arrays.next(("read", slot.reads, slot.at), arrays.rows[number])
            last = (int(slot.reads is File.ODD_BANK), row, column)
        elif slot.stores is not None:
            odd = slot.stores is File.GRF_B and dialect is Dialect.SAMSUNG
            row, column = arrays.next(("store", odd), arrays.result_row)
            requests.append((True, int(odd), row, column))
            continue
        requests.append((False, *last))
    return requests


def run_kernel(
    program: Sequence[Instruction], dialect: Dialect, inputs: Sequence[Half], spec: MemorySpec,
    schedule: Schedule, *, registers: Mapping[str, Half] | None = None,
    requests: Sequence[tuple[bool, int, int, int]] | None = None,
) -> Result:  # fmt: skip
    """Run a program on arrays. `registers` sets grf_a, grf_b or srf before (samsung)."""
    odd_named = any(o.file is File.ODD_BANK for i in program for o in i.operands)
    stores = {slot.stores for slot in follow(program, dialect) if slot.stores is not None}
    parities: tuple[int, ...] = (0, 1) if dialect is Dialect.PIMSYS or odd_named else (0,)
    arrays = _Arrays([array.size for array in inputs], parities, dialect)
    wanted = _derive(program, dialect, arrays) if requests is None else list(requests)
    if dialect is Dialect.SAMSUNG and any(bank > 1 for _, bank, _, _ in wanted):
        raise HccError("requests of a samsung kernel name bank 0 (all even) or 1 (all odd)")
    rows = _rows(arrays, inputs)
    result_parities = parities
    if dialect is Dialect.SAMSUNG:
        result_parities = tuple(sorted({int(file is File.GRF_B) for file in stores})) or (0,)
        machine = Machine(1, schedule, spec)
        machine.load(rows)
        stream = _samsung_stream(program, wanted, registers or {})
        timing = machine.run(stream.accesses, stream.constants, {})
        cycles, causes, slots = timing.cycles, timing.causes, machine.device.slots_run
        banks = machine.device.banks
    else:
        if registers:
            raise HccError("a pimsys program loads its registers itself, by MOV")
        device = PimsysChannels(1, BANKS)
        for row, content in rows.items():
            device.banks.row(row)[...] = content
        device.configure(message(kernel=program))
        device.configure(message(BankMode.PIM_ALL_BANK))
        for is_write, bank, row, column in wanted:
            if is_write:
                device.write(bank, row, column * COLUMNS_PER_BURST, np.zeros(LANES, np.uint16))
            else:
                device.read(bank, row, column * COLUMNS_PER_BURST)
        accesses = [Access(*request) for request in wanted]
        scheduler = Scheduler(spec, magic_rows=False)
        cycles = scheduler.run(accesses)
        causes = attribute(scheduler.commands, accesses, spec, 0, cycles)
        slots, banks = device.slots_run, device.banks
    chosen = [bank for bank in range(BANKS) if bank % 2 in result_parities]
    stored = arrays.stored()
    values = [
        banks.row(arrays.result_row + at // BURSTS)[0, chosen, at % BURSTS] for at in range(stored)
    ]
    flat = np.concatenate(values).reshape(-1) if values else np.zeros(0, np.uint16)
    result = flat.view(np.float16)
    sizes = {array.size for array in inputs}
    if len(sizes) == 1 and result_parities == parities:
        result = result[: sizes.pop()]
    return Result(result, cycles, slots, causes)


def _rows(arrays: _Arrays, inputs: Sequence[Half]) -> dict[int, NDArray[np.uint16]]:
    """Contents of the rows that hold the inputs."""
    banks = arrays.banks()
    rows: dict[int, NDArray[np.uint16]] = {}
    for first, array in zip(arrays.rows, inputs, strict=False):
        per_row = len(banks) * BURSTS * LANES
        padded = np.zeros(-(-array.size // per_row) * per_row, np.uint16)
        padded[: array.size] = np.ascontiguousarray(array, np.float16).reshape(-1).view(np.uint16)
        for number, content in enumerate(padded.reshape(-1, BURSTS, len(banks), LANES)):
            row = np.zeros((1, BANKS, BURSTS, LANES), np.uint16)
            row[0, banks] = content.transpose(1, 0, 2)
            rows[first + number] = row
    return rows


def _samsung_stream(
    program: Sequence[Instruction],
    requests: Sequence[tuple[bool, int, int, int]],
    registers: Mapping[str, Half],
) -> Stream:
    stream = Stream()
    stream.enter(barrier=True)
    stream.program(1, program, barrier=True)
    for name, column, bursts in (
        ("grf_a", GRF_A_COLUMN, 8), ("grf_b", GRF_B_COLUMN, 8), ("srf", SRF_COLUMN, 1),
    ):  # fmt: skip
        if name not in registers:
            continue
        values = np.ascontiguousarray(registers[name], np.float16).reshape(-1)
        if values.size > bursts * LANES:
            raise HccError(f"{name} holds {bursts * LANES} values, not {values.size}")
        padded = np.zeros(bursts * LANES, np.float16)
        padded[: values.size] = values
        for burst in range(bursts):
            data = padded[burst * LANES : (burst + 1) * LANES].tobytes()
            key = f"#{name}{burst}"
            stream.add(
                True, 1, CONTROL_ROW, column + burst, barrier=True, tag=name.upper(),
                purpose=Purpose.OPERAND, operand=key, index=stream.constant(key, data),
            )  # fmt: skip
    stream.control(0, control_burst(pim=True), barrier=True)
    for is_write, bank, row, column in requests:
        stream.add(is_write, bank, row, column, barrier=True)
    stream.control(0, control_burst(pim=False), barrier=True)
    stream.leave(is_write=True, barrier=True)
    return stream
