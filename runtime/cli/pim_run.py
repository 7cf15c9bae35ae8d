"""`hcc pim run` and `hcc pim case`: a microkernel on arrays, and a reference vector."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hcc.isa.errors import FormatError
from hcc.runtime.cli.pim import dialect_option, read_text, report

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hcc.isa.pim import Dialect, Instruction


@click.command("case")
@click.argument("file")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on one line.")
def case_command(file: str, as_json: bool) -> None:
    """Run one reference vector (JSON) and print its outputs under the names of its schema."""
    from hcc.runtime.pim.cases import run_case

    try:
        case = json.loads(read_text(file))
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{file}: not JSON: {error}") from None
    found = run_case(case, file)
    click.echo(json.dumps(found) if as_json else _listing(found))


def _listing(found: dict[str, Any]) -> str:
    """The outputs for a reader, long ones cut."""
    lines = []
    for name, value in found.items():
        text = value if isinstance(value, str) else json.dumps(value)
        lines.append(f"{name}: {text if len(text) <= 72 else text[:69] + '...'}")
    return "\n".join(lines)


def load_array(name: str) -> NDArray[np.float16]:
    """An array file as binary16."""
    import numpy as np

    from hcc.emulator.lebug.arrayfile import read_npy

    array = read_npy(Path(name))
    with np.errstate(over="ignore"):
        return array.astype(np.float16)


def read_program(file: str, dialect: Dialect) -> tuple[list[Instruction], list[int]]:
    """The instructions of a file of assembly or of words, and their lines."""
    from hcc.isa.pim import decode, parse, parse_words
    from hcc.isa.pim.text import looks_like_words

    text = read_text(file)
    if not looks_like_words(text):
        lines = parse(text, file)
        return [line.instruction for line in lines], [line.number for line in lines]
    program, numbers = [], []
    for number, word in parse_words(text, file):
        try:
            program.append(decode(word))
        except FormatError as error:
            raise FormatError(f"{file}:{number}: {error}") from None
        numbers.append(number)
    return program, numbers


@click.command("run")
@click.argument("kernel")
@click.argument("more", nargs=-1)
@click.option("--input", "inputs", multiple=True, metavar="FILE.npy",
              help="An array in the banks; further ones may follow it.")  # fmt: skip
@dialect_option
@click.option("--output", type=click.Path(path_type=Path), help="Write the result as .npy.")
@click.option("--grf-a", help="Preset GRF_A from an .npy file (samsung).")
@click.option("--grf-b", help="Preset GRF_B from an .npy file (samsung).")
@click.option("--srf", help="Preset SRF_M and SRF_A from an .npy file (samsung).")
@click.option("--requests", help="The requests, lines of RD or WR BANK ROW COLUMN.")
@click.option("--schedule", type=click.Choice(["reference", "hcc"]), default="hcc",
              show_default=True, help="Who orders the commands (samsung).")  # fmt: skip
@click.option("--memory", help="Memory specification (default: that of the dialect).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def run_command(
    kernel: str, more: tuple[str, ...], inputs: tuple[str, ...], dialect: str,
    output: Path | None, grf_a: str | None, grf_b: str | None, srf: str | None,
    requests: str | None, schedule: str, memory: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Run the microkernel in KERNEL (assembly or words) on arrays, and count cycles.

    The n-th instruction that reads the banks reads the n-th input; what the program stores is the
    result. See docs/pim.md for where arrays lie.
    """
    import io

    import numpy as np

    from hcc.emulator.pim.machine import Schedule
    from hcc.emulator.pim.specification import load
    from hcc.isa.pim import Dialect, check
    from hcc.isa.store import write_atomically
    from hcc.runtime.pim.kernel import parse_requests, run_kernel

    which = Dialect(dialect)
    program, numbers = read_program(kernel, which)
    if report(check(program, which), numbers, kernel):
        click.get_current_context().exit(2)
    presets = {"grf_a": grf_a, "grf_b": grf_b, "srf": srf}
    result = run_kernel(
        program, which, [load_array(name) for name in (*inputs, *more)],
        load(memory or ("samsung" if which is Dialect.SAMSUNG else "dramsys")),
        Schedule(schedule),
        registers={name: load_array(file) for name, file in presets.items() if file},
        requests=None if requests is None else parse_requests(read_text(requests), requests),
    )  # fmt: skip
    if output is not None:
        content = io.BytesIO()
        np.save(content, result.values)
        write_atomically(output, content.getvalue())
    if as_json:
        found = {
            "cycles": result.cycles,
            "slots": result.slots,
            "causes": dict(result.causes),
            "values": len(result.values),
        }
        if output is None:
            found["result_u16be"] = result.values.view(np.uint16).astype(">u2").tobytes().hex()
        click.echo(json.dumps(found))
        return
    click.echo(f"{result.cycles} cycles, {result.slots} slots, {len(result.values)} values")
    for cause, cycles in result.causes.items():
        click.echo(f"  {cause:20}{cycles:8}")
    if output is None and len(result.values):
        shown = ", ".join(f"{value:g}" for value in result.values[:8])
        click.echo(f"  {shown}{', ...' if len(result.values) > 8 else ''}")
