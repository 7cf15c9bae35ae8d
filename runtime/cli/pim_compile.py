"""`hcc pim compile`: `__pim` functions of a C file as microkernels, layout and requests."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hcc.isa.errors import HccError
from hcc.isa.numerals import whole
from hcc.runtime.cli.compile import parse_define
from hcc.runtime.cli.pim import dialect_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hcc.compiler.pim.functions import Step
    from hcc.compiler.pim.recognise import PimFunction
    from hcc.isa.pim import Dialect
    from hcc.isa.pim.plan import Plan
    from hcc.isa.pim.requests import Access

_DEFAULT_SIZE = 4096
_CHANNELS = {"samsung": 64, "pimsys": 2}


@click.command("compile")
@click.argument("file", type=click.Path(path_type=Path))
@dialect_option
@click.option("--size", "sizes", multiple=True, metavar="NAME=N",
              help=f"Value of a size parameter (default: {_DEFAULT_SIZE}).")  # fmt: skip
@click.option("--channels", type=click.IntRange(1, 4096),
              help="Pseudo-channels (default: 64 for samsung, 2 for pimsys).")  # fmt: skip
@click.option("--function", "only", help="Only this function.")
@click.option("-I", "include_dirs", multiple=True, type=click.Path(path_type=Path),
              help="Folder for #include.")  # fmt: skip
@click.option("-D", "defines", multiple=True, help="Define a macro: NAME or NAME=VALUE.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def compile_command(
    file: Path, dialect: str, sizes: tuple[str, ...], channels: int | None, only: str | None,
    include_dirs: tuple[Path, ...], defines: tuple[str, ...], as_json: bool,
) -> None:  # fmt: skip
    """Print the microkernels, the layout and the request stream of each __pim function of FILE.

    Function by function and loop by loop; loops over a size that is a parameter are compiled for
    the value given by --size.
    """
    from hcc.compiler.diagnostics import CompileError
    from hcc.compiler.kernelc import FrontEndOptions
    from hcc.compiler.pim.sources import pim_functions
    from hcc.isa.pim import Dialect

    options = FrontEndOptions(include_dirs, defines=tuple(map(parse_define, defines)))
    try:
        functions = pim_functions(file, options)
    except CompileError as error:
        click.echo(str(error), err=True)
        click.get_current_context().exit(2)
    if only is not None:
        functions = [f for f in functions if f.name == only]
    if not functions:
        wanted = f"called '{only}'" if only else "in it"
        raise HccError(f"{file}: there is no __pim function {wanted}")
    given = _sizes(sizes, functions)
    which = Dialect(dialect)
    found = [_compiled(f, given, channels or _CHANNELS[dialect], which, file) for f in functions]
    if as_json:
        click.echo(json.dumps({"dialect": dialect, "functions": [_as_json(*f) for f in found]}))
        return
    for function, values, steps in found:
        click.echo(_listing(function, values, steps), nl=False)


def _sizes(texts: tuple[str, ...], functions: list[PimFunction]) -> dict[str, int]:
    known = {name for function in functions for name in function.sizes}
    sizes = {}
    for text in texts:
        name, _, value = text.partition("=")
        size = whole(value)
        if size is None or size < 0:
            raise HccError(f"--size {text}: expected NAME=N")
        if name not in known:
            raise HccError(f"--size {text}: no loop runs to a parameter called '{name}'")
        sizes[name] = size
    return sizes


def _compiled(
    function: PimFunction, given: dict[str, int], channels: int, dialect: Dialect, file: Path
) -> tuple[PimFunction, dict[str, int], list[Step]]:
    from hcc.compiler.pim.functions import steps

    values = {name: given.get(name, _DEFAULT_SIZE) for name in function.sizes}
    assumed = [name for name in values if name not in given]
    if assumed:
        listed = ", ".join(f"{name}={_DEFAULT_SIZE}" for name in assumed)
        print(f"hcc: {function.name}: compiled for {listed}", file=sys.stderr)
    try:
        return function, values, steps(function, values, channels, dialect)
    except HccError as error:
        raise HccError(f"{file}: {function.name}: {error}") from None


def _runs(accesses: tuple[Access, ...]) -> Iterator[tuple[Access, int]]:
    """Successive columns of one row together: the first request and how many."""
    first: Access | None = None
    count = 0
    for access in accesses:
        if first is not None and (
            access.bank == first.bank
            and access.row == first.row
            and access.is_write == first.is_write
            and access.tag == first.tag
            and access.column == first.column + count
        ):
            count += 1
            continue
        if first is not None:
            yield first, count
        first, count = access, 1
    if first is not None:
        yield first, count


def _listing(function: PimFunction, values: dict[str, int], steps: list[Step]) -> str:
    from hcc.isa.pim import encode, format_instruction

    sizes = "".join(f" {name}={value}" for name, value in values.items())
    lines = [f"function {function.name}{sizes}"]
    for step in steps:
        plan = step.plan
        lines += [
            "",
            f"kernel {plan.kernel}",
            f"  dialect {plan.dialect.value}, {plan.channels} "
            f"channel{'s' * (plan.channels > 1)}; {plan.note}",
            f"  microkernel, {len(plan.program)} instructions",
        ]
        lines += [f"    {encode(i):08x}  {format_instruction(i, plan.dialect)}"
                  for i in plan.program]  # fmt: skip
        lines.append("  layout")
        for place in plan.places:
            shape = " x ".join(map(str, place.shape))
            lines.append(f"    {place.name} [{shape}]: {place.rule}")
        triggers = triggers_of(plan)
        lines.append(
            f"  requests, {len(plan.accesses)} a channel: {triggers} triggers a channel, "
            f"{triggers * plan.channels} in all"
        )
        for message in _messages(plan):
            lines.append(f"    CONFIG {message}")
        for access, count in _runs(plan.accesses):
            kind = "WR" if access.is_write else "RD"
            columns = str(access.column) if count == 1 else (
                f"{access.column}..{access.column + count - 1}"
            )  # fmt: skip
            lines.append(
                f"    {kind} bank {access.bank} row {access.row} column {columns}  {access.tag}"
            )
    return "\n".join(lines) + "\n"


def _messages(plan: Plan) -> list[str]:
    """The messages that go before the requests (pimsys)."""
    from hcc.isa.pim import Dialect
    from hcc.isa.pim.configuration import BankMode, message

    if plan.dialect is not Dialect.PIMSYS:
        return []
    return [message(kernel=plan.program), message(BankMode.PIM_ALL_BANK)]


def triggers_of(plan: Plan) -> int:
    """Requests that make the units take an instruction, in each channel."""
    from hcc.isa.pim import Dialect
    from hcc.isa.pim.modes import RESERVED_BIT

    if plan.dialect is Dialect.PIMSYS:
        return len(plan.accesses)
    return sum(not access.row & RESERVED_BIT for access in plan.accesses)


def _as_json(function: PimFunction, values: dict[str, int], steps: list[Step]) -> dict[str, Any]:
    from hcc.isa.pim import encode, format_instruction

    return {
        "function": function.name,
        "sizes": values,
        "kernels": [
            {
                "kernel": step.plan.kernel,
                "channels": step.plan.channels,
                "note": step.plan.note,
                "result": step.result,
                "operands": list(step.operands),
                "asm": [format_instruction(i, step.plan.dialect) for i in step.plan.program],
                "words": [f"{encode(i):08x}" for i in step.plan.program],
                "layout": [
                    {"name": p.name, "shape": list(p.shape), "rule": p.rule}
                    for p in step.plan.places
                ],
                "messages": _messages(step.plan),
                "triggers": triggers_of(step.plan),
                "triggers_all_channels": triggers_of(step.plan) * step.plan.channels,
                "requests": [
                    ["WR" if a.is_write else "RD", a.bank, a.row, a.column, count]
                    for a, count in _runs(step.plan.accesses)
                ],
            }
            for step in steps
        ],
    }
