"""Advanced SIMD on integers, lane by lane (Arm ARM, C3.6).

One function serves the scalar form (one lane), the vector forms and the by-element forms (a
picked lane fills all lanes). A widening instruction takes the low or, with a 2 in its name, the high
half of its narrow sources: the arrangements in the operands tell which, and tell a narrowing
instruction which half of the target it fills. FPSR.QC (saturation happened) is not kept.
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
from hcc.isa.aarch64.operands import Lanes, imm, lanes, reg
from hcc.isa.arch import Imm, Insn, Reg, Semantics
from hcc.isa.builder import Builder

Compute = Callable[..., Any]


def _operand(m: Builder, insn: Insn, index: int, count: int) -> Any:
    """The lanes of an operand, `count` of them if it is narrow or a picked lane."""
    source = reg(insn, index)
    value = vector(m, source)
    return value if lanes(source).index is None else splat_of(m, value, count)


def _lanewise(compute: Compute, accumulate: bool = False) -> Semantics:
    """rd = compute(rn, rm), with the old rd first where it takes part. #0 is a vector of zeros."""

    def semantics(m: Builder, insn: Insn) -> None:
        target = reg(insn, 0)
        count = lanes(target).count
        operands = []
        for i in range(1, len(insn.operands)):
            if isinstance(insn.operands[i], Imm):
                operands.append(constant(m, operands[0].ty, 0))
            else:
                operands.append(_operand(m, insn, i, count))
        if accumulate:
            operands.insert(0, vector(m, target))
        set_vector(m, target, compute(m, *operands))

    return semantics


def _shift(compute: Callable[..., Any], accumulate: bool = False) -> Semantics:
    """rd = compute(rn, amount), the amount an int known at translation."""

    def semantics(m: Builder, insn: Insn) -> None:
        target = reg(insn, 0)
        operands = [vector(m, reg(insn, 1))]
        if accumulate:
            operands.insert(0, vector(m, target))
        set_vector(m, target, compute(m, *operands, imm(insn, 2)))

    return semantics


def _extended(m: Builder, value: Any, bits: int, signed: bool) -> Any:
    return m.sext(value, bits) if signed else m.zext(value, bits)


def _long(compute: Compute, signed: bool, accumulate: bool = False) -> Semantics:
    """Both sources are narrow: compute on them extended to the target's lanes."""

    def semantics(m: Builder, insn: Insn) -> None:
        target = reg(insn, 0)
        view = lanes(target)
        operands = [
            _extended(m, narrow_source(m, _operand(m, insn, i, view.count), view.count), view.bits, signed)
            for i in (1, 2)
        ]
        if accumulate:
            operands.insert(0, vector(m, target))
        set_vector(m, target, compute(m, *operands))

    return semantics


def _wide(compute: Compute, signed: bool) -> Semantics:
    """The second source is narrow."""

    def semantics(m: Builder, insn: Insn) -> None:
        target = reg(insn, 0)
        view = lanes(target)
        narrow = narrow_source(m, vector(m, reg(insn, 2)), view.count)
        b = _extended(m, narrow, view.bits, signed)
        set_vector(m, target, compute(m, vector(m, reg(insn, 1)), b))

    return semantics


def _narrow(compute: Compute) -> Semantics:
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


# ---- arithmetic; `a` and `b` are vectors of one type ----


def _mla(m: Builder, old: Any, a: Any, b: Any) -> Any:
    return m.add(old, m.mul(a, b))


def _mls(m: Builder, old: Any, a: Any, b: Any) -> Any:
    return m.sub(old, m.mul(a, b))


def _less(m: Builder, a: Any, b: Any, signed: bool) -> Any:
    return m.slt(a, b) if signed else m.ult(a, b)


def _max(signed: bool) -> Compute:
    return lambda m, a, b: m.select(_less(m, a, b, signed), b, a)


def _min(signed: bool) -> Compute:
    return lambda m, a, b: m.select(_less(m, a, b, signed), a, b)


def _distance(signed: bool) -> Compute:
    def compute(m: Builder, a: Any, b: Any) -> Any:
        return m.select(_less(m, a, b, signed), m.sub(b, a), m.sub(a, b))

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
        wide = compute(m, _extended(m, a, 2 * bits, signed), _extended(m, b, 2 * bits, signed))
        wide = m.add(wide, constant(m, wide.ty, rounding))
        return m.trunc(m.lshr(wide, constant(m, wide.ty, 1)), bits)

    return halved


def _extreme(m: Builder, a: Any) -> Any:
    """What a signed result saturates to, by the sign of `a`: the least or the greatest."""
    bits = a.ty.bits
    sign = m.ashr(a, constant(m, a.ty, bits - 1))
    return m.xor(sign, constant(m, a.ty, a.ty.mask >> 1))


def _negative(m: Builder, a: Any) -> Any:
    return m.slt(a, constant(m, a.ty, 0))


def _sqadd(m: Builder, a: Any, b: Any) -> Any:
    total = m.add(a, b)
    overflow = _negative(m, m.and_(m.xor(a, total), m.xor(b, total)))
    return m.select(overflow, _extreme(m, a), total)


def _sqsub(m: Builder, a: Any, b: Any) -> Any:
    difference = m.sub(a, b)
    overflow = _negative(m, m.and_(m.xor(a, b), m.xor(a, difference)))
    return m.select(overflow, _extreme(m, a), difference)


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
    return _lanewise(lambda m, a, b: m.sext(compute(m, a, b), a.ty.bits))


def _test(m: Builder, a: Any, b: Any) -> Any:
    return m.ne(m.and_(a, b), constant(m, a.ty, 0))


def _swapped(compute: Compute) -> Compute:
    return lambda m, a, b: compute(m, b, a)


# ---- narrowing ----


def _saturated(m: Builder, wide: Any, bits: int, source_signed: bool, signed: bool) -> Any:
    """The nearest value of `bits` bits."""
    low = -(1 << bits - 1) if signed else 0
    high = (1 << bits - (1 if signed else 0)) - 1
    top = constant(m, wide.ty, high)
    value = m.select(_less(m, top, wide, source_signed), top, wide)
    if source_signed:
        bottom = constant(m, wide.ty, low)
        value = m.select(m.slt(value, bottom), bottom, value)
    return m.trunc(value, bits)


def _extract_narrow(source_signed: bool, signed: bool) -> Compute:
    return lambda m, a, bits: _saturated(m, a, bits, source_signed, signed)


def _high_half(compute: Compute, rounding: bool) -> Compute:
    """addhn and its kin: the high half of each sum or difference."""

    def high(m: Builder, a: Any, b: Any, bits: int) -> Any:
        wide = compute(m, a, b)
        if rounding:
            wide = m.add(wide, constant(m, wide.ty, 1 << bits - 1))
        return m.trunc(m.lshr(wide, constant(m, wide.ty, bits)), bits)

    return high


# ---- shifts ----


def shifted_right(m: Builder, a: Any, amount: int, signed: bool, rounding: bool = False) -> Any:
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
    return lambda m, a, amount: shifted_right(m, a, amount, signed, rounding)


def _right_added(signed: bool, rounding: bool = False) -> Compute:
    return lambda m, old, a, n: m.add(old, shifted_right(m, a, n, signed, rounding))


def _shl(m: Builder, a: Any, amount: int) -> Any:
    return m.shl(a, constant(m, a.ty, amount))


def _sli(m: Builder, old: Any, a: Any, amount: int) -> Any:
    kept = m.and_(old, constant(m, a.ty, (1 << amount) - 1))
    return m.or_(_shl(m, a, amount), kept)


def _sri(m: Builder, old: Any, a: Any, amount: int) -> Any:
    mask = a.ty.mask >> amount
    kept = m.and_(old, constant(m, a.ty, ~mask))
    return m.or_(shifted_right(m, a, amount, signed=False), kept)


def _saturating_left(m: Builder, a: Any, count: Any, signed: bool, unsigned_result: bool) -> Any:
    """a << count for counts below the width: saturated unless shifting back gives `a` again."""
    result = m.shl(a, count)
    if signed and not unsigned_result:
        return m.select(m.eq(m.ashr(result, count), a), result, _extreme(m, a))
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
            most = _extreme(m, a) if signed else constant(m, a.ty, a.ty.mask)
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
        wide = _extended(m, narrow, view.bits, signed)
        set_vector(m, target, _shl(m, wide, imm(insn, 2)))

    return semantics


def _shift_or_left_saturate(signed: bool) -> Semantics:
    """sqshl and uqshl come with an immediate and with a register."""
    by_constant = _shift(_sqshl_by_constant(signed))
    by_register = _lanewise(_by_register(signed, saturating=True))

    def semantics(m: Builder, insn: Insn) -> None:
        (by_constant if isinstance(insn.operands[2], Imm) else by_register)(m, insn)

    return semantics


def _narrow_shift(rounding: bool, source_signed: bool | None, signed: bool) -> Compute:
    """shrn and its saturating kin; `source_signed` None truncates."""

    def compute(m: Builder, a: Any, amount: int, bits: int) -> Any:
        wide = shifted_right(m, a, amount, bool(source_signed), rounding)
        if source_signed is None:
            return m.trunc(wide, bits)
        return _saturated(m, wide, bits, source_signed, signed)

    return compute


# ---- neighbours and reductions ----


def _neighbours(m: Builder, a: Any, b: Any) -> tuple[Any, Any]:
    total = 2 * a.ty.lanes
    return m.shuffle(a, b, range(0, total, 2)), m.shuffle(a, b, range(1, total, 2))


def _pairwise(compute: Compute) -> Semantics:
    """Of neighbours in rn:rm; in the scalar form (addp d0, v1.2d), of the two lanes of rn."""

    def semantics(m: Builder, insn: Insn) -> None:
        target, a = reg(insn, 0), vector(m, reg(insn, 1))
        if len(insn.operands) == 2:
            set_vector(m, target, compute(m, m.extract(a, 0), m.extract(a, 1)))
        else:
            set_vector(m, target, compute(m, *_neighbours(m, a, vector(m, reg(insn, 2)))))

    return semantics


def _pairwise_long(signed: bool, accumulate: bool) -> Semantics:
    """saddlp, uadalp ...: sums of neighbours in lanes twice as wide."""

    def semantics(m: Builder, insn: Insn) -> None:
        target, source = reg(insn, 0), reg(insn, 1)
        view: Lanes = lanes(target)
        a = _extended(m, vector(m, source), view.bits, signed)
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
            a = _extended(m, a, lanes(target).bits, signed)
        while a.ty.lanes > 2:
            middle, count = a.ty.lanes // 2, a.ty.lanes
            a = compute(m, m.shuffle(a, a, range(middle)), m.shuffle(a, a, range(middle, count)))
        set_vector(m, target, compute(m, m.extract(a, 0), m.extract(a, 1)))

    return semantics


def _second_halves(table: dict[str, Semantics]) -> dict[str, Semantics]:
    """The same with a 2 in the name."""
    twos = {f"{name.removesuffix(' (vector)')}2": entry for name, entry in table.items()}
    return table | twos


_LONG = {
    f"{letter}{name}": _long(compute, letter == "s", accumulate)
    for letter in "su"
    for name, compute, accumulate in (
        ("addl", Builder.add, False),
        ("subl", Builder.sub, False),
        ("mlal", _mla, True),
        ("mlsl", _mls, True),
        ("abdl", _distance(signed=True), False),  # the extended lanes hold either sign
        ("abal", _added(_distance(signed=True)), True),
    )
}
_LONG |= {f"{letter}mull (vector)": _long(Builder.mul, letter == "s") for letter in "su"}
_LONG |= {
    f"{letter}{name}": _wide(compute, letter == "s")
    for letter in "su"
    for name, compute in (("addw", Builder.add), ("subw", Builder.sub))
}
_LONG |= {"sshll": _shift_long(True), "ushll": _shift_long(False), "shll": _shift_long(False)}

_NARROW = {
    "xtn": _narrow(lambda m, a, bits: m.trunc(a, bits)),
    "sqxtn": _narrow(_extract_narrow(True, True)),
    "uqxtn": _narrow(_extract_narrow(False, False)),
    "sqxtun": _narrow(_extract_narrow(True, False)),
    "addhn": _narrow(_high_half(Builder.add, rounding=False)),
    "subhn": _narrow(_high_half(Builder.sub, rounding=False)),
    "raddhn": _narrow(_high_half(Builder.add, rounding=True)),
    "rsubhn": _narrow(_high_half(Builder.sub, rounding=True)),
    "shrn": _narrow(_narrow_shift(False, None, False)),
    "rshrn": _narrow(_narrow_shift(True, None, False)),
    "sqshrn": _narrow(_narrow_shift(False, True, True)),
    "uqshrn": _narrow(_narrow_shift(False, False, False)),
    "sqshrun": _narrow(_narrow_shift(False, True, False)),
    "sqrshrn": _narrow(_narrow_shift(True, True, True)),
    "uqrshrn": _narrow(_narrow_shift(True, False, False)),
    "sqrshrun": _narrow(_narrow_shift(True, True, False)),
}

_SIGNED: dict[str, Semantics] = {}
for _letter, _s in (("s", True), ("u", False)):
    _SIGNED |= {
        f"{_letter}max": _lanewise(_max(_s)),
        f"{_letter}min": _lanewise(_min(_s)),
        f"{_letter}abd": _lanewise(_distance(_s)),
        f"{_letter}aba": _lanewise(_added(_distance(_s)), accumulate=True),
        f"{_letter}hadd": _lanewise(_halving(Builder.add, _s)),
        f"{_letter}rhadd": _lanewise(_halving(Builder.add, _s, 1)),
        f"{_letter}hsub": _lanewise(_halving(Builder.sub, _s)),
        f"{_letter}shr": _shift(_right(_s)),
        f"{_letter}rshr": _shift(_right(_s, rounding=True)),
        f"{_letter}sra": _shift(_right_added(_s), accumulate=True),
        f"{_letter}rsra": _shift(_right_added(_s, rounding=True), accumulate=True),
        f"{_letter}shl": _lanewise(_by_register(_s)),
        f"{_letter}rshl": _lanewise(_by_register(_s, rounding=True)),
        f"{_letter}qshl": _shift_or_left_saturate(_s),
        f"{_letter}maxp": _pairwise(_max(_s)),
        f"{_letter}minp": _pairwise(_min(_s)),
        f"{_letter}addlp": _pairwise_long(_s, accumulate=False),
        f"{_letter}adalp": _pairwise_long(_s, accumulate=True),
        f"{_letter}maxv": _across(_max(_s)),
        f"{_letter}minv": _across(_min(_s)),
        f"{_letter}addlv": _across(Builder.add, _s),
    }

TABLE: dict[str, Semantics] = (
    _second_halves(_LONG)
    | _second_halves(_NARROW)
    | _SIGNED
    | {
        "add (vector)": _lanewise(Builder.add),
        "sub (vector)": _lanewise(Builder.sub),
        "mul (vector)": _lanewise(Builder.mul),
        "mla": _lanewise(_mla, accumulate=True),
        "mls": _lanewise(_mls, accumulate=True),
        "neg (vector)": _lanewise(Builder.neg),
        "abs": _lanewise(_abs),
        "sqadd": _lanewise(_sqadd),
        "uqadd": _lanewise(_uqadd),
        "sqsub": _lanewise(_sqsub),
        "uqsub": _lanewise(_uqsub),
        "sqneg": _lanewise(_saturating_negation),
        "sqabs": _lanewise(lambda m, a: m.select(_negative(m, a), _saturating_negation(m, a), a)),
        "sqdmulh": _lanewise(_doubling_high(rounding=False)),
        "sqrdmulh": _lanewise(_doubling_high(rounding=True)),
        "cnt": _lanewise(Builder.ctpop),
        "clz (vector)": _lanewise(Builder.ctlz),
        "cls (vector)": _lanewise(_count_sign_bits),
        "rbit (vector)": _lanewise(Builder.bitreverse),
        "cmeq": _compare(Builder.eq),
        "cmge": _compare(_swapped(Builder.sle)),
        "cmgt": _compare(_swapped(Builder.slt)),
        "cmle": _compare(Builder.sle),
        "cmlt": _compare(Builder.slt),
        "cmhs": _compare(_swapped(Builder.ule)),
        "cmhi": _compare(_swapped(Builder.ult)),
        "cmtst": _compare(_test),
        "shl": _shift(_shl),
        "sli": _shift(_sli, accumulate=True),
        "sri": _shift(_sri, accumulate=True),
        "sqshlu": _shift(_sqshl_by_constant(True, unsigned_result=True)),
        "addp": _pairwise(Builder.add),
        "addv": _across(Builder.add),
    }
)
