"""Advanced SIMD shifts: by constants and by lanes, rounding, saturating, widening, narrowing."""

from __future__ import annotations

from typing import Any

from hcc.isa.aarch64.access import constant, narrow_source, set_vector, vector
from hcc.isa.aarch64.lanewise import (
    Compute,
    by_constant,
    extended,
    extreme,
    lanewise,
    narrowing,
    saturated,
    second_halves,
)
from hcc.isa.aarch64.operands import imm, lanes, reg
from hcc.isa.arch import Imm, Insn, Semantics
from hcc.isa.builder import Builder


def _shifted_right(m: Builder, a: Any, amount: int, signed: bool, rounding: bool = False) -> Any:
    """By 0 to the width of a lane; rounding adds the last bit shifted out."""
    bits = a.ty.bits
    if amount < bits:
        shift = m.ashr if signed else m.lshr
        result = shift(a, constant(m, a.ty, amount))
    elif signed:
        result = m.ashr(a, constant(m, a.ty, bits - 1))
    else:
        result = constant(m, a.ty, 0)
    if rounding and amount:
        last = m.and_(m.lshr(a, constant(m, a.ty, amount - 1)), constant(m, a.ty, 1))
        result = m.add(result, last)
    return result


def _right(signed: bool, rounding: bool = False) -> Compute:
    return lambda m, a, amount: _shifted_right(m, a, amount, signed, rounding)


def _right_added(signed: bool, rounding: bool = False) -> Compute:
    return lambda m, old, a, n: m.add(old, _shifted_right(m, a, n, signed, rounding))


def _shl(m: Builder, a: Any, amount: int) -> Any:
    return m.shl(a, constant(m, a.ty, amount))


def _sli(m: Builder, old: Any, a: Any, amount: int) -> Any:
    kept = m.and_(old, constant(m, a.ty, (1 << amount) - 1))
    return m.or_(_shl(m, a, amount), kept)


def _sri(m: Builder, old: Any, a: Any, amount: int) -> Any:
    mask = a.ty.mask >> amount
    kept = m.and_(old, constant(m, a.ty, ~mask))
    return m.or_(_shifted_right(m, a, amount, signed=False), kept)


def _saturating_left(m: Builder, a: Any, count: Any, signed: bool, unsigned_result: bool) -> Any:
    """a << count for counts below the width: saturated unless shifting back gives `a` again."""
    result = m.shl(a, count)
    if signed and not unsigned_result:
        return m.select(m.eq(m.ashr(result, count), a), result, extreme(m, a))
    top, zero = constant(m, a.ty, a.ty.mask), constant(m, a.ty, 0)
    value = m.select(m.eq(m.lshr(result, count), a), result, top)
    return m.select(m.slt(a, zero), zero, value) if signed else value


def _sqshl_by_constant(signed: bool, unsigned_result: bool = False) -> Compute:
    return lambda m, a, amount: _saturating_left(
        m, a, constant(m, a.ty, amount), signed, unsigned_result
    )


def _by_register(signed: bool, rounding: bool = False, saturating: bool = False) -> Compute:
    """Left by the signed low byte of each lane of rm; negative counts shift right."""

    def compute(m: Builder, a: Any, b: Any) -> Any:
        bits = a.ty.bits
        width, zero = constant(m, a.ty, bits), constant(m, a.ty, 0)
        mask = constant(m, a.ty, bits - 1)
        count = m.trunc(b, 8)
        left, right = m.zext(count, bits), m.zext(m.neg(count), bits)
        inside = m.and_(left, mask)
        if saturating:
            shifted = _saturating_left(m, a, inside, signed, unsigned_result=False)
            most = extreme(m, a) if signed else constant(m, a.ty, a.ty.mask)
            overflow = m.select(m.eq(a, zero), zero, most)
        else:
            shifted, overflow = m.shl(a, inside), zero
        up = m.select(m.ult(left, width), shifted, overflow)
        down = _right_by_lanes(m, a, right, signed)
        if rounding:
            # The last bit shifted out: `right` is at least 1 where this arm is taken.
            before = m.sub(right, constant(m, a.ty, 1))
            last = m.and_(_right_by_lanes(m, a, before, signed), constant(m, a.ty, 1))
            down = m.add(down, last)
            if signed:
                down = m.select(m.ult(width, right), zero, down)
        negative = m.slt(count, constant(m, count.ty, 0))
        return m.select(negative, down, up)

    return compute


def _right_by_lanes(m: Builder, a: Any, count: Any, signed: bool) -> Any:
    """Counts of the width and more leave the sign or nothing."""
    bits = a.ty.bits
    mask, fits = constant(m, a.ty, bits - 1), m.ult(count, constant(m, a.ty, bits))
    if signed:
        return m.ashr(a, m.select(fits, count, mask))
    return m.select(fits, m.lshr(a, m.and_(count, mask)), constant(m, a.ty, 0))


def _shift_long(signed: bool) -> Semantics:
    """sshll, ushll, shll: extend, then shift left."""

    def semantics(m: Builder, insn: Insn) -> None:
        target = reg(insn, 0)
        view = lanes(target)
        narrow = narrow_source(m, vector(m, reg(insn, 1)), view.count)
        wide = extended(m, narrow, view.bits, signed)
        set_vector(m, target, _shl(m, wide, imm(insn, 2)))

    return semantics


def _shift_or_left_saturate(signed: bool) -> Semantics:
    """sqshl and uqshl come with an immediate and with a register."""
    immediate = by_constant(_sqshl_by_constant(signed))
    register = lanewise(_by_register(signed, saturating=True))

    def semantics(m: Builder, insn: Insn) -> None:
        (immediate if isinstance(insn.operands[2], Imm) else register)(m, insn)

    return semantics


def _narrow_shift(rounding: bool, source_signed: bool | None, signed: bool) -> Compute:
    """shrn and its saturating kin; `source_signed` None truncates."""

    def compute(m: Builder, a: Any, amount: int, bits: int) -> Any:
        wide = _shifted_right(m, a, amount, bool(source_signed), rounding)
        if source_signed is None:
            return m.trunc(wide, bits)
        return saturated(m, wide, bits, source_signed, signed)

    return compute


_NARROW = {
    "shrn": narrowing(_narrow_shift(False, None, False)),
    "rshrn": narrowing(_narrow_shift(True, None, False)),
    "sqshrn": narrowing(_narrow_shift(False, True, True)),
    "uqshrn": narrowing(_narrow_shift(False, False, False)),
    "sqshrun": narrowing(_narrow_shift(False, True, False)),
    "sqrshrn": narrowing(_narrow_shift(True, True, True)),
    "uqrshrn": narrowing(_narrow_shift(True, False, False)),
    "sqrshrun": narrowing(_narrow_shift(True, True, False)),
}
_LONG = {"sshll": _shift_long(True), "ushll": _shift_long(False), "shll": _shift_long(False)}

TABLE: dict[str, Semantics] = second_halves(_NARROW) | second_halves(_LONG)
for _letter, _signed in (("s", True), ("u", False)):
    TABLE |= {
        f"{_letter}shr": by_constant(_right(_signed)),
        f"{_letter}rshr": by_constant(_right(_signed, rounding=True)),
        f"{_letter}sra": by_constant(_right_added(_signed), accumulate=True),
        f"{_letter}rsra": by_constant(_right_added(_signed, rounding=True), accumulate=True),
        f"{_letter}shl": lanewise(_by_register(_signed)),
        f"{_letter}rshl": lanewise(_by_register(_signed, rounding=True)),
        f"{_letter}qshl": _shift_or_left_saturate(_signed),
    }
TABLE |= {
    "shl": by_constant(_shl),
    "sli": by_constant(_sli, accumulate=True),
    "sri": by_constant(_sri, accumulate=True),
    "sqshlu": by_constant(_sqshl_by_constant(True, unsigned_result=True)),
}
