"""Random firmware: both front ends agree, bytecode is lossless, every engine agrees with numpy.

Hypothesis prints the failing example; the seed of a run is in its `--hypothesis-seed` message.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hcc.compiler import firmware as fw
from hcc.emulator.lebug import InstrumentationUnit, Mode
from hcc.emulator.lebug.engine import Engine
from hcc.emulator.lebug.pipeline import Input, run
from hcc.isa.lebug import DataType, Machine, decode, disassemble, encode
from hcc.isa.lebug.machine import EMULATOR_LATENCY

from . import programs
from .model import Model, Word

SLOW = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(max_examples=800, deadline=None, suppress_health_check=list(HealthCheck))


def by_builder(program: list[list[dict[str, Any]]], machine: Machine) -> fw.Compilation:
    def random_firmware(cp: fw.Compiler) -> fw.Firmware:
        for chain in program:
            cp.begin_chain()
            for call in chain:
                arguments = {key: value for key, value in call.items() if key != "op"}
                if call["op"] == "v_cache":
                    arguments["cache_addr"] = arguments.pop("addr")
                getattr(cp, call["op"])(**arguments)
            cp.end_chain()
        return cp.compile()

    return fw.build(random_firmware, machine)


@st.composite
def machine_and_program(draw: st.DrawFn) -> tuple[Machine, Any]:
    machine = draw(programs.machines())
    return machine, draw(programs.programs(machine))


@SLOW
@given(machine_and_program(), st.booleans())
def test_both_front_ends_give_the_same_bytecode(drawn: tuple[Machine, Any], bare: bool) -> None:
    machine, program = drawn
    expected = encode(fw.from_program(program, machine, "random_firmware").firmware)
    text = programs.as_text(program, "" if bare else "cp.")

    assert expected == encode(fw.compile_text(text, machine).firmware)
    assert expected == encode(by_builder(program, machine).firmware)


@SLOW
@given(machine_and_program())
def test_bytecode_and_disassembly_lose_nothing(drawn: tuple[Machine, Any]) -> None:
    machine, program = drawn
    built = fw.from_program(program, machine, "random_firmware").firmware
    data = encode(built)

    assert built == decode(data)
    assert data == encode(fw.compile_text(disassemble(built), machine).firmware)


@st.composite
def runs(draw: st.DrawFn) -> tuple[Machine, Any, list[float], Any]:
    machine = draw(programs.machines())
    program = draw(programs.programs(machine))
    return machine, program, draw(programs.edge_lists(machine)), draw(programs.inputs(machine))


def check_reference(drawn: tuple[Machine, Any, list[float], Any]) -> None:
    machine, program, edges, vectors = drawn
    blocks = [block.value for block in machine.blocks]
    model = Model(program, machine.n, machine.m, machine.vvvrf_size, edges, blocks)
    for values, eof in vectors:
        model.push(values, eof)
    built = fw.from_program(program, machine, edges=edges).firmware
    latency, count = machine.latency(EMULATOR_LATENCY), len(program)
    steps = [k * count + c + latency for k, c, _ in model.rows]

    engine = Engine(built)
    array = np.array([values for values, _ in vectors], dtype=float).reshape(-1, machine.n)
    rows = engine.run(array, np.array([a + 2 * b for _, (a, b) in vectors], dtype=np.uint8))
    np.testing.assert_array_equal(
        np.array([row for _, _, row in model.rows]).reshape(-1, machine.n), rows.lanes
    )
    assert steps == (rows.vectors * count + rows.chains + latency).tolist()
    np.testing.assert_array_equal(np.array(model.cache), engine.cache)
    np.testing.assert_array_equal(model.minicache, engine.minicache)
    np.testing.assert_array_equal(np.array(model.pending), engine.residue)

    slow = run(built, edges, [Input(np.array(v), *eof) for v, eof in vectors])
    assert steps == [step for step, _ in slow.rows]
    for (_, _, expected), (_, found) in zip(model.rows, slow.rows, strict=True):
        np.testing.assert_array_equal(expected, found)
    assert len(model.pending) == slow.packer.fill
    if slow.alu is not None:
        np.testing.assert_array_equal(np.array(model.cache), slow.alu.cache)


@SLOW
@given(runs())
def test_reference_mode_is_the_numpy_model(drawn: tuple[Machine, Any, list[float], Any]) -> None:
    check_reference(drawn)


@pytest.mark.long
@LONG
@given(runs())
def test_reference_mode_is_the_numpy_model_at_length(
    drawn: tuple[Machine, Any, list[float], Any],
) -> None:
    check_reference(drawn)


@SLOW
@given(runs(), st.sampled_from([8, 16, 24, 32]), st.sampled_from(list(DataType)))
def test_fixed_mode_is_the_integer_model(
    drawn: tuple[Machine, Any, list[float], Any], width: int, kind: DataType
) -> None:
    machine, program, edges, vectors = drawn
    if kind is DataType.INT:
        edges = [edge if np.isinf(edge) else float(round(edge)) for edge in edges]
        vectors = [([float(round(x)) for x in values], eof) for values, eof in vectors]
    machine = evolve(machine, data_width=width, data_type=kind)
    word = Word(width, width // 2 if kind is DataType.FIXED_POINT else 0)
    blocks = [block.value for block in machine.blocks]
    model = Model(program, machine.n, machine.m, machine.vvvrf_size, edges, blocks, word)
    unit = InstrumentationUnit(fw.from_program(program, machine, edges=edges).firmware, Mode.FIXED)
    for values, eof in vectors:
        model.push(values, eof)
        unit.tap(values, eof[0] + 2 * eof[1])
    kept = model.rows[-machine.tb_size :]
    trace, report = unit.trace(), unit.report()

    assert trace.words is not None
    assert [[int(x) for x in row] for _, _, row in kept] == trace.words.tolist()
    assert [[word.decode(x) for x in row] for _, _, row in kept] == trace.lanes.tolist()
    assert len(model.rows) == report.rows
    assert len(model.rows) - len(kept) == report.overwritten
    assert [word.decode(x) for x in model.pending] == list(report.residue)


@pytest.mark.parametrize("n", [64, 128, 256, 1024])
@pytest.mark.parametrize("order", programs.ORDERS[:6])
def test_wide_vectors_agree_with_the_step_by_step_pipeline(n: int, order: list[str]) -> None:
    seed = n * 10 + len(order[0])
    print("seed", seed)
    random = np.random.default_rng(seed)
    m = n // 4
    machine = Machine.from_parameters(
        {
            "N": n,
            "M": m,
            "IB_DEPTH": 16,
            "FUVRF_SIZE": 2,
            "BUILDING_BLOCKS": ["InputBuffer", *order, "DataPacker", "TraceBuffer"],
        }
    )
    program: list[list[dict[str, Any]]] = [
        [{"op": "vv_add", "addr": 0, "condition1": "notfirst"}, {"op": "v_cache", "addr": 0},
         {"op": "v_reduce"}, {"op": "v_commit", "size": 1}],
        [{"op": "vv_filter", "addr": 0}, {"op": "m_reduce", "axis": "M"},
         {"op": "v_commit", "size": m}],
        [{"op": "vv_filter", "addr": 1}, {"op": "m_reduce", "axis": "N"}, {"op": "v_mc_save"}],
        [{"op": "v_mc_load"}, {"op": "vv_max", "addr": 0}, {"op": "v_commit", "size": m}],
        [{"op": "m_reduce", "axis": "M"}, {"op": "vv_mul", "addr": 0}, {"op": "v_commit"}],
    ]  # fmt: skip
    edges = np.sort(random.normal(size=2 * m)).tolist()
    built = fw.from_program(program, machine, edges=edges).firmware
    vectors = random.normal(size=(12, n))
    flags = random.integers(0, 4, 12).astype(np.uint8)

    slow = run(
        built,
        edges,
        [Input(v, bool(f & 1), bool(f & 2)) for v, f in zip(vectors, flags, strict=True)],
    )
    engine = Engine(built)
    rows = engine.run(vectors, flags)

    assert len(slow.rows) == len(rows.lanes)
    for (_, expected), found in zip(slow.rows, rows.lanes, strict=True):
        np.testing.assert_array_equal(expected, found)
    assert slow.alu is not None
    np.testing.assert_array_equal(slow.alu.cache, engine.cache)
    assert slow.packer.fill == engine.fill
