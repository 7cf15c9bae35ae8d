"""Layout: every symbol at one address on all ISAs.

Functions get a slot as large as the largest of their versions, aligned to 16 bytes; what is left
over in a slot is filled with zeros, which no ISA executes. Private constants (constant pools,
jump tables) of each ISA lie in that ISA's own range. Data is laid out once.
"""

from __future__ import annotations

from attrs import define, field

from hcc.compiler.ir.module import Global
from hcc.compiler.link.unit import Piece
from hcc.isa import fatbinary
from hcc.isa.errors import HccError

FUNCTION_ALIGN = 16
# Objects of at least this size are aligned to it, so that vector code can rely on it.
VECTOR_ALIGN = 16


@define
class DataLayout:
    """Addresses of objects; `rodata` and `data` are the bytes, the rest of data is bss."""

    addrs: dict[str, int] = field(factory=dict)
    sections: dict[str, str] = field(factory=dict)
    rodata: bytearray = field(factory=bytearray)
    data: bytearray = field(factory=bytearray)
    bss_size: int = 0


def align_up(value: int, align: int) -> int:
    return (value + align - 1) // align * align


def lay_out_text(versions: dict[str, list[Piece]]) -> tuple[dict[str, int], int]:
    """Address of each function, and the size of the text; `versions` in the order wanted."""
    at = fatbinary.TEXT_BASE
    addrs = {}
    for name, pieces in versions.items():
        at = align_up(at, max(FUNCTION_ALIGN, *(p.align for p in pieces)))
        addrs[name] = at
        at += max(len(p.content) for p in pieces)
    if at > fatbinary.LOCAL_BASE:
        raise HccError(f"the program's code is too large: {at - fatbinary.TEXT_BASE} bytes")
    return addrs, at - fatbinary.TEXT_BASE


def lay_out_local(pieces: list[Piece], index: int) -> tuple[list[int], int, int]:
    """Addresses of one ISA's private constants; the range's start and size."""
    base = at = fatbinary.LOCAL_BASE + index * fatbinary.LOCAL_SPAN
    addrs = []
    for piece in pieces:
        at = align_up(at, max(piece.align, 1))
        addrs.append(at)
        at += len(piece.content)
    if at - base > fatbinary.LOCAL_SPAN:
        raise HccError(f"the private constants of one ISA are too large: {at - base} bytes")
    return addrs, base, at - base


def lay_out_data(objects: list[Global]) -> DataLayout:
    """Place read-only objects, then initialised ones, then those that are all zero."""
    layout = DataLayout()

    def place(section: str, base: int, content: bytearray, item: Global) -> None:
        align = max(item.align, VECTOR_ALIGN if item.size >= VECTOR_ALIGN else 1)
        content.extend(bytes(align_up(len(content), align) - len(content)))
        layout.addrs[item.name] = base + len(content)
        layout.sections[item.name] = section
        content.extend(item.init + bytes(max(item.size, 1) - len(item.init)))

    initialised = [g for g in objects if g.readonly or any(g.init) or g.relocs]
    for item in initialised:
        if item.readonly:
            place(".rodata", fatbinary.RODATA_BASE, layout.rodata, item)
        else:
            place(".data", fatbinary.DATA_BASE, layout.data, item)
    if len(layout.rodata) > fatbinary.DATA_STACK_BASE - fatbinary.RODATA_BASE - (1 << 24):
        raise HccError(f"the program's constants are too large: {len(layout.rodata)} bytes")
    start = at = fatbinary.DATA_BASE + len(layout.data)
    done = set(map(id, initialised))
    for item in objects:
        if id(item) not in done:
            at = align_up(at, max(item.align, VECTOR_ALIGN if item.size >= VECTOR_ALIGN else 1))
            layout.addrs[item.name] = at
            layout.sections[item.name] = ".bss"
            at += max(item.size, 1)
    layout.bss_size = at - start
    if at > fatbinary.STATIC_END:
        raise HccError(f"the program's static data is too large: {at - fatbinary.DATA_BASE} bytes")
    return layout
