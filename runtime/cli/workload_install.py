"""`hcc workload install`, `verify` and `fetch-kernel`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hcc.runtime.cli.workload_options import (
    Tell,
    by_folder,
    for_each_built,
    json_option,
    load,
    out_option,
    parallel_option,
    specs_argument,
    werror_option,
    words,
    workdir_option,
)

if TYPE_CHECKING:
    from hcc.runtime.workload.chain import Workload
    from hcc.runtime.workload.session import Session


@click.command()
@specs_argument
@click.option("-t", "--target", type=click.Choice(["firesim", "folder"]), default="firesim",
              show_default=True, help="What to install for.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="DIR",
              help="Where to (firesim: $FIRESIM_DIR/deploy/workloads if that is set).")  # fmt: skip
@out_option
@workdir_option
@parallel_option
@werror_option
@json_option
@click.pass_context
def install(
    ctx: click.Context,
    specs: tuple[str, ...],
    target: str,
    output: Path | None,
    out: Path | None,
    folders: tuple[str, ...],
    parallel: int,
    werr: bool,
    as_json: bool,
) -> int:
    """Build workloads and write them for another tool."""
    from hcc.isa.errors import HccError
    from hcc.runtime.workload.install import install as write

    if output is None and target == "firesim" and os.environ.get("FIRESIM_DIR"):
        output = Path(os.environ["FIRESIM_DIR"]) / "deploy" / "workloads"
    if output is None:
        raise HccError("say with -o where to install")
    folder = output
    files: list[str] = []

    def act(tools: Session, workload: Workload, _tell: Tell) -> list[str]:
        return write(tools, workload, target, folder)

    def show(_workload: Workload, written: list[str]) -> None:
        files.extend(written)

    groups = by_folder(load(ctx, specs, folders, werr), out)
    status = for_each_built(groups, "install", parallel, act, show)
    if as_json:
        print(json.dumps({"target": target, "files": files}, indent=2))
    else:
        for name in files:
            print(f"wrote {name}")
    return status


@click.command()
@click.argument(
    "folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR..."
)
@json_option
def verify(folders: tuple[Path, ...], as_json: bool) -> int:
    """Check the results in folders against their manifests: inputs, code and outputs by digest."""
    from hcc.runtime.workload import manifest

    found = {str(p): manifest.check(p) for folder in folders for p in manifest.find(folder)}
    bad = any(found.values())
    if as_json:
        results = [{"folder": name, "problems": problems} for name, problems in found.items()]
        print(json.dumps({"ok": not bad, "results": results}, indent=2))
        return int(bad)
    for name, problems in found.items():
        print(f"{name}: {'FAILED' if problems else 'ok'}")
        for problem in problems:
            print(f"  {problem}")
    return int(bad)


@click.command()
@click.option("--isa", "isas", multiple=True, metavar="ISA", help="For this ISA (default: all).")
@click.option("--latest", is_flag=True,
              help="What the archive has now, by its signed index.")  # fmt: skip
@click.option("--force", is_flag=True, help="Fetch also what is in the cache.")
@json_option
def fetch_kernel(isas: tuple[str, ...], latest: bool, force: bool, as_json: bool) -> int:
    """Fetch Debian's kernels for the system level into the cache."""
    from hcc.isa.fatbinary import ARCHITECTURES
    from hcc.runtime.workload import kernels

    found = {}
    for isa in words(isas, ARCHITECTURES, "ISA") or ARCHITECTURES:
        kernel = None if force or latest else kernels.cached(isa)
        if kernel is None:
            if sys.stderr.isatty():
                print(f"hcc: fetching {kernels.SOURCES[isa].pin.package}", file=sys.stderr)
            kernel = kernels.fetch(isa, latest)
        found[isa] = kernel
    if as_json:
        shown = {
            isa: {"package": k.package, "version": k.version, "image": str(k.image),
                  "sha256": k.sha256, "package_sha256": k.package_sha256}
            for isa, k in found.items()
        }  # fmt: skip
        print(json.dumps(shown, indent=2))
    else:
        for isa, kernel in found.items():
            print(f"{isa}: {kernel.package} {kernel.version} in {kernel.image}")
    return 0
