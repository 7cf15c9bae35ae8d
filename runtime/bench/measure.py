"""Measuring whole commands: user time, both sides in turn, medians.

The machine is shared and its speed drifts, so two sides are never measured one after the other
but alternately, in one run, and compared by their medians.
"""

from __future__ import annotations

import os
import platform
import resource
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import frozen

from hcc.isa.errors import HccError


@frozen
class Command:
    """A command to time: its words, folder and standard input."""

    argv: tuple[str, ...]
    folder: Path | None = None
    stdin: Path | None = None


def machine() -> str:
    """The machine, in one line, as every benchmark prints it."""
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"


@frozen
class Seconds:
    """How long a command took: user time, its children and all its threads included, and wall
    time."""

    user: float
    wall: float


def timed(command: Command) -> Seconds:
    """The time of one run of a command; HccError if it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    began = time.perf_counter()
    with (command.stdin or Path(os.devnull)).open("rb") as feed:
        done = subprocess.run(
            command.argv, cwd=command.folder, stdin=feed, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    if done.returncode:
        tail = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise HccError(f"{' '.join(command.argv)}: status {done.returncode} {' '.join(tail)}")
    user = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    return Seconds(user, time.perf_counter() - began)


def user_seconds(command: Command) -> float:
    """The user time of one run of a command; HccError if it fails."""
    return timed(command).user


def alternate(commands: Mapping[str, Command], runs: int) -> dict[str, float]:
    """The median user time of each command over `runs` rounds, after one round not counted."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for round_number in range(runs + 1):
        for name, command in commands.items():
            seconds = user_seconds(command)
            if round_number:
                times[name].append(seconds)
    return {name: statistics.median(values) for name, values in times.items()}


def geometric_mean(values: Sequence[float]) -> float:
    """The geometric mean of positive numbers."""
    return statistics.geometric_mean(values)
