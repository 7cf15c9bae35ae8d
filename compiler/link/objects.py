"""Reads LLVM's relocatable objects: sections, symbols and relocations become `ObjectCode`.

Every function has a section of its own (`.text.<name>`), so code is taken apart without looking
at instructions. The tables are read with `struct` alone (gABI, chapter 4): an ELF library would
take longer to import than the compiler takes for a small program.
"""

from __future__ import annotations

import struct

from attrs import frozen

from hcc.compiler.link.frames import return_slots
from hcc.compiler.link.stackmaps import read_records
from hcc.compiler.link.unit import TEXT_PREFIX, ObjectCode, ObjectReloc, Piece, Place, RawSection

_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_RELA = struct.Struct("<QIIq")

_SHT_SYMTAB, _SHT_RELA, _SHT_NOBITS = 2, 4, 8
_SHF_ALLOC, _SHF_EXECINSTR = 2, 4
_NOT_LOADED = (".eh_frame", ".llvm_stackmaps", ".note", ".riscv.attributes", ".comment", ".debug")


@frozen
class _Header:
    """A section header and its content."""

    name: str
    type: int
    flags: int
    link: int
    info: int
    align: int
    content: bytes


def read_sections(content: bytes) -> dict[str, RawSection]:
    """The sections of an object by name; relocation targets are symbols or section offsets."""
    headers = _headers(content)
    places = _places(headers)
    relocs: dict[int, tuple[ObjectReloc, ...]] = {}
    for header in headers:
        if header.type == _SHT_RELA:
            relocs[header.info] = tuple(
                ObjectReloc(offset, type_, places[symbol], addend)
                for offset, type_, symbol, addend in _RELA.iter_unpack(header.content)
            )
    return {
        h.name: RawSection(h.name, h.content, h.align, h.flags, relocs.get(i, ()))
        for i, h in enumerate(headers)
        if h.flags & _SHF_ALLOC
    }


def _headers(content: bytes) -> list[_Header]:
    (table,) = struct.unpack_from("<Q", content, 40)
    count, names_index = struct.unpack_from("<HH", content, 60)
    rows = list(_SECTION.iter_unpack(content[table : table + count * _SECTION.size]))
    bodies = [content[r[4] : r[4] + r[5]] if r[1] != _SHT_NOBITS else bytes(r[5]) for r in rows]
    names = bodies[names_index]
    return [
        _Header(_string(names, row[0]), row[1], row[2], row[6], row[7], row[8], body)
        for row, body in zip(rows, bodies, strict=True)
    ]


def _string(table: bytes, at: int) -> str:
    return table[at : table.index(b"\0", at)].decode()


def _places(headers: list[_Header]) -> list[Place]:
    """What each entry of the symbol table stands for."""
    table = next(h for h in headers if h.type == _SHT_SYMTAB)
    strings = headers[table.link].content
    places = []
    for name, info, _, index, value, _ in _SYMBOL.iter_unpack(table.content):
        local = info >> 4 == 0
        if local and 0 < index < 0xFF00:
            places.append(Place(section=headers[index].name, offset=value))
        else:
            places.append(Place(symbol=_string(strings, name)))
    return places


def read_object(content: bytes, arch: str) -> ObjectCode:
    """The functions, private constants and stack-map records of an object."""
    sections = read_sections(content)
    functions, local = {}, {}
    for section in sections.values():
        if section.name.startswith(_NOT_LOADED):
            continue
        piece = Piece(section.name, section.content, section.align, section.relocs)
        if section.flags & _SHF_EXECINSTR:
            if section.name.startswith(TEXT_PREFIX):
                functions[section.name.removeprefix(TEXT_PREFIX)] = piece
        elif section.content:
            local[section.name] = piece
    slots = return_slots(sections.get(".eh_frame"), arch)
    records = read_records(sections.get(".llvm_stackmaps"), slots, arch)
    return ObjectCode(functions, local, records)
