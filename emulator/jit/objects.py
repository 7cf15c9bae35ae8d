"""A small linker for the JIT's objects: ELF relocatable in, an image at an address out.

The objects come from LLVM with `reloc=pic`, code model small: code, constants and jump tables that
refer to each other relative to the PC. Linking them here rather than in LLVM has three merits:
code from the cache runs without loading LLVM at all, all code lies in one arena (so that a fault
handler can tell compiled code from other code by its address), and it is quicker.

ELF-64 object files as in the System V ABI; relocations as in the x86-64 psABI, 4.4.
"""

from __future__ import annotations

import struct

from attrs import field, frozen

from hcc.isa.errors import FormatError

_SHT_SYMTAB, _SHT_RELA, _SHT_NOBITS = 2, 4, 8
_SHF_ALLOC = 2
_R_64, _R_PC32, _R_PLT32, _R_PC64 = 1, 2, 4, 24

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_RELA = struct.Struct("<QQq")


@frozen
class _Section:
    name: str
    type: int
    flags: int
    content: bytes = field(repr=False)
    size: int
    link: int
    info: int
    align: int


@frozen
class _Symbol:
    name: str
    section: int
    value: int


@frozen
class _Fixup:
    """`type` at `place` of the image; the target is a place in the image or an outside name."""

    place: int
    type: int
    addend: int
    target: int | None
    name: str


@frozen
class Image:
    """A linked module before it has an address: bytes, where symbols are, what is to be filled."""

    content: bytes = field(repr=False)
    symbols: dict[str, int]
    fixups: tuple[_Fixup, ...]
    code_size: int

    def outside(self) -> set[str]:
        """Names that the image needs from elsewhere."""
        return {f.name for f in self.fixups if f.target is None}

    def at(self, address: int, names: dict[str, int]) -> bytes:
        """The bytes for a given address; `names` are addresses of what lies outside."""
        image = bytearray(self.content)
        for fixup in self.fixups:
            target = names[fixup.name] if fixup.target is None else address + fixup.target
            value = target + fixup.addend
            match fixup.type:
                case 2 | 4:
                    value -= address + fixup.place
                    if not -(1 << 31) <= value < 1 << 31:
                        raise FormatError(f"compiled code: {fixup.name} is out of reach")
                    struct.pack_into("<i", image, fixup.place, value)
                case 24:
                    struct.pack_into("<q", image, fixup.place, value - address - fixup.place)
                case _:
                    struct.pack_into("<Q", image, fixup.place, value)
        return bytes(image)


def read_image(content: bytes) -> Image:
    """The image of an object file; FormatError if it is none that LLVM writes for the JIT."""
    try:
        sections = _sections(content)
        symbols = _symbols(sections)
        return _laid_out(sections, symbols)
    except (struct.error, IndexError, KeyError, UnicodeDecodeError) as error:
        raise FormatError(f"compiled code cannot be read: {error}") from error


def _sections(content: bytes) -> list[_Section]:
    header = _HEADER.unpack_from(content)
    if header[0][:5] != b"\x7fELF\x02" or header[1] != 1:
        raise FormatError("compiled code is not an ELF-64 object")
    offset, count, names_index = header[6], header[12], header[13]
    rows = [_SECTION.unpack_from(content, offset + i * _SECTION.size) for i in range(count)]
    names = content[rows[names_index][4] :]
    result = []
    for name, type_, flags, _, at, size, link, info, align, _ in rows:
        text = names[name : names.index(0, name)].decode()
        body = b"" if type_ == _SHT_NOBITS else content[at : at + size]
        result.append(_Section(text, type_, flags, body, size, link, info, max(align, 1)))
    return result


def _symbols(sections: list[_Section]) -> list[_Symbol]:
    for section in sections:
        if section.type == _SHT_SYMTAB:
            names = sections[section.link].content
            return [
                _Symbol(names[name : names.index(0, name)].decode(), index, value)
                for name, _, _, index, value, _ in _SYMBOL.iter_unpack(section.content)
            ]
    raise FormatError("compiled code has no symbols")


def _laid_out(sections: list[_Section], symbols: list[_Symbol]) -> Image:
    places: dict[int, int] = {}
    image = bytearray()
    code_size = 0
    for i, section in enumerate(sections):
        if section.flags & _SHF_ALLOC and section.name != ".eh_frame":
            image += bytes(-len(image) % section.align)
            places[i] = len(image)
            image += section.content or bytes(section.size)
            if section.name.startswith(".text"):
                code_size = len(image)
    fixups = []
    for section in sections:
        if section.type != _SHT_RELA or section.info not in places:
            continue
        for offset, info, addend in _RELA.iter_unpack(section.content):
            symbol, type_ = symbols[info >> 32], info & 0xFFFFFFFF
            if type_ not in (_R_64, _R_PC32, _R_PLT32, _R_PC64):
                raise FormatError(f"compiled code has a relocation of type {type_}")
            target = None
            if symbol.section:
                target = places[symbol.section] + symbol.value
            place = places[section.info] + offset
            fixups.append(_Fixup(place, type_, addend, target, symbol.name))
    defined = {s.name: places[s.section] + s.value for s in symbols if s.section in places}
    return Image(bytes(image), defined, tuple(fixups), code_size)
