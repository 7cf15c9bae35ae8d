"""`hcc workload explain` and `resolve`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hcc.runtime.cli.workload_options import (
    json_option,
    load,
    spec_argument,
    werror_option,
    workdir_option,
)

if TYPE_CHECKING:
    from hcc.runtime.workload.chain import Workload

_job = click.option("-j", "--job", "job", metavar="JOB", help="Of a job.")


def _chosen(workload: Workload, job: str | None) -> Workload:
    from hcc.runtime.workload.matrix import Choice, chosen_jobs

    if job is None:
        return workload
    named = [one for one in workload.jobs if job in (one.spec.job, one.name)]
    return named[0] if named else chosen_jobs(workload, Choice(jobs=(job,)))[0][0]


@click.command()
@spec_argument
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@_job
@workdir_option
@werror_option
@json_option
@click.pass_context
def explain(
    ctx: click.Context,
    spec: str,
    keys: tuple[str, ...],
    job: str | None,
    folders: tuple[str, ...],
    werr: bool,
    as_json: bool,
) -> None:
    """Say which file of the chain set each KEY (default: all that are set) and what it overrode."""
    from hcc.runtime.workload import explain as explaining

    if len(keys) == 1 and not Path(spec).exists() and Path(keys[0]).is_file():
        spec, keys = keys[0], (spec,)
    workload = _chosen(load(ctx, [spec], folders, werr)[0], job)
    names = [name for key in keys for name in explaining.expand(key)]
    if not keys:
        names = [name for name, option in workload.options.items() if option.steps]
    found = [explaining.explain(workload, name) for name in names]
    if as_json:
        print(json.dumps(found[0] if len(found) == 1 and keys else found, indent=2))
        return
    for one in found:
        print(explaining.text(one))


@click.command()
@spec_argument
@_job
@click.option("--all", "everything", is_flag=True, help="Options at their defaults, too.")
@workdir_option
@werror_option
@click.option("--json", "_as_json", is_flag=True, help="Print JSON (which is what it prints).")
@click.pass_context
def resolve(
    ctx: click.Context,
    spec: str,
    job: str | None,
    everything: bool,
    folders: tuple[str, ...],
    werr: bool,
    _as_json: bool,
) -> None:
    """Print a workload's options with all inheritance settled, as JSON."""
    from hcc.runtime.workload.explain import resolved

    workload = load(ctx, [spec], folders, werr)[0]
    print(json.dumps(resolved(_chosen(workload, job), everything), indent=2))
