"""`hcc bench systolic`: the systolic model against SCALE-Sim, same files in, same reports out.

The peer is `scalesim==2.0.2` from PyPI, installed into a virtual environment of its own in the
cache folder the first time the benchmark runs. Every case goes through both: configuration and
topology files in, report files out, and the reports are compared byte for byte. Times are the
processor time of the run itself in each side's process (imports apart), because the machine may
be shared; ours is the median of several runs, the peer's is one, since a run takes it up to
minutes. Then the 27-point aspect-ratio sweep of SCALE-Sim's tutorial, and a million
configurations in closed form. Memory is the peak of a fresh process that does only that.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
from attrs import asdict, frozen

from hcc.isa.errors import HccError

PEER = "scalesim==2.0.2"

ALEXNET = """Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels,\
 Num Filter, Strides,
Conv1, 224, 224, 11, 11, 3, 96, 4,
"""
TUTORIAL = """Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels,\
 Num Filter, Strides,
Conv_3x3, 56, 56, 3, 3, 64, 64, 1,
Conv_1x1, 56, 56, 1, 1, 64, 256, 1,
FC, 1, 1, 1, 1, 2048, 1000, 1,
"""

CONFIG = """[general]
run_name = {name}
[architecture_presets]
ArrayHeight: {rows}
ArrayWidth: {cols}
IfmapSramSzkB: {kb}
FilterSramSzkB: {kb}
OfmapSramSzkB: {kb}
IfmapOffset: 0
FilterOffset: 10000000
OfmapOffset: 20000000
Bandwidth: 10
Dataflow: {dataflow}
[run_presets]
InterfaceBandwidth: {mode}
"""

# What the peer's process runs: one case, its processor time and peak memory on the last line.
PEER_SCRIPT = """
import json, resource, sys, time
from scalesim.scale_sim import scalesim
config, topology, out = sys.argv[1:]
start = time.process_time()
scalesim(save_disk_space=True, verbose=False, config=config, topology=topology).run_scale(
    top_path=out)
seconds = time.process_time() - start
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""

# The same for ours, in a fresh process for its peak memory: all cases in turn.
OWN_SCRIPT = """
import json, resource, statistics, sys, time
from hcc.runtime.systolic import scalesim
config, topology, out, runs = sys.argv[1:]
times = []
for _ in range(int(runs)):
    start = time.process_time()
    scalesim(save_disk_space=True, verbose=False, config=config, topology=topology).run_scale(
        top_path=out)
    times.append(time.process_time() - start)
print(json.dumps([statistics.median(times),
                  resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""

SWEEP_SCRIPT = """
import json, resource, sys, time
from hcc.emulator.systolic import parse_config, parse_topology
from hcc.runtime.systolic import Grid, sweep
from hcc.runtime.systolic.sweeps import aspect_ratios
config, topology = (open(name).read() for name in sys.argv[1:])
start = time.process_time()
grid = Grid(shapes=aspect_ratios(4096, 4), dataflows=("os", "ws", "is"),
            topologies=(parse_topology("tutorial", topology),))
points = sweep(parse_config("tutorial", config), grid)
seconds = time.process_time() - start
assert len(points) == 27
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""

MILLION_SCRIPT = """
import json, resource, sys, time
import numpy as np
from hcc.emulator.systolic import estimate_layers, parse_topology
layers = parse_topology("tutorial", open(sys.argv[1]).read()).layers
start = time.process_time()
random = np.random.default_rng(1)
rows, cols = random.integers(4, 1025, (2, 1_000_000))
flows = random.integers(0, 3, 1_000_000)
cycles = 0
for layer in layers:
    found = estimate_layers([layer], rows, cols, flows)
    cycles = cycles + found.cycles[0]
seconds = time.process_time() - start
assert cycles.shape == (1_000_000,)
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


@frozen
class Case:
    """One configuration and network."""

    name: str
    config: str
    topology: str


@frozen
class Row:
    """What one case came to."""

    name: str
    peer_seconds: float
    our_seconds: float
    times: float
    peer_mib: float
    our_mib: float
    same_reports: bool


def cases(quick: bool) -> list[Case]:
    """alexnet_part on 32x32 and the tutorial's network on 64x64, all dataflows, both modes."""
    found = []
    for network, topology, side, kb in (
        ("alexnet_part", ALEXNET, 32, 64),
        ("tutorial", TUTORIAL, 64, 512),
    ):
        for mode in ("CALC", "USER"):
            for dataflow in ("ws",) if quick else ("os", "ws", "is"):
                name = f"{network}_{side}x{side}_{dataflow}_{mode.lower()}"
                config = CONFIG.format(
                    name=name, rows=side, cols=side, kb=kb, dataflow=dataflow, mode=mode
                )
                found.append(Case(name, config, topology))
    return found


def cache_folder() -> Path:
    """Where peers are installed."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "hcc" / "peers"


def install_peer() -> Path:
    """The peer's Python; installs it the first time."""
    folder = cache_folder() / PEER.replace("==", "-")
    python = folder / "bin" / "python"
    marker = folder / "installed"
    if marker.exists():
        return python
    print(f"hcc: installing {PEER} into {folder}", file=sys.stderr)
    folder.parent.mkdir(parents=True, exist_ok=True)
    for words in (
        [sys.executable, "-m", "venv", "--clear", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", PEER],
    ):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            tail = (done.stderr or done.stdout).strip().splitlines()[-1:]
            raise HccError(f"installing {PEER} failed: {' '.join(tail)}")
    marker.touch()
    return python


def _measure(python: Path | str, script: str, *words: str) -> tuple[float, float]:
    """(seconds, MiB) as a script prints them on its last line."""
    done = subprocess.run(
        [str(python), "-c", script, *words], capture_output=True, text=True, check=False
    )
    if done.returncode:
        tail = done.stderr.strip().splitlines()[-1:]
        raise HccError(f"a benchmark process failed: {' '.join(tail)}")
    seconds, mib = json.loads(done.stdout.strip().splitlines()[-1])
    return float(seconds), float(mib)


def _same_reports(first: Path, second: Path) -> bool:
    names = ("COMPUTE_REPORT.csv", "BANDWIDTH_REPORT.csv", "DETAILED_ACCESS_REPORT.csv")
    return all((first / name).read_bytes() == (second / name).read_bytes() for name in names)


def run_case(case: Case, python: Path, folder: Path, runs: int) -> Row:
    """Run one case on both sides."""
    config, topology = folder / f"{case.name}.cfg", folder / f"{case.name}.csv"
    config.write_text(case.config)
    topology.write_text(case.topology)
    sides = {"peer": folder / "peer", "ours": folder / "ours"}
    for side in sides.values():
        side.mkdir(exist_ok=True)
    words = str(config), str(topology)
    first, our_mib = _measure(sys.executable, OWN_SCRIPT, *words, str(sides["ours"]), str(runs))
    peer_seconds, peer_mib = _measure(python, PEER_SCRIPT, *words, str(sides["peer"]))
    second, _ = _measure(sys.executable, OWN_SCRIPT, *words, str(sides["ours"]), str(runs))
    ours = statistics.mean((first, second))
    same = _same_reports(sides["peer"] / case.name, sides["ours"] / case.name)
    return Row(case.name, peer_seconds, ours, peer_seconds / ours, peer_mib, our_mib, same)


def measure(quick: bool, runs: int) -> dict[str, Any]:
    """All measurements."""
    python = install_peer()
    rows = []
    with tempfile.TemporaryDirectory(prefix="hcc-bench-") as name:
        folder = Path(name)
        for case in cases(quick):
            start = time.perf_counter()
            rows.append(run_case(case, python, folder, runs))
            seconds = time.perf_counter() - start
            print(f"hcc: {case.name}: {rows[-1].times:,.0f}x ({seconds:.0f} s)", file=sys.stderr)
        config, topology = folder / "sweep.cfg", folder / "sweep.csv"
        config.write_text(
            CONFIG.format(name="sweep", rows=64, cols=64, kb=512, dataflow="os", mode="CALC")
        )
        topology.write_text(TUTORIAL)
        sweep = _measure(sys.executable, SWEEP_SCRIPT, str(config), str(topology))
        million = _measure(sys.executable, MILLION_SCRIPT, str(topology))
    return {
        "peer": PEER,
        "cases": [asdict(row) for row in rows],
        "least_times": min(row.times for row in rows),
        "geometric_mean_times": statistics.geometric_mean(row.times for row in rows),
        "sweep_27_points": {"seconds": sweep[0], "mib": sweep[1]},
        "million_configurations": {"seconds": million[0], "mib": million[1]},
        "most_mib": max([row.our_mib for row in rows] + [sweep[1], million[1]]),
    }


@click.command()
@click.option("--quick", is_flag=True, help="Only the ws dataflow.")
@click.option("--runs", default=9, type=click.IntRange(1), help="Runs of ours, for a median.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(quick: bool, runs: int, as_json: bool) -> None:
    """The systolic model against SCALE-Sim 2.0.2 on the same files (about ten minutes)."""
    found = measure(quick, runs)
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, title=f"processor time against {PEER}")
    for head in ("case", "peer s", "ours ms", "times", "peer MiB", "ours MiB", "reports"):
        table.add_column(head, justify="left" if head in ("case", "reports") else "right")
    for row in found["cases"]:
        table.add_row(
            row["name"],
            f"{row['peer_seconds']:.2f}",
            f"{1000 * row['our_seconds']:.2f}",
            f"{row['times']:,.0f}x",
            f"{row['peer_mib']:.0f}",
            f"{row['our_mib']:.0f}",
            "identical" if row["same_reports"] else "DIFFER",
        )
    console = Console(width=120)
    console.print(table)
    for title, key in (
        ("27-point aspect-ratio sweep", "sweep_27_points"),
        ("a million configurations, 3 layers", "million_configurations"),
    ):
        console.print(f"{title}: {found[key]['seconds']:.3f} s, {found[key]['mib']:.0f} MiB")
    console.print(
        f"least {found['least_times']:,.0f}x, geometric mean"
        f" {found['geometric_mean_times']:,.0f}x; most memory {found['most_mib']:.0f} MiB"
    )
