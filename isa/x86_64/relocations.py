"""Static relocations of x86-64 (psABI 1.0, 4.4).

Code compiled without PIC for the small code model has absolute 32-bit addresses (R_X86_64_32 for
zero-extended ones, R_X86_64_32S for displacements), PC-relative ones (PC32, and PLT32 for calls,
which is the same in a static link) and 64-bit words in data. Those that want a GOT or a
thread-local segment are refused by name: hcc makes neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from hcc.isa.errors import HccError, UnsupportedError
from hcc.isa.relocation import Relocation

NAMES: Mapping[int, str] = {
    0: "R_X86_64_NONE",
    1: "R_X86_64_64",
    2: "R_X86_64_PC32",
    3: "R_X86_64_GOT32",
    4: "R_X86_64_PLT32",
    5: "R_X86_64_COPY",
    6: "R_X86_64_GLOB_DAT",
    7: "R_X86_64_JUMP_SLOT",
    8: "R_X86_64_RELATIVE",
    9: "R_X86_64_GOTPCREL",
    10: "R_X86_64_32",
    11: "R_X86_64_32S",
    12: "R_X86_64_16",
    13: "R_X86_64_PC16",
    14: "R_X86_64_8",
    15: "R_X86_64_PC8",
    16: "R_X86_64_DTPMOD64",
    17: "R_X86_64_DTPOFF64",
    18: "R_X86_64_TPOFF64",
    19: "R_X86_64_TLSGD",
    20: "R_X86_64_TLSLD",
    21: "R_X86_64_DTPOFF32",
    22: "R_X86_64_GOTTPOFF",
    23: "R_X86_64_TPOFF32",
    24: "R_X86_64_PC64",
    25: "R_X86_64_GOTOFF64",
    26: "R_X86_64_GOTPC32",
    32: "R_X86_64_SIZE32",
    33: "R_X86_64_SIZE64",
    37: "R_X86_64_IRELATIVE",
    41: "R_X86_64_GOTPCRELX",
    42: "R_X86_64_REX_GOTPCRELX",
}


@frozen
class _Field:
    """What a relocation writes: `size` bytes of S + A, or S + A - P if `relative`."""

    size: int
    relative: bool = False
    low: int | None = None  # least value allowed; None: the field takes any
    limit: int = 0  # first value not allowed


def _signed(size: int, relative: bool) -> _Field:
    return _Field(size, relative, -1 << (8 * size - 1), 1 << (8 * size - 1))


_FIELDS = {
    "R_X86_64_64": _Field(8),
    "R_X86_64_PC64": _Field(8, relative=True),
    "R_X86_64_32": _Field(4, low=0, limit=1 << 32),
    "R_X86_64_32S": _signed(4, relative=False),
    "R_X86_64_PC32": _signed(4, relative=True),
    "R_X86_64_PLT32": _signed(4, relative=True),
    # The psABI lets 16- and 8-bit words hold a number of either sign.
    "R_X86_64_16": _Field(2, low=-1 << 15, limit=1 << 16),
    "R_X86_64_PC16": _signed(2, relative=True),
    "R_X86_64_8": _Field(1, low=-1 << 7, limit=1 << 8),
    "R_X86_64_PC8": _signed(1, relative=True),
}


def relocate(content: bytearray, base: int, relocations: Sequence[Relocation]) -> None:
    """Patch `content`, which will lie at address `base`, in place.

    Raises HccError where a value does not fit its field, UnsupportedError for a type that static
    code without PIC does not have.
    """
    for relocation in relocations:
        name = NAMES.get(relocation.type, f"type {relocation.type}")
        if name == "R_X86_64_NONE":
            continue
        place = f"relocation {name} against '{relocation.symbol}' at {relocation.offset:#x}"
        field = _FIELDS.get(name)
        if field is None:
            raise UnsupportedError(f"{place}: not one of a static link without PIC")
        end = relocation.offset + field.size
        if relocation.offset < 0 or end > len(content):
            raise HccError(f"{place}: outside the section's {len(content)} bytes")
        value = relocation.value + relocation.addend
        if field.relative:
            value -= base + relocation.offset
        if field.low is not None and not field.low <= value < field.limit:
            what = f"target is {value} bytes away" if field.relative else f"value is {value:#x}"
            raise HccError(
                f"{place} out of range: {what}, limits {field.low:#x} and {field.limit - 1:#x}"
            )
        bits = 8 * field.size
        content[relocation.offset : end] = (value & ((1 << bits) - 1)).to_bytes(
            field.size, "little"
        )
