"""How SIMD instructions take and give lanes: the shapes that whole families share.

Each function here makes the semantics of an instruction from an operation on lanes. One lane (a
scalar operand) is a scalar value, so one operation serves scalar, vector and by-element forms (a
picked lane, as in `v2.s[1]`, fills all lanes). A widening instruction takes the low or, with a 2
in its name, the high half of its narrow sources, and a narrowing one fills the low or the high
half of its target: the arrangements of the operands tell which.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hcc.isa.aarch64.access import (
    constant,
    narrow_source,
    set_low_or_high,
    set_vector,
    splat_of,
    vector,
)
from hcc.isa.aarch64.operands import imm, lanes, reg
from hcc.isa.arch import Imm, Insn, Reg, Semantics
from hcc.isa.builder import Builder

Compute = Callable[..., Any]
"""An operation on lanes: f(m, operands...)."""


def operand_lanes(m: Builder, insn: Insn, index: int, count: int) -> Any:
    """The lanes of an operand, `count` of them if it is narrow or a picked lane."""
    source = reg(insn, index)
    value = vector(m, source)
    return value if lanes(source).index is None else splat_of(m, value, count)


def lanewise(compute: Compute, accumulate: bool = False) -> Semantics:
    """rd = compute(rn, rm), with the old rd first where it takes part. #0 is a vector of zeros."""

    def semantics(m: Builder, insn: Insn) -> None:
        target = reg(insn, 0)
        count = lanes(target).count
        operands: list[Any] = []
        for i in range(1, len(insn.operands)):
            if isinstance(insn.operands[i], Imm):
                operands.append(constant(m, operands[0].ty, 0))
            else:
                operands.append(operand_lanes(m, insn, i, count))
        if accumulate:
            operands.insert(0, vector(m, target))
        set_vector(m, target, compute(m, *operands))

    return semantics


def by_constant(compute: Callable[..., Any], accumulate: bool = False) -> Semantics:
    """rd = compute(rn, amount), the amount an int known at translation."""

    def semantics(m: Builder, insn: Insn) -> None:
        target = reg(insn, 0)
        operands = [vector(m, reg(insn, 1))]
        if accumulate:
            operands.insert(0, vector(m, target))
        set_vector(m, target, compute(m, *operands, imm(insn, 2)))

    return semantics


def extended(m: Builder, value: Any, bits: int, signed: bool) -> Any:
    return m.sext(value, bits) if signed else m.zext(value, bits)


def widening(compute: Compute, signed: bool, accumulate: bool = False) -> Semantics:
    """Both sources are narrow: compute on them extended to the target's lanes."""

    def semantics(m: Builder, insn: Insn) -> None:
        target = reg(insn, 0)
        view = lanes(target)
        operands = [
            extended(m, narrow_source(m, source, view.count), view.bits, signed)
            for source in (operand_lanes(m, insn, i, view.count) for i in (1, 2))
        ]
        if accumulate:
            operands.insert(0, vector(m, target))
        set_vector(m, target, compute(m, *operands))

    return semantics


def widening_second(compute: Compute, signed: bool) -> Semantics:
    """The second source is narrow."""

    def semantics(m: Builder, insn: Insn) -> None:
        target = reg(insn, 0)
        view = lanes(target)
        narrow = narrow_source(m, vector(m, reg(insn, 2)), view.count)
        b = extended(m, narrow, view.bits, signed)
        set_vector(m, target, compute(m, vector(m, reg(insn, 1)), b))

    return semantics


def narrowing(compute: Compute) -> Semantics:
    """compute(sources..., bits of the result); a trailing immediate is passed as an int."""

    def semantics(m: Builder, insn: Insn) -> None:
        target, source = reg(insn, 0), reg(insn, 1)
        view = lanes(target)
        operands = [
            vector(m, operand) if isinstance(operand, Reg) else imm(insn, i + 1)
            for i, operand in enumerate(insn.operands[1:])
        ]
        result = compute(m, *operands, view.bits)
        if view.count == 1:
            set_vector(m, target, result)
        else:
            set_low_or_high(m, target, result, high=view.count > lanes(source).count)

    return semantics


def neighbours(m: Builder, a: Any, b: Any) -> tuple[Any, Any]:
    total = 2 * a.ty.lanes
    return m.shuffle(a, b, range(0, total, 2)), m.shuffle(a, b, range(1, total, 2))


def pairwise(compute: Compute) -> Semantics:
    """Of neighbours in rn:rm; in the scalar form (addp d0, v1.2d), of the two lanes of rn."""

    def semantics(m: Builder, insn: Insn) -> None:
        target, a = reg(insn, 0), vector(m, reg(insn, 1))
        if len(insn.operands) == 2:
            set_vector(m, target, compute(m, m.extract(a, 0), m.extract(a, 1)))
        else:
            set_vector(m, target, compute(m, *neighbours(m, a, vector(m, reg(insn, 2)))))

    return semantics


def second_halves(table: dict[str, Semantics]) -> dict[str, Semantics]:
    """The same with a 2 in the name."""
    twos = {f"{name.removesuffix(' (vector)')}2": entry for name, entry in table.items()}
    return table | twos


# ---- what several families compute with ----


def less(m: Builder, a: Any, b: Any, signed: bool) -> Any:
    return m.slt(a, b) if signed else m.ult(a, b)


def negative(m: Builder, a: Any) -> Any:
    return m.slt(a, constant(m, a.ty, 0))


def extreme(m: Builder, a: Any) -> Any:
    """What a signed result saturates to, by the sign of `a`: the least or the greatest."""
    bits = a.ty.bits
    sign = m.ashr(a, constant(m, a.ty, bits - 1))
    return m.xor(sign, constant(m, a.ty, a.ty.mask >> 1))


def saturated(m: Builder, wide: Any, bits: int, source_signed: bool, signed: bool) -> Any:
    """The nearest value of `bits` bits."""
    low = -(1 << bits - 1) if signed else 0
    high = (1 << bits - (1 if signed else 0)) - 1
    top = constant(m, wide.ty, high)
    value = m.select(less(m, top, wide, source_signed), top, wide)
    if source_signed:
        bottom = constant(m, wide.ty, low)
        value = m.select(m.slt(value, bottom), bottom, value)
    return m.trunc(value, bits)
