"""What a processing-in-memory unit can be told: operations, operand files, instructions.

An HBM-PIM unit sits between the banks of a pseudo-channel and computes on sixteen half-precision
lanes, one burst of the memory, at every column command (a *trigger*). It has two files of eight
vector registers (GRF_A, GRF_B), two of eight scalars (SRF_M, SRF_A), and a command file of
thirty-two instructions (CRF) that all units of a pseudo-channel step through together.

Two dialects of the instruction set are in use and they disagree. `SAMSUNG` is that of the
vendor's PIMSimulator: a unit serves an even and an odd bank, auto-indexed operations repeat
eight times, NOP takes several slots and MOV and FILL can apply ReLU. `PIMSYS` is that of the
PIMSys virtual prototype: one BANK operand, every instruction runs once, JUMP says its distance.
One `Instruction` serves both: BANK is kept as EVEN_BANK, and a jump's `offset` is the distance
to its target in instructions (-1 is the instruction before), whatever the dialect encodes.
"""

from __future__ import annotations

from enum import Enum, IntEnum

from attrs import frozen

LANES = 16
GRF_REGISTERS = 8
SRF_REGISTERS = 8
CRF_LENGTH = 32
BURST_SIZE = 32  # bytes: sixteen lanes of binary16


class Dialect(Enum):
    """Which of the two published instruction sets."""

    SAMSUNG = "samsung"
    PIMSYS = "pimsys"


class Op(IntEnum):
    """Operations, with their opcode."""

    NOP = 0
    ADD = 1
    MUL = 2
    MAC = 3
    MAD = 4
    MOV = 8
    FILL = 9
    JUMP = 14
    EXIT = 15


class File(IntEnum):
    """Where an operand is, with its encoding."""

    A_OUT = 0
    M_OUT = 1
    EVEN_BANK = 2
    ODD_BANK = 3
    GRF_A = 4
    GRF_B = 5
    SRF_M = 6
    SRF_A = 7


BANKS = frozenset({File.EVEN_BANK, File.ODD_BANK})
GRF = frozenset({File.GRF_A, File.GRF_B})
SRF = frozenset({File.SRF_M, File.SRF_A})
ARITHMETIC = frozenset({Op.ADD, Op.MUL, Op.MAC, Op.MAD})
MOVES = frozenset({Op.MOV, Op.FILL})


@frozen
class Operand:
    """A register or a bank. The index field of a bank is encoded and means nothing."""

    file: File
    index: int = 0

    @property
    def is_bank(self) -> bool:
        return self.file in BANKS


@frozen
class Instruction:
    """One command of the CRF.

    `count` is the number of times a JUMP is taken or the number of slots a NOP takes beyond its
    first; `offset` is the distance of a JUMP. MAC accumulates into `dst`; only MAD has a `src2`.
    """

    op: Op
    dst: Operand | None = None
    src0: Operand | None = None
    src1: Operand | None = None
    src2: Operand | None = None
    aam: bool = False
    relu: bool = False
    count: int = 0
    offset: int = 0

    @property
    def operands(self) -> tuple[Operand, ...]:
        """Destination and sources that are there, in the order of the assembly."""
        given = (self.dst, self.src0, self.src1, self.src2)
        return tuple(operand for operand in given if operand is not None)

    @property
    def sources(self) -> tuple[Operand, ...]:
        given = (self.src0, self.src1, self.src2)
        return tuple(operand for operand in given if operand is not None)

    @property
    def reads_bank(self) -> bool:
        return any(operand.is_bank for operand in self.sources)

    def slots(self, dialect: Dialect) -> int:
        """How many triggers the instruction takes each time it is reached."""
        if self.op is Op.JUMP:
            return 0
        if self.op is Op.NOP:
            return self.count + 1
        repeats = self.op is Op.FILL or self.aam
        return 8 if repeats and dialect is Dialect.SAMSUNG else 1


def compute(
    op: Op, dst: Operand, *sources: Operand, aam: bool = False, relu: bool = False
) -> Instruction:
    """An arithmetic or moving instruction with its sources in order."""
    src0, src1, src2 = (*sources, None, None, None)[:3]
    return Instruction(op, dst, src0, src1, src2, aam=aam, relu=relu)


NOP = Instruction(Op.NOP)
EXIT = Instruction(Op.EXIT)
