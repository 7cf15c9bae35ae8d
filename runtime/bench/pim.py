"""`hcc bench pim`: cycles against the reference's, the emulator's speed, speed-ups over a host.

The reference is the vendor's PIMSimulator, whose cycles the reference schedule reproduces; it is
not shipped here, so its CPU time (g++ -O2, one core of a 2-core EPYC machine) is a published figure
beside ours and not measured in the same run. All channels compute with their own data; since they
take the same commands, the timing of one is worked out once. Of our times the best of some runs
counts: laying the operands out in the banks, the kernel's values and its timing.
"""

from __future__ import annotations

import json
import time
from typing import Any

import click

# CPU seconds of the reference for its PIM part, 64 channels.
PEER_SECONDS = {"gemv 4096x4096": 1.73, "add 1048576": 0.465}

COMPARED = (
    ("gemv", (4096, 1024)), ("gemv", (4096, 4096)), ("gemv", (8192, 4096)), ("gemv", (4096, 8192)),
    ("add", (1 << 20,)), ("mul", (2 << 20,)), ("relu", (4 << 20,)),
)  # fmt: skip


def _cycles(runs: int) -> list[dict[str, Any]]:
    from hcc.emulator.pim.machine import Machine, Schedule
    from hcc.runtime.pim import bench

    found = []
    for kernel, shape in COMPARED:
        values = bench.inputs(kernel, shape, 1)
        row: dict[str, Any] = {"kernel": f"{kernel} {'x'.join(map(str, shape))}"}
        for schedule in Schedule:
            seconds = []
            for _ in range(runs):
                begin = time.perf_counter()
                plan = bench.make_plan(kernel, shape, 64, schedule)
                packed = plan.pack(values)
                machine = Machine(plan.channels, schedule, ranks=2)
                machine.load(packed.rows)
                timing = machine.run(plan.accesses, plan.constants, packed.streams)
                result = plan.unpack(machine.device.banks.row)
                seconds.append(time.perf_counter() - begin)
            row[schedule.value] = {"cycles": timing.cycles, "seconds": round(min(seconds), 3)}
            row[schedule.value]["checked"] = bench.agrees(kernel, values, result, schedule, 64)
        row["peer_seconds"] = PEER_SECONDS.get(row["kernel"])
        found.append(row)
    return found


def _linearity(runs: int) -> list[dict[str, Any]]:
    """Time for products of growing size, which should grow as they do."""
    from hcc.emulator.pim.machine import Machine, Schedule
    from hcc.runtime.pim import bench

    found = []
    for inputs in (2048, 4096, 8192, 16384):
        shape = (4096, inputs)
        values = bench.inputs("gemv", shape, 1)
        seconds = []
        for _ in range(runs):
            plan = bench.make_plan("gemv", shape, 64, Schedule.HCC)
            packed = plan.pack(values)
            machine = Machine(plan.channels, Schedule.HCC, ranks=2)
            begin = time.perf_counter()
            machine.load(packed.rows)
            machine.run(plan.accesses, plan.constants, packed.streams)
            plan.unpack(machine.device.banks.row)
            seconds.append(time.perf_counter() - begin)
        best = min(seconds)
        found.append(
            {"shape": f"4096x{inputs}", "seconds": round(best, 3),
             "ns_per_weight": round(best / (4096 * inputs) * 1e9, 2)}
        )  # fmt: skip
    return found


def _speedups(plot: str | None) -> list[dict[str, Any]]:
    from hcc.runtime.pim.speedup import draw, measure

    found = measure()
    if plot:
        draw(found, plot)
    return [
        {"workload": s.workload, "level": s.level, "size": s.size, "host_cycles": s.host_cycles,
         "pim_cycles": s.pim_cycles, "speedup": round(s.factor, 2)}
        for s in found
    ]  # fmt: skip


@click.command()
@click.option("--runs", type=click.IntRange(1), default=3, show_default=True,
              help="Runs of which the best counts.")  # fmt: skip
@click.option("--speedups-only", is_flag=True, help="Leave the emulator's speed out.")
@click.option("--plot", metavar="FILE", help="Draw the speed-ups as .svg, .png or .pdf.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(runs: int, speedups_only: bool, plot: str | None, as_json: bool) -> None:
    """Processing in memory: cycles, the emulator's speed, speed-ups over a host."""
    found: dict[str, Any] = {}
    if not speedups_only:
        found = {"cycles": _cycles(runs), "linearity": _linearity(runs)}
    found["speedups"] = _speedups(plot)
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    for line in _text(found):
        click.echo(line)


def _text(found: dict[str, Any]) -> list[str]:
    lines = []
    if "cycles" in found:
        lines.append("64 channels of 2 ranks   reference cycles    s   hcc cycles    s   peer s")
        for row in found["cycles"]:
            reference, own = row["reference"], row["hcc"]
            peer = f"{row['peer_seconds']:.2f}" if row["peer_seconds"] else "-"
            wrong = "" if reference["checked"] and own["checked"] else "  VALUES DISAGREE"
            lines.append(
                f"{row['kernel']:24} {reference['cycles']:10} {reference['seconds']:10.3f}"
                f" {own['cycles']:10} {own['seconds']:7.3f} {peer:>6}{wrong}"
            )
        lines += ["", "linearity: gemv, hcc schedule   s   ns/weight"]
        lines += [f"{row['shape']:28} {row['seconds']:6.3f} {row['ns_per_weight']:9.2f}"
                  for row in found["linearity"]]  # fmt: skip
        lines.append("")
    lines.append("speed-up over an ideal host stream (full bandwidth of the same 64 channels)")
    levels = list(dict.fromkeys(row["level"] for row in found["speedups"]))
    lines.append(f"{'':8}" + "".join(f"{level:>22}" for level in levels))
    for workload in dict.fromkeys(row["workload"] for row in found["speedups"]):
        cells = [row for row in found["speedups"] if row["workload"] == workload]
        texts = [f"{cell['size']}: {cell['speedup']:.2f}" for cell in cells]
        lines.append(f"{workload:8}" + "".join(f"{text:>22}" for text in texts))
    return lines
