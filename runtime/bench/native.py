"""`hcc bench native`: hcc's x86-64 code against gcc -O2 and clang -O2, and what polls cost.

Each example's full run is timed four ways in turn: hcc with polls, hcc with --points none, gcc
and clang. All are native executables, so the figures are of generated code alone.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument("names", nargs=-1)
@click.option("--runs", default=5, show_default=True, help="Counted runs of each side.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(names: tuple[str, ...], runs: int, as_json: bool) -> None:
    """Time the examples' full runs natively: hcc against gcc and clang."""
    from hcc.compiler.build import BuildOptions
    from hcc.compiler.driver import CompileOptions, compile_program
    from hcc.compiler.kernelc import FrontEndOptions
    from hcc.compiler.passes import Points
    from hcc.isa import fatbinary
    from hcc.runtime.bench import measure
    from hcc.runtime.bench.examples import EXAMPLES, build_native, examples

    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="hcc-bench-") as scratch:
        for example in examples(names):
            folder = Path(scratch) / example.name
            folder.mkdir()
            sides = {}
            for side, points in (("hcc", Points.LOOPS), ("hcc, no polls", Points.NONE)):
                options = CompileOptions(
                    FrontEndOptions(), BuildOptions(2, ("x86_64",), points)
                )
                path = folder / points.value
                program = compile_program(list(example.sources), options)
                path.write_bytes(fatbinary.encode_elf(program, "x86_64"))
                path.chmod(0o755)
                sides[side] = path
            flags = ["-O2", "-ffp-contract=off"]
            for compiler in ("gcc", "clang"):
                if shutil.which(compiler):
                    sides[compiler] = build_native(example, compiler, folder / compiler, flags)
            commands = {
                side: measure.Command((str(path), *example.full), EXAMPLES)
                for side, path in sides.items()
            }
            rows.append({"example": example.name, **measure.alternate(commands, runs)})
    if as_json:
        print(json.dumps({"machine": measure.machine(), "seconds": rows}, indent=2))
        return
    _print(rows, measure.machine())


def _print(rows: list[dict[str, Any]], machine: str) -> None:
    from rich.console import Console
    from rich.table import Table

    from hcc.runtime.bench.measure import geometric_mean

    console = Console(width=110)
    console.print(f"user seconds, medians; {machine}", highlight=False)
    peers = [name for name in ("gcc", "clang") if name in rows[0]]
    heads = ["example", "hcc", "hcc, no polls", *peers, "polls cost"]
    heads += [f"hcc / {peer}" for peer in peers]
    table = Table(*heads)
    for column in table.columns[1:]:
        column.justify = "right"
    polls, ratios = [], {peer: [] for peer in peers}  # type: ignore[var-annotated]
    for row in rows:
        cost = row["hcc"] / row["hcc, no polls"]
        polls.append(cost)
        cells = [f"{row[name]:.3f}" for name in ("hcc", "hcc, no polls", *peers)]
        cells.append(f"{(cost - 1) * 100:+.1f} %")
        for peer in peers:
            ratio = row["hcc"] / row[peer]
            ratios[peer].append(ratio)
            cells.append(f"{ratio:.2f}")
        table.add_row(str(row["example"]), *cells)
    table.add_section()
    means = [f"{geometric_mean(ratios[peer]):.2f}" for peer in peers]
    blank = [""] * (2 + len(peers))
    table.add_row("geometric mean", *blank, f"{(geometric_mean(polls) - 1) * 100:+.1f} %", *means)
    console.print(table)
