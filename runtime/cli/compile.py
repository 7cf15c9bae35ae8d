"""`hcc compile`: C sources to a fat binary, or to any of the forms on the way."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hcc.runtime.cli.instruments import SECTION, FirmwareOptions, firmware_options
from hcc.runtime.cli.progress import spinner
from hcc.runtime.cli.streams import Source, write_output

ISAS = "x86_64,aarch64,riscv64"


@click.command()
@click.argument("files", nargs=-1, required=True, type=Source())
@click.option("-o", "--output", type=click.Path(path_type=Path),
              help="Output (default: a.hcc).")  # fmt: skip
@click.option("-O", "opt_level", default="2", type=click.Choice(["0", "1", "2", "3"]),
              show_default=True, help="Optimisation level.")  # fmt: skip
@click.option("--isa", "isas", default=ISAS, show_default=True, help="ISAs to generate code for.")
@click.option("-I", "include_dirs", multiple=True, type=click.Path(path_type=Path),
              help="Folder for #include.")  # fmt: skip
@click.option("-D", "defines", multiple=True, help="Define a macro: NAME or NAME=VALUE.")
@click.option("-g", "debug", is_flag=True,
              help="Keep source lines, for reports, traces and disassembly.")  # fmt: skip
@click.option("--points", default="loops", type=click.Choice(["none", "calls", "loops"]),
              show_default=True, help="Where migration points go.")  # fmt: skip
@click.option("--emit", type=click.Choice(["ir", "passes", "llvm", "opt", "asm"]),
              help="Print a form instead (or write it to the output): IR of the front end, "
                   "IR after the passes, LLVM IR before and after optimisation, or "
                   "assembly.")  # fmt: skip
@click.option("--verify-passes", is_flag=True, help="Run the IR verifier after every pass.")
@firmware_options
def command(
    files: tuple[Path, ...],
    output: Path | None,
    opt_level: str,
    isas: str,
    include_dirs: tuple[Path, ...],
    defines: tuple[str, ...],
    debug: bool,
    points: str,
    emit: str | None,
    verify_passes: bool,
    lebug: FirmwareOptions,
) -> int:
    """Compile C sources into one fat binary.

    A file named - is standard input, or standard output behind -o.
    """
    from attrs import evolve

    from hcc.compiler.build import BuildOptions
    from hcc.compiler.diagnostics import CompileError
    from hcc.compiler.driver import CompileOptions, compile_program, emit_form
    from hcc.compiler.kernelc import FrontEndOptions
    from hcc.compiler.passes import Points
    from hcc.isa import fatbinary

    options = CompileOptions(
        FrontEndOptions(include_dirs, defines=tuple(map(parse_define, defines))),
        BuildOptions(int(opt_level), parse_isas(isas), Points(points), verify_passes, debug),
    )
    try:
        if emit:
            form = emit_form(files, options, emit, _warn)
            if output is None:
                print(form, end="")
            else:
                write_output(output, form.encode())
            return 0
        program = compile_program(files, options, _warn, spinner)
    except CompileError as error:
        print(error, file=sys.stderr)
        return 2
    firmware = lebug.compile()
    if firmware:
        from hcc.isa.lebug.section import pack_section

        program = evolve(program, extra=program.extra | {SECTION: pack_section(firmware)})
    write_output(output or Path("a.hcc"), fatbinary.encode(program), mode=0o777)
    return 0


def _warn(text: str) -> None:
    print(text, file=sys.stderr)


def parse_define(text: str) -> tuple[str, str]:
    """NAME or NAME=VALUE as (name, value); a name alone is defined as 1."""
    from hcc.isa.errors import HccError

    name, equals, value = text.partition("=")
    if not name.isidentifier():
        raise HccError(f"-D {text}: '{name}' is not an identifier")
    return name, value if equals else "1"


def parse_isas(text: str) -> tuple[str, ...]:
    """A comma-separated list of ISAs, in the order given and without repetition."""
    from hcc.isa.errors import HccError
    from hcc.isa.fatbinary import ARCHITECTURES

    isas = tuple(dict.fromkeys(text.split(",")))
    for isa in isas:
        if isa not in ARCHITECTURES:
            raise HccError(f"no such ISA: '{isa}' (known: {', '.join(ARCHITECTURES)})")
    return isas

