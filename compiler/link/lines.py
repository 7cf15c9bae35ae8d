"""Reads the line program of an object (`.debug_line`, DWARF 4, section 6.2).

Every function has a section and so a sequence of its own. In a relocatable object all sequences
start at 0; which function one belongs to is said by the relocation of its DW_LNE_set_address, and
these come in the order of the sequences.
"""

from __future__ import annotations

import io

from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import SymbolTableSection

from hcc.compiler.link.unit import TEXT_PREFIX
from hcc.isa.lines import Row


def read_lines(content: bytes) -> dict[str, tuple[Row, ...]]:
    """For each function, where its code comes from: rows in ascending order of offset."""
    file = ELFFile(io.BytesIO(content))
    section = file.get_section_by_name(".debug_line")
    if section is None or section["sh_size"] == 0:
        return {}
    owners = _owners(file)
    dwarf = file.get_dwarf_info(relocate_dwarf_sections=False)
    found: dict[str, tuple[Row, ...]] = {}
    for unit in dwarf.iter_CUs():
        program = dwarf.line_program_for_CU(unit)
        if program is None:
            continue
        files = [entry.name.decode(errors="replace") for entry in program["file_entry"]]
        rows: list[Row] = []
        for entry in program.get_entries():
            state = entry.state
            if state is None:
                continue
            if state.end_sequence:
                found[owners.pop(0)] = tuple(rows)
                rows = []
            elif not rows or rows[-1].line != state.line or rows[-1].file != files[state.file - 1]:
                rows.append(Row(state.address, files[state.file - 1], state.line))
    return found


def _owners(file: ELFFile) -> list[str]:
    """The functions of the line program's sequences, in their order."""
    relocations = file.get_section_by_name(".rela.debug_line")
    assert isinstance(relocations, RelocationSection)
    symbols = file.get_section(relocations["sh_link"])
    assert isinstance(symbols, SymbolTableSection)
    names = []
    for relocation in sorted(relocations.iter_relocations(), key=lambda r: r["r_offset"]):
        symbol = symbols.get_symbol(relocation["r_info_sym"])
        index = symbol["st_shndx"]
        if isinstance(index, int):
            name = file.get_section(index).name
            if name.startswith(TEXT_PREFIX):
                names.append(name.removeprefix(TEXT_PREFIX))
    return names
