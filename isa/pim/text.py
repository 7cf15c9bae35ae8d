"""Microkernels as assembly text, one instruction a line, in the manner of each dialect.

    samsung   MAC GRF_B[0], GRF_A[0], EVEN_BANK, auto      JUMP 7x [PC - 2]      NOP 8x
    pimsys    MAC(AAM) GRF_B, BANK, GRF_A                  JUMP -1, 7            NOP

The samsung text is what the vendor's simulator prints, the pimsys text that of the thesis. The
assembler takes either spelling of a register (`GRF_A[3]`, `GRF_A #3`, `GRF_A`), of
auto-indexing (`MAC(AAM) …`, `…, auto`) and of a jump in both dialects; `#`, `;` and `//` begin a
comment where no index follows. The index of a bank operand means nothing and is printed only
when asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from attrs import frozen

from hcc.isa.errors import FormatError

from .instructions import MOVES, Dialect, File, Instruction, Op, Operand, compute

_OPERAND = re.compile(r"([A-Z_]+)\s*(?:\[\s*([0-9]{1,9})\s*\]|#\s*([0-9]{1,9}))?")
_LINE = re.compile(r"([A-Z]+)\s*(\(\s*AAM\s*\))?\s*(.*)", re.DOTALL)
_JUMP_BACK = re.compile(r"([0-9]{1,9})\s*X\s*\[\s*PC\s*-\s*([0-9]{1,9})\s*\]")
_JUMP_OFFSET = re.compile(r"([+-]?[0-9]{1,9})\s*,\s*([0-9]{1,9})")
_NOP = re.compile(r"([0-9]{1,9})\s*X")
_COMMENT = re.compile(r";.*|//.*|#(?!\s*\d).*")
_SOURCES = {Op.ADD: 2, Op.MUL: 2, Op.MAC: 2, Op.MAD: 3, Op.MOV: 1, Op.FILL: 1}
_FLAGS = {"AUTO": "AAM", "AAM": "AAM", "RELU": "RELU"}


@frozen
class Line:
    """An instruction and where it stands in its file."""

    number: int
    instruction: Instruction


def _parse_operand(text: str) -> Operand:
    found = _OPERAND.fullmatch(text)
    if found is None:
        raise FormatError(f"expected an operand, found '{text}'")
    name, bracketed, hashed = found.groups()
    if name == "BANK":
        name = "EVEN_BANK"
    if name not in File.__members__:
        raise FormatError(f"no operand is called '{name}'; there are BANK, EVEN_BANK, ODD_BANK, "
                          "GRF_A, GRF_B, SRF_M and SRF_A")  # fmt: skip
    return Operand(File[name], int(bracketed or hashed or 0))


def _parse_jump(rest: str) -> Instruction:
    if found := _JUMP_BACK.fullmatch(rest):
        return Instruction(Op.JUMP, count=int(found[1]), offset=1 - int(found[2]))
    if found := _JUMP_OFFSET.fullmatch(rest):
        return Instruction(Op.JUMP, offset=int(found[1]), count=int(found[2]))
    raise FormatError("a jump is written 'JUMP 7x [PC - 2]' or 'JUMP -1, 7'")


def parse_instruction(text: str) -> Instruction:
    """The instruction of one line without its comment; FormatError says what is wrong."""
    found = _LINE.fullmatch(text.strip().upper())
    if found is None:
        raise FormatError(f"expected an instruction, found '{text.strip()}'")
    name, aam, rest = found[1], bool(found[2]), found[3].strip()
    if name not in Op.__members__:
        raise FormatError(f"no instruction is called '{name}'")
    op = Op[name]
    if op is Op.JUMP:
        return _parse_jump(rest)
    if op in (Op.NOP, Op.EXIT):
        times = _NOP.fullmatch(rest)
        if op is Op.NOP and times and int(times[1]) > 0:
            return Instruction(op, count=int(times[1]) - 1)
        if rest or aam:
            raise FormatError(f"{name} takes no operands, found '{rest or '(AAM)'}'")
        return Instruction(op)
    words = [word.strip() for word in rest.split(",")]
    flags = {"AAM"} if aam else set()
    while words and words[-1] in _FLAGS:
        flags.add(_FLAGS[words.pop()])
    operands = [_parse_operand(word) for word in words]
    if len(operands) == _SOURCES[op] + 2 and op is Op.MAC:
        if operands[3] != operands[0]:
            raise FormatError("MAC accumulates into its destination; its fourth operand, where "
                              "written, is the first again")  # fmt: skip
        operands.pop()
    if len(operands) != _SOURCES[op] + 1:
        raise FormatError(f"{name} takes {_SOURCES[op] + 1} operands, found {len(operands)}")
    return compute(op, *operands, aam="AAM" in flags, relu="RELU" in flags)


def parse(text: str, source: str = "<text>") -> list[Line]:
    """The instructions of a file of assembly; FormatError names file and line."""
    lines = []
    for number, raw in enumerate(text.splitlines(), 1):
        content = _COMMENT.sub("", raw).strip()
        if not content:
            continue
        try:
            lines.append(Line(number, parse_instruction(content)))
        except FormatError as error:
            raise FormatError(f"{source}:{number}: {error}") from None
    return lines


def parse_words(text: str, source: str = "<text>") -> list[tuple[int, int]]:
    """Line numbers and words of a file of one hexadecimal word a line."""
    words = []
    for number, raw in enumerate(text.splitlines(), 1):
        content = _COMMENT.sub("", raw).strip()
        if not content:
            continue
        for word in content.split():
            if not re.fullmatch(r"(0[xX])?[0-9a-fA-F]{1,8}", word):
                raise FormatError(f"{source}:{number}: expected a hexadecimal word, found '{word}'")
            words.append((number, int(word, 16)))
    return words


def looks_like_words(text: str) -> bool:
    """Whether a file holds hexadecimal words rather than assembly."""
    for raw in text.splitlines():
        content = _COMMENT.sub("", raw).strip()
        if content:
            return re.fullmatch(r"(0[xX])?[0-9a-fA-F]{8}(\s.*)?", content) is not None
    return False


def _samsung_operand(operand: Operand, bank_index: bool) -> str:
    if operand.is_bank and not (bank_index and operand.index):
        return operand.file.name
    return f"{operand.file.name}[{operand.index}]"


def _pimsys_operand(operand: Operand, aam: bool) -> str:
    match operand.file:
        case File.EVEN_BANK:
            return "BANK"
        case File.GRF_A | File.GRF_B if aam and operand.index == 0:
            return operand.file.name
        case File.ODD_BANK:
            return operand.file.name
        case _:
            return f"{operand.file.name} #{operand.index}"


def format_instruction(
    instruction: Instruction, dialect: Dialect = Dialect.SAMSUNG, *, bank_index: bool = False
) -> str:
    """One instruction as the dialect writes it."""
    i, name = instruction, instruction.op.name
    if dialect is Dialect.SAMSUNG:
        match i.op:
            case Op.NOP:
                return f"NOP {i.count + 1}x"
            case Op.JUMP:
                return f"JUMP {i.count}x [PC - {1 - i.offset}]"
            case Op.EXIT:
                return "EXIT"
        parts = [_samsung_operand(operand, bank_index) for operand in i.operands]
        parts += ["auto"] * i.aam + ["relu"] * i.relu
        return f"{name} {', '.join(parts)}"
    match i.op:
        case Op.NOP:
            return "NOP" if i.count == 0 else f"NOP {i.count + 1}x"
        case Op.JUMP:
            return f"JUMP {i.offset}, {i.count}"
        case Op.EXIT:
            return "EXIT"
    parts = [_pimsys_operand(operand, i.aam) for operand in i.operands] + ["relu"] * i.relu
    return f"{name}{'(AAM)' if i.aam and i.op not in MOVES else ''} {', '.join(parts)}"


def format_program(
    instructions: Iterable[Instruction], dialect: Dialect = Dialect.SAMSUNG, **style: bool
) -> str:
    """A program's text, one instruction a line."""
    return "".join(format_instruction(i, dialect, **style) + "\n" for i in instructions)
