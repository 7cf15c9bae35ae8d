"""`hcc bench workload`: a build of many jobs that has nothing, and one thing, to do.

Whole commands by the clock. GNU make, where installed, does the like on a graph of the same shape:
a file copied for the base, one for each job. FireMarshal itself needs a RISC-V toolchain to read a
specification, so it is no peer that could be run here.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click

_SOURCE = "int main(void) { return 0; }\n"
_LIMITS = {"hcc, nothing to do": 0.5, "hcc --help": 0.2}


@click.command()
@click.option("--jobs", default=50, show_default=True, help="Jobs of the workload.")
@click.option("--runs", default=11, show_default=True, help="Counted runs of each side.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(jobs: int, runs: int, as_json: bool) -> None:
    """Time builds of a workload with many jobs, by the clock."""
    from hcc.runtime.bench import measure

    hcc = str(Path(sys.executable).parent / "hcc")
    with tempfile.TemporaryDirectory(prefix="hcc-bench-") as scratch:
        folder = Path(scratch)
        spec = _specification(folder, jobs)
        build = [hcc, "workload", "build", str(spec)]
        first = _seconds(build, folder)
        number = iter(range(1 << 30))

        def change() -> None:
            (folder / "w" / "one").write_text(f"{next(number)}\n")

        sides: dict[str, tuple[list[str], Callable[[], None]]] = {
            "hcc, nothing to do": (build, lambda: None),
            "hcc, one job's file changed": (build, change),
            "hcc --help": ([hcc, "--help"], lambda: None),
        }
        make = shutil.which("make")
        if make is not None:
            _makefile(folder, jobs)
            _seconds([make, "-s"], folder)
            sides["make, nothing to do"] = ([make, "-s"], lambda: None)
            sides["make, one job's file changed"] = ([make, "-s"], change)
        times: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(runs):
            for name, (words, before) in sides.items():
                before()
                times[name].append(_seconds(words, folder))
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    medians["hcc, everything to do"] = first
    if as_json:
        whole = {"machine": measure.machine(), "jobs": jobs, "seconds": medians}
        print(json.dumps(whole, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("command", "seconds", "wanted")
    for name, value in medians.items():
        table.add_row(name, f"{value:.3f}", f"< {_LIMITS[name]}" if name in _LIMITS else "")
    console = Console(width=100)
    console.print(f"wall time, medians; {jobs} jobs; {measure.machine()}", highlight=False)
    console.print(table)


def _seconds(words: list[str], folder: Path) -> float:
    begin = time.perf_counter()
    subprocess.run(words, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def _specification(folder: Path, jobs: int) -> Path:
    work = folder / "w"
    (work / "overlay").mkdir(parents=True)
    (work / "overlay" / "common").write_text("common\n")
    (work / "main.c").write_text(_SOURCE)
    (work / "one").write_text("first\n")
    lines = ["name: w", "sources: main.c", "overlay: overlay", "jobs:"]
    for number in range(jobs):
        (work / f"file{number}").write_text(f"{number}\n")
        own = "one" if number == 0 else f"file{number}"
        lines.append(f"  - {{name: j{number}, files: [[{own}, /own]], args: [{number}]}}")
    spec = folder / "w.yaml"
    spec.write_text("\n".join(lines) + "\n")
    return spec


def _makefile(folder: Path, jobs: int) -> None:
    names = " ".join(f"j{n}.out" for n in range(jobs))
    lines = [f"all: {names}", "base.out: w/main.c w/overlay/common", "\tcat $^ > $@"]
    for number in range(jobs):
        own = "one" if number == 0 else f"file{number}"
        lines += [f"j{number}.out: base.out w/{own}", "\tcat $^ > $@"]
    (folder / "Makefile").write_text("\n".join(lines) + "\n")
