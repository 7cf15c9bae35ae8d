"""Shifts, rotates and single-bit instructions (SDM vol. 2).

A shift by zero leaves the flags alone. For an immediate that is decided here; for a count in cl
every flag becomes a choice between old and new. OF is defined for a count of one only: other
immediates set it to 0, and a count in cl gives it the value of the rule for one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hcc.isa.arch import Imm, Insn, Mem, Operand, Reg, Semantics
from hcc.isa.builder import Builder
from hcc.isa.values import int_type
from hcc.isa.x86_64.operands import (
    address,
    bits_of,
    flag,
    is_negative,
    is_zero,
    merged,
    parity,
    read,
    set_flags,
    write,
)


def _top(m: Builder, value: Any, below: int = 0) -> Any:
    """The bit `below` places under the most significant one."""
    return m.trunc(m.lshr(value, m.same(value, value.ty.bits - 1 - below)), 1)


def _bit(m: Builder, value: Any, index: Any) -> Any:
    """Bit `index` (a value of the same type, below the width)."""
    return m.trunc(m.lshr(value, index), 1)


def _count(m: Builder, operand: Operand, bits: int) -> tuple[Any, int | None]:
    """A shift count as the CPU masks it, `bits` wide, and its number if it is an immediate."""
    limit = 63 if bits == 64 else 31
    if isinstance(operand, Imm):
        number = operand.value & limit
        return m.const(int_type(bits), number), number
    value = m.zext(read(m, operand, 8), max(bits, 8))
    return m.and_(value, m.same(value, limit)), None


def _set_shift_flags(m: Builder, count: Any, number: int | None, new: dict[str, Any]) -> None:
    """Set flags unless the count is zero; OF is left at 0 for an immediate above one."""
    if number == 0:
        return
    if number is not None:
        set_flags(m, **(new if number == 1 else new | {"of": 0}))
        return
    unchanged = is_zero(m, count)
    for name, value in new.items():
        value = flag(m, value) if isinstance(value, int) else value
        m.set(name, m.select(unchanged, m.get(name), value))


def _result_flags(m: Builder, result: Any) -> dict[str, Any]:
    return {
        "zf": is_zero(m, result),
        "sf": is_negative(m, result),
        "pf": parity(m, result),
        "af": 0,
    }


Shift = Callable[[Builder, Any, Any], tuple[Any, Any, Any]]
"""(value, count) to (result, CF, OF); the flags are not used where the count is zero."""


def _shift(rule: Shift, with_result_flags: bool = True) -> Semantics:
    def semantics(m: Builder, insn: Insn) -> None:
        dst = insn.operands[0]
        bits = bits_of(dst)
        value = read(m, dst, bits)
        count, number = _count(m, insn.operands[1], bits)
        result, carry, overflow = rule(m, value, count)
        write(m, dst, result)
        new = {"cf": carry, "of": overflow}
        if with_result_flags:
            new |= _result_flags(m, result)
        _set_shift_flags(m, count, number, new)

    return semantics


def _wide(m: Builder, value: Any, count: Any, widen: Callable[[Builder, Any, int], Any]) -> Any:
    """Value and count in 64 bits, where a count of up to 31 is within the width."""
    return widen(m, value, 64), m.zext(count, 64)


def _shl(m: Builder, value: Any, count: Any) -> tuple[Any, Any, Any]:
    bits = value.ty.bits
    if bits == 64:
        result = m.shl(value, count)
        # The bit that leaves last: number 64 - count.
        carry = _bit(m, value, m.and_(m.neg(count), m.i64(63)))
    else:
        a, n = _wide(m, value, count, Builder.zext)
        shifted = m.shl(a, n)
        result = m.trunc(shifted, bits)
        carry = _bit(m, shifted, m.i64(bits))
    return result, carry, m.xor(_top(m, result), carry)


def _right(widen: Callable[[Builder, Any, int], Any], move: Callable[..., Any]) -> Shift:
    def rule(m: Builder, value: Any, count: Any) -> tuple[Any, Any, Any]:
        bits = value.ty.bits
        a, n = _wide(m, value, count, widen)
        result = m.trunc(move(m, a, n), bits)
        last = m.and_(m.sub(n, m.i64(1)), m.i64(63))
        carry = m.trunc(move(m, a, last), 1)
        overflow = flag(m, 0) if move is Builder.ashr else _top(m, value)
        return result, carry, overflow

    return rule


def _rol(m: Builder, value: Any, count: Any) -> tuple[Any, Any, Any]:
    result = _rotated(m, value, count)
    carry = m.trunc(result, 1)
    return result, carry, m.xor(_top(m, result), carry)


def _ror(m: Builder, value: Any, count: Any) -> tuple[Any, Any, Any]:
    result = _rotated(m, value, m.neg(count))
    carry = _top(m, result)
    return result, carry, m.xor(carry, _top(m, result, 1))


def _rotated(m: Builder, value: Any, count: Any) -> Any:
    """Rotated left; the count is taken modulo the width."""
    mask = m.same(value, value.ty.bits - 1)
    left = m.shl(value, m.and_(count, mask))
    return m.or_(left, m.lshr(value, m.and_(m.neg(count), mask)))


def _rotate_carry(left: bool) -> Shift:
    """rcl, rcr: a rotation of CF and the operand together, one bit wider than the operand."""

    def rule(m: Builder, value: Any, count: Any) -> tuple[Any, Any, Any]:
        bits = value.ty.bits
        wide = 128 if bits == 64 else 64
        size = m.const(int_type(wide), bits + 1)
        n = m.urem(m.zext(count, wide), size)
        other = m.sub(size, n)
        if not left:
            n, other = other, n
        ring = m.or_(m.zext(value, wide), m.shl(m.zext(m.get("cf"), wide), m.same(size, bits)))
        turned = m.or_(m.shl(ring, n), m.lshr(ring, other))
        result = m.trunc(turned, bits)
        carry = _bit(m, turned, m.same(size, bits))
        return result, carry, m.xor(_top(m, result), carry if left else _top(m, result, 1))

    return rule


def _double_shift(left: bool) -> Semantics:
    """shld, shrd: the bits shifted in come from a second register."""

    def semantics(m: Builder, insn: Insn) -> None:
        dst, src, amount = insn.operands
        bits = bits_of(dst)
        a, b = read(m, dst, bits), read(m, src, bits)
        count, number = _count(m, amount, bits)
        result, carry = (_funnel_64 if bits == 64 else _funnel)(m, a, b, count, left)
        write(m, dst, result)
        overflow = m.xor(_top(m, a), _top(m, result))
        new = {"cf": carry, "of": overflow} | _result_flags(m, result)
        _set_shift_flags(m, count, number, new)

    return semantics


def _funnel(m: Builder, a: Any, b: Any, count: Any, left: bool) -> tuple[Any, Any]:
    """`a` shifted with bits of `b` coming in, and the last bit that left, in 64 bits."""
    bits = a.ty.bits
    high, low = (a, b) if left else (b, a)
    joined = m.or_(m.shl(m.zext(high, 64), m.i64(bits)), m.zext(low, 64))
    n = m.zext(count, 64)
    last = m.and_(m.sub(m.i64(2 * bits), n) if left else m.sub(n, m.i64(1)), m.i64(63))
    moved = m.lshr(m.shl(joined, n), m.i64(bits)) if left else m.lshr(joined, n)
    return m.trunc(moved, bits), _bit(m, joined, last)


def _funnel_64(m: Builder, a: Any, b: Any, count: Any, left: bool) -> tuple[Any, Any]:
    """The same for 64 bits; `b` moves by 64 - count, in two steps as that may be 64."""
    one, rest = m.i64(1), m.xor(count, m.i64(63))
    if left:
        result = m.or_(m.shl(a, count), m.lshr(m.lshr(b, one), rest))
        return result, _bit(m, a, m.and_(m.neg(count), m.i64(63)))
    result = m.or_(m.lshr(a, count), m.shl(m.shl(b, one), rest))
    return result, _bit(m, a, m.and_(m.sub(count, one), m.i64(63)))


def _bit_test(change: Callable[[Builder, Any, Any], Any] | None) -> Semantics:
    """bt, bts, btr, btc: one bit to CF; the other flags stay or are undefined."""

    def semantics(m: Builder, insn: Insn) -> None:
        dst, src = insn.operands
        bits = bits_of(dst)
        index = read(m, src, bits)
        within = m.and_(index, m.same(index, bits - 1))
        if isinstance(dst, Mem) and isinstance(src, Reg):
            # A bit string: the register counts bits from the operand's address, to both sides.
            words = m.ashr(m.sext(index, 64), m.i64(bits.bit_length() - 1))
            addr = m.add(address(m, dst), m.mul(words, m.i64(bits // 8)))
            value = m.load(addr, bits)
            if change:
                m.store(addr, change(m, value, m.shl(m.same(value, 1), within)))
        else:
            value = read(m, dst, bits)
            if change:
                write(m, dst, change(m, value, m.shl(m.same(value, 1), within)))
        m.set("cf", _bit(m, value, within))

    return semantics


def _scan(position: Callable[[Builder, Any], Any]) -> Semantics:
    """bsf, bsr: the destination keeps its value, all of it, where the source has no bit set.

    The SDM says that some older CPUs clear the upper half for 32 bits; QEMU does too.
    """

    def semantics(m: Builder, insn: Insn) -> None:
        dst, src = insn.operands
        bits = bits_of(dst)
        value = read(m, src, bits)
        empty = is_zero(m, value)
        assert isinstance(dst, Reg)
        found = merged(m, dst, position(m, value))
        m.set(dst.name, m.select(empty, m.get(dst.name), found))
        set_flags(m, zf=empty, cf=0, sf=0, of=0, pf=0, af=0)

    return semantics


def _tzcnt(m: Builder, insn: Insn) -> None:
    # Compilers write it as "rep bsf", which is bsf on CPUs without BMI1, where the source is known
    # not to be zero; every CPU of the last decade reads it as tzcnt.
    dst, src = insn.operands
    value = read(m, src, bits_of(dst))
    result = m.cttz(value)
    write(m, dst, result)
    set_flags(m, cf=is_zero(m, value), zf=is_zero(m, result), sf=0, of=0, pf=0, af=0)


TABLE: dict[str, Semantics] = {
    "shl": _shift(_shl),
    "sal": _shift(_shl),
    "shr": _shift(_right(Builder.zext, Builder.lshr)),
    "sar": _shift(_right(Builder.sext, Builder.ashr)),
    "rol": _shift(_rol, with_result_flags=False),
    "ror": _shift(_ror, with_result_flags=False),
    "rcl": _shift(_rotate_carry(left=True), with_result_flags=False),
    "rcr": _shift(_rotate_carry(left=False), with_result_flags=False),
    "shld": _double_shift(left=True),
    "shrd": _double_shift(left=False),
    "bt": _bit_test(None),
    "bts": _bit_test(lambda m, value, bit: m.or_(value, bit)),
    "btr": _bit_test(lambda m, value, bit: m.and_(value, m.not_(bit))),
    "btc": _bit_test(lambda m, value, bit: m.xor(value, bit)),
    "bsf": _scan(lambda m, value: m.cttz(value)),
    "bsr": _scan(lambda m, value: m.sub(m.same(value, value.ty.bits - 1), m.ctlz(value))),
    "tzcnt": _tzcnt,
}
