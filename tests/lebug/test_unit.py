"""The unit as a device: what it accepts, what it reports, and that its state is all of it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hcc.compiler.firmware import compile_library, from_program
from hcc.emulator.lebug import InstrumentationUnit, Mode
from hcc.emulator.lebug.export import to_csv, to_json, to_npy
from hcc.emulator.lebug.pipeline import Input, Pipeline
from hcc.isa.errors import FormatError, HccError
from hcc.isa.lebug import ElementType, Firmware, Machine
from hcc.isa.lebug.machine import Block
from hcc.isa.lebug.tap import pack_flags

from . import programs

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
MACHINE = Machine(n=4, m=2, tb_size=8)
DELTA = evolve(
    MACHINE, blocks=(*MACHINE.blocks[:-1], Block.DELTA, MACHINE.blocks[-1]), delta_slots=2
)


def unit(name: str, mode: Mode = Mode.REFERENCE, machine: Machine = MACHINE, **given: Any) -> Any:
    firmware = compile_library(name, machine, arguments=given).firmware
    return InstrumentationUnit(firmware, mode)


# What it takes


@pytest.mark.parametrize("kind", list(ElementType))
def test_tap_takes_every_element_type(kind: ElementType) -> None:
    values = np.array([1, 2, 3, 100]).astype(kind.dtype)
    one, other = unit("raw"), unit("raw")
    one.tap(values)
    other.tap_bytes(values.tobytes(), kind, pack_flags(kind))

    assert [[1.0, 2.0, 3.0, 100.0]] == one.trace().lanes.tolist()
    assert one.snapshot() == other.snapshot()


def test_a_longer_vector_is_several_with_the_frame_on_the_last() -> None:
    device = unit("distribution", bins=4)
    device.set_edges([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
    device.tap([1, 1, 2, 2, 3, 3, 4, 4], flags=1)

    assert [[2.0, 2.0, 2.0, 2.0]] == device.trace().lanes.tolist()


@pytest.mark.parametrize("vector", [[], [1, 2, 3], [1.0] * 5])
def test_other_lengths_are_refused(vector: list[float]) -> None:
    with pytest.raises(HccError, match=f"a vector of {len(vector)} values: the unit has 4 lanes"):
        unit("raw").tap(vector)


def test_values_that_are_no_real_numbers_are_refused() -> None:
    with pytest.raises(HccError, match="cannot be instrumented"):
        unit("raw").tap(np.array([1j, 2, 3, 4]))
    with pytest.raises(HccError, match="cannot be instrumented"):
        unit("raw").tap(["a", "b", "c", "d"])
    with pytest.raises(HccError, match="no whole number of F64 elements"):
        unit("raw").tap_bytes(b"1234567", ElementType.F64)


@pytest.mark.parametrize("mode", [Mode.FIXED, Mode.AS_BUILT])
def test_quantised_modes_have_no_nan(mode: Mode) -> None:
    device = unit("raw", mode)
    with pytest.raises(HccError, match="NaN has no fixed_point encoding"):
        device.tap([1.0, float("nan"), 0.0, 0.0])
        device.trace()


def test_the_value_without_a_word_is_named_by_its_vector() -> None:
    vectors = np.zeros((600_000, 4))
    vectors[555_555, 2] = np.nan
    with pytest.raises(HccError, match=r"input vector \[555555\]\[2\]: NaN"):
        unit("raw", Mode.FIXED).tap_many(vectors)


# What it reports


def test_report_of_losses_wrap_and_residue() -> None:
    device = unit("sumAll", machine=evolve(MACHINE, tb_size=1, ib_depth=2))
    device.tap_many(np.ones((11, 4)), times=np.zeros(11, dtype=int))
    report = device.report()

    assert (11, 8, 0, 3) == (report.vectors, report.lost, report.rows, report.pending)
    assert (4.0, 4.0, 4.0) == report.residue
    assert [
        "8 of 11 vectors lost: they came faster than 1 chains allow",
        "3 elements are left in the packer's unfinished row",
    ] == report.warnings()
    device.tap_many(np.ones((5, 4)))
    assert "the oldest 1 of 2 rows are overwritten" in device.report().warnings()[1]


def test_a_residue_that_is_not_finite_is_text_in_json() -> None:
    device = unit("sumAll")
    device.tap_many([[np.inf, 0, 0, 0], [np.nan, 0, 0, 0], [-np.inf, 0, 0, 0]])

    found = json.loads(json.dumps(device.report().to_json(), allow_nan=False))
    assert ["inf", "nan", "-inf"] == found["packer_residue"]


def test_wedged_packer_is_reported() -> None:
    program = [[{"op": "v_commit", "size": 1}], [{"op": "v_commit"}]]
    device = InstrumentationUnit(from_program(program, MACHINE).firmware)
    device.tap_many(np.ones((100_000, 4)))
    report = device.report()

    assert report.wedged
    assert 500_000 == report.pending
    assert len(report.residue) < 100_000  # memory stays bounded
    assert "the packer overflowed" in report.warnings()[0]


def test_rows_carry_step_vector_and_chain() -> None:
    device = unit("multipleChains", machine=evolve(MACHINE, fuvrf_size=1))
    device.tap_many(np.ones((2, 4)))
    trace = device.trace()

    assert [7, 8, 9, 10, 11, 12] == trace.steps.tolist()
    assert [0, 0, 0, 1, 1, 1] == trace.vectors.tolist()
    assert [0, 1, 2, 0, 1, 2] == trace.chains.tolist()


def test_exports() -> None:
    device = unit("raw")
    device.tap([0.5, float("inf"), -1.0, 2.0])
    trace = device.trace()

    assert b"step,vector,chain,lane0,lane1,lane2,lane3\n7,0,0,0.5,inf,-1.0,2.0\n" == to_csv(trace)
    assert [0.5, "inf", -1.0, 2.0] == json.loads(to_json(trace, {}))["rows"][0]["row"]
    assert to_npy(trace).startswith(b"\x93NUMPY")


# Time: against the step-by-step pipeline, fed before the same steps


@QUICK
@given(st.integers(1, 4), st.integers(1, 4), st.lists(st.integers(0, 6), max_size=30))
def test_arrivals_lose_what_the_pipeline_refuses(chains: int, depth: int, gaps: list[int]) -> None:
    machine = evolve(MACHINE, n=1, m=1, ib_depth=depth, tb_size=200)
    firmware = from_program([[{"op": "v_commit"}]] * chains, machine).firmware
    times = np.cumsum(gaps).astype(int)
    pipeline = Pipeline(firmware)
    taken = []
    for index, time in enumerate(times):
        while pipeline.step_number < time:
            pipeline.step()
        taken.append(pipeline.push(Input(np.array([float(index)]))))
    for _ in range(len(gaps) * chains + 10):
        pipeline.step()

    whole, split = InstrumentationUnit(firmware), InstrumentationUnit(firmware)
    values = np.arange(len(gaps), dtype=float)[:, None]
    whole.tap_many(values, times=times)
    for index, time in enumerate(times):
        split.tap([float(index)], at=int(time))

    assert [step for step, _ in pipeline.rows] == whole.trace().steps.tolist()
    assert [row.tolist() for _, row in pipeline.rows] == whole.trace().lanes.tolist()
    assert taken.count(False) == whole.report().lost
    assert whole.snapshot() == split.snapshot()


def test_arrival_times_must_not_decrease() -> None:
    device = unit("raw")
    device.tap([1, 2, 3, 4], at=5)
    with pytest.raises(HccError, match="must not decrease"):
        device.tap([1, 2, 3, 4], at=4)


# State


@st.composite
def lives(draw: st.DrawFn) -> tuple[Firmware, Mode, Any, int]:
    machine = draw(programs.machines(widest=3))
    mode = draw(st.sampled_from(list(Mode)))
    program = draw(programs.programs(machine))
    if mode is Mode.AS_BUILT and machine.n == 1:
        program = [[call for call in chain if call["op"] != "v_reduce"] for chain in program]
    if draw(st.booleans()):
        blocks = (*machine.blocks[:-1], Block.DELTA, machine.blocks[-1])
        machine = evolve(machine, blocks=blocks, delta_slots=draw(st.sampled_from([2, 4, 8])))
    machine = evolve(machine, ib_depth=draw(st.integers(2, 5)))
    edges = draw(programs.edge_lists(machine))
    firmware = from_program(program, machine, edges=edges).firmware
    vectors = draw(programs.inputs(machine, 16))
    return firmware, mode, vectors, draw(st.integers(0, len(vectors)))


@QUICK
@given(lives())
def test_a_restored_unit_goes_on_as_if_nothing_had_happened(
    life: tuple[Firmware, Mode, Any, int],
) -> None:
    firmware, mode, vectors, cut = life
    try:
        whole = InstrumentationUnit(firmware, mode)
        carried = InstrumentationUnit(firmware, mode)
        for index, (values, (eof1, eof2)) in enumerate(vectors):
            if index == cut:
                carried = InstrumentationUnit.restore(carried.snapshot())
            whole.tap(values, eof1 + 2 * eof2)
            carried.tap(values, eof1 + 2 * eof2)
        expected = whole.trace()
    except HccError as error:
        assert "does not fit" in str(error) or "not finite" in str(error)
        return
    found = carried.trace()

    np.testing.assert_array_equal(expected.lanes, found.lanes)
    for tag in ("steps", "vectors", "chains"):
        assert getattr(expected, tag).tolist() == getattr(found, tag).tolist()
    assert repr(whole.report()) == repr(carried.report())
    assert whole.snapshot() == carried.snapshot()


def test_asking_changes_nothing() -> None:
    device = unit("vvalu_simple", Mode.AS_BUILT)
    for value in range(5):
        device.tap([value] * 4)
    before = device.snapshot()
    device.trace(), device.report(), device.memory, device.caches()

    assert before == device.snapshot()


@pytest.mark.parametrize("mode", list(Mode))
def test_damaged_snapshots_are_refused(mode: Mode) -> None:
    device = unit("minicache", mode, DELTA)
    for value in range(5):
        device.tap([value] * 4)
    data = device.snapshot()
    assert data == InstrumentationUnit.restore(data).snapshot()
    for cut in (0, 3, 10, len(data) // 2, len(data) - 1):
        with pytest.raises(FormatError):
            InstrumentationUnit.restore(data[:cut])
    for at in range(0, len(data), 7):
        damaged = bytearray(data)
        damaged[at] ^= 0x41
        with pytest.raises(FormatError):
            InstrumentationUnit.restore(bytes(damaged))


# Compression


@pytest.mark.parametrize("width", [8, 16, 32])
@pytest.mark.parametrize("slots", [2, 4, 8])
@pytest.mark.parametrize("smooth", [0.0, 0.5, 0.9, 1.0])
def test_decompressed_rows_are_the_newest_run(width: int, slots: int, smooth: float) -> None:
    seed = width * 100 + slots * 10 + int(smooth * 10)
    print("seed", seed)
    random = np.random.default_rng(seed)
    bound, small = 1 << (width - 1), (1 << (width // slots - 1)) - 1
    row = random.integers(-bound, bound, 4)
    rows = []
    for _ in range(200):
        rows.append(row)
        if random.random() < smooth:
            row = np.clip(row + random.integers(-small, small + 1, 4), -bound, bound - 1)
        else:
            row = random.integers(-bound, bound, 4)
    machine = evolve(DELTA, data_width=width, delta_slots=slots, tb_size=16)
    device = InstrumentationUnit(compile_library("raw", machine).firmware)
    device.tap_many(np.array(rows, dtype=float))
    trace, report = device.trace(), device.report()

    assert np.array(rows[len(rows) - len(trace) :]).tolist() == trace.lanes.tolist()
    assert len(rows) - len(trace) == trace.overwritten
    assert list(range(len(rows) - len(trace), len(rows))) == trace.vectors.tolist()
    assert report.compression is not None
    assert 0 < report.compression <= slots
    if smooth == 1.0:
        assert len(trace) >= 15 * slots + 1


def test_compressor_refuses_what_has_no_integer() -> None:
    device = unit("raw", machine=DELTA)
    with pytest.raises(HccError, match="not finite"):
        device.tap_many([[float("inf"), 0.0, 0.0, 0.0]])
    with pytest.raises(HccError, match="does not fit 32 bits"):
        unit("raw", machine=DELTA).tap_many([[1e12, 0.0, 0.0, 0.0]])
