"""Advanced SIMD on integers, lane by lane, shifts apart (Arm ARM, C3.6).

FPSR.QC (saturation happened) is not kept.
"""

from __future__ import annotations

from typing import Any

from hcc.isa.aarch64.access import constant, set_vector, vector
from hcc.isa.aarch64.lanewise import (
    Compute,
    extended,
    extreme,
    lanewise,
    less,
    narrowing,
    negative,
    pairwise,
    saturated,
    second_halves,
    widening,
    widening_second,
)
from hcc.isa.aarch64.operands import lanes, reg
from hcc.isa.arch import Insn, Semantics
from hcc.isa.builder import Builder

# ---- arithmetic; `a` and `b` are vectors of one type ----


def _mla(m: Builder, old: Any, a: Any, b: Any) -> Any:
    return m.add(old, m.mul(a, b))


def _mls(m: Builder, old: Any, a: Any, b: Any) -> Any:
    return m.sub(old, m.mul(a, b))


def _max(signed: bool) -> Compute:
    return lambda m, a, b: m.select(less(m, a, b, signed), b, a)


def _min(signed: bool) -> Compute:
    return lambda m, a, b: m.select(less(m, a, b, signed), a, b)


def _distance(signed: bool) -> Compute:
    def compute(m: Builder, a: Any, b: Any) -> Any:
        return m.select(less(m, a, b, signed), m.sub(b, a), m.sub(a, b))

    return compute


def _added(compute: Compute) -> Compute:
    """compute(a, b), added to the old target."""
    return lambda m, old, a, b: m.add(old, compute(m, a, b))


def _abs(m: Builder, a: Any) -> Any:
    return m.select(m.slt(a, constant(m, a.ty, 0)), m.neg(a), a)


def _count_sign_bits(m: Builder, a: Any) -> Any:
    one = constant(m, a.ty, 1)
    return m.sub(m.ctlz(m.xor(a, m.ashr(a, one))), one)


def _halving(compute: Compute, signed: bool, rounding: int = 0) -> Compute:
    """(a + b + rounding) >> 1 without losing the carry."""

    def halved(m: Builder, a: Any, b: Any) -> Any:
        bits = a.ty.bits
        wide = compute(m, extended(m, a, 2 * bits, signed), extended(m, b, 2 * bits, signed))
        wide = m.add(wide, constant(m, wide.ty, rounding))
        return m.trunc(m.lshr(wide, constant(m, wide.ty, 1)), bits)

    return halved


def _sqadd(m: Builder, a: Any, b: Any) -> Any:
    total = m.add(a, b)
    overflow = negative(m, m.and_(m.xor(a, total), m.xor(b, total)))
    return m.select(overflow, extreme(m, a), total)


def _sqsub(m: Builder, a: Any, b: Any) -> Any:
    difference = m.sub(a, b)
    overflow = negative(m, m.and_(m.xor(a, b), m.xor(a, difference)))
    return m.select(overflow, extreme(m, a), difference)


def _uqadd(m: Builder, a: Any, b: Any) -> Any:
    total = m.add(a, b)
    return m.select(m.ult(total, a), constant(m, a.ty, a.ty.mask), total)


def _uqsub(m: Builder, a: Any, b: Any) -> Any:
    return m.select(m.ult(a, b), constant(m, a.ty, 0), m.sub(a, b))


def _saturating_negation(m: Builder, a: Any) -> Any:
    return _sqsub(m, constant(m, a.ty, 0), a)


def _doubling_high(rounding: bool) -> Compute:
    """sqdmulh, sqrdmulh: the high half of 2ab; only the square of the least value saturates."""

    def compute(m: Builder, a: Any, b: Any) -> Any:
        bits = a.ty.bits
        product = m.mul(m.sext(a, 2 * bits), m.sext(b, 2 * bits))
        if rounding:
            product = m.add(product, constant(m, product.ty, 1 << bits - 2))
        high = m.trunc(m.lshr(product, constant(m, product.ty, bits - 1)), bits)
        least = constant(m, a.ty, 1 << bits - 1)
        both = m.and_(m.eq(a, least), m.eq(b, least))
        return m.select(both, constant(m, a.ty, a.ty.mask >> 1), high)

    return compute


# ---- comparisons: all ones where they hold ----


def _compare(compute: Compute) -> Semantics:
    return lanewise(lambda m, a, b: m.sext(compute(m, a, b), a.ty.bits))


def _test(m: Builder, a: Any, b: Any) -> Any:
    return m.ne(m.and_(a, b), constant(m, a.ty, 0))


def _swapped(compute: Compute) -> Compute:
    return lambda m, a, b: compute(m, b, a)


# ---- neighbours and reductions ----


def _pairwise_long(signed: bool, accumulate: bool) -> Semantics:
    """saddlp, uadalp ...: sums of neighbours in lanes twice as wide."""

    def semantics(m: Builder, insn: Insn) -> None:
        target, source = reg(insn, 0), reg(insn, 1)
        view = lanes(target)
        a = extended(m, vector(m, source), view.bits, signed)
        count = a.ty.lanes
        evens, odds = (m.shuffle(a, a, range(i, count, 2)) for i in (0, 1))
        if view.count == 1:
            evens, odds = m.extract(a, 0), m.extract(a, 1)
        total = m.add(evens, odds)
        set_vector(m, target, m.add(vector(m, target), total) if accumulate else total)

    return semantics


def _across(compute: Compute, signed: bool | None = None) -> Semantics:
    """One value from all lanes; `signed` is set for the sums in lanes twice as wide."""

    def semantics(m: Builder, insn: Insn) -> None:
        target = reg(insn, 0)
        a = vector(m, reg(insn, 1))
        if signed is not None:
            a = extended(m, a, lanes(target).bits, signed)
        while a.ty.lanes > 2:
            middle, count = a.ty.lanes // 2, a.ty.lanes
            a = compute(m, m.shuffle(a, a, range(middle)), m.shuffle(a, a, range(middle, count)))
        set_vector(m, target, compute(m, m.extract(a, 0), m.extract(a, 1)))

    return semantics


# ---- narrowing ----


def _extract_narrow(source_signed: bool, signed: bool) -> Compute:
    return lambda m, a, bits: saturated(m, a, bits, source_signed, signed)


def _high_half(compute: Compute, rounding: bool) -> Compute:
    """addhn and its kin: the high half of each sum or difference."""

    def high(m: Builder, a: Any, b: Any, bits: int) -> Any:
        wide = compute(m, a, b)
        if rounding:
            wide = m.add(wide, constant(m, wide.ty, 1 << bits - 1))
        return m.trunc(m.lshr(wide, constant(m, wide.ty, bits)), bits)

    return high


_LONG = {
    f"{letter}{name}": widening(compute, letter == "s", accumulate)
    for letter in "su"
    for name, compute, accumulate in (
        ("addl", Builder.add, False),
        ("subl", Builder.sub, False),
        ("mlal", _mla, True),
        ("mlsl", _mls, True),
        ("abdl", _distance(signed=True), False),  # the extended lanes hold either sign
        ("abal", _added(_distance(signed=True)), True),
        ("mull (vector)", Builder.mul, False),
    )
}
_LONG |= {
    f"{letter}{name}": widening_second(compute, letter == "s")
    for letter in "su"
    for name, compute in (("addw", Builder.add), ("subw", Builder.sub))
}

_NARROW = {
    "xtn": narrowing(lambda m, a, bits: m.trunc(a, bits)),
    "sqxtn": narrowing(_extract_narrow(True, True)),
    "uqxtn": narrowing(_extract_narrow(False, False)),
    "sqxtun": narrowing(_extract_narrow(True, False)),
    "addhn": narrowing(_high_half(Builder.add, rounding=False)),
    "subhn": narrowing(_high_half(Builder.sub, rounding=False)),
    "raddhn": narrowing(_high_half(Builder.add, rounding=True)),
    "rsubhn": narrowing(_high_half(Builder.sub, rounding=True)),
}

_SIGNED: dict[str, Semantics] = {}
for _letter, _s in (("s", True), ("u", False)):
    _SIGNED |= {
        f"{_letter}max": lanewise(_max(_s)),
        f"{_letter}min": lanewise(_min(_s)),
        f"{_letter}abd": lanewise(_distance(_s)),
        f"{_letter}aba": lanewise(_added(_distance(_s)), accumulate=True),
        f"{_letter}hadd": lanewise(_halving(Builder.add, _s)),
        f"{_letter}rhadd": lanewise(_halving(Builder.add, _s, 1)),
        f"{_letter}hsub": lanewise(_halving(Builder.sub, _s)),
        f"{_letter}maxp": pairwise(_max(_s)),
        f"{_letter}minp": pairwise(_min(_s)),
        f"{_letter}addlp": _pairwise_long(_s, accumulate=False),
        f"{_letter}adalp": _pairwise_long(_s, accumulate=True),
        f"{_letter}maxv": _across(_max(_s)),
        f"{_letter}minv": _across(_min(_s)),
        f"{_letter}addlv": _across(Builder.add, _s),
    }

TABLE: dict[str, Semantics] = (
    second_halves(_LONG)
    | second_halves(_NARROW)
    | _SIGNED
    | {
        "add (vector)": lanewise(Builder.add),
        "sub (vector)": lanewise(Builder.sub),
        "mul (vector)": lanewise(Builder.mul),
        "mla": lanewise(_mla, accumulate=True),
        "mls": lanewise(_mls, accumulate=True),
        "neg (vector)": lanewise(Builder.neg),
        "abs": lanewise(_abs),
        "sqadd": lanewise(_sqadd),
        "uqadd": lanewise(_uqadd),
        "sqsub": lanewise(_sqsub),
        "uqsub": lanewise(_uqsub),
        "sqneg": lanewise(_saturating_negation),
        "sqabs": lanewise(lambda m, a: m.select(negative(m, a), _saturating_negation(m, a), a)),
        "sqdmulh": lanewise(_doubling_high(rounding=False)),
        "sqrdmulh": lanewise(_doubling_high(rounding=True)),
        "cnt": lanewise(Builder.ctpop),
        "clz (vector)": lanewise(Builder.ctlz),
        "cls (vector)": lanewise(_count_sign_bits),
        "rbit (vector)": lanewise(Builder.bitreverse),
        "cmeq": _compare(Builder.eq),
        "cmge": _compare(_swapped(Builder.sle)),
        "cmgt": _compare(_swapped(Builder.slt)),
        "cmle": _compare(Builder.sle),
        "cmlt": _compare(Builder.slt),
        "cmhs": _compare(_swapped(Builder.ule)),
        "cmhi": _compare(_swapped(Builder.ult)),
        "cmtst": _compare(_test),
        "addp": pairwise(Builder.add),
        "addv": _across(Builder.add),
    }
)
