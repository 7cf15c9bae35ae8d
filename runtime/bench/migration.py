"""`hcc bench migration`: what a move costs, by stack depth.

The program recurses to a depth and moves there, from ISA to ISA; `--points calls` and a plan that
starts at the bottom keep other points out. Seconds are those the runtime spends in the move
itself (reading the stack, writing records, setting up the destination); the destination's own
work of rebuilding its stack is ordinary execution.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import click
from attrs import define

from hcc.runtime.engines import Cell
from hcc.runtime.migrate import Plan

DEPTHS = (1, 10, 100, 1000, 10000)


@define
class _BottomPlan(Plan):
    """Along the ring at every point once `skip` points have been passed."""

    ring: tuple[str, ...]
    skip: int

    def next_cell(self, isa: str, engine: str) -> Cell | None:
        if self.skip:
            self.skip -= 1
            return None
        return Cell(self.ring[(self.ring.index(isa) + 1) % len(self.ring)])


@click.command()
@click.option("--moves", default=30, show_default=True, help="Moves at each depth.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(moves: int, as_json: bool) -> None:
    """Time migrations at several stack depths."""
    from hcc.compiler.build import BuildOptions
    from hcc.compiler.driver import CompileOptions, compile_program
    from hcc.compiler.kernelc import FrontEndOptions
    from hcc.isa.fatbinary import ARCHITECTURES
    from hcc.runtime.bench import measure
    from hcc.runtime.process import Process

    program = compile_program(
        [Path(__file__).parent / "deep.c"], CompileOptions(FrontEndOptions(), BuildOptions())
    )
    rows = []
    sink = os.open(os.devnull, os.O_WRONLY)
    for depth in DEPTHS:
        count = min(moves, max(3, 300000 // (depth + 1)))
        # Without a plan first: how many points lie before the bottom.
        process = Process(program, "x86_64", ["deep", str(depth), "0"])
        process.personality.files[1].host = sink
        process.watch_points(None)
        process.run()
        before = process.statistics.points
        process = Process(program, "x86_64", ["deep", str(depth), str(count)])
        process.personality.files[1].host = sink
        process.watch_points(_BottomPlan(ARCHITECTURES, before))
        process.run()
        s = process.statistics
        rows.append(
            {
                "depth": depth,
                "moves": s.migrations,
                "frames": s.frames_moved / s.migrations,
                "ms_per_move": s.migration_seconds / s.migrations * 1e3,
                "us_per_frame": s.migration_seconds / s.frames_moved * 1e6,
            }
        )
    os.close(sink)
    if as_json:
        print(json.dumps({"machine": measure.machine(), "rows": rows}, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    console = Console(width=100)
    console.print(measure.machine(), highlight=False)
    table = Table("depth", "moves", "frames", "ms per move", "µs per frame")
    for column in table.columns:
        column.justify = "right"
    for row in rows:
        table.add_row(
            str(row["depth"]), str(row["moves"]), f"{row['frames']:.0f}",
            f"{row['ms_per_move']:.3f}", f"{row['us_per_frame']:.2f}",
        )  # fmt: skip
    console.print(table)
