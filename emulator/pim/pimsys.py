"""The units of a PIMSys memory, driven by reads, writes and JSON messages.

A unit for every bank, or one for two with `shared`; every request to the data range in
PIM mode makes all units take one instruction, reading the requested address in their own bank
(with shared units, in the bank of the requested bank's parity). Only FILL takes a write: it
stores a GRF to the bank. Every instruction runs once; jumps cost no request; EXIT takes a read
and clears all registers. Columns count eight bytes, four to a burst.

The published memory drives both pseudo-channels of a channel with one request; `channels` of one
object are driven together, objects apart are triggered apart.
"""

from __future__ import annotations

import numpy as np
from attrs import define, field
from numpy.typing import NDArray

from hcc.isa.pim import EXIT, LANES, NOP, File, Instruction, Op, Operand
from hcc.isa.pim.configuration import BankMode, parse_message

from . import half
from .banks import Banks, Bits
from .samsung import PimFault

Floats = NDArray[np.float32]

_REGISTERS = 8
COLUMNS_PER_BURST = 4
_COLUMN_BITS = 7


@define(eq=False)
class PimsysChannels:
    """Memory channels that take the same requests and messages."""

    channels: int = 1
    bank_count: int = 16
    shared: bool = False
    banks: Banks = field(init=False)
    mode: BankMode = field(default=BankMode.SINGLE_BANK, init=False)
    kernel: tuple[Instruction, ...] = field(default=(NOP,), init=False)
    pc: int = field(default=0, init=False)
    grf: dict[File, Floats] = field(init=False, repr=False)
    srf: dict[File, Floats] = field(init=False, repr=False)
    slots_run: int = field(default=0, init=False)
    _jumps_left: int | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self.banks = Banks(self.channels, self.bank_count)
        self._reset()

    @property
    def units(self) -> int:
        return self.bank_count // 2 if self.shared else self.bank_count

    def _reset(self) -> None:
        shape = (self.channels, self.units, _REGISTERS)
        self.grf = {f: np.zeros((*shape, LANES), np.float32) for f in (File.GRF_A, File.GRF_B)}
        self.srf = {f: np.zeros(shape, np.float32) for f in (File.SRF_M, File.SRF_A)}
        self.pc, self._jumps_left = 0, None

    def configure(self, text: str) -> None:
        """Take a JSON message."""
        said = parse_message(text)
        if said.kernel is not None:
            self.kernel = said.kernel
        if said.bank_mode is not None:
            self.mode = said.bank_mode

    def read(self, bank: int, row: int, column: int) -> Bits:
        """A read request; its data, [channel, lane], is the bank's in every mode."""
        burst = column // COLUMNS_PER_BURST
        if self.mode is BankMode.PIM_ALL_BANK:
            self._execute_read(self._unit_banks(bank), row, column)
        return self.banks.read(row, bank, burst).copy()

    def write(self, bank: int, row: int, column: int, data: Bits) -> None:
        """A write request: [lane] for all channels or [channel, lane]."""
        burst = column // COLUMNS_PER_BURST
        match self.mode:
            case BankMode.SINGLE_BANK:
                self.banks.write(row, bank, burst, data)
            case BankMode.ALL_BANK:
                wide = data[:, None] if data.ndim == 2 else data
                self.banks.write(row, slice(None), burst, wide)
            case BankMode.PIM_ALL_BANK:
                self._execute_write(self._unit_banks(bank), row, burst)

    def _unit_banks(self, bank: int) -> slice:
        return slice(bank & 1, None, 2) if self.shared else slice(None)

    def _instruction(self) -> Instruction:
        if self.pc >= len(self.kernel):
            raise PimFault(f"PIM program ran past instruction {len(self.kernel) - 1}: no EXIT")
        return self.kernel[self.pc]

    def _next(self) -> None:
        """Step on, and through the jumps that follow."""
        self.pc += 1
        while self.pc < len(self.kernel) and self.kernel[self.pc].op is Op.JUMP:
            jump = self.kernel[self.pc]
            left = (jump.count if self._jumps_left is None else self._jumps_left) - 1
            if left < 0:
                self._jumps_left = None
                self.pc += 1
                continue
            self._jumps_left = left
            self.pc += jump.offset
            if not 0 <= self.pc < len(self.kernel):
                raise PimFault(f"PIM program jumped to instruction {self.pc}")

    def _execute_write(self, banks: slice, row: int, burst: int) -> None:
        i = self._instruction()
        if i.op is not Op.FILL or i.dst is None or not i.dst.is_bank:
            raise PimFault(
                f"a write request met {i.op.name} at instruction {self.pc}; only FILL to the bank "
                "takes a write"
            )
        assert i.src0 is not None
        if i.src0.file not in self.grf:
            raise PimFault(f"FILL stores a GRF, not {i.src0.file.name}")
        self.banks.write(row, banks, burst, half.narrow(self.grf[i.src0.file][:, :, i.src0.index]))
        self.slots_run += 1
        self._next()

    def _execute_read(self, banks: slice, row: int, column: int) -> None:
        i = self._instruction()
        self.slots_run += 1
        if i == EXIT:
            self._reset()
            return
        if i.op is Op.JUMP:
            raise PimFault("a PIM program cannot begin with a jump")
        if i.op is not Op.NOP:
            self._compute(i, banks, row, column)
        self._next()

    def _compute(self, i: Instruction, banks: slice, row: int, column: int) -> None:
        if i.aam:
            i = _auto_indexed(i, row << _COLUMN_BITS | column)
        dst = i.dst
        assert dst is not None
        burst = column // COLUMNS_PER_BURST
        sources = [self._load(o, banks, row, burst) for o in i.sources]
        match i.op:
            case Op.MOV | Op.FILL:
                result = sources[0]
            case Op.ADD:
                result = half.add(*sources)
            case Op.MUL:
                result = half.multiply(*sources)
            case Op.MAC | Op.MAD:
                if i.op is Op.MAD and i.src2 != dst:
                    raise PimFault("MAD adds into its destination: src2 must be dst")
                old = self._load(dst, banks, row, burst)
                result = half.multiply_add(sources[0], sources[1], old)
        self._store(dst, result)

    def _load(self, o: Operand, banks: slice, row: int, burst: int) -> Floats:
        if o.file in self.grf:
            return self.grf[o.file][:, :, o.index]
        if o.file in self.srf:
            return self.srf[o.file][:, :, o.index, None]
        if o.file is File.EVEN_BANK:
            return half.widen(self.banks.read(row, banks, burst))
        raise PimFault(f"pimsys has no operand {o.file.name}")

    def _store(self, o: Operand, value: Floats) -> None:
        if o.file in self.grf:
            self.grf[o.file][:, :, o.index] = value
        elif o.file in self.srf:
            self.srf[o.file][:, :, o.index] = value[:, :, 0]
        else:
            raise PimFault("a read request cannot store to the bank")


def _auto_indexed(i: Instruction, address: int) -> Instruction:
    """The instruction with the registers its address selects."""
    assert i.dst is not None and i.src0 is not None and i.src1 is not None
    if i.src1.file is not File.GRF_A or i.dst.file is not File.GRF_B:
        raise PimFault("auto-indexing needs GRF_A as second source and GRF_B as destination")
    a, b = Operand(File.GRF_A, address >> 2 & 7), Operand(File.GRF_B, address >> 5 & 7)
    return Instruction(i.op, b, i.src0, a, b if i.src2 else None)
