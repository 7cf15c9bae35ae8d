"""`hcc resume`: go on from a snapshot, on any ISA."""

from __future__ import annotations

from pathlib import Path

import click

from hcc.runtime.cli.instruments import TraceFiles, trace_options
from hcc.runtime.cli.run import EMULATORS


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--isa", help="ISA to go on on (default: the one it was stopped on).")
@click.option("--engine", default="jit", type=click.Choice(EMULATORS), show_default=True,
              help="As for `hcc run`.")  # fmt: skip
@click.option("--migrate", "plan", metavar="PLAN", help="As for `hcc run`.")
@click.option("--seed", default=0, help="Seed of a random plan.")
@click.option("--poison", is_flag=True, help="As for `hcc run`.")
@click.option("--stats", type=click.Path(path_type=Path), help="Write statistics as JSON.")
@trace_options
def command(
    file: Path,
    isa: str | None,
    engine: str,
    plan: str | None,
    seed: int,
    poison: bool,
    stats: Path | None,
    traces: TraceFiles,
) -> int:
    """Go on from a snapshot that `hcc checkpoint` wrote."""
    from hcc.runtime import snapshot
    from hcc.runtime.cli.run import finish
    from hcc.runtime.migrate import parse_plan

    saved = snapshot.load(file)
    process = snapshot.restore(saved, isa or saved.isa, engine, count=stats is not None)
    process.poison = poison
    process.stop_watching()
    if plan is not None:
        process.watch_points(parse_plan(plan, saved.program.isas, seed))
    return finish(process, traces, stats)
