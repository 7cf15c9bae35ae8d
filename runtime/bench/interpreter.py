"""`hcc bench interpreter`: instructions per second, on the examples' small runs."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import click


@click.command()
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(names: tuple[str, ...], as_json: bool) -> None:
    """Interpreted instructions per second (user time, translation included), by ISA."""
    from hcc.compiler.build import BuildOptions
    from hcc.compiler.driver import CompileOptions, compile_program
    from hcc.compiler.kernelc import FrontEndOptions
    from hcc.isa.fatbinary import ARCHITECTURES
    from hcc.runtime.bench import measure
    from hcc.runtime.bench.examples import EXAMPLES, examples
    from hcc.runtime.process import Process

    rows: list[dict[str, Any]] = []
    before = os.getcwd()  # noqa: PTH109
    sink = os.open(os.devnull, os.O_WRONLY)
    for example in examples(names):
        program = compile_program(
            list(example.sources), CompileOptions(FrontEndOptions(), BuildOptions())
        )
        row: dict[str, Any] = {"example": example.name}
        os.chdir(EXAMPLES)
        for isa in ARCHITECTURES:
            process = Process(program, isa, [example.name, *example.small])
            process.personality.files[1].host = sink
            start = time.process_time()
            process.run()
            seconds = time.process_time() - start
            count = process.instructions
            row[isa] = {"instructions": count, "per_second": count / seconds}
        os.chdir(before)
        rows.append(row)
    os.close(sink)
    if as_json:
        print(json.dumps({"machine": measure.machine(), "rows": rows}, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    console = Console(width=100)
    console.print(f"million instructions per second; {measure.machine()}", highlight=False)
    table = Table("example", *ARCHITECTURES)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        cells = (f"{row[isa]['per_second'] / 1e6:.2f}" for isa in ARCHITECTURES)
        table.add_row(row["example"], *cells)
    table.add_section()
    means = [
        measure.geometric_mean([row[isa]["per_second"] for row in rows]) for isa in ARCHITECTURES
    ]
    table.add_row("geometric mean", *(f"{mean / 1e6:.2f}" for mean in means))
    console.print(table)
