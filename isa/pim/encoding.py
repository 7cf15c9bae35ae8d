"""Instructions as 32-bit words of the command file.

    bits      31-28  27-25  24-22  21-19  18-16  15   12     11-8   7-4    3-0
    ALU       op     dst    src0   src1   src2   AAM         dst#   src0#  src1#
    MOV/FILL  op     dst    src0                      ReLU   dst#   src0#
    JUMP      op     [27:11] times                           [10:0] back
    NOP       op                                             [10:0] more slots
    EXIT      op

MAD's src2 has no index of its own and shares src1's. A JUMP's field `back` is 1 - offset: the
vendor's unit goes to PC - back + 1, so back = 2 names the instruction before. The PIMSys
prototype takes its program as JSON and has no words; hcc gives its instructions the same ones,
with BANK as EVEN_BANK, so that one container and one disassembler serve both dialects.
Decoding refuses reserved operations and bits that no instruction uses.
"""

from __future__ import annotations

from hcc.isa.errors import FormatError

from .instructions import ARITHMETIC, MOVES, File, Instruction, Op, Operand

_INDEX_LIMIT = 16
_TIMES_LIMIT = 1 << 17
_BACK_LIMIT = 1 << 11


def _index(operand: Operand | None) -> int:
    if operand is None:
        return 0
    if not 0 <= operand.index < _INDEX_LIMIT:
        raise FormatError(f"register index {operand.index} of {operand.file.name} has no encoding")
    return operand.index


def _file(operand: Operand | None) -> int:
    return 0 if operand is None else int(operand.file)


def _shared_index(instruction: Instruction) -> int:
    """The index field that src1 shares with MAD's src2."""
    src1, src2 = instruction.src1, instruction.src2
    if src2 is None or src1 == src2:
        return _index(src1)
    if src1 is None or src1.is_bank:
        return _index(src2)
    if not src2.is_bank and src1.index != src2.index:
        raise FormatError(
            f"MAD has one index field for src1 and src2: {src1.file.name} {src1.index} and "
            f"{src2.file.name} {src2.index} cannot be encoded together"
        )
    return _index(src1)


def encode(instruction: Instruction) -> int:
    """The word of an instruction; FormatError if a field cannot hold its value."""
    i = instruction
    word = int(i.op) << 28
    match i.op:
        case Op.JUMP:
            back = 1 - i.offset
            if not 0 <= back < _BACK_LIMIT:
                raise FormatError(f"jump distance {i.offset} has no encoding")
            if not 0 <= i.count < _TIMES_LIMIT:
                raise FormatError(f"jump count {i.count} does not fit 17 bits")
            return word | i.count << 11 | back
        case Op.NOP:
            if not 0 <= i.count < _BACK_LIMIT:
                raise FormatError(f"a NOP of {i.count + 1} slots does not fit 11 bits")
            return word | i.count
        case Op.MOV | Op.FILL:
            word |= _file(i.dst) << 25 | _file(i.src0) << 22 | i.relu << 12
            return word | _index(i.dst) << 8 | _index(i.src0) << 4
        case Op.ADD | Op.MUL | Op.MAC | Op.MAD:
            word |= _file(i.dst) << 25 | _file(i.src0) << 22 | _file(i.src1) << 19
            if i.op is Op.MAD:
                word |= _file(i.src2) << 16
            word |= i.aam << 15 | _index(i.dst) << 8 | _index(i.src0) << 4
            return word | _shared_index(i)
    return word


def _operand(word: int, file_at: int, index_at: int) -> Operand:
    return Operand(File(word >> file_at & 7), word >> index_at & 15)


def decode(word: int) -> Instruction:
    """The instruction of a word; FormatError for what no encoder makes."""
    if not 0 <= word < 1 << 32:
        raise FormatError(f"{word:#x} is not a 32-bit word")
    try:
        op = Op(word >> 28)
    except ValueError:
        raise FormatError(f"word {word:08x}: operation {word >> 28} is reserved") from None
    if op in MOVES:
        instruction = Instruction(
            op, _operand(word, 25, 8), _operand(word, 22, 4), relu=bool(word >> 12 & 1)
        )
    elif op in ARITHMETIC:
        src2 = _operand(word, 16, 0) if op is Op.MAD else None
        instruction = Instruction(
            op, _operand(word, 25, 8), _operand(word, 22, 4), _operand(word, 19, 0), src2,
            aam=bool(word >> 15 & 1),
        )  # fmt: skip
    elif op is Op.JUMP:
        instruction = Instruction(op, count=word >> 11 & _TIMES_LIMIT - 1, offset=1 - (word & 2047))
    elif op is Op.NOP:
        instruction = Instruction(op, count=word & 2047)
    else:
        instruction = Instruction(op)
    stray = word ^ encode(instruction)
    if stray:
        raise FormatError(f"word {word:08x}: bits {stray:08x} mean nothing in {op.name}")
    return instruction
