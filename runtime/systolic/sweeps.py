"""Sweeps: every combination of array shape, dataflow, buffer sizes and bandwidth, for networks.

A grid is a list for each thing that may vary; one point of it is a configuration and a network.
Points are independent, so they go through the executor: in this process, in local processes or on
a cluster. What is best, and what is on the Pareto front, is asked of the finished points.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterator, Sequence

from attrs import evolve, field, frozen

from hcc.emulator.systolic import (
    Compat,
    Config,
    EnergyTable,
    Interface,
    Layout,
    Topology,
    layer_energy,
    run_network,
)
from hcc.isa.errors import FormatError

from ..executor import Executor, Progress, run


@frozen
class Grid:
    """What varies; an empty list keeps what the base configuration has. Sizes in KiB."""

    shapes: tuple[tuple[int, int], ...] = ()
    dataflows: tuple[str, ...] = ()
    sram: tuple[tuple[int, int, int], ...] = ()
    bandwidths: tuple[int, ...] = ()
    topologies: tuple[Topology, ...] = ()

    def configs(self, base: Config) -> Iterator[Config]:
        """All configurations, in the lists' order, the shape varying slowest."""
        for (rows, cols), flow, sizes, width in itertools.product(
            self.shapes or ((base.rows, base.cols),),
            self.dataflows or (base.dataflow,),
            self.sram or ((base.ifmap_kb, base.filter_kb, base.ofmap_kb),),
            self.bandwidths or (None,),
        ):
            config = evolve(
                base,
                run_name=f"{rows}x{cols}_{flow}",
                rows=rows,
                cols=cols,
                dataflow=flow,
                ifmap_kb=sizes[0],
                filter_kb=sizes[1],
                ofmap_kb=sizes[2],
            )
            if width is not None:
                banks = [
                    evolve(side, bandwidth=width, banks=1) if side and not side.custom else side
                    for side in (base.ifmap_banks, base.filter_banks)
                ]
                config = evolve(
                    config,
                    interface=Interface.USER,
                    bandwidths=(width,),
                    ifmap_banks=banks[0],
                    filter_banks=banks[1],
                )
            yield config


@frozen
class LayerPoint:
    """One layer's figures at a point of the grid."""

    name: str
    cycles: int
    stalls: int
    utilisation: float
    ifmap_bandwidth: float
    filter_bandwidth: float
    ofmap_bandwidth: float


@frozen
class Point:
    """One point of the grid and what came out, summed over the network. Energy in pJ."""

    topology: str
    rows: int
    cols: int
    dataflow: str
    ifmap_kb: int
    filter_kb: int
    ofmap_kb: int
    bandwidth: int
    cycles: int
    stalls: int
    utilisation: float
    mapping: float
    dram_words: float
    energy: float
    layers: tuple[LayerPoint, ...] = field(factory=tuple, repr=False)

    @property
    def shape(self) -> str:
        """Rows x cols."""
        return f"{self.rows}x{self.cols}"

    @property
    def cells(self) -> int:
        """Cells of the array."""
        return self.rows * self.cols

    @property
    def sram_kb(self) -> int:
        """All three buffers."""
        return self.ifmap_kb + self.filter_kb + self.ofmap_kb

    def as_row(self) -> dict[str, object]:
        """The point as a row of a table."""
        bandwidth = self.bandwidth if self.bandwidth else "CALC"
        return {
            "Topology": self.topology,
            "Array Rows": self.rows,
            "Array Cols": self.cols,
            "Dataflow": self.dataflow,
            "IFMAP SRAM KiB": self.ifmap_kb,
            "FILTER SRAM KiB": self.filter_kb,
            "OFMAP SRAM KiB": self.ofmap_kb,
            "Bandwidth": bandwidth,
            "Total Cycles": self.cycles,
            "Stall Cycles": self.stalls,
            "Overall Util %": self.utilisation,
            "Mapping Efficiency %": self.mapping,
            "DRAM Words": self.dram_words,
            "Energy pJ": self.energy,
        }


OBJECTIVES = {
    "cycles": "cycles",
    "energy": "energy",
    "dram": "dram_words",
    "cells": "cells",
    "sram": "sram_kb",
    "bandwidth": "bandwidth",
}


@frozen
class Task:
    """One point before it is run; picklable."""

    config: Config
    topology: Topology
    compat: Compat | None
    table: EnergyTable
    layouts: tuple[Layout, ...] | None = None


def run_point(task: Task) -> Point:
    """Run one point."""
    config = task.config
    result = run_network(config, task.topology, task.compat, layouts=task.layouts)
    layers = tuple(
        LayerPoint(
            layer.name,
            layer.total_cycles,
            layer.stall_cycles,
            layer.overall_utilisation,
            layer.dram_ifmap.bandwidth,
            layer.dram_filter.bandwidth,
            layer.dram_ofmap.bandwidth,
        )
        for layer in result.layers
    )
    weights = sum(layer.total_cycles for layer in result.layers)
    mapping = sum(x.mapping_efficiency * x.total_cycles for x in result.layers) / weights
    words = sum(
        x.dram_ifmap.count + x.dram_filter.count + x.dram_ofmap.count for x in result.layers
    )
    return Point(
        topology=task.topology.name,
        rows=config.rows,
        cols=config.cols,
        dataflow=config.dataflow,
        ifmap_kb=config.ifmap_kb,
        filter_kb=config.filter_kb,
        ofmap_kb=config.ofmap_kb,
        bandwidth=config.bandwidths[0] if config.interface is Interface.USER else 0,
        cycles=result.total_cycles,
        stalls=result.stall_cycles,
        utilisation=result.utilisation,
        mapping=mapping,
        dram_words=words,
        energy=sum(layer_energy(config, x, task.table).total for x in result.layers),
        layers=layers,
    )


def sweep(
    base: Config,
    grid: Grid,
    compat: Compat | None = None,
    table: EnergyTable | None = None,
    layouts: tuple[Layout, ...] | None = None,
    how: Executor | None = None,
    progress: Progress | None = None,
) -> list[Point]:
    """Run a whole grid; the points come in the grid's order, network by network."""
    if not grid.topologies:
        raise FormatError("a sweep wants at least one topology")
    tasks = [
        Task(config, topology, compat, table or EnergyTable(), layouts)
        for topology in grid.topologies
        for config in grid.configs(base)
    ]
    return list(run(run_point, tasks, how, progress))


def objective(point: Point, name: str) -> float:
    """A figure to be small."""
    if name not in OBJECTIVES:
        raise FormatError(f"no objective '{name}'; there are {', '.join(OBJECTIVES)}")
    value: float = getattr(point, OBJECTIVES[name])
    return value


def best(points: Sequence[Point], name: str = "cycles") -> Point:
    """The first point with the least of an objective."""
    return min(points, key=lambda point: objective(point, name))


def pareto(points: Sequence[Point], names: Sequence[str] = ("cycles", "energy")) -> list[Point]:
    """Points no other one beats in one objective without losing in another, best first."""
    scored = sorted(
        ((tuple(objective(point, name) for name in names), at) for at, point in enumerate(points))
    )
    front: list[tuple[tuple[float, ...], int]] = []
    for score, at in scored:
        if not any(
            all(mine <= other for mine, other in zip(kept, score, strict=True)) for kept, _ in front
        ):
            front.append((score, at))
    return [points[at] for _, at in front]


def to_csv(points: Sequence[Point]) -> str:
    """The points as CSV."""
    text = io.StringIO()
    rows = [point.as_row() for point in points]
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def to_json(points: Sequence[Point], front: Sequence[Point] = ()) -> str:
    """The points with their layers as JSON, and the indices of those on the Pareto front."""
    rows = [
        {
            **point.as_row(),
            "Layers": [
                {
                    "Name": layer.name,
                    "Total Cycles": layer.cycles,
                    "Stall Cycles": layer.stalls,
                    "Overall Util %": layer.utilisation,
                    "Avg IFMAP DRAM BW": layer.ifmap_bandwidth,
                    "Avg FILTER DRAM BW": layer.filter_bandwidth,
                    "Avg OFMAP DRAM BW": layer.ofmap_bandwidth,
                }
                for layer in point.layers
            ],
        }
        for point in points
    ]
    indices = [points.index(point) for point in front]
    return json.dumps({"points": rows, "pareto": indices}, indent=1) + "\n"


def aspect_ratios(cells: int, least: int = 1) -> tuple[tuple[int, int], ...]:
    """All rows x cols of powers of two with a number of cells and no edge below `least`."""
    if cells < 1 or cells & (cells - 1):
        raise FormatError(f"{cells} cells is no power of two; give the shapes one by one")
    sides = [1 << bit for bit in range(cells.bit_length())]
    return tuple(
        (side, cells // side) for side in sides if side >= least and cells // side >= least
    )
