"""Where each function keeps its caller's return address, from `.eh_frame`.

Stack maps give a frame's size but not where the return address is saved. On x86-64 the call
instruction pushed it above the frame; on AArch64 and RISC-V the prologue stores the link
register, and the call-frame information says where, relative to the CFA (DWARF 5, 6.4). Only
the few instructions that LLVM emits are understood; others are refused.
"""

from __future__ import annotations

from attrs import define

from hcc.compiler.link.unit import TEXT_PREFIX, ObjectReloc, RawSection
from hcc.isa.errors import UnsupportedError

# DWARF number of the register that holds the return address in a callee.
_LINK_REGISTER = {"aarch64": 30, "riscv64": 1}


@define
class _Bytes:
    """A cursor over call-frame bytes."""

    content: bytes
    at: int = 0

    def byte(self) -> int:
        self.at += 1
        return self.content[self.at - 1]

    def uint(self, size: int) -> int:
        self.at += size
        return int.from_bytes(self.content[self.at - size : self.at], "little")

    def uleb(self) -> int:
        result = shift = 0
        while True:
            byte = self.byte()
            result |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return result

    def skip_block(self) -> None:
        """Pass over a length and as many bytes."""
        length = self.uleb()
        self.at += length

    def sleb(self) -> int:
        start = self.at
        result = self.uleb()
        bits = 7 * (self.at - start)
        return result - (1 << bits) if result >> (bits - 1) else result


def return_slots(section: RawSection | None, arch: str) -> dict[tuple[str, int], int]:
    """For each function (by section and offset in it) the return address's offset from the CFA.

    A section holds one function and the copies of it that LLVM specialised.

    Functions that keep it in the link register, which make no calls, are left out. On x86-64 the
    offset is -8 for all and the result empty.
    """
    if arch not in _LINK_REGISTER or section is None:
        return {}
    starts: dict[int, ObjectReloc] = {}
    for reloc in section.relocs:
        starts.setdefault(reloc.offset, reloc)
    link = _LINK_REGISTER[arch]
    data = _Bytes(section.content)
    cies: dict[int, int] = {}  # offset of a CIE: its data alignment factor
    result: dict[tuple[str, int], int] = {}
    while data.at + 4 <= len(section.content):
        entry = data.at
        length = data.uint(4)
        if length == 0:
            break
        end = data.at + length
        pointer_at = data.at
        pointer = data.uint(4)
        if pointer == 0:
            cies[entry] = _read_cie(data)
        else:
            factor = cies[pointer_at - pointer]
            place = starts[data.at].place
            addend = starts[data.at].addend
            data.at += 8  # pc_begin and pc_range, both 32-bit
            data.skip_block()  # augmentation data
            offset = _saved_register(data, end, link, factor)
            if offset is not None:
                result[place.section or TEXT_PREFIX + place.symbol, place.offset + addend] = offset
        data.at = end
    return result


def _read_cie(data: _Bytes) -> int:
    version = data.byte()
    end = data.content.index(b"\0", data.at)
    augmentation = data.content[data.at : end]
    data.at = end + 1
    data.uleb()  # code alignment
    factor = data.sleb()
    if version != 1 or augmentation != b"zR":
        raise UnsupportedError(f".eh_frame with CIE version {version}, '{augmentation!r}'")
    return factor


def _saved_register(data: _Bytes, end: int, register: int, factor: int) -> int | None:
    """The CFA-relative offset at which the call-frame instructions save a register."""
    saved = None
    while data.at < end:
        opcode = data.byte()
        high, low = opcode & 0xC0, opcode & 0x3F
        if high == 0x40:  # advance_loc
            continue
        if high == 0x80:  # offset
            offset = data.uleb() * factor
            if low == register:
                saved = offset
            continue
        if high == 0xC0:  # restore
            continue
        match opcode:
            case 0x00 | 0x0A | 0x0B | 0x2D:  # nop, remember, restore state, negate_ra_state
                pass
            case 0x02:  # advance_loc1
                data.at += 1
            case 0x03:  # advance_loc2
                data.at += 2
            case 0x04:  # advance_loc4
                data.at += 4
            case 0x05:  # offset_extended
                number, offset = data.uleb(), data.uleb() * factor
                if number == register:
                    saved = offset
            case 0x06 | 0x07 | 0x08 | 0x0D | 0x0E:  # one ULEB operand
                data.uleb()
            case 0x0C:  # def_cfa
                data.uleb()
                data.uleb()
            case 0x10 | 0x16:  # expression, val_expression: vector registers' slots
                data.uleb()
                data.skip_block()
            case _:
                raise UnsupportedError(f"call-frame instruction {opcode:#x}")
    return saved
