"""The units of pseudo-channels in the samsung dialect, driven by DRAM commands.

Sixteen banks a channel, eight units, each between an even and an odd bank. Every channel of one
object takes the same commands; registers and rows are arrays over the channels. `modes` in
isa/pim describes the magic rows. What the reference does and its document leaves open:

* the check for EXIT comes after each instruction: a program ends when EXIT is next, without a
  trigger of its own, and from then on reads fill GRFs and writes store them, as in HAB
* a unit remembers the last jump it met and how often it may still be taken; meeting another
  jump forgets the first, so nested loops never end (the legality checker refuses them)
* a WR in the slot of a NOP stores GRF_A (bank 0) or GRF_B (bank 1); a WR in any other slot
  executes it as a read would
* MOV and FILL to an SRF replace all sixteen scalars
* rows are taken modulo 4096 when they trigger

Commands of one row that come in successive columns and run the same auto-indexed instruction
touch different registers; such runs are computed together.
"""

from __future__ import annotations

import numpy as np
from attrs import define, field
from numpy.typing import NDArray

from hcc.isa.errors import HccError
from hcc.isa.pim import CRF_LENGTH, LANES, Dialect, File, Instruction, Op, Operand, decode, modes
from hcc.isa.pim.modes import Mode

from . import half
from .banks import Banks, Bits

Floats = NDArray[np.float32]

UNITS = 8
BANKS = 16
_REGISTERS = 8
_REPEATING = (Op.FILL, Op.NOP)


class PimFault(HccError):
    """A program does to the device what no device takes."""


@define
class _Control:
    """What all units of a channel share: where they are in the program."""

    pc: int = 0
    last_jump: int = -1
    jumps_left: int = 0
    last_repeat: int = -1
    repeats_left: int = 0
    exited: bool = False
    even_triggers: bool = True
    odd_triggers: bool = True
    reserved_triggers: bool = False
    all_grf: bool = True


@define(eq=False)
class SamsungChannels:
    """Pseudo-channels that take the same commands."""

    channels: int
    banks: Banks = field(init=False)
    mode: Mode = field(default=Mode.SB, init=False)
    crf: list[int] = field(init=False, factory=lambda: [0] * CRF_LENGTH)
    grf: dict[File, Floats] = field(init=False, repr=False)
    srf: Floats = field(init=False, repr=False)
    slots_run: int = field(default=0, init=False)
    _control: _Control = field(init=False, factory=_Control)
    _enter: set[int] = field(init=False, factory=set)
    _leave: set[int] = field(init=False, factory=set)
    _decoded: dict[int, Instruction] = field(init=False, factory=dict, repr=False)

    def __attrs_post_init__(self) -> None:
        shape = (self.channels, UNITS, _REGISTERS, LANES)
        self.banks = Banks(self.channels)
        self.grf = {f: np.zeros(shape, np.float32) for f in (File.GRF_A, File.GRF_B)}
        self.srf = np.zeros((self.channels, UNITS, LANES), np.float32)

    @property
    def entering(self) -> bool:
        """Whether a switch to HAB has begun and not ended."""
        return bool(self._enter)

    # Commands

    def activate(self, bank: int, row: int, column: int = modes.MODE_COLUMN) -> None:
        """ACT; `column` is that of the request it serves, which the mode switch looks at."""
        if self.mode is Mode.SB and row == modes.ENTER_ROW and column == modes.MODE_COLUMN:
            self._enter |= {bank} & set(modes.ENTER_BANKS)
            if self._enter == set(modes.ENTER_BANKS):
                self._enter.clear()
                self.mode = Mode.HAB

    def precharge(self, bank: int, row: int) -> None:
        """PRE of a bank in which `row` is open."""
        if self.mode is Mode.HAB and row == modes.LEAVE_ROW:
            self._leave |= {bank} & set(modes.LEAVE_BANKS)
            if self._leave == set(modes.LEAVE_BANKS):
                self._leave.clear()
                self.mode = Mode.SB

    def read(self, bank: int, row: int, column: int, count: int = 1) -> Bits | None:
        """RD of `count` bursts from `column`; their data in SB, where the host takes it."""
        if self.mode is Mode.SB:
            return self._read_single(bank, row, column, count)
        _check_bank(bank, row)
        done = self._trigger(bank, row, column, count, None)
        if done < count and not row & modes.RESERVED_BIT:
            self._bank_to_grf(bank, row, column + done, count - done)
        return None

    def write(self, bank: int, row: int, column: int, data: Bits) -> None:
        """WR of bursts: `data` is [burst, lane] for all channels or [channel, burst, lane]."""
        data = data if data.ndim == 3 else data[None]
        if self.mode is Mode.SB:
            if not row & modes.RESERVED_BIT:
                columns = slice(column, column + data.shape[1])
                self.banks.write(row, bank, columns, data)
            return
        _check_bank(bank, row)
        at, count = 0, data.shape[1]
        while at < count:
            at += self._trigger(bank, row, column + at, count - at, data[:, at:])
            if at < count:
                if row == modes.CONTROL_ROW:
                    self._write_control(column + at, data[:, at])
                elif not row & modes.RESERVED_BIT:
                    self._grf_to_bank(bank, row, column + at)
                at += 1

    # Single bank

    def _read_single(self, bank: int, row: int, column: int, count: int) -> Bits:
        if row == modes.CONTROL_ROW:
            for base, file in (
                (modes.GRF_A_COLUMN, File.GRF_A),
                (modes.GRF_B_COLUMN, File.GRF_B),
            ):
                if base <= column and column + count <= base + _REGISTERS:
                    first = column - base
                    return half.narrow(self.grf[file][:, bank // 2, first : first + count])
        return self.banks.read(row, bank, slice(column, column + count)).copy()

    # Half all bank

    def _bank_to_grf(self, bank: int, row: int, column: int, count: int) -> None:
        data = half.widen(self.banks.read(row, slice(bank, None, 2), slice(column, column + count)))
        for at in range(count):
            if self._control.all_grf:
                register = (column + at) & 15
                file = File.GRF_A if register < _REGISTERS else File.GRF_B
            else:
                register, file = (column + at) & 7, File.GRF_B
            self.grf[file][:, :, register & 7] = data[:, :, at]

    def _grf_to_bank(self, bank: int, row: int, column: int) -> None:
        if self._control.all_grf:
            file = File.GRF_A if column & 15 < _REGISTERS else File.GRF_B
        else:
            file = File.GRF_B if bank & 1 else File.GRF_A
        self.banks.write(
            row, slice(bank & 1, None, 2), column, half.narrow(self.grf[file][:, :, column & 7])
        )

    def _write_control(self, column: int, data: Bits) -> None:
        """One burst to the control row: [channel or 1, lane]."""
        if column == modes.CONTROL_COLUMN:
            self._control_burst(np.ascontiguousarray(data[0]).tobytes())
        elif column == modes.SRF_COLUMN:
            self.srf[...] = half.widen(data)[:, None, :]
        elif modes.CRF_COLUMN <= column < modes.CRF_COLUMN + 4:
            words = np.ascontiguousarray(data[0]).view(np.uint32)
            first = 8 * (column - modes.CRF_COLUMN)
            self.crf[first : first + 8] = [int(word) for word in words]
        elif modes.GRF_A_COLUMN <= column < modes.GRF_A_COLUMN + _REGISTERS:
            self.grf[File.GRF_A][:, :, column - modes.GRF_A_COLUMN] = half.widen(data)[:, None]
        elif modes.GRF_B_COLUMN <= column:
            self.grf[File.GRF_B][:, :, column - modes.GRF_B_COLUMN] = half.widen(data)[:, None]

    def _control_burst(self, burst: bytes) -> None:
        if burst[modes.ZERO_GRF_A_BYTE]:
            self.grf[File.GRF_A][...] = 0
        if burst[modes.ZERO_GRF_B_BYTE]:
            self.grf[File.GRF_B][...] = 0
        mask = burst[modes.TRIGGER_BYTE]
        control = self._control
        control.even_triggers, control.odd_triggers = not mask & 1, not mask & 2
        control.reserved_triggers = bool(mask & 4)
        control.all_grf = bool(burst[modes.ALL_GRF_BYTE] & 1)
        if burst[modes.PIM_ON_BYTE] & 1:
            self.mode = Mode.HAB_PIM
            control.pc = control.jumps_left = control.repeats_left = 0
            control.last_jump = control.last_repeat = -1
            control.exited = False
        else:
            self.mode = Mode.HAB

    # PIM operation

    def _triggers(self, bank: int, row: int) -> bool:
        control = self._control
        if self.mode is not Mode.HAB_PIM or control.exited:
            return False
        if row & modes.RESERVED_BIT and not control.reserved_triggers:
            return False
        return control.odd_triggers if bank & 1 else control.even_triggers

    def _trigger(self, bank: int, row: int, column: int, count: int, data: Bits | None) -> int:
        """Run slots for successive columns; how many of the commands the program took."""
        done = 0
        while done < count and self._triggers(bank, row):
            done += self._run(bank, row & modes.ROW_MASK, column + done, count - done, data)
        return done

    def _instruction(self, pc: int) -> Instruction:
        if pc >= CRF_LENGTH:
            raise PimFault(f"PIM program ran past instruction {CRF_LENGTH - 1}: it has no EXIT")
        word = self.crf[pc]
        found = self._decoded.get(word)
        if found is None:
            found = self._decoded[word] = decode(word)
        return found

    def _run(self, bank: int, row: int, column: int, count: int, data: Bits | None) -> int:
        """One instruction, jumps before it included; for how many of `count` commands."""
        control = self._control
        i = self._instruction(control.pc)
        hops = 0
        while i.op is Op.JUMP:
            self._jump(i)
            i = self._instruction(control.pc)
            hops += 1
            if hops > 4 * CRF_LENGTH:
                raise PimFault(f"PIM program: the jump at instruction {control.pc} runs no slot")
        if i.op is Op.EXIT:
            control.exited = True
            return 1
        repeats = i.slots(Dialect.SAMSUNG)
        run = 1
        if repeats > 1:
            if control.last_repeat != control.pc:
                control.last_repeat, control.repeats_left = control.pc, repeats
            window = 8 - (column & 7)
            run = min(count, control.repeats_left, window) if _independent(i) else 1
        self._execute(i, bank, row, column, run, is_write=data is not None)
        self.slots_run += run
        if repeats > 1:
            control.repeats_left -= run
            if control.repeats_left:
                return run
            control.last_repeat = -1
        control.pc += 1
        control.exited = self._instruction(control.pc).op is Op.EXIT
        return run

    def _jump(self, i: Instruction) -> None:
        control = self._control
        if control.last_jump != control.pc and i.count > 0:
            control.last_jump, control.jumps_left = control.pc, i.count
        if control.jumps_left > 0:
            control.jumps_left -= 1
            control.pc += i.offset
            if control.pc < 0:
                raise PimFault(f"PIM program jumped to instruction {control.pc}")
        else:
            control.pc += 1

    def _execute(
        self, i: Instruction, bank: int, row: int, column: int, run: int, *, is_write: bool
    ) -> None:
        if i.op is Op.NOP:
            if is_write:
                file = File.GRF_B if bank & 1 else File.GRF_A
                first = column & 7
                bits = half.narrow(self.grf[file][:, :, first : first + run])
                columns = slice(column, column + run)
                self.banks.write(row, slice(bank & 1, None, 2), columns, bits)
            return
        assert i.dst is not None
        auto = i.aam or i.op is Op.FILL
        mac = i.op in (Op.MAC,)
        sources = [self._load(o, row, column, run, auto, mac) for o in i.sources]
        match i.op:
            case Op.MOV | Op.FILL:
                result = half.relu(sources[0]) if i.relu else sources[0]
            case Op.ADD:
                result = half.add(*sources)
            case Op.MUL:
                result = half.multiply(*sources)
            case Op.MAC:
                old = self._load(i.dst, row, column, run, auto, mac)
                result = half.multiply_add(sources[0], sources[1], old)
            case Op.MAD:
                result = half.multiply_add(*sources)
        self._store(i.dst, row, column, run, auto, mac, result)

    def _register(
        self, o: Operand, row: int, column: int, run: int, auto: bool, mac: bool
    ) -> slice:
        """The registers an operand means in a run."""
        if not auto:
            return slice(o.index & 7, (o.index & 7) + 1)
        if mac and o.file is File.GRF_A:
            high = (row & 1) << 2 | (column >> 3) & 3
            return slice(high, high + 1)
        return slice(column & 7, (column & 7) + run)

    def _load(self, o: Operand, row: int, column: int, run: int, auto: bool, mac: bool) -> Floats:
        """A source for a run of columns: [channel, unit, column or 1, lane]."""
        match o.file:
            case File.EVEN_BANK | File.ODD_BANK:
                banks = slice(o.file is File.ODD_BANK, None, 2)
                return half.widen(self.banks.read(row, banks, slice(column, column + run)))
            case File.GRF_A | File.GRF_B:
                return self.grf[o.file][:, :, self._register(o, row, column, run, auto, mac)]
            case File.SRF_M | File.SRF_A:
                lane = (o.index & 7) + 8 * (o.file is File.SRF_A)
                return self.srf[:, :, None, lane : lane + 1]
        raise PimFault(f"operand {o.file.name} cannot be read")

    def _store(
        self, o: Operand, row: int, column: int, run: int, auto: bool, mac: bool, value: Floats
    ) -> None:
        match o.file:
            case File.GRF_A | File.GRF_B:
                self.grf[o.file][:, :, self._register(o, row, column, run, auto, mac)] = value
            case File.SRF_M | File.SRF_A:
                self.srf[...] = value[:, :, 0]
            case File.EVEN_BANK | File.ODD_BANK:
                banks = slice(o.file is File.ODD_BANK, None, 2)
                bits = half.narrow(np.ascontiguousarray(value))
                self.banks.write(row, banks, slice(column, column + run), bits)
            case _:
                raise PimFault(f"operand {o.file.name} cannot be written")


def _check_bank(bank: int, row: int) -> None:
    """In HAB a command names all even or all odd banks, by bank 0 or 1; the last command of the
    switch to HAB still names its own."""
    if bank > 1 and row != modes.ENTER_ROW:
        raise PimFault(f"a request to bank {bank} in all-bank mode, which has banks 0 and 1 only")


def _independent(i: Instruction) -> bool:
    """Whether the repeats of an instruction touch registers of their own."""
    if i.op is Op.NOP:
        return True
    assert i.dst is not None
    if i.op is Op.MAC:
        return i.dst.file is File.GRF_B and all(o.file is not File.GRF_B for o in i.sources[1:])
    return i.dst.file in (File.GRF_A, File.GRF_B)
