"""`hcc extract`: a plain static ELF of one ISA, for a real CPU or qemu-user."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("binary", type=click.Path(path_type=Path))
@click.option("--isa", required=True, help="The ISA wanted.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path),
              help="The ELF file to write; - is standard output.")  # fmt: skip
def command(binary: Path, isa: str, output: Path) -> None:
    """Write one ISA's executable out of a fat binary."""
    from hcc.isa.errors import HccError
    from hcc.isa.fatbinary import encode_elf
    from hcc.runtime.cli.files import read_program
    from hcc.runtime.cli.streams import write_output

    program = read_program(binary)
    if isa not in program.isas:
        raise HccError(f"{binary}: has no code for '{isa}', only for {', '.join(program.isas)}")
    write_output(output, encode_elf(program, isa), mode=0o777)
