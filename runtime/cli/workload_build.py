"""`hcc workload build` and `clean`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from hcc.runtime.cli.workload_options import (
    by_folder,
    json_option,
    load,
    out_option,
    parallel_option,
    progress,
    report_failures,
    specs_argument,
    werror_option,
    workdir_option,
)


@click.command()
@specs_argument
@click.option("-B", "--binOnly", "--bin-only", "only_binaries", is_flag=True,
              help="Only programs.")  # fmt: skip
@click.option("-I", "--imgOnly", "--img-only", "only_images", is_flag=True, help="Only images.")
@click.option("-v", "--verbose", is_flag=True, help="Say why each thing was made.")
@out_option
@workdir_option
@parallel_option
@werror_option
@json_option
@click.pass_context
def build(
    ctx: click.Context,
    specs: tuple[str, ...],
    only_binaries: bool,
    only_images: bool,
    verbose: bool,
    out: Path | None,
    folders: tuple[str, ...],
    parallel: int,
    werr: bool,
    as_json: bool,
) -> int:
    """Build workloads with their bases and jobs: what has changed, and what depends on it."""
    from hcc.runtime.workload.session import session

    status = 0
    whole: dict[str, object] = {"ran": {}, "fresh": [], "failed": {}, "blocked": [], "logs": []}
    for place, workloads in by_folder(load(ctx, specs, folders, werr), out):
        stem = workloads[0].spec.path.stem
        with progress("building") as tell, session(place, stem, "build") as tools:
            everyone = [one for workload in workloads for one in workload.everyone()]
            report = tools.build(
                everyone, parallel, tell, not only_images or only_binaries,
                not only_binaries or only_images,
            )  # fmt: skip
            log = str(tools.log_path)
        status = max(status, report_failures(report))
        if as_json:
            whole["ran"].update(report.ran)  # type: ignore[attr-defined]
            whole["fresh"] += report.fresh  # type: ignore[operator]
            whole["failed"].update({n: str(e) for n, e in report.failed.items()})  # type: ignore[attr-defined]
            whole["blocked"] += report.blocked  # type: ignore[operator]
            whole["logs"] += [log]  # type: ignore[operator]
            continue
        for name, reasons in report.ran.items():
            print(f"made {name}" + (f" ({'; '.join(reasons)})" if verbose else ""))
        if not report.failed:
            print(f"{len(report.ran)} made, {len(report.fresh)} up to date; log: {log}")
    if as_json:
        print(json.dumps({"ok": status == 0, **whole}, indent=2))
    return status


@click.command()
@specs_argument
@click.option("--deep", is_flag=True, help="Bases, results and logs, too.")
@out_option
@workdir_option
@json_option
@click.pass_context
def clean(
    ctx: click.Context,
    specs: tuple[str, ...],
    deep: bool,
    out: Path | None,
    folders: tuple[str, ...],
    as_json: bool,
) -> int:
    """Remove what was built of workloads and their jobs; with --deep all that came of them."""
    from hcc.runtime.workload.cleaning import clean as clean_workloads

    removed: list[str] = []
    for place, workloads in by_folder(load(ctx, specs, folders), out):
        removed += clean_workloads(place, workloads, deep)
    if as_json:
        print(json.dumps({"removed": removed}, indent=2))
        return 0
    for name in removed:
        print(f"removed {name}")
    if not removed:
        print("nothing to remove", file=sys.stderr)
    return 0
