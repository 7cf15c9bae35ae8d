"""`hcc bench lebug`: how many chain-vectors a second the unit runs, against LeBug's emulator.

A chain-vector is one chain run on one vector. The peer's figures are those of the published
Python emulator on one core with the same firmware (summaryStats) and sizes; since it is not
shipped here, our own step-by-step pipeline, which is written like it, is measured beside it.
Linearity is the time for ten times the vectors; memory is what a run of all of them adds to the
process beyond its input.
"""

from __future__ import annotations

import json
import resource
import time

import click
import numpy as np
from attrs import asdict, frozen
from numpy.typing import NDArray

from hcc.compiler.firmware import compile_library
from hcc.compiler.firmware.catalogue import Edges, default_edges
from hcc.emulator.lebug import InstrumentationUnit
from hcc.emulator.lebug.pipeline import Input, run
from hcc.isa.lebug import Firmware, Machine

# Chain-vectors a second of danielholanda/LeBug a368476, summaryStats, one core.
PUBLISHED = {(8, 4): 8_900, (128, 32): 1_700}

FRAME = 64


@frozen
class Rate:
    N: int
    M: int
    chain_vectors_per_second: float
    published: int
    times_published: float
    step_by_step: float
    tenfold_time_ratio: float
    added_memory_mib: float
    compile_seconds: float


def _firmware(n: int, m: int) -> Firmware:
    machine = Machine(n=n, m=m)
    edges = default_edges(Edges.POSITIVE, machine)
    return compile_library("summaryStats", machine, edges=edges).firmware


def _seconds(firmware: Firmware, vectors: NDArray[np.float64], repeats: int) -> float:
    """The shortest time to run all vectors, the unit's compilation apart."""
    flags = np.zeros(len(vectors), dtype=np.uint8)
    flags[FRAME - 1 :: FRAME] = 1
    best = float("inf")
    for _ in range(repeats):
        unit = InstrumentationUnit(firmware)
        start = time.perf_counter()
        unit.tap_many(vectors, flags)
        best = min(best, time.perf_counter() - start)
    return best


def _step_by_step(firmware: Firmware, vectors: NDArray[np.float64]) -> float:
    """Chain-vectors a second of the plain pipeline, on as many vectors as its buffer takes."""
    count = 0
    start = time.perf_counter()
    while time.perf_counter() - start < 0.3:
        inputs = [Input(vector) for vector in vectors[:9]]
        run(firmware, firmware.edges, inputs)
        count += len(inputs)
    return count * len(firmware.chains) / (time.perf_counter() - start)


def measure(n: int, m: int, count: int, repeats: int) -> Rate:
    """One line of the table."""
    start = time.perf_counter()
    firmware = _firmware(n, m)
    InstrumentationUnit(firmware)
    compile_seconds = time.perf_counter() - start
    vectors = np.random.default_rng(1).normal(size=(count, n))
    tenth = _seconds(firmware, vectors[: max(1, count // 10)], repeats)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    whole = _seconds(firmware, vectors, repeats)
    added = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    rate = count * len(firmware.chains) / whole
    published = PUBLISHED[n, m]
    return Rate(
        N=n,
        M=m,
        chain_vectors_per_second=rate,
        published=published,
        times_published=rate / published,
        step_by_step=_step_by_step(firmware, vectors),
        tenfold_time_ratio=whole / tenth,
        added_memory_mib=added / 1024,
        compile_seconds=compile_seconds,
    )


@click.command()
@click.option("--vectors", default=400_000, type=click.IntRange(10), help="Vectors per run.")
@click.option("--repeats", default=3, type=click.IntRange(1), help="The best of so many runs.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(vectors: int, repeats: int, as_json: bool) -> None:
    """LeBug emulation: chain-vectors a second, against the published emulator."""
    rates = [measure(n, m, vectors, repeats) for n, m in PUBLISHED]
    if as_json:
        click.echo(json.dumps({"vectors": vectors, "rates": [asdict(rate) for rate in rates]}))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, title=f"summaryStats, {vectors} vectors, one core, reference mode")
    for name in (
        "N", "M", "chain-vectors/s", "published", "times", "step by step", "10x vectors",
        "added MiB", "compile s",
    ):  # fmt: skip
        table.add_column(name, justify="right")
    for rate in rates:
        table.add_row(
            str(rate.N),
            str(rate.M),
            f"{rate.chain_vectors_per_second:,.0f}",
            f"{rate.published:,}",
            f"{rate.times_published:,.0f}x",
            f"{rate.step_by_step:,.0f}",
            f"{rate.tenfold_time_ratio:.1f}x time",
            f"{rate.added_memory_mib:.1f}",
            f"{rate.compile_seconds:.2f}",
        )
    Console(width=120).print(table)
