"""What the relocation tests of every ISA share: the same sections relocated by GNU ld and by us."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen
from elftools.elf.elffile import ELFFile

from hcc.isa.errors import HccError, UnsupportedError
from hcc.isa.relocation import Relocation

SECTIONS = (".code", ".facts")

Relocate = Callable[[bytearray, int, Sequence[Relocation]], None]


@frozen
class Binutils:
    """GNU as and ld of an ISA, by their common prefix, with the options they are to have."""

    prefix: str
    assembler: tuple[str, ...] = ()
    linker: tuple[str, ...] = ()

    def link(self, folder: Path, source: str, script: str) -> None:
        """Make `a.o` of assembly and `linked` of that, by a linker script."""
        (folder / "a.s").write_text(source)
        (folder / "script").write_text(script)
        command = [f"{self.prefix}as", *self.assembler, "-o", "a.o", "a.s"]
        subprocess.run(command, cwd=folder, check=True)
        command = [f"{self.prefix}ld", *self.linker, "-T", "script", "-e", "0", "-o", "linked"]
        subprocess.run([*command, "a.o"], cwd=folder, check=True)


def check_against_ld(folder: Path, relocate: Relocate, tls_start: int = 0) -> set[int]:
    """Check that `relocate` makes of `a.o`'s sections what is in `linked`; the types of relocation
    that these have. The block of thread-local storage begins `tls_start` above its pointer."""
    seen = set()
    with (folder / "a.o").open("rb") as f, (folder / "linked").open("rb") as g:
        source, linked = ELFFile(f), ELFFile(g)
        for name in SECTIONS:
            wanted = linked.get_section_by_name(name)
            content = bytearray(source.get_section_by_name(name).data())
            relocations = _relocations(source, linked, name, tls_start)
            seen |= {r.type for r in relocations}

            relocate(content, wanted["sh_addr"], relocations)

            assert wanted.data().hex(" ", 4) == content.hex(" ", 4)
    return seen


def _relocations(source: Any, linked: Any, section: str, tls_start: int) -> list[Relocation]:
    """The relocations of a section, with the values that symbols have after linking."""
    table, final = (elf.get_section_by_name(".symtab") for elf in (source, linked))
    found = []
    for r in source.get_section_by_name(".rela" + section).iter_relocations():
        symbol = table.get_symbol(r["r_info_sym"])
        if isinstance(symbol["st_shndx"], int):
            home = source.get_section(symbol["st_shndx"]).name
            start = linked.get_section_by_name(home)["sh_addr"]
            value = symbol["st_value"] + (tls_start if home == ".tdata" else start)
        else:
            value = final.get_symbol_by_name(symbol.name)[0]["st_value"] if symbol.name else 0
        found.append(Relocation(r["r_offset"], r["r_info_type"], symbol.name, value, r["r_addend"]))
    return found


def supported(relocate: Relocate, types: Sequence[int]) -> set[int]:
    """Those of some types of relocation that `relocate` knows."""
    return {number for number in types if _knows(relocate, number)}


def _knows(relocate: Relocate, number: int) -> bool:
    try:
        relocate(bytearray(16), 0, [Relocation(0, number, "s", 0, 0)])
    except UnsupportedError:
        return False
    except HccError:
        return True  # it misses its partner, say
    return True
