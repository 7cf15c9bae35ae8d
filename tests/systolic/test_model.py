"""The rest of the model: closed forms, energy, a dataflow and a memory of one's own."""

from __future__ import annotations

import random

import numpy as np
import pytest
from attrs import define, evolve, frozen

from hcc.emulator.systolic import (
    ArrayRun,
    Compat,
    Config,
    Drained,
    EnergyTable,
    Interface,
    Layer,
    Plan,
    Skewed,
    Sparsity,
    Stationary,
    Topology,
    WeightStationary,
    choose_compat,
    demand_lines,
    estimate,
    estimate_layers,
    gemm_layer,
    layer_energy,
    multiply,
    read_energy_table,
    run_layer,
    run_network,
)
from hcc.emulator.systolic.memory import Line, plan_layer
from hcc.isa.errors import FormatError, UnsupportedError

LAYER = Layer("layer", 9, 8, 3, 3, 4, 10, 1, 1)
CONFIG = Config(rows=8, cols=4, dataflow="ws")


def test_closed_forms_agree_with_the_full_model() -> None:
    rng = random.Random(5)
    for _ in range(30):
        layer = gemm_layer("g", rng.randint(1, 80), rng.randint(1, 80), rng.randint(1, 80))
        flow = rng.choice(["os", "ws", "is"])
        config = evolve(CONFIG, rows=rng.randint(1, 20), cols=rng.randint(1, 20), dataflow=flow)

        result = run_layer(config, layer)
        found = estimate(layer.m, layer.n, layer.k, config.rows, config.cols, flow)

        assert result.total_cycles == int(found.cycles)
        for wanted, got in (
            (result.overall_utilisation, found.overall),
            (result.mapping_efficiency, found.mapping),
            (result.compute_utilisation, found.compute),
        ):
            assert wanted == pytest.approx(float(got), rel=1e-12)


def test_closed_forms_broadcast() -> None:
    found = estimate_layers([LAYER, LAYER], [[4], [8]], [4, 8, 16], "os")

    assert found.cycles.shape == (2, 2, 3)
    assert int(estimate(LAYER.m, LAYER.n, LAYER.k, 8, 16, "os").cycles) == found.cycles[1, 1, 2]


def test_layers_of_one_shape_are_named_apart() -> None:
    other = evolve(LAYER, name="other")

    result = run_network(CONFIG, Topology("net", (LAYER, other, LAYER)))

    assert result.names == ["layer", "other", "layer"]
    assert len(set(result.column("Total Cycles").tolist())) == 1
    assert result.total_cycles == 3 * run_layer(CONFIG, LAYER).total_cycles


def test_columns_are_arrays() -> None:
    result = run_network(CONFIG, Topology("net", (LAYER,)))

    assert isinstance(result.columns()["SRAM IFMAP Reads"], np.ndarray)
    with pytest.raises(FormatError, match="no report has a column 'Colour'"):
        result.column("Colour")


def test_version_3_features_choose_version_3() -> None:
    sparse = evolve(CONFIG, sparsity=Sparsity("csr", False, 1, 0))

    assert Compat.V2 is choose_compat(CONFIG)
    assert Compat.V3 is choose_compat(sparse)
    with pytest.raises(UnsupportedError, match="sparsity exists in SCALE-Sim 3 only"):
        choose_compat(sparse, Compat.FIXED)


@pytest.mark.parametrize(
    ("config", "layer", "message"),
    [
        (evolve(CONFIG, rows=0), LAYER, "array edges"),
        (evolve(CONFIG, bandwidths=()), LAYER, "array edges"),
        (evolve(CONFIG, filter_offset=-1), LAYER, "offsets are at least 0"),
        (CONFIG, evolve(LAYER, channels=0), "'layer': sizes and strides"),
        (CONFIG, evolve(LAYER, filter_h=10), "'layer': the filter is larger than its input"),
    ],
)
def test_values_made_by_hand_are_checked(config, layer, message) -> None:
    with pytest.raises(FormatError, match=message):
        run_layer(config, layer)


def test_a_layer_of_one_line_has_no_utilisation() -> None:
    config = evolve(CONFIG, rows=1, cols=1, dataflow="os")

    with pytest.raises(UnsupportedError, match="'dot' is over in its first line"):
        run_layer(config, gemm_layer("dot", 1, 1, 1))


def test_row_wise_sparsity_is_for_ws() -> None:
    sparse = evolve(CONFIG, dataflow="os", sparsity=Sparsity("csr", True, 4, 0))

    with pytest.raises(UnsupportedError, match="modelled for ws only"):
        run_layer(sparse, LAYER)


def test_energy_is_a_sum_over_accesses(tmp_path) -> None:
    table = EnergyTable(mac=1.0, dram=10.0, sram={64: 2.0})
    result = run_layer(CONFIG, LAYER)

    found = layer_energy(CONFIG, result, table)

    assert LAYER.macs == found.mac
    assert 2.0 * result.sram_ifmap.count == found.sram_ifmap
    assert 10.0 * result.dram_ofmap.count == found.dram_ofmap
    assert found.total == pytest.approx(sum(found.as_dict().values()) - found.total)


def test_sram_energy_is_interpolated() -> None:
    table = EnergyTable(sram={8: 1.0, 32: 2.0})

    assert table.sram_word(8) == 1.0
    assert pytest.approx(table.sram_word(32)) == 2.0
    assert pytest.approx(table.sram_word(16)) == 2**0.5
    assert pytest.approx(table.sram_word(128)) == 4.0
    assert EnergyTable(sram={8: 1e-12, 9: 1e12}).sram_word(1 << 30) == 1e12


def test_an_energy_table_is_read_and_checked(tmp_path) -> None:
    path = tmp_path / "table.json"
    path.write_text('{"mac": 2, "sram": {"8": 1.5}}')

    assert EnergyTable(mac=2.0, sram={8: 1.5}) == read_energy_table(path)
    for text, message in (
        ('{"mac": -1}', "'mac' wants picojoules from 0 to 1e\\+12, not -1"),
        ('{"mac": 1e308}', "'mac' wants picojoules from 0 to 1e\\+12, not 1e\\+308"),
        ('{"mac": 1e999}', "'mac' wants picojoules .*, not inf"),
        ('{"mac": NaN}', "'mac' wants picojoules .*, not nan"),
        (f'{{"dram": {"9" * 400}}}', f"'dram' wants picojoules .*, not {'9' * 40}$"),
        (f'{{"mac": {"9" * 5000}}}', "table.json: not JSON"),
        ("[" * 100_000, "table.json: not JSON"),
        ('{"sram": {"²": 1}}', "sram size '²'"),
        (f'{{"sram": {{"{1 << 31}": 1}}}}', "sram size '2147483648' is no number of KiB"),
        ('{"sram": {"8": 0}}', "'sram 8' wants picojoules from 1e-12"),
        ('{"mca": 1}', "unknown key 'mca'"),
        ('{"sram": {"x": 1}}', "sram size 'x'"),
        ("[]", "an energy table is a JSON object"),
        ('{"mac": 1', "table.json:1:10:"),
    ):
        path.write_text(text)
        with pytest.raises(FormatError, match=message):
            read_energy_table(path)


@frozen
class Spaced:
    """A dataflow of a user's own, in one class: weight stationary with three idle lines after
    each fold."""

    name: str = "spaced"

    def plan(self, layer: Layer, rows: int, cols: int, offsets: tuple[int, int, int]) -> Plan:
        plan = WeightStationary().plan(layer, rows, cols, offsets)
        return evolve(plan, fold_lines=plan.fold_lines + 3)


def test_a_dataflow_of_ones_own_runs_in_both_modes() -> None:
    plain = run_layer(CONFIG, LAYER)
    folds = -(-LAYER.k // 8) * -(-LAYER.n // 4)

    slower = run_layer(CONFIG, LAYER, dataflow=Spaced())
    user = evolve(CONFIG, interface=Interface.USER)

    assert plain.total_cycles + 3 * folds == slower.total_cycles
    assert run_layer(user, LAYER, dataflow=Spaced()).total_cycles >= slower.total_cycles


def test_a_dataflow_of_ones_own_computes() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.integers(-9, 9, (7, 6)), rng.integers(-9, 9, (6, 5))

    found = multiply(gemm_layer("g", 7, 5, 6), a[:, :, None], b.T[:, None, :, None], 4, 3, Spaced())

    assert (a @ b).tolist() == found[:, 0, :].tolist()


@pytest.mark.parametrize("dataflow", ["os", "ws", "is"])
def test_demand_lines_hold_the_reads_of_the_reports(dataflow: str) -> None:
    config = evolve(CONFIG, dataflow=dataflow)
    plan = plan_layer(config, LAYER)

    lines = list(demand_lines(plan))

    result = run_layer(config, LAYER)
    assert plan.lines == len(lines)
    assert result.sram_ifmap.count == sum(int((line.ifmap >= 0).sum()) for line in lines)
    assert result.sram_filter.count == sum(int((line.filter >= 0).sum()) for line in lines)
    written = {address for line in lines for address in line.ofmap.tolist() if address >= 0}
    assert LAYER.m * LAYER.n == len(written)


@define
class Slow:
    """A memory that makes every tenth line wait."""

    wait: int
    lines: int = 0
    finished: int = 0

    def serve(self, cycle: int, line: Line) -> int:
        assert line.number == self.lines
        self.lines += 1
        return self.wait if self.lines % 10 == 0 else 0

    def finish(self, cycle: int) -> int:
        self.finished = cycle
        return cycle + 5


def test_a_memory_of_ones_own_decides_the_stalls() -> None:
    plan = plan_layer(CONFIG, LAYER)

    run = ArrayRun(plan, Slow(7), start=100)
    end = run.run()

    assert plan.lines // 10 * 7 == run.stalls
    assert 100 + plan.lines + run.stalls + 5 == end
    assert run.done


def test_without_waits_the_cycles_are_the_models() -> None:
    run = ArrayRun(plan_layer(CONFIG, LAYER), Slow(0))
    run.run()

    # The reports count one less: cycles from 0 to the last line.
    assert run_layer(CONFIG, LAYER).total_cycles == run.cycle - 1


def test_streams_are_exported_for_plans_of_ones_own() -> None:
    plan = plan_layer(CONFIG, LAYER)

    assert isinstance(plan.ifmap, Skewed)
    assert isinstance(plan.filter, Stationary)
    assert isinstance(plan.ofmap, Drained)
