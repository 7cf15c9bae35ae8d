"""`hcc workload test`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hcc.isa.errors import HccError
from hcc.runtime.cli.workload_options import (
    by_folder,
    choice,
    job_option,
    json_option,
    load,
    matrix_options,
    out_option,
    parallel_option,
    progress,
    specs_argument,
    werror_option,
    workdir_option,
)

if TYPE_CHECKING:
    from hcc.runtime.workload.testing import Verdict


@click.command()
@specs_argument
@job_option
@matrix_options
@click.option("-m", "--manual", type=click.Path(path_type=Path), metavar="DIR",
              help="Run nothing: compare the results in DIR.")  # fmt: skip
@click.option("--update-reference", "update", is_flag=True,
              help="Make the references what came out, where all cells agree.")  # fmt: skip
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE", help="Write JUnit XML.")
@click.option("--report", type=click.Path(path_type=Path), metavar="FILE", help="Write JSON.")
@out_option
@workdir_option
@parallel_option
@werror_option
@json_option
@click.pass_context
def test(
    ctx: click.Context,
    specs: tuple[str, ...],
    jobs: tuple[str, ...],
    isas: tuple[str, ...],
    levels: tuple[str, ...],
    executor: str,
    timeout: float | None,
    manual: Path | None,
    update: bool,
    junit: Path | None,
    report: Path | None,
    out: Path | None,
    folders: tuple[str, ...],
    parallel: int,
    werr: bool,
    as_json: bool,
) -> int:
    """Build and launch workloads, all their jobs, and compare what comes out."""
    from hcc.isa.store import write_atomically
    from hcc.runtime.workload import reports
    from hcc.runtime.workload.session import session
    from hcc.runtime.workload.testing import compare_only
    from hcc.runtime.workload.testing import test as run

    chosen = choice(isas, levels, jobs, False, None, False, timeout)
    verdicts: list[Verdict] = []
    bad_input = False
    for place, workloads in by_folder(load(ctx, specs, folders, werr), out):
        for workload in workloads:
            try:
                if manual is not None:
                    verdict = compare_only(workload, manual)
                else:
                    stem = workload.spec.path.stem
                    with progress(workload.name) as tell, session(place, stem, "test") as tools:
                        verdict = run(
                            tools, workload, chosen, update, parallel, executor == "ray", tell,
                            lambda cell, event, tell=tell: tell(cell.name, event),  # type: ignore[misc]
                        )  # fmt: skip
            except HccError as error:
                if len(specs) == 1:
                    raise
                print(f"hcc: error: {error}", file=sys.stderr)
                bad_input = True
                continue
            verdicts.append(verdict)
            bad_input |= verdict.bad_input
            if not as_json:
                _show(verdict)
    whole = reports.as_json(verdicts)
    text = json.dumps(whole, indent=2)
    if junit is not None:
        write_atomically(junit, reports.junit(verdicts))
    if report is not None:
        write_atomically(report, text.encode() + b"\n")
    if as_json:
        print(text)
    else:
        _sum_up(whole["passed"], whole["failed"], whole["skipped"])
    return 2 if bad_input else 1 if whole["failed"] else 0



def _show(verdict: Verdict) -> None:
    for case in verdict.cases:
        seconds = f", {case.seconds:.2f} s" if case.seconds else ""
        text = case.message.replace("\n", "\n    ")
        match case.state:
            case "passed":
                print(f"{verdict.workload}: {case.name}: passed{seconds}")
            case "skipped":
                print(f"{verdict.workload}: {case.name}: skipped: {text}")
            case _:
                print(f"{verdict.workload}: {case.name}: FAILED{seconds}\n    {text}")
    for name in verdict.updated:
        print(f"updated {name}")
    if verdict.folder is not None:
        print(f"Workload outputs available at: {verdict.folder}")


def _sum_up(passed: int, failed: int, skipped: int) -> None:
    tail = f" ({skipped} tests skipped)" if skipped else ""
    if failed:
        print(f"FAILURE: {failed} of {passed + failed} tests failed{tail}")
    else:
        print(f"SUCCESS: All Tests Passed{tail}")
