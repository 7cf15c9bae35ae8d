"""Each finding of the checks: the firmware that causes it, its chain, its words."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from hcc.compiler.firmware import FirmwareError, compile_text, from_program
from hcc.compiler.firmware.checks import check, require
from hcc.compiler.firmware.diagnostics import Diagnostic
from hcc.isa.lebug import DataType, Machine
from hcc.isa.lebug.machine import Block

MACHINE = Machine(n=4, m=2, fuvrf_size=2, vvvrf_size=4)
UNIFORM = [0.0, 1.0, 2.0, 3.0]


def findings(
    *chains: Any, machine: Machine = MACHINE, edges: list[float] | None = None
) -> list[Diagnostic]:
    return check(from_program(list(chains), machine, edges=edges))


def codes(found: list[Diagnostic]) -> list[tuple[str, int]]:
    return [(diagnostic.code, diagnostic.chain) for diagnostic in found]


COMMIT = {"op": "v_commit"}


def test_nothing_to_say_about_a_plain_firmware() -> None:
    assert [] == findings([COMMIT])


def test_no_chains_is_an_error() -> None:
    found = findings()

    assert [("no-chains", 0)] == codes(found)
    with pytest.raises(FirmwareError, match="no chain"):
        require(found)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ({"op": "vv_filter", "addr": 2}, "vv_filter uses row 2, and FUVRF_SIZE is 2"),
        ({"op": "vv_add", "addr": 4}, "vv_add uses row 4, and VVVRF_SIZE is 4"),
        ({"op": "v_cache", "addr": -1}, "v_cache uses row -1, and VVVRF_SIZE is 4"),
    ],
)
def test_an_address_outside_its_memory_is_an_error(call: dict[str, Any], text: str) -> None:
    found = [d for d in findings([COMMIT], [call]) if d.code == "address"]

    assert [("address", 2)] == codes(found)
    assert found[0].message.startswith(text)
    with pytest.raises(FirmwareError, match="chain 2: "):
        require(found)


def test_an_address_over_one_byte_is_an_error() -> None:
    machine = evolve(MACHINE, vvvrf_size=500)
    found = findings([{"op": "v_cache", "addr": 300}], machine=machine)

    assert [("address", 1)] == codes(found)
    assert "one byte" in found[0].message


def test_calls_against_the_block_order() -> None:
    found = findings([{"op": "v_reduce"}, {"op": "vv_add", "addr": 0}, COMMIT])

    assert [("order", 1)] == codes(found)
    assert "vv_add is called after v_reduce, but the hardware runs it before" in found[0].message


def test_block_order_is_the_machines() -> None:
    blocks = list(MACHINE.blocks)
    blocks[2], blocks[3] = blocks[3], blocks[2]
    machine = evolve(MACHINE, blocks=tuple(blocks))
    reduce, add = {"op": "v_reduce"}, {"op": "vv_add", "addr": 0}

    assert [] == findings([reduce, add, COMMIT], machine=machine)
    assert [("order", 1)] == codes(findings([add, reduce, COMMIT], machine=machine))


def test_repeated_instruction() -> None:
    found = findings([{"op": "vv_add", "addr": 0}, {"op": "vv_sub", "addr": 1}, COMMIT])

    assert [("repeated", 1)] == codes(found)
    assert "vv_sub after vv_add in one chain" in found[0].message


def test_instruction_without_its_block() -> None:
    blocks = tuple(b for b in MACHINE.blocks if b is not Block.FILTER_REDUCE)
    machine = evolve(MACHINE, blocks=blocks)
    found = findings([{"op": "m_reduce"}, COMMIT], machine=machine)

    assert ("no-block", 1) in codes(found)
    assert "the machine has no FilterReduceUnit" in found[0].message


def test_condition_that_can_never_hold() -> None:
    twice = [{**COMMIT, "condition1": "last"}, {**COMMIT, "condition1": "notlast"}]
    found = findings(twice)

    assert ("never", 1) in codes(found)
    assert "last1 and notlast1 can never hold together" in found[1].message


# The rows of the table of differences between LeBug's emulator and its hardware


def test_cache_condition() -> None:
    found = findings([{"op": "v_cache", "addr": 0, "condition1": "last"}, COMMIT])

    assert [("cache-condition", 1)] == codes(found)
    assert "under last1: the published RTL ignores the condition" in found[0].message


def test_two_conditions() -> None:
    found = findings([{**COMMIT, "condition1": "last", "condition2": "notlast"}])

    assert [("two-conditions", 1)] == codes(found)
    assert "keeps one condition, last1, and drops notlast2" in found[0].message


FILTER: list[Any] = [{"op": "vv_filter", "addr": 0}, {"op": "m_reduce", "axis": "M"}, COMMIT]


def test_uniform_edges_are_the_same_everywhere() -> None:
    assert [] == findings(FILTER, edges=UNIFORM)


def test_last_range_of_a_row() -> None:
    found = findings(FILTER, edges=[0.0, 1.0, 10.0, 100.0])

    assert [("edge-group", 1)] == codes(found)
    assert "ends at 10; the published RTL takes its own row's first step and ends it at 2" in (
        found[0].message
    )


def test_last_range_of_the_whole_memory() -> None:
    chain = [{"op": "vv_filter", "addr": 1}, {"op": "m_reduce", "axis": "M"}, COMMIT]

    assert [] == findings(chain, edges=[0.0, 1.0, 10.0, 100.0])


def test_rows_of_one_range() -> None:
    machine = evolve(MACHINE, m=1)
    found = findings([*FILTER[:2], {**COMMIT, "size": 4}], machine=machine, edges=[0.0, 1.0])

    assert [("edge-group", 1)] == codes(found)
    assert "its own lower edge + 1 unit" in found[0].message


def test_range_across_zero() -> None:
    found = findings(FILTER, edges=[-2.0, -1.0, 0.0, 1.0])

    assert [("edge-sign", 1)] == codes(found)
    assert "has the range (-1, 0]: the published RTL compares unsigned" in found[0].message


def test_infinite_edge() -> None:
    found = findings(FILTER, edges=[0.0, float("inf"), 1.0, 0.0])

    assert ("edge-infinite", 1) in codes(found)


def test_reduction_without_filter() -> None:
    found = findings([{"op": "m_reduce", "axis": "M"}, COMMIT])

    assert [("axis-unfiltered", 1)] == codes(found)


def test_filter_without_reduction() -> None:
    found = findings([{"op": "vv_filter", "addr": 0}, COMMIT], edges=UNIFORM)

    assert [("filter-unreduced", 1)] == codes(found)


def test_stale_read_after_write() -> None:
    write, read = {"op": "v_cache", "addr": 1}, {"op": "vv_mul", "addr": 1}
    found = findings([write], [read, COMMIT])

    assert [("hazard", 2)] == codes(found)
    assert "vv_mul reads cache row 1, which chain 1 wrote one slot before" in found[0].message


def test_hazard_wraps_from_the_last_chain_to_the_first() -> None:
    found = findings([{"op": "vv_mul", "addr": 2}, COMMIT], [{"op": "v_cache", "addr": 2}])

    assert [("hazard", 1)] == codes(found)


def test_wrong_row_forwarded() -> None:
    found = findings([{"op": "v_cache", "addr": 0}], [{"op": "vv_add", "addr": 3}, COMMIT])

    assert [("hazard", 2)] == codes(found)
    assert "forwards row 0" in found[0].message


def test_forwarding_that_works_is_no_hazard() -> None:
    both = [{"op": "vv_add", "addr": 2}, {"op": "v_cache", "addr": 2}, COMMIT]

    assert [] == findings(both, both)


def test_packer_overflow() -> None:
    found = findings([{**COMMIT, "size": 1}], [COMMIT])

    assert [("packer-overflow", 2)] == codes(found)
    assert "v_commit of 4 can meet a row with 1 of 4 elements pending" in found[0].message


def test_packer_overflow_only_under_some_frames() -> None:
    one = {**COMMIT, "size": 1}
    under = {**COMMIT, "size": 2, "condition1": "last"}

    assert [("packer-overflow", 2)] == codes(findings([one], [under]))
    assert [("residue", 0)] == codes(findings([one], [one]))
    assert [] == findings([{**COMMIT, "size": 2}], [one], [one])


def test_integer_maximum_and_single_lane() -> None:
    machine = evolve(MACHINE, data_type=DataType.INT)
    found = findings([{"op": "vv_max", "addr": 0}, COMMIT], machine=machine)
    assert [("max-unsigned", 1)] == codes(found)

    machine = evolve(MACHINE, n=1, m=1)
    found = findings([{"op": "v_reduce"}, COMMIT], machine=machine)
    assert [("one-lane", 1)] == codes(found)


def test_unknown_edges_are_a_note() -> None:
    assert [("edges-unknown", 0)] == codes(findings(FILTER))


def test_a_finding_in_text_has_its_place() -> None:
    text = "def f(cp):\n    cp.begin_chain()\n    cp.v_cache(0, 'last')\n    cp.end_chain()\n"
    (found,) = check(compile_text(text, MACHINE, file="f.py"))

    assert str(found).startswith("f.py:3:5: warning: chain 1: v_cache under last1: ")
    assert str(found).endswith("[cache-condition]")
