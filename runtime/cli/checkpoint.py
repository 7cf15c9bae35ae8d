"""`hcc checkpoint`: run a fat binary up to a migration point and save it there."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hcc.runtime.cli.instruments import UnitOptions, unit_options
from hcc.runtime.cli.parameters import assignments
from hcc.runtime.cli.run import EMULATORS


@click.command()
@click.argument("binary", type=click.Path(path_type=Path))
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@click.option("--at", "point", required=True, type=click.IntRange(min=1),
              help="Stop at this migration point, counted from 1.")  # fmt: skip
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path),
              help="The snapshot to write.")  # fmt: skip
@click.option("--isa", help="ISA to start on (default: the program's first).")
@click.option("--engine", default="jit", type=click.Choice(EMULATORS), show_default=True,
              help="As for `hcc run`.")  # fmt: skip
@click.option("-E", "--env", "env", multiple=True, callback=assignments, metavar="NAME=VALUE",
              help="Environment variable of the program.")  # fmt: skip
@unit_options
def command(
    binary: Path,
    args: tuple[str, ...],
    point: int,
    output: Path,
    isa: str | None,
    engine: str,
    env: tuple[str, ...],
    units: UnitOptions,
) -> int:
    """Stop a program at a migration point and write an ISA-neutral snapshot.

    If the program ends before, no snapshot is written and its exit status is returned.
    """
    from hcc.runtime import snapshot
    from hcc.runtime.cli.files import read_program
    from hcc.runtime.cli.run import exit_status
    from hcc.runtime.process import CheckpointReached, Process

    program = read_program(binary)
    process = Process(
        program, isa or program.isas[0], [str(binary), *args], env, engine, count=False
    )
    units.attach(process)
    process.watch_points(None, checkpoint_at=point)
    try:
        result = process.run()
    except CheckpointReached:
        snapshot.save(snapshot.capture(process), output)
        return 0
    finally:
        process.close()
    points = process.statistics.points
    print(f"hcc: the program ended after {points} migration points", file=sys.stderr)
    return exit_status(result)
