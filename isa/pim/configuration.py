"""The JSON messages by which a PIMSys memory is programmed.

A message is `{"bank_mode": …, "kernel": …}`; either may be null. Instructions and operands are
externally tagged, as serde writes them: `"EXIT"`, `{"JUMP":{"offset":-1,"count":7}}`,
`{"GrfA":{"index":0}}`. A kernel is always 32 instructions, NOPs behind the program.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from attrs import frozen

from hcc.isa.errors import FormatError

from .instructions import CRF_LENGTH, EXIT, NOP, File, Instruction, Op, Operand

WINDOW_SIZE = 16 * 1024  # the configuration window, at the start of the PIM range
WINDOW_ADDR = 0xC000_0000
DATA_ADDR = WINDOW_ADDR + WINDOW_SIZE

_FILES = {"GrfA": File.GRF_A, "GrfB": File.GRF_B, "SrfM": File.SRF_M, "SrfA": File.SRF_A}
_TAGS = {file: tag for tag, file in _FILES.items()}


class BankMode(Enum):
    """How the memory takes requests."""

    SINGLE_BANK = "SingleBank"
    ALL_BANK = "AllBank"
    PIM_ALL_BANK = "PimAllBank"


@frozen
class Configuration:
    """One message: what it changes."""

    bank_mode: BankMode | None = None
    kernel: tuple[Instruction, ...] | None = None


def _operand_json(operand: Operand | None) -> Any:
    if operand is None:
        raise FormatError("an operand is missing")
    if operand.file is File.EVEN_BANK:
        return "Bank"
    if operand.file not in _TAGS:
        raise FormatError(f"pimsys has no operand {operand.file.name}")
    return {_TAGS[operand.file]: {"index": operand.index}}


def instruction_json(i: Instruction) -> Any:
    """An instruction as PIMSys reads it; FormatError for what it cannot say."""
    if i.relu:
        raise FormatError(f"pimsys has no ReLU in {i.op.name}")
    match i.op:
        case Op.NOP if i.count:
            raise FormatError("pimsys has no NOP of several slots")
        case Op.NOP | Op.EXIT:
            return i.op.name
        case Op.JUMP:
            return {"JUMP": {"offset": i.offset, "count": i.count}}
        case Op.MOV | Op.FILL:
            return {i.op.name: {"src": _operand_json(i.src0), "dst": _operand_json(i.dst)}}
    fields = {"src0": _operand_json(i.src0), "src1": _operand_json(i.src1)}
    if i.op is Op.MAC:
        fields["src2"] = _operand_json(i.dst)
    elif i.op is Op.MAD:
        fields["src2"] = _operand_json(i.src2)
    return {i.op.name: {**fields, "dst": _operand_json(i.dst), "aam": i.aam}}


def message(mode: BankMode | None = None, kernel: Sequence[Instruction] | None = None) -> str:
    """The text of one message, as short as PIMSys's own writer makes it."""
    words: list[Any] | None = None
    if kernel is not None:
        if len(kernel) > CRF_LENGTH:
            raise FormatError(f"{len(kernel)} instructions; the command file holds {CRF_LENGTH}")
        words = [instruction_json(i) for i in kernel]
        words += [NOP.op.name] * (CRF_LENGTH - len(words))
    return json.dumps(
        {"bank_mode": mode.value if mode else None, "kernel": words}, separators=(",", ":")
    )


def _parse_operand(value: Any) -> Operand:
    if value == "Bank":
        return Operand(File.EVEN_BANK)
    if isinstance(value, dict) and len(value) == 1:
        ((tag, body),) = value.items()
        if tag in _FILES and isinstance(body, dict) and isinstance(body.get("index"), int):
            if not 0 <= body["index"] < 8:
                raise FormatError(f"{tag} has registers 0 to 7, not {body['index']}")
            return Operand(_FILES[tag], body["index"])
    raise FormatError(f"not an operand: {json.dumps(value)}")


def _integer(body: Mapping[str, Any], name: str, low: int, high: int) -> int:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise FormatError(f"'{name}' of a JUMP is not a number from {low} to {high}")
    return value


def instruction_from_json(value: Any) -> Instruction:
    """The instruction of one JSON value."""
    if value == "NOP":
        return NOP
    if value == "EXIT":
        return EXIT
    if not isinstance(value, dict) or len(value) != 1:
        raise FormatError(f"not an instruction: {json.dumps(value)}")
    ((name, body),) = value.items()
    if name not in Op.__members__ or not isinstance(body, dict):
        raise FormatError(f"not an instruction: {json.dumps(value)}")
    op = Op[name]
    if op is Op.JUMP:
        return Instruction(
            op,
            offset=_integer(body, "offset", -(1 << 15), (1 << 15) - 1),
            count=_integer(body, "count", 0, (1 << 16) - 1),
        )
    dst = _parse_operand(body.get("dst"))
    if op in (Op.MOV, Op.FILL):
        return Instruction(op, dst, _parse_operand(body.get("src")))
    src0, src1 = _parse_operand(body.get("src0")), _parse_operand(body.get("src1"))
    src2 = _parse_operand(body.get("src2")) if op in (Op.MAC, Op.MAD) else None
    aam = bool(body.get("aam"))
    if op is Op.MAC:
        if src2 != dst and not aam:
            raise FormatError("MAC accumulates into its destination: src2 must be dst")
        src2 = None
    return Instruction(op, dst, src0, src1, src2, aam=aam)


def parse_message(text: str) -> Configuration:
    """What a message says; FormatError for anything PIMSys would not take."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"PIM configuration is not JSON: {error}") from None
    if not isinstance(value, dict) or not {"bank_mode", "kernel"} >= value.keys():
        raise FormatError("PIM configuration is not an object of bank_mode and kernel")
    mode, kernel = value.get("bank_mode"), value.get("kernel")
    known = {m.value: m for m in BankMode}
    if mode is not None and (not isinstance(mode, str) or mode not in known):
        raise FormatError(f"no bank mode is called {json.dumps(mode)}")
    if kernel is not None and (not isinstance(kernel, list) or len(kernel) != CRF_LENGTH):
        raise FormatError(f"a PIM kernel is a list of {CRF_LENGTH} instructions")
    return Configuration(
        None if mode is None else known[mode],
        None if kernel is None else tuple(instruction_from_json(i) for i in kernel),
    )
