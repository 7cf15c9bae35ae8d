"""Random machines, programs and inputs for property tests, and programs as firmware text."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from hcc.isa.lebug import Machine

ORDERS = [
    ["FilterReduceUnit", "VectorVectorALU", "VectorScalarReduce"],
    ["FilterReduceUnit", "VectorScalarReduce", "VectorVectorALU"],
    ["VectorVectorALU", "FilterReduceUnit", "VectorScalarReduce"],
    ["VectorVectorALU", "VectorScalarReduce", "FilterReduceUnit"],
    ["VectorScalarReduce", "FilterReduceUnit", "VectorVectorALU"],
    ["VectorScalarReduce", "VectorVectorALU", "FilterReduceUnit"],
    ["VectorVectorALU"],
    ["FilterReduceUnit", "VectorVectorALU"],
    [],
]

CONDITIONS = [None, None, "last", "notlast", "first", "notfirst"]


@st.composite
def machines(draw: st.DrawFn, widest: int = 5) -> Machine:
    n = 1 << draw(st.integers(0, widest))
    m = 1 << draw(st.integers(0, n.bit_length() - 1))
    return Machine.from_parameters(
        {
            "N": n,
            "M": m,
            "IB_DEPTH": 32,
            "FUVRF_SIZE": draw(st.integers(1, 4)),
            "VVVRF_SIZE": draw(st.integers(1, 4)),
            "TB_SIZE": draw(st.integers(1, 9)),
            "MAX_CHAINS": 8,
            "BUILDING_BLOCKS": [
                "InputBuffer",
                *draw(st.sampled_from(ORDERS)),
                "DataPacker",
                "TraceBuffer",
            ],
        }
    )


@st.composite
def chains(draw: st.DrawFn, machine: Machine) -> list[dict[str, Any]]:
    """One chain of calls, some repeated, in any order that LeBug's compiler accepts."""
    calls: list[dict[str, Any]] = []

    def conditional(call: dict[str, Any]) -> dict[str, Any]:
        for name in ("condition1", "condition2"):
            condition = draw(st.sampled_from(CONDITIONS))
            if condition is not None:
                call[name] = condition
        return call

    if draw(st.booleans()):
        calls.append({"op": "vv_filter", "addr": draw(st.integers(0, machine.fuvrf_size - 1))})
    if draw(st.booleans()):
        calls.append({"op": "m_reduce", "axis": draw(st.sampled_from("NM"))})
    if draw(st.booleans()):
        calls.append({"op": "v_mc_load"})
    for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2]))):
        name = draw(st.sampled_from(["vv_add", "vv_mul", "vv_sub", "vv_max"]))
        address = draw(st.integers(0, machine.vvvrf_size - 1))
        calls.append(conditional({"op": name, "addr": address}))
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2]))):
        address = draw(st.integers(0, machine.vvvrf_size - 1))
        calls.append(conditional({"op": "v_cache", "addr": address}))
    if draw(st.booleans()):
        calls.append({"op": "v_mc_save"})
    if draw(st.booleans()):
        calls.append({"op": "v_reduce"})
    if draw(st.booleans()):
        call: dict[str, Any] = {"op": "v_commit"}
        size = draw(st.sampled_from([None, 1, machine.m, machine.n]))
        if size is not None:
            call["size"] = size
        if draw(st.integers(0, 4)) == 0:
            call["cast_to_int"] = True
        calls.append(conditional(call))
    return calls


@st.composite
def programs(draw: st.DrawFn, machine: Machine) -> list[list[dict[str, Any]]]:
    return draw(st.lists(chains(machine), min_size=1, max_size=5))


numbers = st.one_of(
    st.integers(-9, 9).map(float),
    st.floats(-100, 100, allow_nan=False, width=32),
)


@st.composite
def inputs(
    draw: st.DrawFn, machine: Machine, most: int = 12
) -> list[tuple[list[float], tuple[bool, bool]]]:
    count = draw(st.integers(0, most))
    return [
        (
            draw(st.lists(numbers, min_size=machine.n, max_size=machine.n)),
            (draw(st.booleans()), draw(st.booleans())),
        )
        for _ in range(count)
    ]


@st.composite
def edge_lists(draw: st.DrawFn, machine: Machine) -> list[float]:
    kind = st.one_of(numbers, st.sampled_from([float("inf"), -float("inf"), 0.0]))
    count = machine.edge_count
    edges = draw(st.lists(kind, min_size=count, max_size=count))
    return sorted(edges) if draw(st.booleans()) else edges


def as_text(program: list[list[dict[str, Any]]], prefix: str = "cp.") -> str:
    """The program as firmware text."""
    lines = [f"def random_firmware({'cp' if prefix else ''}):"]
    for chain in program:
        lines.append(f"    {prefix}begin_chain()")
        for call in chain:
            arguments = [f"{key}={value!r}" for key, value in call.items() if key != "op"]
            lines.append(f"    {prefix}{call['op']}({', '.join(arguments)})")
        lines.append(f"    {prefix}end_chain()")
    if prefix:
        lines.append("    return cp.compile()")
    return "\n".join(lines) + "\n"
