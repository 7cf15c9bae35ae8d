"""Integer arithmetic, logic, bit fields, products, and conditional operations (Arm ARM, C3.4).

Results of 32 bits clear the upper half of their register: `write` sees to it. For SUBS the flags
are formed so that the common comparisons fall out of them: V is N xor (a < b), so that the
condition LT, N xor V, simplifies to a < b.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hcc.isa.aarch64.access import condition, modified, read, rotate_right, write
from hcc.isa.aarch64.operands import Modifier, imm, reg
from hcc.isa.arch import Insn, Reg, Semantics
from hcc.isa.builder import Builder
from hcc.isa.values import I1, int_type

Binary = Callable[[Builder, Any, Any], Any]
Unary = Callable[[Builder, Any], Any]


def _sources(m: Builder, insn: Insn, first: int) -> tuple[Any, Any]:
    """The two operands from `first` on, at the width of the first."""
    bits = reg(insn, first).bits
    return read(m, insn.operands[first]), read(m, insn.operands[first + 1], bits)


def _binary(compute: Binary) -> Semantics:
    def semantics(m: Builder, insn: Insn) -> None:
        write(m, reg(insn, 0), compute(m, *_sources(m, insn, 1)))

    return semantics


def _unary(compute: Unary) -> Semantics:
    """rd, operand: the operand at the width of rd."""

    def semantics(m: Builder, insn: Insn) -> None:
        target = reg(insn, 0)
        write(m, target, compute(m, read(m, insn.operands[1], target.bits)))

    return semantics


# ---- flags ----


def _negative(m: Builder, value: Any) -> Any:
    return m.ule(m.same(value, 1 << (value.ty.bits - 1)), value)


def _flags_of_add(m: Builder, a: Any, b: Any) -> Any:
    result = m.add(a, b)
    _set_result_flags(m, result)
    m.set_later("cf", Builder.ult, result, a)
    m.set_later("vf", _add_overflow, a, b, result)
    return result


def _set_result_flags(m: Builder, result: Any) -> None:
    """N and Z as the result has them."""
    m.set_later("nf", _negative, result)
    m.set_later("zf", _is_zero, result)


def _is_zero(m: Builder, value: Any) -> Any:
    return m.eq(value, m.same(value, 0))


def _add_overflow(m: Builder, a: Any, b: Any, result: Any) -> Any:
    return _negative(m, m.and_(m.xor(a, result), m.xor(b, result)))


def _sub_overflow(m: Builder, negative: Any, a: Any, b: Any) -> Any:
    return m.xor(negative, m.slt(a, b))


def _flags_of_sub(m: Builder, a: Any, b: Any) -> Any:
    result = m.sub(a, b)
    negative = _negative(m, result)
    m.set("nf", negative)
    m.set_later("zf", Builder.eq, a, b)
    m.set_later("cf", Builder.ule, b, a)
    m.set_later("vf", _sub_overflow, negative, a, b)
    return result


def _flags_of_and(m: Builder, a: Any, b: Any) -> Any:
    result = m.and_(a, b)
    _set_result_flags(m, result)
    m.set("cf", m.const(I1, 0))
    m.set("vf", m.const(I1, 0))
    return result


def _add_with_carry(m: Builder, a: Any, b: Any) -> Any:
    return m.add(m.add(a, b), m.zext(m.get("cf"), a.ty.bits))


def _flags_of_add_with_carry(m: Builder, a: Any, b: Any) -> Any:
    carry, result = m.get("cf"), _add_with_carry(m, a, b)
    _set_result_flags(m, result)
    m.set("cf", m.or_(m.ult(result, a), m.and_(carry, m.eq(result, a))))
    m.set_later("vf", _add_overflow, a, b, result)
    return result


def _compare(compute: Binary) -> Semantics:
    """cmp, cmn, tst: the flags alone."""

    def semantics(m: Builder, insn: Insn) -> None:
        compute(m, *_sources(m, insn, 0))

    return semantics


def _conditional_compare(compute: Binary) -> Semantics:
    """ccmp, ccmn: the flags of the comparison if the condition holds, else the immediate."""

    def semantics(m: Builder, insn: Insn) -> None:
        holds, otherwise = condition(m, insn.extra), imm(insn, 2)
        compute(m, *_sources(m, insn, 0))
        for i, flag in enumerate(("vf", "cf", "zf", "nf")):
            m.set(flag, m.select(holds, m.get(flag), m.const(I1, otherwise >> i & 1)))

    return semantics


# ---- moves and shifts ----


def _movk(m: Builder, insn: Insn) -> None:
    target, shift = reg(insn, 0), insn.extra
    amount = shift.amount if isinstance(shift, Modifier) else 0
    old = read(m, target)
    kept = m.and_(old, m.same(old, ~(0xFFFF << amount)))
    write(m, target, m.or_(kept, m.same(old, imm(insn, 1))))


def _shift(kind: str) -> Semantics:
    """By an immediate, or by a register modulo the width."""

    def semantics(m: Builder, insn: Insn) -> None:
        target, amount = reg(insn, 0), insn.operands[2]
        value = read(m, insn.operands[1])
        if not isinstance(amount, Reg):
            result = modified(m, value, Modifier(kind, imm(insn, 2)), target.bits)
        else:
            count = m.and_(read(m, amount, target.bits), m.same(value, target.bits - 1))
            result = _shift_by(m, kind, value, count)
        write(m, target, result)

    return semantics


def _shift_by(m: Builder, kind: str, value: Any, count: Any) -> Any:
    match kind:
        case "lsl":
            return m.shl(value, count)
        case "lsr":
            return m.lshr(value, count)
        case "asr":
            return m.ashr(value, count)
        case _:
            back = m.and_(m.neg(count), m.same(value, value.ty.bits - 1))
            return m.or_(m.lshr(value, count), m.shl(value, back))


def _extr(m: Builder, insn: Insn) -> None:
    high, low = _sources(m, insn, 1)
    amount, bits = imm(insn, 3), high.ty.bits
    if amount:
        high = m.shl(high, m.same(high, bits - amount))
        low = m.or_(high, m.lshr(low, m.same(low, amount)))
    write(m, reg(insn, 0), low)


# ---- bit fields: rd, rn, lsb, width ----


def _extract_field(signed: bool) -> Semantics:
    """ubfx, sbfx: bits lsb .. lsb + width - 1, extended."""

    def semantics(m: Builder, insn: Insn) -> None:
        value, lsb, width = read(m, insn.operands[1]), imm(insn, 2), imm(insn, 3)
        if signed:
            up = value.ty.bits - lsb - width
            value = m.ashr(m.shl(value, m.same(value, up)), m.same(value, up + lsb))
        else:
            value = m.and_(m.lshr(value, m.same(value, lsb)), m.same(value, (1 << width) - 1))
        write(m, reg(insn, 0), value)

    return semantics


def _place_field(signed: bool) -> Semantics:
    """ubfiz, sbfiz: the low `width` bits, extended, at lsb."""

    def semantics(m: Builder, insn: Insn) -> None:
        value, lsb, width = read(m, insn.operands[1]), imm(insn, 2), imm(insn, 3)
        if signed:
            up = value.ty.bits - width
            value = m.ashr(m.shl(value, m.same(value, up)), m.same(value, up - lsb))
        else:
            value = m.shl(m.and_(value, m.same(value, (1 << width) - 1)), m.same(value, lsb))
        write(m, reg(insn, 0), value)

    return semantics


def _insert(m: Builder, target: Reg, field: Any, lsb: int, width: int) -> None:
    """Replace bits lsb .. lsb + width - 1 by the low bits of `field`."""
    old, mask = read(m, target), (1 << width) - 1
    placed = m.shl(m.and_(field, m.same(old, mask)), m.same(old, lsb))
    write(m, target, m.or_(m.and_(old, m.same(old, ~(mask << lsb))), placed))


def _bfi(m: Builder, insn: Insn) -> None:
    _insert(m, reg(insn, 0), read(m, insn.operands[1]), imm(insn, 2), imm(insn, 3))


def _bfc(m: Builder, insn: Insn) -> None:
    target = reg(insn, 0)
    _insert(m, target, m.const(int_type(target.bits), 0), imm(insn, 1), imm(insn, 2))


def _bfxil(m: Builder, insn: Insn) -> None:
    value = read(m, insn.operands[1])
    field = m.lshr(value, m.same(value, imm(insn, 2)))
    _insert(m, reg(insn, 0), field, 0, imm(insn, 3))


def _extend(bits: int, signed: bool) -> Unary:
    def compute(m: Builder, a: Any) -> Any:
        narrow, wide = m.trunc(a, bits), a.ty.bits
        return m.sext(narrow, wide) if signed else m.zext(narrow, wide)

    return compute


# ---- one operand ----


def _count_sign_bits(m: Builder, a: Any) -> Any:
    """CLS: bits after the first that equal it."""
    return m.sub(m.ctlz(m.xor(a, m.ashr(a, m.same(a, 1)))), m.same(a, 1))


def _reverse_in_halfwords(m: Builder, a: Any) -> Any:
    low = 0x00FF00FF00FF00FF & a.ty.mask
    eight = m.same(a, 8)
    left = m.shl(m.and_(a, m.same(a, low)), eight)
    return m.or_(left, m.and_(m.lshr(a, eight), m.same(a, low)))


# ---- products and quotients ----


def _multiply_add(sign: int, widen: bool | None = None) -> Semantics:
    """rd = ra + sign * (rn * rm); ra is the zero register in the forms without it.

    `widen`: None for operands of full width, else whether the 32-bit ones are signed.
    """

    def semantics(m: Builder, insn: Insn) -> None:
        target = reg(insn, 0)
        factors = [read(m, insn.operands[i]) for i in (1, 2)]
        if widen is not None:
            factors = [m.sext(f, 64) if widen else m.zext(f, 64) for f in factors]
        product = m.mul(*factors)
        if len(insn.operands) == 4:
            addend = read(m, insn.operands[3])
            product = m.add(addend, product) if sign > 0 else m.sub(addend, product)
        elif sign < 0:
            product = m.neg(product)
        write(m, target, product)

    return semantics


def _high_product(signed: bool) -> Binary:
    def compute(m: Builder, a: Any, b: Any) -> Any:
        a, b = (m.sext(x, 128) if signed else m.zext(x, 128) for x in (a, b))
        product = m.mul(a, b)
        return m.trunc(m.lshr(product, m.same(product, 64)), 64)

    return compute


def _udiv(m: Builder, a: Any, b: Any) -> Any:
    """Division by zero gives zero."""
    zero, one = m.same(a, 0), m.same(a, 1)
    return m.select(m.eq(b, zero), zero, m.udiv(a, m.select(m.eq(b, zero), one, b)))


def _sdiv(m: Builder, a: Any, b: Any) -> Any:
    """Division by zero gives zero; the overflowing division wraps, as a negation does."""
    zero, one, minus = m.same(a, 0), m.same(a, 1), m.same(a, -1)
    guarded = m.or_(m.eq(b, zero), m.eq(b, minus))
    quotient = m.sdiv(a, m.select(guarded, one, b))
    return m.select(m.eq(b, zero), zero, m.select(m.eq(b, minus), m.neg(a), quotient))


# ---- conditional select ----


def _select(otherwise: Unary) -> Semantics:
    """csel, csinc, csinv, csneg: rn if the condition holds, else something of rm."""

    def semantics(m: Builder, insn: Insn) -> None:
        a, b = _sources(m, insn, 1)
        write(m, reg(insn, 0), m.select(condition(m, insn.extra), a, otherwise(m, b)))

    return semantics


def _change(then: Unary) -> Semantics:
    """cinc, cinv, cneg: something of rn if the condition holds, else rn."""

    def semantics(m: Builder, insn: Insn) -> None:
        a = read(m, insn.operands[1])
        write(m, reg(insn, 0), m.select(condition(m, insn.extra), then(m, a), a))

    return semantics


def _set(value: int) -> Semantics:
    """cset, csetm: 1 or -1 if the condition holds, else 0."""

    def semantics(m: Builder, insn: Insn) -> None:
        target, holds = reg(insn, 0), condition(m, insn.extra)
        result = m.zext(holds, target.bits) if value > 0 else m.sext(holds, target.bits)
        write(m, target, result)

    return semantics


def _same(m: Builder, a: Any) -> Any:
    return a


def _increment(m: Builder, a: Any) -> Any:
    return m.add(a, m.same(a, 1))


def _and_not(m: Builder, a: Any, b: Any) -> Any:
    return m.and_(a, m.not_(b))


def _zero_minus(compute: Binary) -> Unary:
    return lambda m, a: compute(m, m.same(a, 0), a)


def _minus_with_carry(compute: Binary) -> Binary:
    return lambda m, a, b: compute(m, a, m.not_(b))


_sbc = _minus_with_carry(_add_with_carry)
_sbcs = _minus_with_carry(_flags_of_add_with_carry)

TABLE: dict[str, Semantics] = {
    "add": _binary(Builder.add),
    "sub": _binary(Builder.sub),
    "adds": _binary(_flags_of_add),
    "subs": _binary(_flags_of_sub),
    "cmp": _compare(_flags_of_sub),
    "cmn": _compare(_flags_of_add),
    "neg": _unary(Builder.neg),
    "negs": _unary(_zero_minus(_flags_of_sub)),
    "adc": _binary(_add_with_carry),
    "adcs": _binary(_flags_of_add_with_carry),
    "sbc": _binary(_sbc),
    "sbcs": _binary(_sbcs),
    "ngc": _unary(_zero_minus(_sbc)),
    "ngcs": _unary(_zero_minus(_sbcs)),
    "and": _binary(Builder.and_),
    "orr": _binary(Builder.or_),
    "eor": _binary(Builder.xor),
    "bic": _binary(_and_not),
    "orn": _binary(lambda m, a, b: m.or_(a, m.not_(b))),
    "eon": _binary(lambda m, a, b: m.xor(a, m.not_(b))),
    "ands": _binary(_flags_of_and),
    "bics": _binary(lambda m, a, b: _flags_of_and(m, a, m.not_(b))),
    "tst": _compare(_flags_of_and),
    "mov": _unary(_same),
    "movz": _unary(_same),
    "movn": _unary(Builder.not_),
    "mvn": _unary(Builder.not_),
    "movk": _movk,
    "adr": _unary(_same),
    "adrp": _unary(_same),
    "lsl": _shift("lsl"),
    "lsr": _shift("lsr"),
    "asr": _shift("asr"),
    "ror": _shift("ror"),
    "extr": _extr,
    "ubfx": _extract_field(signed=False),
    "sbfx": _extract_field(signed=True),
    "ubfiz": _place_field(signed=False),
    "sbfiz": _place_field(signed=True),
    "bfi": _bfi,
    "bfc": _bfc,
    "bfxil": _bfxil,
    "uxtb": _unary(_extend(8, signed=False)),
    "uxth": _unary(_extend(16, signed=False)),
    "sxtb": _unary(_extend(8, signed=True)),
    "sxth": _unary(_extend(16, signed=True)),
    "sxtw": _unary(_extend(32, signed=True)),
    "clz": _unary(Builder.ctlz),
    "cls": _unary(_count_sign_bits),
    "rbit": _unary(Builder.bitreverse),
    "rev": _unary(Builder.bswap),
    "rev16": _unary(_reverse_in_halfwords),
    "rev32": _unary(lambda m, a: rotate_right(m, m.bswap(a), 32)),
    "mul": _multiply_add(+1),
    "mneg": _multiply_add(-1),
    "madd": _multiply_add(+1),
    "msub": _multiply_add(-1),
    "smull": _multiply_add(+1, widen=True),
    "smnegl": _multiply_add(-1, widen=True),
    "smaddl": _multiply_add(+1, widen=True),
    "smsubl": _multiply_add(-1, widen=True),
    "umull": _multiply_add(+1, widen=False),
    "umnegl": _multiply_add(-1, widen=False),
    "umaddl": _multiply_add(+1, widen=False),
    "umsubl": _multiply_add(-1, widen=False),
    "smulh": _binary(_high_product(signed=True)),
    "umulh": _binary(_high_product(signed=False)),
    "udiv": _binary(_udiv),
    "sdiv": _binary(_sdiv),
    "ccmp": _conditional_compare(_flags_of_sub),
    "ccmn": _conditional_compare(_flags_of_add),
    "csel": _select(_same),
    "csinc": _select(_increment),
    "csinv": _select(Builder.not_),
    "csneg": _select(Builder.neg),
    "cinc": _change(_increment),
    "cinv": _change(Builder.not_),
    "cneg": _change(Builder.neg),
    "cset": _set(1),
    "csetm": _set(-1),
}
