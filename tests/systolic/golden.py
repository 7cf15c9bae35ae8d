"""Reading the recorded runs of SCALE-Sim (see tests/data/systolic/README.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from attrs import evolve

from hcc.emulator.systolic import (
    Banks,
    Config,
    Interface,
    Layer,
    Layout,
    Sparsity,
    Topology,
    gemm_layer,
    parse_layout,
)

DATA = Path(__file__).parent.parent / "data" / "systolic"
REPORTS = ("COMPUTE_REPORT", "BANDWIDTH_REPORT", "DETAILED_ACCESS_REPORT")


def runs() -> list[tuple[str, str, dict[str, Any]]]:
    """(name, version, run) of every recorded run with its files."""
    recorded = json.loads((DATA / "scalesim.json").read_text())["runs"]
    return [
        (name, version, run)
        for name, versions in recorded.items()
        for version, run in versions.items()
    ]


def small_runs() -> list[dict[str, Any]]:
    """The recorded small random runs, report files as text."""
    found: list[dict[str, Any]] = json.loads((DATA / "upstream_small.json").read_text())
    return found


def small_inputs(case: dict[str, Any]) -> tuple[Config, Topology, tuple[Layout, ...] | None]:
    """Configuration, network and layout of a small run."""
    config = Config(
        run_name=case["name"],
        rows=case["rows"],
        cols=case["cols"],
        ifmap_kb=case["sz"][0],
        filter_kb=case["sz"][1],
        ofmap_kb=case["sz"][2],
        dataflow=case["df"],
        interface=Interface(case["mode"]),
        bandwidths=(case["bw"],),
    )
    layouts = None
    if case.get("sparse"):
        sparsity = Sparsity(case["rep"], case["opt"], case["block"], case["seed"])
        config = evolve(config, sparsity=sparsity)
    if "ibw" in case:
        config = evolve(
            config,
            ifmap_banks=Banks(case["il"], case["ibw"], case["ibn"], case["ibp"]),
            filter_banks=Banks(case["fl"], case["fbw"], case["fbn"], case["fbp"]),
        )
        rows = "".join(",".join(map(str, row)) + ",\n" for row in case["layout"])
        layouts = parse_layout("layout.csv", "header,\n" + rows)
    layers = tuple(small_layer(row, case["gemm"]) for row in case["layers"])
    return config, Topology("small", layers), layouts


def small_layer(row: list[Any], gemm: bool) -> Layer:
    """A layer as the small runs hold it: numbers, perhaps N:M at the end."""
    ratio = (1, 1)
    if isinstance(row[-1], str) and ":" in row[-1]:
        keep, block = row[-1].split(":")
        ratio, row = (int(keep), int(block)), row[:-1]
    if gemm:
        return gemm_layer(row[0], row[1], row[2], row[3], ratio)
    return Layer(*row, row[-1], ratio)
