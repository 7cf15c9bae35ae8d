"""Around the model: SCALE-Sim's Python interface, sweeps, the executor."""

from __future__ import annotations

import pytest
from attrs import evolve

from hcc.emulator.systolic import Compat, read_config, read_topology
from hcc.isa.errors import FormatError, UnsupportedError
from hcc.runtime.executor import InProcess, Processes, Ray, executor, run
from hcc.runtime.systolic import Grid, ScalesimReport, pareto, scalesim, sweep
from hcc.runtime.systolic.sweeps import aspect_ratios, best, objective, to_csv

from .golden import DATA, runs

CONFIG = DATA / "conv_odd_8x8_ws_user.cfg"
TOPOLOGY = DATA / "conv_odd.csv"


def recorded() -> dict[str, list[dict[str, float]]]:
    return next(r for n, v, r in runs() if n == "conv_odd_8x8_ws_user" and v == "2.0.2")


def test_run_scale_and_the_report_readers_getters(tmp_path) -> None:
    simulator = scalesim(
        save_disk_space=True, verbose=False, config=str(CONFIG), topology=str(TOPOLOGY)
    )
    simulator.run_scale(top_path=str(tmp_path))
    report = ScalesimReport()
    report.load_data(str(tmp_path), "conv_odd_8x8_ws_user")

    compute, detail = recorded()["COMPUTE_REPORT"], recorded()["DETAILED_ACCESS_REPORT"]
    cycles = [row["Total Cycles"] for row in compute]
    assert sum(cycles) == simulator.get_total_cycles()
    assert cycles == report.get_compute_cycles_all_layer()
    assert cycles[1] == report.get_total_cycles_single_layer(1)
    assert [row["Stall Cycles"] for row in compute] == report.get_stall_cycles_all_layer()
    reads = [row["SRAM IFMAP Reads"] for row in detail]
    assert reads == report.get_sram_ifmap_reads_all_layer()
    assert reads[2] == report.get_sram_ifmap_reads_single_layer(2)
    assert [r["SRAM Filter Reads"] for r in detail] == report.get_sram_filter_reads_all_layer()
    assert [r["SRAM OFMAP Writes"] for r in detail] == report.get_sram_ofmap_writes_all_layer()
    assert [r["DRAM IFMAP Reads"] for r in detail] == report.get_dram_ifmap_reads_all_layer()
    with pytest.raises(FormatError, match="no layer 9; there are 3"):
        report.get_total_cycles_single_layer(9)


def test_run_scale_says_what_it_did_when_verbose(tmp_path, capsys) -> None:
    scalesim(config=CONFIG, topology=TOPOLOGY, compat="3.0", save_disk_space=True).run_scale(
        tmp_path
    )

    assert len(capsys.readouterr().out.splitlines()) == 3


def test_total_cycles_before_a_run() -> None:
    with pytest.raises(FormatError, match="call run_scale first"):
        scalesim(config=CONFIG, topology=TOPOLOGY).get_total_cycles()


def test_what_scalesim_refuses(tmp_path) -> None:
    with pytest.raises(FormatError, match=r"compat is 2\.0, 3\.0 or fixed"):
        scalesim(config=CONFIG, topology=TOPOLOGY, compat="4.0")
    with pytest.raises(FormatError, match="no topology given"):
        scalesim(config=CONFIG)
    (tmp_path / "file").touch()
    with pytest.raises(FormatError, match="Not a directory"):
        scalesim(config=CONFIG, topology=TOPOLOGY).run_scale(tmp_path / "file")


def test_a_report_that_is_not_there(tmp_path) -> None:
    with pytest.raises(FormatError, match="COMPUTE_REPORT"):
        ScalesimReport().load_data(tmp_path, "none")


def grid() -> Grid:
    return Grid(
        shapes=((4, 16), (8, 8)),
        dataflows=("os", "ws"),
        sram=((1, 1, 1), (4, 4, 4)),
        bandwidths=(4, 16),
        topologies=(read_topology(TOPOLOGY),),
    )


def test_a_sweep_runs_every_combination_in_order() -> None:
    points = sweep(read_config(CONFIG), grid())

    assert len(points) == 16
    assert [
        (point.shape, point.dataflow, point.sram_kb, point.bandwidth) for point in points[:3]
    ] == [("4x16", "os", 3, 4), ("4x16", "os", 3, 16), ("4x16", "os", 12, 4)]
    assert all(point.cycles > point.stalls >= 0 for point in points)
    assert len(to_csv(points).splitlines()) == 17


def test_a_sweeps_bandwidth_reaches_version_3s_banks() -> None:
    wide = Grid(bandwidths=(16,), topologies=(read_topology(TOPOLOGY),))
    narrow = evolve(wide, bandwidths=(2,))
    base = read_config(CONFIG)

    slow, fast = (sweep(base, g, Compat.V3)[0].cycles for g in (narrow, wide))

    assert slow > fast


def test_the_pareto_front_has_no_beaten_point() -> None:
    points = sweep(read_config(CONFIG), grid())
    names = ("cycles", "energy", "sram")

    front = pareto(points, names)

    scores = [tuple(objective(p, name) for name in names) for p in points]
    for point in front:
        mine = tuple(objective(point, name) for name in names)
        assert not any(
            other != mine and all(a <= b for a, b in zip(other, mine, strict=True))
            for other in scores
        )
    assert best(points) in front
    with pytest.raises(FormatError, match="no objective 'beauty'"):
        pareto(points, ("beauty",))


def test_aspect_ratios() -> None:
    assert aspect_ratios(64, 4) == ((4, 16), (8, 8), (16, 4))
    with pytest.raises(FormatError, match="no power of two"):
        aspect_ratios(100)


def square(number: int) -> int:
    if number == 13:
        raise FormatError("thirteen")
    return number * number


def test_results_come_in_order_with_progress() -> None:
    told: list[int] = []

    found = list(run(square, range(5), InProcess(), told.append))

    assert found == [0, 1, 4, 9, 16]
    assert told == [1, 2, 3, 4, 5]


def test_processes_give_the_same_in_the_same_order() -> None:
    assert [number * number for number in range(12)] == list(run(square, range(12), Processes(2)))


def test_an_items_error_is_raised_from_a_process() -> None:
    with pytest.raises(FormatError, match="thirteen"):
        list(run(square, range(20), Processes(2)))


def test_executor_options() -> None:
    assert InProcess() == executor()
    assert Processes(3) == executor(3)
    assert isinstance(executor(0), InProcess | Processes)
    assert Ray() == executor(4, cluster=True)


def test_ray_is_an_extra() -> None:
    try:
        import ray  # noqa: F401
    except ImportError:
        with pytest.raises(UnsupportedError, match=r"hcc\[cluster\]"):
            list(Ray().map(square, [1]))
    else:
        assert list(Ray().map(square, [1, 2])) == [1, 4]
