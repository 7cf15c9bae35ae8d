"""The ELF container: a list of sections and segments, written and read.

Only what hcc's own files need: 64-bit little-endian, `ET_EXEC`, sections with names, program
headers derived from allocated sections. Layout follows the gABI (System V ABI, chapter 4):
header, program headers, section contents, section headers. Reading checks every offset against
the file, so that damaged files give a FormatError and nothing else.
"""

from __future__ import annotations

import struct
from itertools import pairwise

from attrs import field, frozen

from hcc.isa.errors import FormatError

SHT_PROGBITS, SHT_SYMTAB, SHT_STRTAB, SHT_NOBITS = 1, 2, 3, 8
SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR = 1, 2, 4
PT_LOAD, PT_GNU_STACK = 1, 0x6474E551
PF_X, PF_W, PF_R = 1, 2, 4
STT_OBJECT, STT_FUNC = 1, 2

PAGE = 4096

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_IDENT = b"\x7fELF\x02\x01\x01" + bytes(9)


@frozen
class Section:
    """A section. `size` counts for NOBITS ones, whose content is empty."""

    name: str
    content: bytes = field(repr=False)
    addr: int = 0
    flags: int = 0
    type: int = SHT_PROGBITS
    align: int = 1
    size: int = field(default=-1)
    link: int = 0
    info: int = 0
    entry_size: int = 0

    @property
    def memory_size(self) -> int:
        return self.size if self.size >= 0 else len(self.content)


@frozen
class Symbol:
    """A symbol-table entry; `type` is STT_FUNC or STT_OBJECT."""

    name: str
    addr: int
    size: int
    type: int
    section: str
    local: bool = False


@frozen
class ElfFile:
    """An executable as data."""

    machine: int
    flags: int
    entry: int
    sections: tuple[Section, ...]
    symbols: tuple[Symbol, ...] = ()

    def section(self, name: str) -> Section | None:
        return next((s for s in self.sections if s.name == name), None)


def write(elf: ElfFile) -> bytes:
    """The file's bytes; the same input gives the same bytes."""
    sections = [*elf.sections, *_symbol_sections(elf)]
    names = b"\0" + b"".join(s.name.encode() + b"\0" for s in sections) + b".shstrtab\0"
    sections.append(Section(".shstrtab", names, type=SHT_STRTAB))
    count = sum(bool(s.flags & SHF_ALLOC) for s in sections) - _joined(sections) + 1
    position = _HEADER.size + count * _SEGMENT.size
    offsets, chunks = [], []
    for section in sections:
        start = -(-position // section.align) * section.align
        if section.flags & SHF_ALLOC:
            # A segment's file offset and address agree modulo the page size.
            start = position + (section.addr - position) % PAGE
        if section.type != SHT_NOBITS:
            chunks.append(bytes(start - position) + section.content)
            position = start + len(section.content)
        offsets.append(start if section.type != SHT_NOBITS else position)
    table = -(-position // 8) * 8
    segments = _segments(sections, offsets)
    segments.append(_SEGMENT.pack(PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16))
    header = _HEADER.pack(
        _IDENT, 2, elf.machine, 1, elf.entry, _HEADER.size, table, elf.flags, _HEADER.size,
        _SEGMENT.size, count, _SECTION.size, len(sections) + 1, len(sections),
    )  # fmt: skip
    rows = [bytes(_SECTION.size)]
    name_at = 1
    for section, offset in zip(sections, offsets, strict=True):
        rows.append(
            _SECTION.pack(
                name_at, section.type, section.flags, section.addr, offset, section.memory_size,
                section.link, section.info, section.align, section.entry_size,
            )
        )  # fmt: skip
        name_at += len(section.name.encode()) + 1
    body = b"".join(chunks)
    return header + b"".join(segments) + body + bytes(table - position) + b"".join(rows)


def _follows(section: Section, before: Section | None) -> bool:
    """Whether a NOBITS section goes on where the one before ends: they share a segment, since two
    segments must not share a page."""
    return (
        before is not None
        and section.type == SHT_NOBITS
        and section.flags == before.flags
        and section.addr == before.addr + before.memory_size
    )


def _joined(sections: list[Section]) -> int:
    return sum(_follows(s, before) for before, s in pairwise(sections))


def _segments(sections: list[Section], offsets: list[int]) -> list[bytes]:
    """A program header for each allocated section."""
    result = []
    for i, (section, offset) in enumerate(zip(sections, offsets, strict=True)):
        if not section.flags & SHF_ALLOC or _follows(section, sections[i - 1] if i else None):
            continue
        size = section.memory_size
        if i + 1 < len(sections) and _follows(sections[i + 1], section):
            size += sections[i + 1].memory_size
        access, addr = _access(section.flags), section.addr
        file_size = len(section.content)
        result.append(_SEGMENT.pack(PT_LOAD, access, offset, addr, addr, file_size, size, PAGE))
    return result


def _access(flags: int) -> int:
    return PF_R | (PF_W if flags & SHF_WRITE else 0) | (PF_X if flags & SHF_EXECINSTR else 0)


def _symbol_sections(elf: ElfFile) -> list[Section]:
    if not elf.symbols:
        return []
    index = {s.name: i + 1 for i, s in enumerate(elf.sections)}
    ordered = sorted(elf.symbols, key=lambda s: not s.local)
    strings = bytearray(b"\0")
    rows = [bytes(_SYMBOL.size)]
    for symbol in ordered:
        info = (0 if symbol.local else 1) << 4 | symbol.type
        rows.append(
            _SYMBOL.pack(len(strings), info, 0, index[symbol.section], symbol.addr, symbol.size)
        )
        strings += symbol.name.encode() + b"\0"
    locals_ = 1 + sum(s.local for s in ordered)
    symtab = Section(
        ".symtab", b"".join(rows), type=SHT_SYMTAB, align=8, link=len(elf.sections) + 2,
        info=locals_, entry_size=_SYMBOL.size,
    )  # fmt: skip
    return [symtab, Section(".strtab", bytes(strings), type=SHT_STRTAB)]


def read(content: bytes, source: str) -> ElfFile:
    """The sections and symbols of a file that `write` made; FormatError for anything else."""
    if len(content) < _HEADER.size or content[:4] != b"\x7fELF":
        raise FormatError(f"{source}: not an ELF file")
    fields = _HEADER.unpack_from(content)
    ident, kind, machine, _, entry, _, table, flags = fields[:8]
    section_size, count, names_index = fields[11:14]
    if ident[4:7] != _IDENT[4:7] or kind != 2:
        raise FormatError(f"{source}: not a 64-bit little-endian executable")
    if section_size != _SECTION.size or table + count * section_size > len(content) or not count:
        raise FormatError(f"{source}: the section headers at {table:#x} lie outside the file")
    rows = [_SECTION.unpack_from(content, table + i * section_size) for i in range(count)]
    if names_index >= count:
        raise FormatError(f"{source}: e_shstrndx {names_index} is out of range")
    bodies = []
    for row in rows:
        type_, offset, size = row[1], row[4], row[5]
        if type_ not in (0, SHT_NOBITS) and offset + size > len(content):
            raise FormatError(f"{source}: a section of {size} bytes at {offset:#x} is cut off")
        bodies.append(content[offset : offset + size] if type_ not in (0, SHT_NOBITS) else b"")
    names = bodies[names_index]
    sections = []
    for row, body in zip(rows[1:], bodies[1:], strict=True):
        name, type_, flags_, addr, _, size, link, info, align, entry_size = row
        sections.append(
            Section(_string(names, name, source), body, addr, flags_, type_, align, size, link,
                    info, entry_size)
        )  # fmt: skip
    return ElfFile(machine, flags, entry, tuple(sections), _symbols(sections, source))


def _string(table: bytes, at: int, source: str) -> str:
    end = table.find(b"\0", at)
    if end < 0:
        raise FormatError(f"{source}: a name at {at:#x} lies outside its string table")
    return table[at:end].decode(errors="replace")


def _symbols(sections: list[Section], source: str) -> tuple[Symbol, ...]:
    symtab = next((s for s in sections if s.type == SHT_SYMTAB), None)
    if symtab is None:
        return ()
    if not 0 < symtab.link <= len(sections) or len(symtab.content) % _SYMBOL.size:
        raise FormatError(f"{source}: the symbol table is damaged")
    strings = sections[symtab.link - 1].content
    result = []
    for at in range(_SYMBOL.size, len(symtab.content), _SYMBOL.size):
        name, info, _, index, addr, size = _SYMBOL.unpack_from(symtab.content, at)
        if not 0 < index <= len(sections):
            raise FormatError(f"{source}: a symbol of section {index}, which does not exist")
        text = _string(strings, name, source)
        result.append(Symbol(text, addr, size, info & 15, sections[index - 1].name, not info >> 4))
    return tuple(result)
