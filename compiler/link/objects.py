"""Reads LLVM's relocatable objects: sections, symbols and relocations become `ObjectCode`.

Every function has a section of its own (`.text.<name>`), so code is taken apart without looking
at instructions. pyelftools finds the sections; symbol and relocation tables, which are long and
regular, are read in one go with numpy.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from elftools.elf.elffile import ELFFile

from hcc.compiler.link.frames import return_slots
from hcc.compiler.link.stackmaps import read_records
from hcc.compiler.link.unit import TEXT_PREFIX, ObjectCode, ObjectReloc, Piece, Place, RawSection

_SYMBOL = np.dtype(
    [("name", "<u4"), ("info", "u1"), ("other", "u1"), ("shndx", "<u2"), ("value", "<u8"),
     ("size", "<u8")]
)  # fmt: skip
_RELA = np.dtype([("offset", "<u8"), ("type", "<u4"), ("symbol", "<u4"), ("addend", "<i8")])

_SHF_ALLOC, _SHF_EXECINSTR = 2, 4
_NOT_LOADED = (".eh_frame", ".llvm_stackmaps", ".note", ".riscv.attributes", ".comment", ".debug")


def read_sections(content: bytes) -> dict[str, RawSection]:
    """The sections of an object by name; relocation targets are symbols or section offsets."""
    file = ELFFile(BytesIO(content))
    raw: list[Any] = list(file.iter_sections())
    places = _places(raw)
    relocs: dict[int, tuple[ObjectReloc, ...]] = {}
    for section in raw:
        if section["sh_type"] == "SHT_RELA":
            rows = np.frombuffer(section.data(), _RELA)
            columns = [rows[name].tolist() for name in ("offset", "type", "symbol", "addend")]
            relocs[section["sh_info"]] = tuple(
                ObjectReloc(offset, type_, places[symbol], addend)
                for offset, type_, symbol, addend in zip(*columns, strict=True)
            )
    return {
        s.name: RawSection(s.name, s.data(), s["sh_addralign"], s["sh_flags"], relocs.get(i, ()))
        for i, s in enumerate(raw)
        if s["sh_type"] in ("SHT_PROGBITS", "SHT_X86_64_UNWIND", "SHT_NOBITS")
        or s.name == ".eh_frame"
    }


def _places(raw: list[Any]) -> list[Place]:
    """What each entry of the symbol table stands for."""
    table = next(s for s in raw if s["sh_type"] == "SHT_SYMTAB")
    strings = raw[table["sh_link"]].data()
    places = []
    for row in np.frombuffer(table.data(), _SYMBOL).tolist():
        name_at, info, _, index, value, _ = row
        name = strings[name_at : strings.index(b"\0", name_at)].decode()
        local = info >> 4 == 0
        if local and 0 < index < 0xFF00:
            places.append(Place(section=raw[index].name, offset=value))
        else:
            places.append(Place(symbol=name))
    return places


def read_object(content: bytes, arch: str) -> ObjectCode:
    """The functions, private constants and stack-map records of an object."""
    sections = read_sections(content)
    functions, local = {}, {}
    for section in sections.values():
        if not section.flags & _SHF_ALLOC or section.name.startswith(_NOT_LOADED):
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
