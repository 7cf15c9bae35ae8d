"""`hcc bench compile`: compiling an example for three ISAs, against clang run once for each.

clang compiles to objects (no linking); hcc makes the whole fat binary, its library taken from the
store as it is after the first run. Both as whole commands.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

TRIPLES = ("x86_64-linux-gnu", "aarch64-linux-gnu", "riscv64-linux-gnu")


@click.command()
@click.argument("names", nargs=-1)
@click.option("--runs", default=5, show_default=True, help="Counted runs of each side.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(names: tuple[str, ...], runs: int, as_json: bool) -> None:
    """Time `hcc compile` against three runs of clang -O2 -c."""
    from hcc.isa.errors import HccError
    from hcc.runtime.bench import measure
    from hcc.runtime.bench.examples import HOST_INCLUDE, examples

    clang = shutil.which("clang")
    if clang is None:
        raise HccError("clang is not installed")
    hcc = Path(sys.executable).parent / "hcc"
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="hcc-bench-") as scratch:
        for example in examples(names):
            sources = [str(s) for s in example.sources]
            script = " && ".join(
                f"{clang} --target={triple} -I{HOST_INCLUDE} -w -O2 -c {' '.join(sources)}"
                for triple in TRIPLES
            )
            commands = {
                "hcc": measure.Command((str(hcc), "compile", "-O2", "-o", "a.hcc", *sources),
                                       Path(scratch)),
                "clang x 3": measure.Command(("/bin/sh", "-c", script), Path(scratch)),
            }  # fmt: skip
            lines = sum(len(s.read_text().splitlines()) for s in example.sources)
            times = measure.alternate(commands, runs)
            rows.append({"example": example.name, "lines": lines, **times})
    if as_json:
        print(json.dumps({"machine": measure.machine(), "seconds": rows}, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    console = Console(width=100)
    console.print(f"user seconds, medians; {measure.machine()}", highlight=False)
    table = Table("example", "lines", "hcc", "clang x 3", "hcc / clang")
    for column in table.columns[1:]:
        column.justify = "right"
    ratios = []
    for row in rows:
        ratio = row["hcc"] / row["clang x 3"]
        ratios.append(ratio)
        cells = (str(row["lines"]), f"{row['hcc']:.3f}", f"{row['clang x 3']:.3f}")
        table.add_row(str(row["example"]), *cells, f"{ratio:.2f}")
    table.add_section()
    table.add_row("geometric mean", "", "", "", f"{measure.geometric_mean(ratios):.2f}")
    console.print(table)
