"""`hcc objdump`: disassembly of any ISA's code, with migration sites and source lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hcc.isa.fatbinary import Program


@click.command()
@click.argument("binary", type=click.Path(path_type=Path))
@click.option("--isa", help="ISA to disassemble (default: the program's first).")
@click.option("--function", "wanted", multiple=True, help="Only this function (repeatable).")
def command(binary: Path, isa: str | None, wanted: tuple[str, ...]) -> None:
    """Disassemble a fat binary; calls that may suspend show where their live values are."""
    from hcc.isa.errors import HccError
    from hcc.runtime.cli.files import read_program

    program = read_program(binary)
    isa = isa or program.isas[0]
    if isa not in program.isas:
        raise HccError(f"{binary}: has no code for '{isa}', only for {', '.join(program.isas)}")
    for name in wanted:
        if program.symbol(name) is None:
            raise HccError(f"{binary}: has no function '{name}'")
    for line in disassembly(program, isa, wanted):
        print(line)


def disassembly(program: Program, isa: str, wanted: tuple[str, ...] = ()) -> Iterator[str]:
    """The lines of a disassembly of all functions, or of those wanted."""
    from hcc.isa import architecture, elf
    from hcc.isa.errors import HccError
    from hcc.runtime.symbols import Symbolizer

    arch, text = architecture(isa), program.text[isa]
    tables = program.sites.isas[isa]
    records = {r.return_addr: r for r in tables.records}
    symbols = Symbolizer(program)
    line: tuple[str, int] | None = None
    for symbol in sorted(program.symbols, key=lambda s: s.addr):
        if symbol.type != elf.STT_FUNC or (wanted and symbol.name not in wanted):
            continue
        yield f"\n{symbol.addr:016x} <{symbol.name}>:"
        at, end, before = symbol.addr, symbol.addr + tables.code_sizes[symbol.name], None
        while at < end:
            raw = text.content[at - text.addr : at - text.addr + arch.max_insn_size]
            try:
                insn = arch.decode(raw, at)
            except HccError:
                yield f"  {at:8x}:  {raw[: arch.insn_align].hex():24}(unknown)"
                at += arch.insn_align
                continue
            if (found := symbols.line_at(at, isa)) is not None and found != line:
                line = found
                yield f"  ; {line[0]}:{line[1]}"
            target = arch.call_target(insn, before)
            note = f"  <{symbols.describe_function(target, isa)}>" if target is not None else ""
            yield f"  {at:8x}:  {raw[: insn.size].hex():24}{insn.text}{note}"
            at, before = insn.next_addr, insn
            record = records.get(at)
            if record is not None:
                for frame in record.frames:
                    name = program.sites.by_id[frame.function].name
                    slots = " ".join(
                        f"[sp+{s.value}]:{s.size}" if s.in_frame else f"{s.value:#x}"
                        for s in frame.slots
                    )
                    yield f"            ; site {frame.site} of {name}: {slots}"
