"""Static relocations of AArch64 (ELF for the Arm 64-bit Architecture, 5.7).

Each is a value (S + A, the same minus the place P, or the distance of their 4 KiB pages), a range
to check it against, a unit it must be a multiple of, and the field of the instruction or the data
that takes it. All of that is the table below. Those that want a GOT are refused by name: hcc links
statically, without PIC. For a thread-local symbol S is its offset from the thread pointer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

from attrs import frozen

from hcc.isa.errors import HccError, UnsupportedError
from hcc.isa.relocation import Relocation

NAMES: Mapping[int, str] = {
    number: f"R_AARCH64_{name}"
    for number, name in {
        0: "NONE",
        257: "ABS64", 258: "ABS32", 259: "ABS16", 260: "PREL64", 261: "PREL32", 262: "PREL16",
        263: "MOVW_UABS_G0", 264: "MOVW_UABS_G0_NC", 265: "MOVW_UABS_G1",
        266: "MOVW_UABS_G1_NC", 267: "MOVW_UABS_G2", 268: "MOVW_UABS_G2_NC",
        269: "MOVW_UABS_G3", 270: "MOVW_SABS_G0", 271: "MOVW_SABS_G1", 272: "MOVW_SABS_G2",
        273: "LD_PREL_LO19", 274: "ADR_PREL_LO21", 275: "ADR_PREL_PG_HI21",
        276: "ADR_PREL_PG_HI21_NC", 277: "ADD_ABS_LO12_NC", 278: "LDST8_ABS_LO12_NC",
        279: "TSTBR14", 280: "CONDBR19", 282: "JUMP26", 283: "CALL26",
        284: "LDST16_ABS_LO12_NC", 285: "LDST32_ABS_LO12_NC", 286: "LDST64_ABS_LO12_NC",
        299: "LDST128_ABS_LO12_NC", 309: "GOT_LD_PREL19", 311: "ADR_GOT_PAGE",
        312: "LD64_GOT_LO12_NC", 314: "PLT32",
        541: "TLSIE_ADR_GOTTPREL_PAGE21", 542: "TLSIE_LD64_GOTTPREL_LO12_NC",
        549: "TLSLE_ADD_TPREL_HI12", 550: "TLSLE_ADD_TPREL_LO12",
        551: "TLSLE_ADD_TPREL_LO12_NC", 552: "TLSLE_LDST8_TPREL_LO12",
        553: "TLSLE_LDST8_TPREL_LO12_NC", 554: "TLSLE_LDST16_TPREL_LO12",
        555: "TLSLE_LDST16_TPREL_LO12_NC", 556: "TLSLE_LDST32_TPREL_LO12",
        557: "TLSLE_LDST32_TPREL_LO12_NC", 558: "TLSLE_LDST64_TPREL_LO12",
        559: "TLSLE_LDST64_TPREL_LO12_NC",
        562: "TLSDESC_ADR_PAGE21", 563: "TLSDESC_LD64_LO12", 564: "TLSDESC_ADD_LO12",
        569: "TLSDESC_CALL",
    }.items()
}  # fmt: skip


class _From(Enum):
    """What S + A is counted from."""

    ZERO = "the address"
    PLACE = "bytes away"
    PAGE = "bytes away, in pages"


@frozen
class _Field:
    """Where a value goes: bits low .. low + width - 1 of it, at bit `at` of `size` bytes.

    `unit` must divide the value; `range_bits` is the width that must hold it (0: any value),
    read as signed, unsigned or, for data, either.
    """

    origin: _From
    size: int = 4
    low: int = 0
    width: int = 0
    at: int = 0
    unit: int = 1
    range_bits: int = 0
    signed: bool = True
    either: bool = False
    split: bool = False  # adr and adrp: the two lowest bits at 29, the others at 5


def _data(size: int, origin: _From) -> _Field:
    bits = 8 * size
    return _Field(origin, size, 0, bits, range_bits=bits if size < 8 else 0, either=True)


def _branch(width: int, at: int) -> _Field:
    return _Field(_From.PLACE, low=2, width=width, at=at, unit=4, range_bits=width + 2)


def _page(checked: bool) -> _Field:
    return _Field(_From.PAGE, low=12, width=21, split=True, range_bits=33 if checked else 0)


def _low12(scale: int, checked: bool = False) -> _Field:
    """The offset in the page, in units of the access, as the imm12 of an add, load or store."""
    return _Field(
        _From.ZERO, low=scale, width=12 - scale, at=10, unit=1 << scale,
        range_bits=12 if checked else 0, signed=False,
    )  # fmt: skip


def _move(group: int, checked: bool) -> _Field:
    """16 bits of an address as the imm16 of movz and movk."""
    low = 16 * group
    limit = low + 16 if checked and group < 3 else 0
    return _Field(_From.ZERO, low=low, width=16, at=5, range_bits=limit, signed=False)


_FIELDS: Mapping[str, _Field] = {
    "ABS64": _data(8, _From.ZERO),
    "ABS32": _data(4, _From.ZERO),
    "ABS16": _data(2, _From.ZERO),
    "PREL64": _data(8, _From.PLACE),
    "PREL32": _data(4, _From.PLACE),
    "PREL16": _data(2, _From.PLACE),
    "PLT32": _Field(_From.PLACE, width=32, range_bits=32),
    "LD_PREL_LO19": _branch(19, 5),
    "ADR_PREL_LO21": _Field(_From.PLACE, width=21, range_bits=21, split=True),
    "ADR_PREL_PG_HI21": _page(checked=True),
    "ADR_PREL_PG_HI21_NC": _page(checked=False),
    "ADD_ABS_LO12_NC": _low12(0),
    "LDST8_ABS_LO12_NC": _low12(0),
    "LDST16_ABS_LO12_NC": _low12(1),
    "LDST32_ABS_LO12_NC": _low12(2),
    "LDST64_ABS_LO12_NC": _low12(3),
    "LDST128_ABS_LO12_NC": _low12(4),
    "TSTBR14": _branch(14, 5),
    "CONDBR19": _branch(19, 5),
    "JUMP26": _branch(26, 0),
    "CALL26": _branch(26, 0),
    "TLSLE_ADD_TPREL_HI12": _Field(
        _From.ZERO, low=12, width=12, at=10, range_bits=24, signed=False
    ),
    "TLSLE_ADD_TPREL_LO12": _low12(0, checked=True),
    "TLSLE_ADD_TPREL_LO12_NC": _low12(0),
    **{f"MOVW_UABS_G{i}": _move(i, checked=True) for i in range(4)},
    **{f"MOVW_UABS_G{i}_NC": _move(i, checked=False) for i in range(3)},
    **{f"TLSLE_LDST{8 << i}_TPREL_LO12": _low12(i, checked=True) for i in range(4)},
    **{f"TLSLE_LDST{8 << i}_TPREL_LO12_NC": _low12(i) for i in range(4)},
}
_BY_TYPE = {
    number: _FIELDS[name.removeprefix("R_AARCH64_")]
    for number, name in NAMES.items()
    if name.removeprefix("R_AARCH64_") in _FIELDS
}
_PAGE_MASK = ~0xFFF


def relocate(content: bytearray, base: int, relocations: Sequence[Relocation]) -> None:
    """Apply the relocations of a section that will lie at address `base` to its content."""
    for relocation in relocations:
        if relocation.type == 0:
            continue
        name = NAMES.get(relocation.type, f"type {relocation.type}")
        symbol = relocation.symbol or "a section"
        where = f"relocation {name} at {base + relocation.offset:#x} to {symbol}"
        rule = _BY_TYPE.get(relocation.type)
        if rule is None:
            raise UnsupportedError(f"{where} is not supported")
        start, end = relocation.offset, relocation.offset + rule.size
        if not 0 <= start < end <= len(content):
            raise HccError(f"{where}: outside its section of {len(content)} bytes")
        value = _checked(rule, _value(rule, base, relocation), where)
        old = int.from_bytes(content[start:end], "little")
        content[start:end] = _patched(rule, old, value).to_bytes(rule.size, "little")


def _value(rule: _Field, base: int, relocation: Relocation) -> int:
    target, place = relocation.value + relocation.addend, base + relocation.offset
    match rule.origin:
        case _From.ZERO:
            return target
        case _From.PLACE:
            return target - place
        case _From.PAGE:
            return (target & _PAGE_MASK) - (place & _PAGE_MASK)


def _checked(rule: _Field, value: int, where: str) -> int:
    """`value`, if the field can take it."""
    shown = f"{value:#x}" if rule.origin is _From.ZERO else str(value)
    if value % rule.unit:
        raise HccError(
            f"{where} misaligned: target is {shown} ({rule.origin.value}), "
            f"not a multiple of {rule.unit}"
        )
    if rule.range_bits:
        low = -(1 << rule.range_bits - 1) if rule.signed else 0
        high = 1 << rule.range_bits - (1 if rule.signed and not rule.either else 0)
        if not low <= value < high:
            limit = high if value >= high else low
            raise HccError(
                f"{where} out of range: target is {shown} ({rule.origin.value}), limit {limit}"
            )
    return value


def _patched(rule: _Field, old: int, value: int) -> int:
    field = value >> rule.low & (1 << rule.width) - 1
    if rule.split:
        placed, mask = (field & 3) << 29 | (field >> 2) << 5, 3 << 29 | (1 << 19) - 1 << 5
    else:
        placed, mask = field << rule.at, (1 << rule.width) - 1 << rule.at
    return old & ~mask | placed
