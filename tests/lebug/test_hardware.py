"""As-built mode where the reference data has no case of its own: each difference, by hand.

The expected rows are those of the table of differences in LeBug's reference results, made with
Verilator from the published SystemVerilog.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hcc.compiler.firmware import from_program
from hcc.emulator.lebug import InstrumentationUnit, Mode
from hcc.emulator.lebug.hardware import Hardware
from hcc.isa.errors import HccError, UnsupportedError
from hcc.isa.lebug import DataType, Machine

RAMP = [[10 * k + i for i in range(4)] for k in range(1, 8)]
EOF1 = [c == "1" for c in "0100110"]


def rows(
    program: list[Any],
    vectors: list[Any],
    eof1: list[bool] | None = None,
    edges: list[float] | None = None,
    **machine: Any,
) -> tuple[list[list[float]], list[list[float]]]:
    """Rows of the reference and of the hardware."""
    given = {"n": 4, "m": 2, "ib_depth": 16, **machine}
    firmware = from_program(program, Machine(**given), edges=edges).firmware
    flags = np.array(eof1 or [False] * len(vectors), dtype=np.uint8)
    found = []
    for mode in (Mode.REFERENCE, Mode.AS_BUILT):
        unit = InstrumentationUnit(firmware, mode)
        unit.tap_many(np.array(vectors, dtype=float), flags)
        found.append(unit.trace().lanes.tolist())
    return found[0], found[1]


def test_cache_condition_is_ignored() -> None:
    program = [[{"op": "vv_add", "addr": 0}, {"op": "v_cache", "addr": 0, "condition1": "last"},
                {"op": "v_commit"}]]  # fmt: skip
    reference, hardware = rows(program, RAMP, EOF1)

    assert [10, 20, 50, 60, 70, 130, 200] == [row[0] for row in reference]
    assert [10, 30, 60, 100, 150, 210, 280] == [row[0] for row in hardware]


def test_stale_read() -> None:
    write = [{"op": "v_cache", "addr": 1}]
    read = [{"op": "vv_mul", "addr": 1}, {"op": "v_commit"}]
    reference, hardware = rows([write, read], [[1, 2, 3, 4], [5, 6, 7, 8]])

    assert [[1, 4, 9, 16], [25, 36, 49, 64]] == reference
    assert [[0, 0, 0, 0], [5, 12, 21, 32]] == hardware


def test_forwarding_saves_the_read_when_the_cache_addresses_agree() -> None:
    write = [{"op": "v_cache", "addr": 0}]
    read = [{"op": "vv_mul", "addr": 0}, {"op": "v_commit"}]
    reference, hardware = rows([write, read], [[1, 2, 3, 4], [5, 6, 7, 8]])

    assert reference == hardware


def test_forwarding_of_the_wrong_row() -> None:
    write = [{"op": "v_cache", "addr": 0}]
    read = [{"op": "vv_add", "addr": 3}, {"op": "v_commit"}]
    reference, hardware = rows([write, read], [[1, 2, 3, 4]])

    assert [[1, 2, 3, 4]] == reference
    assert [[2, 4, 6, 8]] == hardware


def test_an_idle_clock_lets_the_write_land() -> None:
    program = [[{"op": "vv_add", "addr": 1}, {"op": "v_cache", "addr": 1}, {"op": "v_commit"}]]
    firmware = from_program(program, Machine(n=4, m=2)).firmware
    unit = InstrumentationUnit(firmware, Mode.AS_BUILT)
    for clock in (0, 10, 20):
        unit.tap([1, 1, 1, 1], at=clock)

    assert [1, 2, 3] == unit.trace().lanes[:, 0].tolist()


def test_axis_without_filter_is_ignored() -> None:
    program: list[list[dict[str, Any]]] = [[{"op": "m_reduce", "axis": "M"}, {"op": "v_commit"}]]
    reference, hardware = rows(program, [[0.5, 1, 1.5, 2]])

    assert [[5, 0, 0, 0]] == reference
    assert [[0.5, 1, 1.5, 2]] == hardware


def test_filter_without_axis_counts() -> None:
    program: list[list[dict[str, Any]]] = [[{"op": "vv_filter", "addr": 0}, {"op": "v_commit"}]]
    reference, hardware = rows(program, [[0.5, 1.5, 2.5, -1]], edges=[0, 1, 2, 3, 4, 5, 6, 7])

    assert [[1, 0, 0, 0]] == reference
    assert [[1, 1, 0, 0]] == hardware


def test_maximum_of_integers_is_unsigned() -> None:
    program = [[{"op": "vv_max", "addr": 0}, {"op": "v_cache", "addr": 0}, {"op": "v_commit"}]]
    vectors: list[list[float]] = [[1, -1, 3, -7], [2, 5, -3, -2]]
    reference, hardware = rows(program, vectors, data_type=DataType.INT)

    assert [[1, 0, 3, 0], [2, 5, 3, 0]] == reference
    assert [[1, -1, 3, -7], [2, -1, -3, -2]] == hardware


def test_fixed_point_maximum_is_signed() -> None:
    program = [[{"op": "vv_max", "addr": 0}, {"op": "v_cache", "addr": 0}, {"op": "v_commit"}]]
    reference, hardware = rows(program, [[1, -2, 3.5, 0], [4, 5, -6, 0.5], [-1, -3, 2.5, -1]])

    assert reference == hardware


def test_sums_wrap() -> None:
    program: list[list[dict[str, Any]]] = [[{"op": "v_reduce"}, {"op": "v_commit", "size": 1}]] * 4
    reference, hardware = rows(program, [[100, 100, 0, 0]], data_width=16)

    assert [[200] * 4] == reference
    assert [[200 - 256] * 4] == hardware


def test_ring_holds_one_vector_less_than_its_depth_and_is_overwritten_when_full() -> None:
    program: list[list[dict[str, Any]]] = [[{"op": "v_commit"}]] * 4
    firmware = from_program(program, Machine(n=1, m=1, ib_depth=3, tb_size=64)).firmware
    unit = InstrumentationUnit(firmware, Mode.AS_BUILT)
    unit.tap_many([[10], [11], [12], [13]], times=[0, 1, 5, 6])

    # Vector 10 leaves the ring at clock 4 and is replayed from its slot at clocks 6 to 9. 11 and
    # 12 fill the ring, so 13 has no place; it overwrites the slot being read, and the read after
    # the next shows it.
    assert 1 == unit.report().lost
    assert [10, 10, 13, 13, 11, 11, 11, 11, 12, 12, 12, 12] == unit.trace().lanes[:, 0].tolist()


def test_limits_are_refused() -> None:
    program: list[list[dict[str, Any]]] = [[{"op": "v_reduce"}, {"op": "v_commit"}]]
    for machine, text in (
        (Machine(n=1, m=1), "v_reduce with N = 1"),
        (Machine(ib_depth=1), "IB_DEPTH 1"),
        (Machine(data_width=64), "DATA_WIDTH 64"),
    ):
        with pytest.raises(UnsupportedError, match=text):
            Hardware(from_program(program, machine).firmware)
    unit = Hardware(from_program(program, Machine(data_type=DataType.INT)).firmware)
    with pytest.raises(HccError, match=r"v\[0\]\[1\]: 0.5 is not an integer"):
        unit.encode(np.array([[1, 0.5]]), "v")
    with pytest.raises(HccError, match="does not fit 32 bits"):
        unit.encode(np.array([[1e10]]), "v")
