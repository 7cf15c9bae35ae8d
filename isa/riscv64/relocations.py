"""Static relocations of RISC-V (psABI): what LLVM without relaxation leaves in objects.

The odd one is the PC-relative pair: `R_RISCV_PCREL_LO12_*` names the label of its `auipc`, and the
distance is that of the `R_RISCV_PCREL_HI20` found there. High parts are rounded so that the
sign-extended low 12 bits complete them; hence ranges are 2 KiB off the round number.
Refused by name: GOT, PLT and thread-local ones, and R_RISCV_ALIGN, which only relaxation needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hcc.isa.errors import HccError, UnsupportedError
from hcc.isa.relocation import Relocation

NAMES: Mapping[int, str] = {
    number: f"R_RISCV_{name}"
    for number, name in {
        0: "NONE", 1: "32", 2: "64", 3: "RELATIVE", 4: "COPY", 5: "JUMP_SLOT",
        6: "TLS_DTPMOD32", 7: "TLS_DTPMOD64", 8: "TLS_DTPREL32", 9: "TLS_DTPREL64",
        10: "TLS_TPREL32", 11: "TLS_TPREL64", 12: "TLSDESC",
        16: "BRANCH", 17: "JAL", 18: "CALL", 19: "CALL_PLT", 20: "GOT_HI20",
        21: "TLS_GOT_HI20", 22: "TLS_GD_HI20", 23: "PCREL_HI20", 24: "PCREL_LO12_I",
        25: "PCREL_LO12_S", 26: "HI20", 27: "LO12_I", 28: "LO12_S",
        29: "TPREL_HI20", 30: "TPREL_LO12_I", 31: "TPREL_LO12_S", 32: "TPREL_ADD",
        33: "ADD8", 34: "ADD16", 35: "ADD32", 36: "ADD64",
        37: "SUB8", 38: "SUB16", 39: "SUB32", 40: "SUB64", 41: "GOT32_PCREL",
        43: "ALIGN", 44: "RVC_BRANCH", 45: "RVC_JUMP", 51: "RELAX",
        52: "SUB6", 53: "SET6", 54: "SET8", 55: "SET16", 56: "SET32", 57: "32_PCREL",
        58: "IRELATIVE", 59: "PLT32", 60: "SET_ULEB128", 61: "SUB_ULEB128",
        62: "TLSDESC_HI20", 63: "TLSDESC_LOAD_LO12", 64: "TLSDESC_ADD_LO12", 65: "TLSDESC_CALL",
    }.items()
}  # fmt: skip

_HIGH_LOW = (-(1 << 31) - 0x800, (1 << 31) - 0x800)


class _Place:
    """The bytes at one relocation, and what its messages say."""

    def __init__(self, content: bytearray, base: int, relocation: Relocation) -> None:
        self.content = content
        self.relocation = relocation
        self.offset = relocation.offset
        self.addr = base + relocation.offset

    def get(self, size: int, offset: int = 0) -> int:
        start = self.offset + offset
        if not 0 <= start <= start + size <= len(self.content):
            raise HccError(f"{self}: outside its section of {len(self.content)} bytes")
        return int.from_bytes(self.content[start : start + size], "little")

    def put(self, size: int, value: int, offset: int = 0) -> None:
        start = self.offset + offset
        value &= (1 << 8 * size) - 1
        self.content[start : start + size] = value.to_bytes(size, "little")

    def fields(self, size: int, mask: int, value: int, offset: int = 0) -> None:
        """Replace the bits of `mask` in an instruction."""
        self.put(size, self.get(size, offset) & ~mask | value & mask, offset)

    def within(self, value: int, low: int, high: int, what: str = "bytes away") -> int:
        if not low <= value < high:
            limit = high if value >= high else low
            raise HccError(f"{self} out of range: target is {value} {what}, limit {limit}")
        return value

    def even(self, distance: int) -> int:
        if distance % 2:
            raise HccError(f"{self} misaligned: target is {distance} bytes away, an odd number")
        return distance

    def __str__(self) -> str:
        name = NAMES.get(self.relocation.type, f"type {self.relocation.type}")
        return f"relocation {name} at {self.addr:#x} to {self.relocation.symbol or 'a section'}"


# ---- immediate fields of the instruction formats (unprivileged ISA 2.3, 16.2) ----

_U = 0xFFFFF000
_I = 0xFFF00000
_S = 0xFE000F80
_B = 0xFE000F80
_J = 0xFFFFF000
_CB = 0x1C7C
_CJ = 0x1FFC


def _bits(value: int, *parts: tuple[int, int, int]) -> int:
    """The sum of fields `(high, low, at)`: bits high..low of the value, placed at bit `at`."""
    return sum(((value >> low) & ((1 << (high - low + 1)) - 1)) << at for high, low, at in parts)


def _high(value: int) -> int:
    return (value + 0x800) & _U


def _i(value: int) -> int:
    return (value & 0xFFF) << 20


def _s(value: int) -> int:
    return _bits(value, (11, 5, 25), (4, 0, 7))


def _b(value: int) -> int:
    return _bits(value, (12, 12, 31), (10, 5, 25), (4, 1, 8), (11, 11, 7))


def _j(value: int) -> int:
    return _bits(value, (20, 20, 31), (10, 1, 21), (11, 11, 20), (19, 12, 12))


def _cb(value: int) -> int:
    return _bits(value, (8, 8, 12), (4, 3, 10), (7, 6, 5), (2, 1, 3), (5, 5, 2))


def _cj(value: int) -> int:
    parts = (11, 11, 12), (4, 4, 11), (9, 8, 9), (10, 10, 8), (6, 6, 7), (7, 7, 6), (3, 1, 3)
    return _bits(value, *parts, (5, 5, 2))


# ---- what each relocation does; `value` is S + A ----

Apply = Callable[[_Place, int], None]


def _word(size: int) -> Apply:
    def apply(place: _Place, value: int) -> None:
        place.get(size)
        if size == 4:
            place.within(value, -(1 << 31), 1 << 32, "(the address)")
        place.put(size, value)

    return apply


def _pc32(place: _Place, value: int) -> None:
    place.get(4)
    place.put(4, place.within(value - place.addr, -(1 << 31), 1 << 31))


def _jump(size: int, mask: int, reach: int, encode: Callable[[int], int]) -> Apply:
    def apply(place: _Place, value: int) -> None:
        distance = place.even(place.within(value - place.addr, -reach, reach))
        place.fields(size, mask, encode(distance))

    return apply


def _call(place: _Place, value: int) -> None:
    """`auipc` and `jalr`, eight bytes."""
    distance = place.even(place.within(value - place.addr, *_HIGH_LOW))
    place.fields(4, _U, _high(distance))
    place.fields(4, _I, _i(distance), offset=4)


def _pcrel_high(place: _Place, value: int) -> None:
    place.fields(4, _U, _high(place.within(value - place.addr, *_HIGH_LOW)))


def _absolute_high(place: _Place, value: int) -> None:
    place.fields(4, _U, _high(place.within(value, *_HIGH_LOW, "(the address)")))


def _add(size: int, sign: int) -> Apply:
    return lambda place, value: place.put(size, place.get(size) + sign * value)


def _set(size: int) -> Apply:
    def apply(place: _Place, value: int) -> None:
        place.get(size)
        place.put(size, value)

    return apply


def _six(sign: int) -> Apply:
    """The low six bits of a byte: set, or decreased (DW_CFA_advance_loc)."""

    def apply(place: _Place, value: int) -> None:
        old = place.get(1)
        place.put(1, old & 0xC0 | (value if sign > 0 else old - value) & 0x3F)

    return apply


def _uleb128(sign: int) -> Apply:
    """A ULEB128 number that keeps its length: set, or decreased."""

    def apply(place: _Place, value: int) -> None:
        old, length = 0, 0
        while True:
            byte = place.get(1, length)
            old |= (byte & 0x7F) << 7 * length
            length += 1
            if not byte & 0x80:
                break
        new = value if sign > 0 else old - value
        for i in range(length):
            more = 0x80 if i + 1 < length else 0
            place.put(1, new >> 7 * i & 0x7F | more, i)

    return apply


_APPLY: dict[str, Apply] = {
    "NONE": lambda place, value: None,
    "RELAX": lambda place, value: None,  # a permission, and we relax nothing
    "32": _word(4),
    "64": _word(8),
    "32_PCREL": _pc32,
    "PLT32": _pc32,
    "BRANCH": _jump(4, _B, 1 << 12, _b),
    "JAL": _jump(4, _J, 1 << 20, _j),
    "RVC_BRANCH": _jump(2, _CB, 1 << 8, _cb),
    "RVC_JUMP": _jump(2, _CJ, 1 << 11, _cj),
    "CALL": _call,
    "CALL_PLT": _call,
    "PCREL_HI20": _pcrel_high,
    "HI20": _absolute_high,
    "LO12_I": lambda place, value: place.fields(4, _I, _i(value)),
    "LO12_S": lambda place, value: place.fields(4, _S, _s(value)),
    **{f"ADD{8 * size}": _add(size, 1) for size in (1, 2, 4, 8)},
    **{f"SUB{8 * size}": _add(size, -1) for size in (1, 2, 4, 8)},
    **{f"SET{8 * size}": _set(size) for size in (1, 2, 4)},
    "SET6": _six(1),
    "SUB6": _six(-1),
    "SET_ULEB128": _uleb128(1),
    "SUB_ULEB128": _uleb128(-1),
}
_BY_TYPE = {number: _APPLY.get(name.removeprefix("R_RISCV_")) for number, name in NAMES.items()}
_PCREL_HI20, _PCREL_LO12_I, _PCREL_LO12_S = 23, 24, 25


def relocate(content: bytearray, base: int, relocations: Sequence[Relocation]) -> None:
    """Apply the relocations of a section that will lie at address `base` to its content."""
    highs = {r.offset: r for r in relocations if r.type == _PCREL_HI20}
    for relocation in relocations:
        place = _Place(content, base, relocation)
        value = relocation.value + relocation.addend
        if relocation.type in (_PCREL_LO12_I, _PCREL_LO12_S):
            high = highs.get(relocation.value - base)
            if high is None:
                raise HccError(f"{place}: no R_RISCV_PCREL_HI20 at {relocation.value:#x}")
            distance = high.value + high.addend - (base + high.offset)
            if relocation.type == _PCREL_LO12_I:
                place.fields(4, _I, _i(distance))
            else:
                place.fields(4, _S, _s(distance))
            continue
        apply = _BY_TYPE.get(relocation.type)
        if apply is None:
            raise UnsupportedError(f"{place} is not supported")
        apply(place, value)
