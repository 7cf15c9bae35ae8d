"""`hcc pim`: microkernels for processing in memory assembled, compiled, run, measured.

The commands that need numpy live in modules of their own (`pim_run`, `pim_compile`,
`pim_bench`), imported when first named.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hcc.isa.errors import HccError

if TYPE_CHECKING:
    from hcc.isa.pim import Finding

# command: module under hcc.runtime.cli that defines it
_ELSEWHERE = {
    "case": "pim_run",
    "run": "pim_run",
    "bench": "pim_bench",
    "compile": "pim_compile",
}


class _PimGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return ["asm", "disasm", "compile", "run", "case", "bench"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module = importlib.import_module(f"hcc.runtime.cli.{_ELSEWHERE[cmd_name]}")
        found: click.Command = getattr(module, f"{cmd_name}_command")
        return found


@click.group(cls=_PimGroup)
def command() -> None:
    """PIM microkernels: assemble, check, compile from C, run with cycles."""


def read_text(file: str) -> str:
    """The text of a file, `-` for standard input."""
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise HccError(f"{file}: {reason}") from None


dialect_option = click.option(
    "--dialect",
    type=click.Choice(["samsung", "pimsys"]),
    default="samsung",
    show_default=True,
    help="The instruction set's dialect.",
)


def report(findings: list[Finding], lines: list[int], file: str) -> bool:
    """Print findings with their lines to stderr; whether one of them is an error."""
    for finding in findings:
        place = file if finding.at is None else f"{file}:{lines[finding.at]}"
        severity = "error" if finding.is_error else "warning"
        click.echo(f"hcc: {severity}: {place}: {finding}", err=True)
    return any(finding.is_error for finding in findings)


@command.command("asm")
@click.argument("file")
@dialect_option
@click.option("--no-check", is_flag=True, help="Encode what can be encoded, legal or not.")
def asm_command(file: str, dialect: str, no_check: bool) -> None:
    """Assemble FILE and print one 8-digit hexadecimal word a line.

    What the program breaks of the dialect's rules goes to stderr, by name; the words are printed
    all the same, but the exit status is then 2.
    """
    from hcc.isa.errors import FormatError
    from hcc.isa.pim import Dialect, check, encode, parse

    lines = parse(read_text(file), file)
    words = []
    for line in lines:
        try:
            words.append(encode(line.instruction))
        except FormatError as error:
            raise FormatError(f"{file}:{line.number}: {error}") from None
    click.echo("".join(f"{word:08x}\n" for word in words), nl=False)
    if no_check:
        return
    findings = check([line.instruction for line in lines], Dialect(dialect))
    if report(findings, [line.number for line in lines], file):
        click.get_current_context().exit(2)


@command.command("disasm")
@click.argument("file")
@dialect_option
@click.option("--exact", is_flag=True, help="Print index fields of bank operands, too.")
def disasm_command(file: str, dialect: str, exact: bool) -> None:
    """Print the words of FILE (hexadecimal, one a line) as assembly.

    With --exact the text assembles to the same words even where a bank operand carries an index,
    which means nothing.
    """
    from hcc.isa.errors import FormatError
    from hcc.isa.pim import Dialect, decode, format_instruction, parse_words

    for number, word in parse_words(read_text(file), file):
        try:
            instruction = decode(word)
        except FormatError as error:
            raise FormatError(f"{file}:{number}: {error}") from None
        click.echo(format_instruction(instruction, Dialect(dialect), bank_index=exact))
