"""`hcc bench emulator`: the JIT against native code, qemu-user and Unicorn, on each guest ISA.

The kernels lie beside this file. The example programs are not measured under Unicorn, and as whole
commands only where they can take over a second natively. Native code is gcc -O2 of the same source;
the three emulators run the same guest code, which is hcc's. Times are user times, all sides in turn
in one run, medians; for whole commands also wall times, as compiling goes on beside the guest.

    steady   seconds for a round of a kernel or example: the difference of a long and a short run,
             so that start-up and translation drop out
    whole    whole commands that take over a second natively: with an empty cache, and again; and
             after how many seconds of native running time the first of them has caught up with qemu
    start    wall time of a run that does next to nothing, with everything in the cache
    costs    what polls and exact instruction counts cost compiled code, in the steady state
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import define, evolve, field, frozen

if TYPE_CHECKING:
    from hcc.runtime.bench.examples import Example
    from hcc.runtime.bench.measure import Command

# Kernel: rounds that take about half a second natively.
KERNELS = {"sort_sieve": 300, "crc32": 250, "matmul": 1100, "mandelbrot": 500}
# Slower sides do a part of the rounds; what is compared is the time for one.
SHARES = {"native": 1.0, "jit": 1.0, "qemu": 0.3, "unicorn": 0.15}
LONG = 2.5  # times the rounds above, for whole commands
WARM_UPS = 8  # runs at most before the steady state is measured
PARTS = ("steady", "whole", "start", "costs")
_HCC = "from hcc.runtime.cli import main; main()"
ISAS = ("x86_64", "aarch64", "riscv64")


@frozen
class Kernel:
    """A program to measure: its sources, and the arguments of a short and a long run.

    `rounds` is the argument of the long run of a kernel; an example has arguments of its own.
    """

    program: Example
    rounds: int | None

    @property
    def name(self) -> str:
        return self.program.name

    def short(self) -> tuple[str, ...]:
        return self.program.small if self.rounds is None else ("1",)

    @property
    def is_long(self) -> bool:
        """Whether a run can take over a second natively."""
        return self.rounds is not None or self.program.long is not None

    def long(self, share: float) -> tuple[tuple[str, ...], int]:
        """The arguments of a long run, and how many rounds it has over a short one."""
        if self.rounds is None:
            return self.program.long or self.program.full, 1
        rounds = max(int(self.rounds * share), 2)
        return (str(rounds),), rounds - 1


def find(names: tuple[str, ...]) -> list[Kernel]:
    """The kernels and examples of some names; all if there are none."""
    from hcc.isa.errors import HccError
    from hcc.runtime.bench.examples import Example, examples

    here = Path(__file__).parent
    found = []
    for name, rounds in KERNELS.items():
        source = here / f"{name}.c"
        found.append(Kernel(Example(name, (source,), (), (), None, source, source), rounds))
    for example in examples():
        name = f"{example.name}-example" if example.name in KERNELS else example.name
        found.append(Kernel(evolve(example, name=name), None))
    unknown = set(names) - {kernel.name for kernel in found}
    if unknown:
        raise HccError(f"no such kernel: {', '.join(sorted(unknown))}")
    return [kernel for kernel in found if not names or kernel.name in names]


@define
class Bench:
    """What all parts share: the folder with everything built, and how often to measure."""

    folder: Path
    runs: int
    isas: tuple[str, ...]
    programs: list[Kernel]
    unicorn: bool = field(init=False)

    @property
    def kernels(self) -> list[Kernel]:
        """The programs without the examples."""
        return [program for program in self.programs if program.rounds is not None]

    def __attrs_post_init__(self) -> None:
        from importlib.util import find_spec

        self.unicorn = find_spec("unicorn") is not None

    def build(self, kernel: Kernel) -> None:
        """The kernel as fat binaries with and without polls, as ELFs, and by gcc."""
        from hcc.compiler.build import BuildOptions
        from hcc.compiler.driver import CompileOptions, compile_program
        from hcc.compiler.kernelc import FrontEndOptions
        from hcc.compiler.passes import Points
        from hcc.isa import fatbinary
        from hcc.runtime.bench.examples import build_native

        native = self.path(kernel, "native")
        build_native(kernel.program, "gcc", native, ["-O2", "-ffp-contract=off"])
        for points in (Points.LOOPS, Points.NONE):
            options = CompileOptions(FrontEndOptions(), BuildOptions(2, ISAS, points))
            program = compile_program(kernel.program.sources, options)
            self.path(kernel, points.value).write_bytes(fatbinary.encode(program))
            for isa in self.isas if points is Points.LOOPS else ():
                path = self.path(kernel, isa)
                path.write_bytes(fatbinary.encode_elf(program, isa))
                path.chmod(0o755)

    def path(self, kernel: Kernel, kind: str) -> Path:
        return self.folder / f"{kernel.name}.{kind}"

    def command(self, side: str, kernel: Kernel, isa: str, args: tuple[str, ...]) -> Command:
        """How a side runs a kernel."""
        from hcc.runtime.bench.examples import EXAMPLES
        from hcc.runtime.bench.measure import Command
        from hcc.runtime.external import command_for

        fat = str(self.path(kernel, "loops"))
        hcc = (sys.executable, "-c", _HCC, "run", "--isa", isa)
        match side:
            case "native":
                words = (str(self.path(kernel, "native")), *args)
            case "qemu":
                words = (*command_for(isa, "qemu"), str(self.path(kernel, isa)), *args)
            case "unicorn":
                words = (sys.executable, "-m", "hcc.runtime.bench.unicorn_run", fat, isa, *args)
            case "no polls":
                words = (*hcc, str(self.path(kernel, "none")), "--", *args)
            case "counting":
                words = (*hcc, "--stats", os.devnull, fat, "--", *args)
            case _:
                words = (*hcc, fat, "--", *args)
        return Command(words, EXAMPLES if kernel.rounds is None else None)

    def per_round(self, sides: tuple[str, ...], kernel: Kernel, isa: str) -> dict[str, float]:
        """Seconds for one round on each side, in the steady state."""
        from hcc.runtime.bench import measure

        commands, rounds = {}, {}
        for side in sides:
            args, rounds[side] = kernel.long(SHARES.get(side, 1.0))
            commands[f"{side} short"] = self.command(side, kernel, isa, kernel.short())
            commands[side] = self.command(side, kernel, isa, args)
        for side in set(sides) - {"native", "qemu", "unicorn"}:
            self.warm_up(commands[side])
        times = measure.alternate(commands, self.runs)
        return {s: (times[s] - times[f"{s} short"]) / rounds[s] for s in sides}

    def warm_up(self, command: Command) -> None:
        """Run a command until it finds all it wants in the cache."""
        from hcc.runtime.bench import measure

        size = -1
        for _ in range(WARM_UPS):
            measure.user_seconds(command)
            before, size = size, self.cache_size()
            if size == before:
                return

    def cache_size(self) -> int:
        return sum(path.stat().st_size for path in (self.folder / "store").rglob("*"))

    # ---- the parts ----

    def steady(self) -> list[dict[str, Any]]:
        sides = ("native", "jit", "qemu")
        rows = []
        for kernel in self.programs:
            more = ("unicorn",) if self.unicorn and kernel.rounds is not None else ()
            for isa in self.isas:
                times = self.per_round((*sides, *more), kernel, isa)
                rows.append({"kernel": kernel.name, "isa": isa, **times})
        return rows

    def whole(self) -> list[dict[str, Any]]:
        from hcc.runtime.bench import measure

        rows = []
        for kernel in (program for program in self.programs if program.is_long):
            args, _ = kernel.long(LONG)
            for isa in self.isas:
                times: dict[str, list[measure.Seconds]] = {}
                for _ in range(self.runs):
                    self.empty_cache()
                    for side in ("native", "cold", "warm", "qemu"):
                        seconds = measure.timed(self.command(side, kernel, isa, args))
                        times.setdefault(side, []).append(seconds)
                medians: dict[str, float] = {}
                for side, all_ in times.items():
                    medians[side] = statistics.median(each.user for each in all_)
                    medians[f"{side} wall"] = statistics.median(each.wall for each in all_)
                start = measure.user_seconds(self.command("warm", kernel, isa, kernel.short()))
                rows.append({"kernel": kernel.name, "isa": isa, **medians, "start": start})
        return rows

    def empty_cache(self) -> None:
        shutil.rmtree(self.folder / "store", ignore_errors=True)

    def start(self) -> list[dict[str, Any]]:
        from hcc.runtime.bench import measure

        rows = []
        for kernel in self.kernels:
            for isa in self.isas:
                measure.user_seconds(self.command("jit", kernel, isa, kernel.long(1.0)[0]))
                command = self.command("jit", kernel, isa, kernel.short())
                times = []
                for _ in range(self.runs + 1):
                    begin = time.perf_counter()
                    measure.user_seconds(command)
                    times.append(time.perf_counter() - begin)
                median = sorted(times[1:])[self.runs // 2]
                rows.append({"kernel": kernel.name, "isa": isa, "start": median})
        return rows

    def costs(self) -> list[dict[str, Any]]:
        sides = ("jit", "no polls", "counting")
        return [
            {"kernel": kernel.name, "isa": isa, **self.per_round(sides, kernel, isa)}
            for kernel in self.programs
            for isa in self.isas
        ]


@click.command()
@click.argument("kernels", nargs=-1)
@click.option("--part", "parts", multiple=True, type=click.Choice(PARTS), help="Only these parts.")
@click.option("--isa", "isas", multiple=True, type=click.Choice(ISAS), help="Only these guests.")
@click.option("--runs", default=3, show_default=True, help="Counted runs of each side.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(
    kernels: tuple[str, ...],
    parts: tuple[str, ...],
    isas: tuple[str, ...],
    runs: int,
    as_json: bool,
) -> None:
    """Time compiled guest code against native code, qemu-user and Unicorn.

    KERNELS are names of kernels and examples; all if there are none.
    """
    from rich.console import Console

    from hcc.runtime.bench import measure

    programs = find(kernels)

    console, progress = Console(width=120), Console(stderr=True)
    found: dict[str, list[dict[str, Any]]] = {}
    if not as_json:
        console.print(measure.machine(), highlight=False)
    with tempfile.TemporaryDirectory(prefix="hcc-bench-") as scratch:
        bench = Bench(Path(scratch), runs, isas or ISAS, programs)
        with progress.status("compiling the kernels"):
            for kernel in programs:
                bench.build(kernel)
        os.environ["HCC_CACHE_DIR"] = str(bench.folder / "store")
        # The commands are run without this; what is compiled of Python itself must be kept too.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        for part in parts or PARTS:
            with progress.status(f"measuring: {part} (minutes)"):
                found[part] = getattr(bench, part)()
            for table in () if as_json else _TABLES[part](found[part]):
                console.print(table)
    if as_json:
        print(json.dumps({"machine": measure.machine(), **found}, indent=2))


# ---- tables ----


Quotient = Callable[[dict[str, Any]], "float | None"]


def _ratios(title: str, rows: list[dict[str, Any]], columns: dict[str, Quotient]) -> Any:
    """A table of quotients with their geometric means for each guest ISA."""
    from rich.table import Table

    from hcc.runtime.bench.measure import geometric_mean

    table = Table("kernel", "guest", *columns, title=title)
    for column in table.columns[2:]:
        column.justify = "right"
    for row in rows:
        table.add_row(row["kernel"], row["isa"], *(_shown(f(row)) for f in columns.values()))
    table.add_section()
    for isa in dict.fromkeys(row["isa"] for row in rows):
        mine = [row for row in rows if row["isa"] == isa]
        means = []
        for f in columns.values():
            values = [max(value, 1e-9) for value in map(f, mine) if value is not None]
            means.append(geometric_mean(values) if values else None)
        table.add_row("geometric mean", isa, *map(_shown, means))
    return table


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _over(a: str, b: str) -> Quotient:
    return lambda row: max(row[a], 1e-9) / max(row[b], 1e-9) if a in row and b in row else None


def _seconds(side: str) -> Quotient:
    return lambda row: row[side]


def _steady_tables(rows: list[dict[str, Any]]) -> list[Any]:
    columns = {"jit / native": _over("jit", "native"), "qemu / native": _over("qemu", "native")}
    columns["qemu / jit"] = _over("qemu", "jit")
    if any("unicorn" in row for row in rows):
        columns |= {"unicorn / native": _over("unicorn", "native")}
        columns |= {"unicorn / jit": _over("unicorn", "jit")}
    return [_ratios("steady state: user time for a round, as quotients", rows, columns)]


def _caught_up(row: dict[str, Any]) -> float | None:
    """After how many seconds of native time a cold run has caught up with qemu; None if never.

    A cold run takes what a warm run does and once more what it has to translate.
    """
    rate = (row["warm"] - row["start"]) / row["native"]
    gain = row["qemu"] / row["native"] - rate
    once = row["cold"] - rate * row["native"]
    return float(max(once, 0.0) / gain) if gain > 0 else None


def _whole_tables(rows: list[dict[str, Any]]) -> list[Any]:
    columns = {f"{side}, s": _seconds(side) for side in ("native", "cold", "warm", "qemu")}
    columns |= {"qemu / cold": _over("qemu", "cold"), "qemu / warm": _over("qemu", "warm")}
    columns["wall qemu / cold"] = _over("qemu wall", "cold wall")
    columns["cold even, s"] = _caught_up
    return [_ratios("whole commands: user seconds", rows, columns)]


def _start_tables(rows: list[dict[str, Any]]) -> list[Any]:
    return [_ratios("start from the cache: wall seconds", rows, {"s": _seconds("start")})]


def _cost_tables(rows: list[dict[str, Any]]) -> list[Any]:
    columns = {"with polls / without": _over("jit", "no polls")}
    columns["counting / not counting"] = _over("counting", "jit")
    return [_ratios("steady state: what polls and counting cost", rows, columns)]


_TABLES = {
    "steady": _steady_tables,
    "whole": _whole_tables,
    "start": _start_tables,
    "costs": _cost_tables,
}
