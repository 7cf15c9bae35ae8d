"""Integer arithmetic, logic, moves and bit operations (SDM vol. 2).

`TABLE` has one entry an instruction; families share a function through small factories. Loads
come first, then the store if the destination is memory, then registers and flags.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hcc.isa.arch import Insn, Mem, Reg, Semantics
from hcc.isa.builder import Builder, Trap
from hcc.isa.values import int_type
from hcc.isa.x86_64.operands import (
    CONDITIONS,
    add_overflow,
    address,
    adjust,
    bits_of,
    condition,
    is_negative,
    is_zero,
    merged,
    read,
    set_flags,
    set_logic_flags,
    set_result_flags,
    set_sub_flags,
    write,
)

# ---- moves ----


def _mov(m: Builder, insn: Insn) -> None:
    dst, src = insn.operands
    write(m, dst, read(m, src, bits_of(dst)))


def _extend(widen: Callable[[Builder, Any, int], Any]) -> Semantics:
    """movzx, movsx, movsxd: the source has a size of its own."""

    def semantics(m: Builder, insn: Insn) -> None:
        dst, src = insn.operands
        write(m, dst, widen(m, read(m, src, bits_of(src)), bits_of(dst)))

    return semantics


def _extend_rax(from_bits: int, to_bits: int) -> Semantics:
    """cbw, cwde, cdqe: the accumulator in twice its size."""

    def semantics(m: Builder, insn: Insn) -> None:
        low = m.trunc(m.get("rax"), from_bits)
        write(m, Reg("rax", to_bits), m.sext(low, to_bits))

    return semantics


def _spread_sign(bits: int) -> Semantics:
    """cwd, cdq, cqo: rdx becomes the sign of the accumulator."""

    def semantics(m: Builder, insn: Insn) -> None:
        low = m.trunc(m.get("rax"), bits)
        write(m, Reg("rdx", bits), m.ashr(low, m.same(low, bits - 1)))

    return semantics


def _lea(m: Builder, insn: Insn) -> None:
    dst, src = insn.operands
    assert isinstance(src, Mem)
    write(m, dst, m.trunc(address(m, src), bits_of(dst)))


def _xchg(m: Builder, insn: Insn) -> None:
    a, b = insn.operands
    if isinstance(b, Mem):
        a, b = b, a
    bits = bits_of(a)
    old_a, old_b = read(m, a, bits), read(m, b, bits)
    write(m, a, old_b)
    write(m, b, old_a)


def _bswap(m: Builder, insn: Insn) -> None:
    (dst,) = insn.operands
    write(m, dst, m.bswap(read(m, dst, bits_of(dst))))


def _cmov(code: str) -> Semantics:
    def semantics(m: Builder, insn: Insn) -> None:
        dst, src = insn.operands
        bits = bits_of(dst)
        # The source is loaded, and a 32-bit destination zero-extended, either way.
        value = read(m, src, bits)
        write(m, dst, m.select(condition(m, code), value, read(m, dst, bits)))

    return semantics


def _set(code: str) -> Semantics:
    def semantics(m: Builder, insn: Insn) -> None:
        (dst,) = insn.operands
        write(m, dst, m.zext(condition(m, code), 8))

    return semantics


# ---- addition and subtraction ----


def _add(m: Builder, insn: Insn) -> None:
    dst, src = insn.operands
    bits = bits_of(dst)
    a, b = read(m, dst, bits), read(m, src, bits)
    result = m.add(a, b)
    write(m, dst, result)
    _set_add_flags(m, a, b, result)


def _adc(m: Builder, insn: Insn) -> None:
    dst, src = insn.operands
    bits = bits_of(dst)
    a, b, carry = read(m, dst, bits), read(m, src, bits), m.get("cf")
    result = m.add(m.add(a, b), m.zext(carry, bits))
    write(m, dst, result)
    carry_out = m.select(carry, m.ule(result, a), m.ult(result, a))
    _set_add_flags(m, a, b, result)
    m.set("cf", carry_out)


def _set_add_flags(m: Builder, a: Any, b: Any, result: Any) -> None:
    """The flags of a + b, which is `result`."""
    set_result_flags(m, result)
    m.set_later("cf", Builder.ult, result, a)
    m.set_later("of", add_overflow, a, b, result)
    m.set_later("af", adjust, a, b, result)


def _xadd(m: Builder, insn: Insn) -> None:
    dst, src = insn.operands
    bits = bits_of(dst)
    a, b = read(m, dst, bits), read(m, src, bits)
    result = m.add(a, b)
    if isinstance(dst, Mem):
        write(m, dst, result)
        write(m, src, a)
    else:
        # Where both are one register, the sum stays.
        write(m, src, a)
        write(m, dst, result)
    _set_add_flags(m, a, b, result)


def _sub(m: Builder, insn: Insn) -> None:
    dst, src = insn.operands
    bits = bits_of(dst)
    a, b = read(m, dst, bits), read(m, src, bits)
    result = m.sub(a, b)
    write(m, dst, result)
    set_sub_flags(m, a, b, result)


def _cmp(m: Builder, insn: Insn) -> None:
    dst, src = insn.operands
    bits = bits_of(dst)
    a, b = read(m, dst, bits), read(m, src, bits)
    set_sub_flags(m, a, b, m.sub(a, b))


def _sbb(m: Builder, insn: Insn) -> None:
    dst, src = insn.operands
    bits = bits_of(dst)
    a, b, borrow = read(m, dst, bits), read(m, src, bits), m.get("cf")
    result = m.sub(m.sub(a, b), m.zext(borrow, bits))
    write(m, dst, result)
    set_result_flags(m, result)
    set_flags(
        m,
        cf=m.select(borrow, m.ule(a, b), m.ult(a, b)),
        of=is_negative(m, m.and_(m.xor(a, b), m.xor(a, result))),
        af=adjust(m, a, b, result),
    )


def _cmpxchg(m: Builder, insn: Insn) -> None:
    dst, src = insn.operands
    bits = bits_of(dst)
    accumulator = Reg("rax", bits)
    expected, old, new = read(m, accumulator, bits), read(m, dst, bits), read(m, src, bits)
    equal = m.eq(expected, old)
    # Memory is written either way (SDM). Of the registers only one changes, and of the other even
    # the upper half stays: QEMU 5 clears that of both, CPUs do not.
    if isinstance(dst, Mem):
        write(m, dst, m.select(equal, new, old))
    m.set("rax", m.select(equal, m.get("rax"), merged(m, accumulator, old)))
    if isinstance(dst, Reg):
        m.set(dst.name, m.select(equal, merged(m, dst, new), m.get(dst.name)))
    set_sub_flags(m, expected, old, m.sub(expected, old))


def _step(delta: int) -> Semantics:
    """inc, dec: like adding ±1, but CF stays."""

    def semantics(m: Builder, insn: Insn) -> None:
        (dst,) = insn.operands
        a = read(m, dst, bits_of(dst))
        result = m.add(a, m.same(a, delta))
        write(m, dst, result)
        set_result_flags(m, result)
        edge = 1 << (a.ty.bits - 1)
        nibble = m.and_(a, m.same(a, 15))
        set_flags(
            m,
            of=m.eq(a, m.same(a, edge - 1 if delta > 0 else edge)),
            af=m.eq(nibble, m.same(a, 15 if delta > 0 else 0)),
        )

    return semantics


def _neg(m: Builder, insn: Insn) -> None:
    (dst,) = insn.operands
    a = read(m, dst, bits_of(dst))
    result = m.neg(a)
    write(m, dst, result)
    set_sub_flags(m, m.same(a, 0), a, result)


# ---- logic ----


def _logic(operation: Callable[[Builder, Any, Any], Any]) -> Semantics:
    def semantics(m: Builder, insn: Insn) -> None:
        dst, src = insn.operands
        bits = bits_of(dst)
        result = operation(m, read(m, dst, bits), read(m, src, bits))
        write(m, dst, result)
        set_logic_flags(m, result)

    return semantics


def _xor(m: Builder, insn: Insn) -> None:
    dst, src = insn.operands
    if dst == src:
        # The usual way to clear a register: the old value does not matter.
        result = m.const(int_type(bits_of(dst)), 0)
        write(m, dst, result)
        set_logic_flags(m, result)
    else:
        _general_xor(m, insn)


_general_xor = _logic(Builder.xor)


def _test(m: Builder, insn: Insn) -> None:
    dst, src = insn.operands
    bits = bits_of(dst)
    a = read(m, dst, bits)
    set_logic_flags(m, a if dst == src else m.and_(a, read(m, src, bits)))


def _not(m: Builder, insn: Insn) -> None:
    (dst,) = insn.operands
    write(m, dst, m.not_(read(m, dst, bits_of(dst))))


# ---- multiplication and division ----


def _wide_multiply(widen: Callable[[Builder, Any, int], Any], signed: bool) -> Semantics:
    """mul and one-operand imul: rdx:rax (ax for bytes) becomes the whole product."""

    def semantics(m: Builder, insn: Insn) -> None:
        (src,) = insn.operands
        bits = bits_of(src)
        a, b = m.trunc(m.get("rax"), bits), read(m, src, bits)
        product = m.mul(widen(m, a, 2 * bits), widen(m, b, 2 * bits))
        low = m.trunc(product, bits)
        high = m.trunc(m.lshr(product, m.same(product, bits)), bits)
        if bits == 8:
            write(m, Reg("rax", 16), product)
        else:
            write(m, Reg("rax", bits), low)
            write(m, Reg("rdx", bits), high)
        plain = m.ashr(low, m.same(low, bits - 1)) if signed else m.same(low, 0)
        _set_multiply_flags(m, m.ne(high, plain))

    return semantics


def _imul(m: Builder, insn: Insn) -> None:
    """imul with one, two or three operands; the last two forms keep the low half only."""
    if len(insn.operands) == 1:
        _imul_wide(m, insn)
        return
    dst, *sources = insn.operands
    bits = bits_of(dst)
    if len(sources) == 1:
        sources.insert(0, dst)
    a, b = (read(m, source, bits) for source in sources)
    result = m.mul(a, b)
    write(m, dst, result)
    exact = m.mul(m.sext(a, 2 * bits), m.sext(b, 2 * bits))
    _set_multiply_flags(m, m.ne(exact, m.sext(result, 2 * bits)))


_imul_wide = _wide_multiply(Builder.sext, signed=True)


def _set_multiply_flags(m: Builder, overflow: Any) -> None:
    set_flags(m, cf=overflow, of=overflow, zf=0, sf=0, pf=0, af=0)


def _divide(signed: bool) -> Semantics:
    """div, idiv: rdx:rax (ax for bytes) by the operand; quotient to rax, remainder to rdx (ah)."""

    def semantics(m: Builder, insn: Insn) -> None:
        (src,) = insn.operands
        bits = bits_of(src)
        divisor = read(m, src, bits)
        if bits == 8:
            dividend = m.trunc(m.get("rax"), 16)
            low = m.trunc(dividend, 8)
            high = m.trunc(m.lshr(dividend, m.same(dividend, 8)), 8)
        else:
            low, high = m.trunc(m.get("rax"), bits), m.trunc(m.get("rdx"), bits)
        m.trap_if(is_zero(m, divisor), Trap.DIVIDE)
        quotient, remainder = (_signed if signed else _unsigned)(m, high, low, divisor)
        if bits == 8:
            wide = m.zext(remainder, 16)
            both = m.or_(m.shl(wide, m.same(wide, 8)), m.zext(quotient, 16))
            write(m, Reg("rax", 16), both)
        else:
            write(m, Reg("rax", bits), quotient)
            write(m, Reg("rdx", bits), remainder)
        set_flags(m, cf=0, of=0, zf=0, sf=0, pf=0, af=0)

    return semantics


def _join(m: Builder, high: Any, low: Any) -> Any:
    bits = low.ty.bits
    wide = m.zext(high, 2 * bits)
    return m.or_(m.shl(wide, m.same(wide, bits)), m.zext(low, 2 * bits))


def _unsigned(m: Builder, high: Any, low: Any, divisor: Any) -> tuple[Any, Any]:
    """Quotient and remainder; traps where the quotient does not fit."""
    bits = low.ty.bits
    m.trap_if(m.ule(divisor, high), Trap.DIVIDE)
    dividend, wide = _join(m, high, low), m.zext(divisor, 2 * bits)
    return m.trunc(m.udiv(dividend, wide), bits), m.trunc(m.urem(dividend, wide), bits)


def _signed(m: Builder, high: Any, low: Any, divisor: Any) -> tuple[Any, Any]:
    """Quotient and remainder, toward zero; traps where the quotient does not fit.

    Nearly every program extends the sign of rax into rdx first, and then a division of single
    width does. The double width has operands 0 / 1 in that case, which leaves an optimiser
    nothing of it wherever it sees the extension.
    """
    bits = low.ty.bits
    lowest, one, zero = 1 << (bits - 1), m.same(low, 1), m.same(low, 0)
    narrow = m.eq(high, m.ashr(low, m.same(low, bits - 1)))
    minus_one = m.eq(divisor, m.same(divisor, -1))
    m.trap_if(m.and_(narrow, m.and_(minus_one, m.eq(low, m.same(low, lowest)))), Trap.DIVIDE)
    dividend = m.select(narrow, m.const(int_type(2 * bits), 0), _join(m, high, low))
    # The most negative dividend has no quotient that fits, whatever the divisor.
    least = m.same(dividend, 1 << (2 * bits - 1))
    m.trap_if(m.eq(dividend, least), Trap.DIVIDE)
    wide = m.sext(m.select(narrow, one, divisor), 2 * bits)
    wide_quotient, wide_remainder = m.sdiv(dividend, wide), m.srem(dividend, wide)
    m.trap_if(m.ne(m.sext(m.trunc(wide_quotient, bits), 2 * bits), wide_quotient), Trap.DIVIDE)
    a, b = m.select(narrow, low, zero), m.select(narrow, divisor, one)
    quotient = m.select(narrow, m.sdiv(a, b), m.trunc(wide_quotient, bits))
    return quotient, m.select(narrow, m.srem(a, b), m.trunc(wide_remainder, bits))


TABLE: dict[str, Semantics] = {
    "mov": _mov,
    "movnti": _mov,
    "movzx": _extend(Builder.zext),
    "movsx": _extend(Builder.sext),
    "movsxd": _extend(Builder.sext),
    "cbw": _extend_rax(8, 16),
    "cwde": _extend_rax(16, 32),
    "cdqe": _extend_rax(32, 64),
    "cwd": _spread_sign(16),
    "cdq": _spread_sign(32),
    "cqo": _spread_sign(64),
    "lea": _lea,
    "xchg": _xchg,
    "bswap": _bswap,
    **{f"cmov{code}": _cmov(code) for code in CONDITIONS},
    **{f"set{code}": _set(code) for code in CONDITIONS},
    "add": _add,
    "adc": _adc,
    "xadd": _xadd,
    "sub": _sub,
    "cmp": _cmp,
    "sbb": _sbb,
    "cmpxchg": _cmpxchg,
    "inc": _step(1),
    "dec": _step(-1),
    "neg": _neg,
    "and": _logic(Builder.and_),
    "or": _logic(Builder.or_),
    "xor": _xor,
    "test": _test,
    "not": _not,
    "mul": _wide_multiply(Builder.zext, signed=False),
    "imul": _imul,
    "div": _divide(signed=False),
    "idiv": _divide(signed=True),
}
