"""Every number of every report of recorded SCALE-Sim runs, to the last printed digit."""

from __future__ import annotations

import hashlib

import pytest

from hcc.emulator.systolic import (
    TRACES,
    Compat,
    read_config,
    read_topology,
    run_network,
    simulate_layer,
    trace,
)
from hcc.runtime.systolic.reports import report_texts

from .golden import DATA, REPORTS, runs, small_inputs, small_runs


@pytest.mark.parametrize(
    ("name", "version", "run"),
    [pytest.param(n, v, r, id=f"{n}-{v}") for n, v, r in runs()],
)
def test_every_printed_number_of_a_recorded_run(name, version, run) -> None:
    compat = Compat(version[:3])
    config = read_config(DATA / run["cfg"], compat)
    topology = read_topology(DATA / run["topology"], run["gemm"])

    result = run_network(config, topology, compat)

    for at, layer in enumerate(result.layers):
        rows = (layer.compute_row(), layer.bandwidth_row(), layer.access_row())
        for report, row in zip(REPORTS, rows, strict=True):
            wanted = {k: str(v) for k, v in run[report][at].items() if k != "LayerID"}

            assert wanted == {k: str(v) for k, v in row.items()}


def test_the_figures_of_scale_sims_tutorial() -> None:
    config = read_config(DATA / "alexnet_part_32x32_ws_user10.cfg")
    topology = read_topology(DATA / "alexnet_part.csv")

    layer = run_network(config, topology, Compat.V2).layers[0]

    assert (layer.total_cycles, layer.stall_cycles) == (439609, 327326)
    assert (
        f"{layer.overall_utilisation:.2f}",
        f"{layer.mapping_efficiency:.2f}",
    ) == ("23.42", "94.53")
    assert [
        f"{span.bandwidth:.3f}" for span in (layer.dram_ifmap, layer.dram_filter, layer.dram_ofmap)
    ] == ["9.997", "9.998", "7.907"]


ASPECT_RATIOS = {
    (4, 1024): (2025489, 1162749, 1594269),
    (8, 512): (632583, 546941, 689325),
    (16, 256): (229551, 275901, 343989),
    (32, 128): (128685, 167001, 203613),
    (64, 64): (104313, 139047, 165087),
    (128, 32): (148753, 206337, 234689),
    (256, 16): (256111, 365501, 489387),
    (512, 8): (503627, 711945, 1310849),
    (1024, 4): (1124433, 1436857, 3355107),
}


def test_cycles_of_the_27_points_of_the_tutorials_sweep() -> None:
    from hcc.runtime.systolic import Grid, sweep

    base = read_config(DATA / "scale_sim_tutorial1_64x64_os.cfg")
    grid = Grid(
        shapes=tuple(ASPECT_RATIOS),
        dataflows=("os", "ws", "is"),
        topologies=(read_topology(DATA / "tutorial1_topofile.csv"),),
    )

    points = sweep(base, grid)

    wanted = [cycles for row in ASPECT_RATIOS.values() for cycles in row]
    assert wanted == [point.cycles for point in points]


@pytest.mark.parametrize("case", small_runs(), ids=lambda c: f"{c['name']}-{c['version']}")
def test_report_files_of_small_random_runs_byte_for_byte(case) -> None:
    config, topology, layouts = small_inputs(case)
    compat = Compat(case["version"][:3])

    result = run_network(config, topology, compat, layouts=layouts)

    assert case["reports"] == report_texts(result.layers, case.get("rep", ""))


@pytest.mark.parametrize(
    "case",
    [case for case in small_runs() if "trace_sha256" in case],
    ids=lambda c: f"{c['name']}-{c['version']}",
)
def test_trace_files_of_small_random_runs_byte_for_byte(case) -> None:
    config, topology, layouts = small_inputs(case)
    compat = Compat(case["version"][:3])

    found = {}
    for at, layer in enumerate(topology.layers):
        simulation = simulate_layer(config, layer, compat, layouts=layouts)
        for name in TRACES:
            text = "".join(trace(simulation, config, name))
            found[f"layer{at}/{name}_TRACE.csv"] = hashlib.sha256(text.encode()).hexdigest()

    assert case["trace_sha256"] == found
