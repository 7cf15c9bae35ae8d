"""`hcc workload launch`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hcc.runtime.cli.workload_options import (
    Tell,
    all_option,
    by_folder,
    choice,
    for_each_built,
    job_option,
    json_option,
    load,
    matrix_options,
    out_option,
    parallel_option,
    specs_argument,
    werror_option,
    workdir_option,
)

if TYPE_CHECKING:
    from hcc.runtime.workload.chain import Workload
    from hcc.runtime.workload.launch import Launched
    from hcc.runtime.workload.session import Session


@click.command()
@specs_argument
@job_option
@all_option
@matrix_options
@click.option("--persist", is_flag=True, help="Keep what the run changes in the image.")
@click.option("--args", "arguments", metavar="ARGS",
              help="Arguments of the program, in place of the workload's.")  # fmt: skip
@out_option
@workdir_option
@parallel_option
@werror_option
@json_option
@click.pass_context
def launch(
    ctx: click.Context,
    specs: tuple[str, ...],
    jobs: tuple[str, ...],
    every: bool,
    isas: tuple[str, ...],
    levels: tuple[str, ...],
    executor: str,
    timeout: float | None,
    persist: bool,
    arguments: str | None,
    out: Path | None,
    folders: tuple[str, ...],
    parallel: int,
    werr: bool,
    as_json: bool,
) -> int:
    """Build workloads, then run them (or with -j, -a their jobs, side by side)."""
    import shlex

    from hcc.isa.errors import HccError
    from hcc.runtime.workload.launch import launch as run

    try:
        args = None if arguments is None else tuple(shlex.split(arguments))
    except ValueError as error:
        raise HccError(f"--args: {str(error).lower()}") from error
    chosen = choice(isas, levels, jobs, every, args, persist, timeout)
    results: list[Launched] = []

    def act(tools: Session, workload: Workload, tell: Tell) -> Launched:
        return run(
            tools, workload, chosen, parallel, executor == "ray",
            lambda cell, event: tell(cell.name, event),
        )  # fmt: skip

    def show(workload: Workload, launched: Launched) -> None:
        results.append(launched)
        if not as_json:
            _show(workload, launched, not jobs and not every)

    groups = by_folder(load(ctx, specs, folders, werr), out)
    status = for_each_built(groups, "launch", parallel, act, show)
    status = max([status, *(int(not launched.ok) for launched in results)])
    if as_json:
        found = [one.as_json() for one in results]
        print(json.dumps(found[0] if len(specs) == 1 and found else found, indent=2))
    return status


def _show(workload: Workload, launched: Launched, root_only: bool) -> None:
    """Print what the programs printed, how they ended, and where the results are."""
    from hcc.runtime.workload.console import program_part
    from hcc.runtime.workload.tasks import LOG

    many = sum(len(cell.jobs) for cell in launched.cells) > 1
    for skipped in launched.skipped:
        print(skipped)
    for cell in launched.cells:
        for job in cell.jobs:
            log = job.folder / LOG
            if log.is_file() and not many and sys.stdout is not None:
                sys.stdout.flush()
                sys.stdout.buffer.write(program_part(log.read_bytes()))
                sys.stdout.buffer.flush()
            ending = job.message or f"exit status {job.status}"
            state = "ok" if job.state == "ok" else "FAILED"
            print(f"{cell.cell.name} {job.name}: {state}: {ending}, {job.seconds:.2f} s")
    for problem in launched.problems:
        print(f"hcc: error: {problem}", file=sys.stderr)
    if workload.jobs and root_only:
        names = ", ".join(str(job.spec.job) for job in workload.jobs)
        print(f"hcc: its jobs were not launched: -a is for all, -j for one of {names}",
              file=sys.stderr)  # fmt: skip
    for cell in launched.cells:
        print(f"Workload outputs available at: {cell.folder}")
