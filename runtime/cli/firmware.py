"""`hcc firmware`: LeBug firmware listed, compiled, emulated, disassembled.

A firmware is named by a text file, by bytecode this command wrote, or by its name in the
library. Its machine comes from `-c` (LeBug's config.yaml, or JSON or TOML) and `--set
NAME=VALUE`; where neither says how wide the vectors are, `run` takes the width of its input.
What the checks find goes to stderr; with `--strict` a warning makes the answer no (exit 1).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hcc.isa.errors import HccError
from hcc.isa.store import write_atomically
from hcc.runtime.cli import progress, tables

from .firmware_case import case_command
from .firmware_sources import (
    compile_named,
    machine_options,
    print_guide,
    read_bytes,
    read_configuration,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hcc.compiler.firmware import Compilation
    from hcc.compiler.firmware.diagnostics import Diagnostic
    from hcc.emulator.lebug import InstrumentationUnit, Trace
    from hcc.emulator.lebug.inputs import VectorFile
    from hcc.isa.lebug import Firmware

_SHOWN_LANES = 16


@click.group()
def command() -> None:
    """LeBug firmware: list, compile, run, disassemble."""


command.add_command(case_command)


def _show(found: list[Diagnostic], quiet: bool) -> None:
    """Print findings to stderr, all but the first error, which `_verdict` raises."""
    raised = False
    for diagnostic in found:
        if diagnostic.severity.value == "error" and not raised:
            raised = True
        elif not quiet or diagnostic.severity.value == "error":
            click.echo(str(diagnostic), err=True)


def _verdict(found: list[Diagnostic], strict: bool) -> None:
    from hcc.compiler.firmware.checks import require

    require(found)
    if strict and any(diagnostic.severity.value == "warning" for diagnostic in found):
        click.get_current_context().exit(1)


# list


@command.command("list")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_command(name: str | None, as_json: bool) -> None:
    """List the firmware library, or describe one firmware of it."""
    from hcc.compiler.firmware.catalogue import CATALOGUE, find

    entries = [find(name)] if name else list(CATALOGUE)
    if as_json:
        listed = [
            {
                "name": entry.name,
                "origin": entry.origin.value,
                "chains": entry.chains,
                "edges": entry.edges.value,
                "scalar_reduce_first": entry.reduce_first,
                "description": entry.description,
            }
            for entry in entries
        ]
        click.echo(json.dumps(listed, indent=1))
        return
    if name:
        entry = entries[0]
        click.echo(f"{entry.name} ({entry.origin.value}, {entry.chains} chains, "
                   f"edges {entry.edges.value})\n\n{entry.description}")  # fmt: skip
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table("name", "origin", "chains", "filter edges", "what it records", box=None)
    for entry in entries:
        row = (
            entry.name,
            entry.origin.value,
            entry.chains,
            entry.edges.value,
            escape(entry.purpose),
        )
        table.add_row(*row)
    tables.show(table)


# compile


@command.command("compile")
@click.argument("firmware")
@machine_options
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Where to write it.")
@click.option("--format", "kind", type=click.Choice(["bytecode", "uart", "json"]),
              default="bytecode", help="What to write.")  # fmt: skip
@click.option("--strict", is_flag=True, help="Exit with 1 if there are warnings.")
@click.option("-q", "--quiet", is_flag=True, help="Print no warnings.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def compile_command(
    firmware: str,
    config: str | None,
    settings: tuple[str, ...],
    arguments: tuple[str, ...],
    entry: str | None,
    edges: str | None,
    output: str | None,
    kind: str,
    strict: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Compile FIRMWARE (a text file or a library name) to bytecode.

    Writes NAME.lbc (--format uart: NAME.uart; json: to stdout) unless -o says otherwise.
    """
    from hcc.compiler.firmware.checks import check
    from hcc.isa.lebug import encode
    from hcc.isa.lebug.uart import encode_image

    compilation = compile_named(
        firmware, read_configuration(config, settings), arguments, entry, edges
    )
    found = check(compilation)
    _show(found, quiet)
    if any(diagnostic.severity.value == "error" for diagnostic in found):
        _verdict(found, strict)
    built = compilation.firmware
    match kind:
        case "json":
            data = (json.dumps(_fields(built), indent=1) + "\n").encode()
        case "uart":
            data = encode_image(built)
        case _:
            data = encode(built)
    target = output
    if target is None and kind != "json":
        target = f"{built.name or 'firmware'}{'.uart' if kind == 'uart' else '.lbc'}"
    if target is not None:
        write_atomically(Path(target), data)
    elif not as_json:
        click.echo(data.decode(), nl=False)
    if as_json:
        summary = {
            "name": built.name,
            "chains": len(built.chains),
            "output": target,
            "bytes": len(data),
            "diagnostics": [diagnostic.to_json() for diagnostic in found],
        }
        click.echo(json.dumps(summary, indent=1))
    _verdict(found, strict)


def _fields(firmware: Firmware) -> dict[str, object]:
    from hcc.isa.lebug.bytecode import chain_fields, uses_fork_codes
    from hcc.isa.lebug.disassemble import chain_calls

    fork = uses_fork_codes(firmware.chains)
    edges = firmware.edges
    return {
        "name": firmware.name,
        "params": firmware.machine.parameters(),
        "fu_vrf": None if edges is None else [str(e) if abs(e) == float("inf") else e
                                              for e in edges],
        "valid_chains": len(firmware.chains),
        "fork_commit_codes": fork,
        "encoded_chains": [chain_fields(c, firmware.machine, fork) for c in firmware.chains],
        "instructions": [chain_calls(chain) for chain in firmware.chains],
    }  # fmt: skip


# disasm


@command.command("disasm")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--format", "kind", type=click.Choice(["bytecode", "uart"]), default="bytecode")
@click.option("-c", "--config", type=click.Path(dir_okay=False),
              help="The machine of a UART image.")  # fmt: skip
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE",
              help="One parameter of the machine of a UART image.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the fields as JSON.")
def disasm_command(
    file: str, kind: str, config: str | None, settings: tuple[str, ...], as_json: bool
) -> None:
    """Print bytecode as firmware text, which compiles to the same bytecode."""
    from hcc.isa.lebug import decode, disassemble
    from hcc.isa.lebug.uart import decode_image

    data = read_bytes(file)
    if kind == "uart":
        firmware = decode_image(data, read_configuration(config, settings).machine, file)
    else:
        firmware = decode(data, file)
    if as_json:
        click.echo(json.dumps(_fields(firmware), indent=1))
    else:
        click.echo(disassemble(firmware), nl=False)


# run


@command.command("run")
@click.argument("files", nargs=-1, required=True, metavar="[FIRMWARE] INPUT")
@click.option("-f", "--firmware", help="Text file, bytecode file or library name.")
@machine_options
@click.option(
    "--mode",
    type=click.Choice(["reference", "fixed", "as-built"]),
    default="reference",
    help="Whose rules: the emulator's, W-bit words, the RTL's.",
)
@click.option("--eof1", default=None, help="none, all, last, every:K, bits, or a .npy file.")
@click.option("--eof2", default=None, help="The second end-of-frame signal, as --eof1.")
@click.option("--valid", default=None, help="Which vectors are seen, as --eof1; default all.")
@click.option(
    "--arrivals",
    default="wait",
    help="wait (no loss), an interval in steps, or a .npy file of steps.",
)
@click.option("--delta", "slots", type=int, help="Compress the trace with this many slots.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    help="Write the trace as .npy, .csv or .json.",
)
@click.option("--plot", type=click.Path(dir_okay=False), help="Draw the trace (.png, .svg, .pdf).")
@click.option("--join", type=click.IntRange(1), help="Print rows joined to this many values.")
@click.option("--guide", is_flag=True, help="Print as LeBug's guide does.")
@click.option("--rows", "shown", type=click.IntRange(0), default=20, help="Rows in the table.")
@click.option("--strict", is_flag=True, help="Exit with 1 if there are warnings.")
@click.option("-q", "--quiet", is_flag=True, help="Print no warnings.")
@click.option("--json", "as_json", is_flag=True, help="Print report and rows as JSON.")
def run_command(
    files: tuple[str, ...],
    firmware: str | None,
    config: str | None,
    settings: tuple[str, ...],
    arguments: tuple[str, ...],
    entry: str | None,
    edges: str | None,
    mode: str,
    eof1: str | None,
    eof2: str | None,
    valid: str | None,
    arrivals: str,
    slots: int | None,
    output: str | None,
    plot: str | None,
    join: int | None,
    guide: bool,
    shown: int,
    strict: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Run a firmware on the vectors of INPUT (.npy or .npz) and show the trace."""
    from hcc.compiler.firmware.checks import check
    from hcc.emulator.lebug import InstrumentationUnit, Mode
    from hcc.emulator.lebug.export import encoded, rows
    from hcc.emulator.lebug.inputs import last_axis, read_vectors
    from hcc.emulator.lebug.plot import plot_trace

    if len(files) > 2 or (len(files) == 2 and firmware is not None):
        raise click.UsageError("one FIRMWARE and one INPUT are wanted")
    name = files[0] if len(files) == 2 else firmware
    configuration = read_configuration(config, settings, last_axis(files[-1]))
    name = name or configuration.firmware
    if name is None:
        raise HccError("which firmware? (FIRMWARE INPUT, -f, or FIRM in the configuration)")
    compilation = _with_delta(compile_named(name, configuration, arguments, entry, edges), slots)
    found = check(compilation)
    _show(found, quiet)
    _verdict(found, False)
    built = compilation.firmware
    unit = InstrumentationUnit(built, Mode(mode))
    source = read_vectors(files[-1], built.machine.n)
    _feed(unit, source, (eof1, eof2, valid), arrivals)
    trace, report = unit.trace(), unit.report()
    if not quiet:
        for text in report.warnings():
            click.echo(f"warning: {text}", err=True)
    if output is not None:
        path = Path(output)
        write_atomically(path, encoded(trace, report.to_json(), path.suffix))
    if plot is not None:
        write_atomically(Path(plot), plot_trace(trace, built, plot))
    if as_json:
        click.echo(json.dumps({"report": report.to_json(), "rows": rows(trace)}))
    elif guide:
        print_guide(source.vectors, trace.lanes, join)
    else:
        _print_table(trace, shown)
        _print_report(unit)
    _verdict(found, strict)


def _with_delta(compilation: Compilation, slots: int | None) -> Compilation:
    from attrs import evolve

    from hcc.isa.lebug import Block

    if slots is None:
        return compilation
    machine = compilation.firmware.machine
    blocks = machine.blocks
    if Block.DELTA not in blocks:
        blocks = (*blocks[:-1], Block.DELTA, blocks[-1])
    machine = evolve(machine, blocks=blocks, delta_slots=slots)
    return evolve(compilation, firmware=evolve(compilation.firmware, machine=machine))


def _feed(
    unit: InstrumentationUnit,
    source: VectorFile,
    signals: tuple[str | None, str | None, str | None],
    arrivals: str,
) -> None:
    import numpy as np

    from hcc.emulator.lebug.inputs import arrival_times, parts, signal

    count = len(source)
    names = ("eof1", "eof2", "valid")
    stored = (source.eof1, source.eof2, source.valid)
    bits: list[NDArray[np.bool_] | None] = []
    for name, text, own in zip(names, signals, stored, strict=True):
        bits.append(own if text is None else signal(text, count, f"--{name}"))
    eof1, eof2, valid = bits
    times = arrival_times(arrivals, count)
    flags = np.zeros(count, dtype=np.uint8)
    for value, eof in ((1, eof1), (2, eof2)):
        if eof is not None:
            flags |= np.where(eof, value, 0).astype(np.uint8)
    with progress.bar("vectors", count, least=100_000) as advance:
        for part in parts(count, unit.batch * 4):
            seen = slice(None) if valid is None else valid[part]
            unit.tap_many(
                source.vectors[part][seen],
                flags[part][seen],
                None if times is None else times[part][seen],
            )
            advance(part.stop - part.start)


def _print_table(trace: Trace, shown: int) -> None:
    from rich.table import Table

    width = trace.lanes.shape[1]
    lanes = min(width, _SHOWN_LANES)
    table = Table(box=None)
    for name in ("step", "vector", "chain", *(str(i) for i in range(lanes))):
        table.add_column(name, justify="right")
    if lanes < width:
        table.add_column("…")
    first = max(0, len(trace) - shown)
    if first:
        table.caption = f"{first} earlier rows not shown (--rows, --json, -o)"
    for i in range(first, len(trace)):
        cells = [str(trace.steps[i]), str(trace.vectors[i]), str(trace.chains[i] + 1)]
        table.add_row(*cells, *(f"{value:.6g}" for value in trace.lanes[i, :lanes]))
    tables.show(table)


def _print_report(unit: InstrumentationUnit) -> None:
    report = unit.report()
    text = (
        f"{report.vectors} vectors, {report.chains} chains, {report.rows} rows, "
        f"{report.steps} steps ({report.mode})"
    )
    if report.compression is not None:
        text += f", compression {report.compression:.2f}"
    click.echo(text)
