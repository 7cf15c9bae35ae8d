"""`hcc bench emulator`: the JIT against native code, qemu-user and Unicorn, on each guest ISA.

The kernels lie beside this file. Native code is gcc -O2 of the same source; the three emulators run
the same guest code, which is hcc's. Times are user times, all sides in turn in one run, medians.

    steady   seconds for a round of a kernel: the difference of a long and a short run, so that
             start-up and translation drop out
    whole    whole commands that take over a second natively: with an empty cache, and again
    start    wall time of a run that does next to nothing, with everything in the cache
    costs    what polls and exact instruction counts cost compiled code, in the steady state
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import define, field

if TYPE_CHECKING:
    from hcc.runtime.bench.measure import Command

# Kernel: rounds that take about half a second natively.
KERNELS = {"sort_sieve": 300, "crc32": 250, "matmul": 900, "mandelbrot": 500}
# Slower sides do a part of the rounds; what is compared is the time for one.
SHARES = {"native": 1.0, "jit": 1.0, "qemu": 0.3, "unicorn": 0.15}
LONG = 2.5  # times the rounds above, for whole commands
PARTS = ("steady", "whole", "start", "costs")
_HCC = "from hcc.runtime.cli import main; main()"
ISAS = ("x86_64", "aarch64", "riscv64")


@define
class Bench:
    """What all parts share: the folder with everything built, and how often to measure."""

    folder: Path
    runs: int
    isas: tuple[str, ...]
    kernels: tuple[str, ...]
    unicorn: bool = field(init=False)

    def __attrs_post_init__(self) -> None:
        from importlib.util import find_spec

        self.unicorn = find_spec("unicorn") is not None

    def build(self, name: str) -> None:
        """The kernel as fat binaries with and without polls, as ELFs, and by gcc."""
        from hcc.compiler.build import BuildOptions
        from hcc.compiler.driver import CompileOptions, compile_program
        from hcc.compiler.kernelc import FrontEndOptions
        from hcc.compiler.passes import Points
        from hcc.isa import fatbinary
        from hcc.runtime.bench.examples import Example, build_native

        source = Path(__file__).parent / f"{name}.c"
        example = Example(name, (source,), (), (), source, source)
        build_native(example, "gcc", self.path(name, "native"), ["-O2", "-ffp-contract=off"])
        for points in (Points.LOOPS, Points.NONE):
            options = CompileOptions(FrontEndOptions(), BuildOptions(2, ISAS, points))
            program = compile_program([source], options)
            self.path(name, points.value).write_bytes(fatbinary.encode(program))
            for isa in self.isas if points is Points.LOOPS else ():
                path = self.path(name, isa)
                path.write_bytes(fatbinary.encode_elf(program, isa))
                path.chmod(0o755)

    def path(self, name: str, kind: str) -> Path:
        return self.folder / f"{name}.{kind}"

    def command(self, side: str, name: str, isa: str, rounds: int) -> Command:
        """How a side runs a kernel."""
        from hcc.runtime.bench.measure import Command
        from hcc.runtime.external import command_for

        number, fat = str(rounds), str(self.path(name, "loops"))
        hcc = (sys.executable, "-c", _HCC, "run", "--isa", isa)
        match side:
            case "native":
                return Command((str(self.path(name, "native")), number))
            case "qemu":
                return Command((*command_for(isa, "qemu"), str(self.path(name, isa)), number))
            case "unicorn":
                module = "hcc.runtime.bench.unicorn_run"
                return Command((sys.executable, "-m", module, fat, isa, number))
            case "no polls":
                return Command((*hcc, str(self.path(name, "none")), "--", number))
            case "counting":
                return Command((*hcc, "--stats", os.devnull, fat, "--", number))
        return Command((*hcc, fat, "--", number))

    def per_round(self, sides: tuple[str, ...], name: str, isa: str) -> dict[str, float]:
        """Seconds for one round on each side, in the steady state."""
        from hcc.runtime.bench import measure

        commands, rounds = {}, {}
        for side in sides:
            rounds[side] = max(int(KERNELS[name] * SHARES.get(side, 1.0)), 2)
            commands[f"{side} short"] = self.command(side, name, isa, 1)
            commands[side] = self.command(side, name, isa, rounds[side])
        for command in commands.values():  # once more than `alternate` does, to fill the cache
            measure.user_seconds(command)
        times = measure.alternate(commands, self.runs)
        return {s: (times[s] - times[f"{s} short"]) / (rounds[s] - 1) for s in sides}

    # ---- the parts ----

    def steady(self) -> list[dict[str, Any]]:
        sides = ("native", "jit", "qemu", *(("unicorn",) if self.unicorn else ()))
        return [
            {"kernel": name, "isa": isa, **self.per_round(sides, name, isa)}
            for name in self.kernels
            for isa in self.isas
        ]

    def whole(self) -> list[dict[str, Any]]:
        from hcc.runtime.bench import measure

        rows = []
        for name in self.kernels:
            rounds = int(KERNELS[name] * LONG)
            for isa in self.isas:
                times: dict[str, list[float]] = {}
                for _ in range(self.runs):
                    self.empty_cache()
                    for side in ("native", "cold", "warm", "qemu"):
                        seconds = measure.user_seconds(self.command(side, name, isa, rounds))
                        times.setdefault(side, []).append(seconds)
                medians = {side: sorted(all_)[len(all_) // 2] for side, all_ in times.items()}
                rows.append({"kernel": name, "isa": isa, **medians})
        return rows

    def empty_cache(self) -> None:
        shutil.rmtree(self.folder / "store", ignore_errors=True)

    def start(self) -> list[dict[str, Any]]:
        from hcc.runtime.bench import measure

        rows = []
        for name in self.kernels:
            for isa in self.isas:
                measure.user_seconds(self.command("jit", name, isa, KERNELS[name]))
                command = self.command("jit", name, isa, 1)
                times = []
                for _ in range(self.runs + 1):
                    begin = time.perf_counter()
                    measure.user_seconds(command)
                    times.append(time.perf_counter() - begin)
                rows.append(
                    {"kernel": name, "isa": isa, "start": sorted(times[1:])[self.runs // 2]}
                )
        return rows

    def costs(self) -> list[dict[str, Any]]:
        sides = ("jit", "no polls", "counting")
        return [
            {"kernel": name, "isa": isa, **self.per_round(sides, name, isa)}
            for name in self.kernels
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
    """Time compiled guest code against native code, qemu-user and Unicorn."""
    from hcc.isa.errors import HccError
    from hcc.runtime.bench import measure

    unknown = set(kernels) - KERNELS.keys()
    if unknown:
        raise HccError(f"no such kernel: {', '.join(sorted(unknown))}")
    from rich.console import Console

    console, progress = Console(width=110), Console(stderr=True)
    found: dict[str, list[dict[str, Any]]] = {}
    if not as_json:
        console.print(measure.machine(), highlight=False)
    with tempfile.TemporaryDirectory(prefix="hcc-bench-") as scratch:
        bench = Bench(Path(scratch), runs, isas or ISAS, kernels or tuple(KERNELS))
        with progress.status("compiling the kernels"):
            for name in bench.kernels:
                bench.build(name)
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


def _ratios(
    title: str, rows: list[dict[str, Any]], columns: dict[str, Callable[[dict[str, Any]], float]]
) -> Any:
    """A table of quotients with their geometric means for each guest ISA."""
    from rich.table import Table

    from hcc.runtime.bench.measure import geometric_mean

    table = Table("kernel", "guest", *columns, title=title)
    for column in table.columns[2:]:
        column.justify = "right"
    for row in rows:
        table.add_row(row["kernel"], row["isa"], *(f"{f(row):.2f}" for f in columns.values()))
    table.add_section()
    for isa in dict.fromkeys(row["isa"] for row in rows):
        mine = [row for row in rows if row["isa"] == isa]
        means = (geometric_mean([max(f(r), 1e-9) for r in mine]) for f in columns.values())
        table.add_row("geometric mean", isa, *(f"{mean:.2f}" for mean in means))
    return table


def _over(a: str, b: str) -> Callable[[dict[str, Any]], float]:
    return lambda row: max(row[a], 1e-9) / max(row[b], 1e-9)


def _steady_tables(rows: list[dict[str, Any]]) -> list[Any]:
    columns = {"jit / native": _over("jit", "native"), "qemu / native": _over("qemu", "native")}
    columns["qemu / jit"] = _over("qemu", "jit")
    if "unicorn" in rows[0]:
        columns |= {"unicorn / native": _over("unicorn", "native")}
        columns |= {"unicorn / jit": _over("unicorn", "jit")}
    return [_ratios("steady state: user time for a round, as quotients", rows, columns)]


def _whole_tables(rows: list[dict[str, Any]]) -> list[Any]:
    columns: dict[str, Callable[[dict[str, Any]], float]] = {
        f"{side}, s": (lambda row, side=side: row[side])  # type: ignore[misc]
        for side in ("native", "cold", "warm", "qemu")
    }
    columns |= {"qemu / cold": _over("qemu", "cold"), "qemu / warm": _over("qemu", "warm")}
    return [_ratios("whole commands: user seconds", rows, columns)]


def _start_tables(rows: list[dict[str, Any]]) -> list[Any]:
    return [_ratios("start from the cache: wall seconds", rows, {"s": lambda row: row["start"]})]


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
