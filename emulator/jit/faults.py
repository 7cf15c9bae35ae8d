"""From a fault of compiled code to the fault of the guest.

The host tells the address of the instruction and, to the page, the address it could not reach.
Which guest instruction that was is in the object's line table: lines are guest addresses, columns
sizes and directions of accesses. It is decoded when a fault happens, which is once.

If an access crosses a page, the host names the start of the second page; where the access began
follows from the operand of the host instruction and the registers it used (Intel SDM vol. 2, 2.1,
2.3 and 2.7: ModRM, SIB, VEX and EVEX prefixes).
"""

from __future__ import annotations

import io
from bisect import bisect_right

from attrs import frozen


@frozen
class Access:
    """A guest instruction's access to memory."""

    pc: int
    size: int
    writes: bool


def access_of_column(pc: int, column: int) -> Access:
    return Access(pc, column >> 1, bool(column & 1))


def access_at(content: bytes, offset: int) -> Access | None:
    """The access that the host instruction at an offset of an object's code makes.

    Where LLVM has merged two accesses into one, the place names neither: then the one before it.
    """
    rows = _rows(content)
    found = bisect_right(rows, (offset, 1 << 64, 0)) - 1
    for _, line, column in (*reversed(rows[: found + 1]), *rows[found + 1 :]):
        if line and column >> 1:
            return access_of_column(line, column)
    return None


def position_at(content: bytes, offset: int) -> tuple[int, int]:
    """Line and column of a place in an object's code; zeros where it has none."""
    rows = _rows(content)
    found = bisect_right(rows, (offset, 1 << 64, 0)) - 1
    return rows[found][1:] if found >= 0 else (0, 0)


def _rows(content: bytes) -> list[tuple[int, int, int]]:
    """The line table of an object: address, line, column, by address."""
    from elftools.elf.elffile import ELFFile  # wanted rarely, and slow to import

    dwarf = ELFFile(io.BytesIO(content)).get_dwarf_info()
    places: dict[int, tuple[int, int]] = {}  # of several rows for one address the last counts
    for unit in dwarf.iter_CUs():
        program = dwarf.line_program_for_CU(unit)
        if program is None:
            continue
        for entry in program.get_entries():
            state = entry.state
            if state is not None:
                line = 0 if state.end_sequence else state.line
                places[state.address] = line, state.column
    return sorted((address, *place) for address, place in places.items())


# Places of rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 ... r15 in the registers of a signal frame.
_FRAME_ORDER = (13, 14, 12, 11, 15, 10, 9, 8, *range(8))


def by_number(frame: list[int]) -> tuple[int, ...]:
    """The registers of a signal frame in the order of their numbers."""
    return tuple(frame[i] for i in _FRAME_ORDER)


_REX, _VEX3, _VEX2, _EVEX = range(0x40, 0x50), 0xC4, 0xC5, 0x62
_LEGACY = frozenset((0x66, 0xF2, 0xF3, 0x2E, 0x36, 0x3E, 0x26, 0x64, 0x65))


def operand_address(code: bytes, registers: tuple[int, ...], size: int) -> int | None:
    """The address of the memory operand of the x86-64 instruction at the start of `code`.

    `registers` are in the order of `by_number`; `size` is that of the access,
    which scales an EVEX displacement. None for an instruction without ModRM operand.
    """
    at, extend_x, extend_b, scale = 0, 0, 0, 1
    while code[at] in _LEGACY:
        at += 1
    first = code[at]
    if first == _VEX2:
        at += 3
    elif first == _VEX3:
        extend_x, extend_b = _inverted(code[at + 1])
        at += 4
    elif first == _EVEX:
        extend_x, extend_b = _inverted(code[at + 1])
        scale = size
        at += 5
    else:
        if first in _REX:
            extend_x, extend_b = (first & 2) << 2, (first & 1) << 3
            at += 1
        if code[at] == 0x0F:
            at += 2 if code[at + 1] in (0x38, 0x3A) else 1
        at += 1
    modrm = code[at]
    mode, low = modrm >> 6, modrm & 7
    if mode == 3:
        return None
    at += 1
    total = 0
    if low == 4:
        sib = code[at]
        at += 1
        index = sib >> 3 & 7 | extend_x
        if index != 4:
            total += registers[index] << (sib >> 6)
        low = sib & 7
        if low == 5 and mode == 0:
            return (total + _signed(code[at : at + 4])) & _MASK
        total += registers[low | extend_b]
    elif low == 5 and mode == 0:
        return None
    else:
        total += registers[low | extend_b]
    if mode == 1:
        total += _signed(code[at : at + 1]) * scale
    elif mode == 2:
        total += _signed(code[at : at + 4])
    return total & _MASK


_MASK = (1 << 64) - 1


def _inverted(byte: int) -> tuple[int, int]:
    """The bits X and B of a VEX or EVEX prefix, which are stored inverted."""
    return (~byte >> 6 & 1) << 3, (~byte >> 5 & 1) << 3


def _signed(content: bytes) -> int:
    return int.from_bytes(content, "little", signed=True)
