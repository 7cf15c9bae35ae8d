"""`hcc systolic`: networks on systolic arrays, from SCALE-Sim's files to SCALE-Sim's reports."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hcc.isa.numerals import whole
from hcc.runtime.cli import progress, tables

if TYPE_CHECKING:
    from rich.table import Table

    from hcc.emulator.systolic import Compat, Config, EnergyTable, NetworkResult, Topology
    from hcc.runtime.systolic import Point

_MOST = (1 << 31) - 1

_COMPAT = click.option(
    "--compat",
    type=click.Choice(["2.0", "3.0", "fixed"]),
    help="Whose rules: SCALE-Sim 2.0.x, 3.0.0, or 2.0 with its stall rules repaired."
    " Default: 2.0, or 3.0 if the configuration uses sparsity or a custom layout.",
)
_CONFIG = click.option(
    "-c", "--config", "config_path", required=True, metavar="CFG", help="Configuration file."
)
_GEMM = click.option("--gemm", is_flag=True, help="Topology rows are M, N, K.")
_INPUT = click.option(
    "-i",
    "input_type",
    type=click.Choice(["conv", "gemm"]),
    default="conv",
    help="The same as SCALE-Sim writes it.",
)
_LAYOUT = click.option("-l", "--layout", metavar="CSV", help="Layout file (custom layouts).")


@click.group()
def command() -> None:
    """Run networks on a systolic array: cycles, stalls, bandwidths, energy."""


def _warn(lines: Sequence[str]) -> None:
    for line in lines:
        print(f"hcc: warning: {line}", file=sys.stderr)


def _load(
    config_path: str, topology_path: str | None, gemm: bool, compat: str | None
) -> tuple[Config, Topology, Compat]:
    from hcc.emulator.systolic import Compat, choose_compat, read_config, read_topology
    from hcc.isa.errors import FormatError

    wanted = Compat(compat) if compat else None
    config = read_config(config_path, wanted)
    rules = choose_compat(config, wanted)
    if rules is not wanted:
        config = read_config(config_path, rules)
    path = topology_path or config.topology
    if not path:
        raise FormatError(f"{config_path}: no topology: neither -t nor TopologyCsvLoc is given")
    topology = read_topology(path, gemm)
    _warn((*config.warnings, *topology.warnings))
    return config, topology, rules


def _energy_table(path: str | None) -> EnergyTable:
    from hcc.emulator.systolic import EnergyTable, read_energy_table

    return read_energy_table(path) if path and path != "default" else EnergyTable()


def _layer_table(result: NetworkResult, table: EnergyTable | None) -> Table:
    """The table a run prints."""
    from rich.table import Table

    from hcc.emulator.systolic import Compat, layer_energy

    version_3 = result.compat is Compat.V3
    view = Table(box=None, pad_edge=False)
    view.add_column("layer")
    heads = ["cycles", "stalls", "util %", "mapping %", "ifmap bw", "filter bw", "ofmap bw"]
    if version_3:
        heads.insert(0, "incl. prefetch")
    if table is not None:
        heads.append("energy uJ")
    for head in heads:
        view.add_column(head, justify="right")
    for layer in result.layers:
        cells = [
            str(layer.total_cycles),
            str(layer.stall_cycles),
            f"{layer.overall_utilisation:.2f}",
            f"{layer.mapping_efficiency:.2f}",
            f"{layer.dram_ifmap.bandwidth:.3f}",
            f"{layer.dram_filter.bandwidth:.3f}",
            f"{layer.dram_ofmap.bandwidth:.3f}",
        ]
        if version_3:
            cells.insert(0, str(layer.cycles_with_prefetch))
        if table is not None:
            cells.append(f"{layer_energy(result.config, layer, table).total / 1e6:.3f}")
        view.add_row(layer.name, *cells)
    return view


@contextlib.contextmanager
def _limited_memory() -> Iterator[None]:
    """Makes a lack of memory an error of the user's."""
    from hcc.isa.errors import HccError

    try:
        yield
    except MemoryError:
        raise HccError("the layers do not fit this machine's memory") from None


@command.command("run")
@_CONFIG
@click.option("-t", "--topology", metavar="CSV", help="Topology file.")
@click.option("-p", "--out", metavar="DIR", help="Write the reports to DIR/<run name>.")
@_GEMM
@_INPUT
@_LAYOUT
@_COMPAT
@click.option("--traces", is_flag=True, help="Write SRAM and DRAM traces too (with -p).")
@click.option(
    "--energy",
    metavar="TABLE",
    is_flag=False,
    flag_value="default",
    help="Estimate energy; TABLE is a JSON file, or 'default'.",
)
@click.option("--json", "as_json", is_flag=True, help="Print all figures as JSON instead.")
def run_command(
    config_path: str,
    topology: str | None,
    out: str | None,
    gemm: bool,
    input_type: str,
    layout: str | None,
    compat: str | None,
    traces: bool,
    energy: str | None,
    as_json: bool,
) -> None:
    """Run a network and print a table of its layers."""
    from hcc.emulator.systolic import Simulation, layer_energy, read_layout, run_network
    from hcc.isa.errors import FormatError
    from hcc.runtime.systolic.api import write_traces
    from hcc.runtime.systolic.reports import run_folder, write_reports

    if traces and not out:
        raise FormatError("--traces wants -p DIR to write to")
    config, network, rules = _load(config_path, topology, gemm or input_type == "gemm", compat)
    layouts = read_layout(layout) if layout else None
    table = _energy_table(energy) if energy else None
    folder = run_folder(Path(out), config.run_name) if out else None
    done = 0

    def layer_done(simulation: Simulation) -> None:
        nonlocal done
        if traces and folder is not None:
            write_traces(simulation, config, folder, done)
        done += 1
        advance(1)

    with progress.bar(config.run_name, len(network.layers)) as advance, _limited_memory():
        result = run_network(config, network, rules, layouts=layouts, progress=layer_done)
    if out:
        write_reports(result, Path(out))
    if as_json:
        figures = result.as_dict()
        if table is not None:
            for layer, row in zip(result.layers, figures["layers"], strict=True):
                row["energy_pj"] = layer_energy(config, layer, table).as_dict()
        print(json.dumps(figures, indent=1))
        return
    tables.show(_layer_table(result, table))
    total = (
        f"{config.run_name}: {len(network.layers)} layers on {config.rows}x{config.cols}"
        f" {config.dataflow}, {config.interface.value}, rules of {rules.value}:"
        f" {result.total_cycles} cycles, {result.stall_cycles} of them stalls,"
        f" {result.utilisation:.2f} % utilised"
    )
    if table is not None:
        energy_pj = sum(layer_energy(config, layer, table).total for layer in result.layers)
        total += f", {energy_pj / 1e6:.3f} uJ"
    print(total)
    if folder is not None:
        print(f"hcc: reports in {folder}", file=sys.stderr)


def _shapes(text: str) -> tuple[tuple[int, int], ...]:
    shapes = []
    for part in text.split(","):
        height, _, width = part.strip().lower().partition("x")
        rows, cols = whole(height), whole(width)
        if rows is None or cols is None or not (1 <= rows <= _MOST and 1 <= cols <= _MOST):
            raise click.BadParameter(
                f"a shape is ROWSxCOLS, either from 1 to {_MOST}, not '{part[:40]}'"
            )
        shapes.append((rows, cols))
    return tuple(shapes)


def _numbers(text: str) -> tuple[int, ...]:
    numbers = []
    for part in text.split(","):
        number = whole(part.strip())
        if number is None or not 1 <= number <= _MOST:
            raise click.BadParameter(f"'{part.strip()[:40]}' is no number from 1 to {_MOST}")
        numbers.append(number)
    return tuple(numbers)


def _sram(text: str) -> tuple[tuple[int, int, int], ...]:
    sizes = []
    for part in text.split(","):
        numbers = _numbers(part.replace("/", ","))
        if len(numbers) not in (1, 3):
            raise click.BadParameter(f"sizes are KiB or IFMAP/FILTER/OFMAP, not '{part[:40]}'")
        three = numbers * 3 if len(numbers) == 1 else numbers
        sizes.append((three[0], three[1], three[2]))
    return tuple(sizes)


def _point_table(points: Sequence[Point], front: Sequence[Point]) -> Table:
    """The table a sweep prints; points on the Pareto front have a star."""
    from rich.table import Table

    view = Table(box=None, pad_edge=False)
    heads = ("", "topology", "array", "flow", "sram KiB", "bandwidth", "cycles", "stalls")
    for head in (*heads, "util %", "dram words", "energy uJ"):
        view.add_column(head, justify="left" if head in heads[:4] else "right")
    members = set(map(id, front))
    for point in points:
        view.add_row(
            "*" if id(point) in members else "",
            point.topology,
            point.shape,
            point.dataflow,
            f"{point.ifmap_kb}/{point.filter_kb}/{point.ofmap_kb}",
            str(point.bandwidth or "CALC"),
            str(point.cycles),
            str(point.stalls),
            f"{point.utilisation:.2f}",
            f"{point.dram_words:.0f}",
            f"{point.energy / 1e6:.3f}",
        )
    return view


@command.command("sweep")
@_CONFIG
@click.option(
    "-t", "--topology", "topologies", multiple=True, metavar="CSV", help="May be repeated."
)
@_GEMM
@_LAYOUT
@_COMPAT
@click.option("--shapes", metavar="RxC,...", help="Array shapes.")
@click.option(
    "--cells", type=click.IntRange(max=_MOST), help="All power-of-two shapes with so many cells."
)
@click.option("--min-edge", type=int, default=4, show_default=True, help="With --cells.")
@click.option("--dataflows", metavar="os,ws,is", help="Dataflows.")
@click.option("--sram", metavar="KiB,...", help="Buffer sizes: KiB, or IFMAP/FILTER/OFMAP.")
@click.option("--bandwidths", metavar="N,...", help="DRAM words a cycle (USER mode).")
@click.option("--jobs", "-j", type=int, default=1, help="Local processes; 0: one a CPU.")
@click.option("--ray", is_flag=True, help="Run on a Ray cluster.")
@click.option("--energy", metavar="TABLE", help="Energy table, a JSON file.")
@click.option(
    "--pareto",
    default="cycles,energy",
    show_default=True,
    help="Objectives of the front: cycles, energy, dram, cells, sram, bandwidth.",
)
@click.option("-p", "--out", metavar="DIR", help="Write sweep.csv and sweep.json there.")
@click.option("--plots", is_flag=True, help="Write plots to -p DIR as well.")
@click.option(
    "--best",
    metavar="OBJECTIVE",
    is_flag=False,
    flag_value="cycles",
    help="Print only the best point, in one line (or as JSON); by cycles if nothing else is said.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the points as JSON instead.")
def sweep_command(
    config_path: str,
    topologies: tuple[str, ...],
    gemm: bool,
    layout: str | None,
    compat: str | None,
    shapes: str | None,
    cells: int | None,
    min_edge: int,
    dataflows: str | None,
    sram: str | None,
    bandwidths: str | None,
    jobs: int,
    ray: bool,
    energy: str | None,
    pareto: str,
    out: str | None,
    plots: bool,
    best: str | None,
    as_json: bool,
) -> None:
    """Run every combination of shapes, dataflows, buffer sizes and bandwidths."""
    from hcc.emulator.systolic import DATAFLOWS, read_layout, read_topology
    from hcc.isa.errors import FormatError
    from hcc.runtime.executor import executor
    from hcc.runtime.systolic import sweeps
    from hcc.runtime.systolic.reports import make_folder, write_file

    if plots and not out:
        raise FormatError("--plots wants -p DIR to write to")
    config, network, rules = _load(config_path, topologies[0] if topologies else None, gemm, compat)
    networks = [network]
    for path in topologies[1:]:
        networks.append(read_topology(path, gemm))
        _warn(networks[-1].warnings)
    flows = tuple(flow.strip() for flow in dataflows.split(",")) if dataflows else ()
    for flow in flows:
        if flow not in DATAFLOWS:
            raise click.BadParameter(f"no dataflow '{flow}'; there are {', '.join(DATAFLOWS)}")
    array_shapes = _shapes(shapes) if shapes else ()
    if cells is not None:
        array_shapes += sweeps.aspect_ratios(cells, min_edge)
    grid = sweeps.Grid(
        shapes=array_shapes,
        dataflows=flows,
        sram=_sram(sram) if sram else (),
        bandwidths=_numbers(bandwidths) if bandwidths else (),
        topologies=tuple(networks),
    )
    objectives = [name.strip() for name in pareto.split(",")]
    for name in (*objectives, *([best] if best else [])):
        if name not in sweeps.OBJECTIVES:
            raise FormatError(f"no objective '{name}'; there are {', '.join(sweeps.OBJECTIVES)}")
    if len(objectives) < 2:
        raise FormatError("--pareto wants two or more objectives")
    if jobs < 0:
        raise click.BadParameter("--jobs is from 0")
    total = len(list(grid.configs(config))) * len(networks)
    with progress.bar("sweep", total) as advance, _limited_memory():
        points = sweeps.sweep(
            config,
            grid,
            rules,
            _energy_table(energy),
            read_layout(layout) if layout else None,
            executor(jobs, ray),
            lambda _: advance(1),
        )
    front = sweeps.pareto(points, objectives)
    if out:
        folder = make_folder(Path(out))
        write_file(folder / "sweep.csv", [sweeps.to_csv(points)])
        write_file(folder / "sweep.json", [sweeps.to_json(points, front)])
        if plots:
            from hcc.runtime.systolic.plots import plot_all

            plot_all(points, front, objectives, folder)
    if best:
        point = sweeps.best(points, best)
        if as_json:
            print(json.dumps(json.loads(sweeps.to_json([point]))["points"][0], indent=1))
        else:
            print(_best_line(point, best, len(points)))
    elif as_json:
        print(sweeps.to_json(points, front), end="")
    else:
        tables.show(_point_table(points, front))


def _best_line(point: Point, name: str, count: int) -> str:
    sizes = f"{point.ifmap_kb}/{point.filter_kb}/{point.ofmap_kb} KiB"
    bandwidth = f"{point.bandwidth} words/cycle" if point.bandwidth else "CALC"
    return (
        f"{point.shape} {point.dataflow} ({sizes}, {bandwidth}) on {point.topology}:"
        f" {point.cycles} cycles, {point.utilisation:.2f} % utilised,"
        f" {point.energy / 1e6:.3f} uJ; least {name} of {count} points"
    )


@command.command("compute")
@click.option("-t", "--topology", required=True, metavar="CSV", help="Topology file.")
@_GEMM
@click.option("--shape", default="8x8", show_default=True, metavar="RxC", help="The array.")
@click.option("--dataflow", type=click.Choice(["os", "ws", "is"]), default="ws")
@click.option("--type", "kind", type=click.Choice(["int8", "float16"]), default="int8")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the random matrices.")
def compute_command(
    topology: str, gemm: bool, shape: str, dataflow: str, kind: str, seed: int
) -> int:
    """Multiply random matrices on the array, cell by cell, and compare with numpy."""
    from hcc.emulator.systolic import read_topology
    from hcc.runtime.systolic.compute import compare

    network = read_topology(topology, gemm)
    _warn(network.warnings)
    rows, cols = _shapes(shape)[0]
    wrong = 0
    for layer in network.layers:
        error = compare(layer, rows, cols, dataflow, kind, seed)
        verdict = "agrees with numpy" if error is None else error
        wrong += error is not None
        print(f"{layer.name}: {layer.m}x{layer.k} by {layer.k}x{layer.n}: {verdict}")
    return 1 if wrong else 0
