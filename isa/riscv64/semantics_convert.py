"""RV64 F and D conversions, with static rounding modes (unprivileged ISA 11.7, 12.5).

Compilers ask for modes other than the default here: truncation in casts, and floor, ceil and round
as a conversion to an integer and back in one mode. The builder only rounds to nearest even, so
the other directions take a value apart that does not fit and put one unit in the last place on.
"""

from __future__ import annotations

from typing import Any

from hcc.isa.arch import Insn, Reg, Semantics
from hcc.isa.builder import Builder, Rounding
from hcc.isa.riscv64.nan import read_float, write_bits, write_float
from hcc.isa.riscv64.operands import read, write
from hcc.isa.values import F32, F64, I32, I64, Ty, float_type, int_type


def _rounding(insn: Insn) -> Rounding:
    """The static mode, or the only one that a dynamic mode can be."""
    mode = insn.extra or Rounding.NEAREST_EVEN
    assert isinstance(mode, Rounding)
    return mode


def _to_integer(signed: bool, bits: int) -> Semantics:
    """Out of range: the nearest limit; NaN: the upper limit (table 11.4)."""

    def semantics(m: Builder, insn: Insn) -> None:
        rd, rs1 = insn.operands
        value = read_float(m, rs1)
        mode = _rounding(insn)
        whole = value if mode is Rounding.TOWARD_ZERO else m.fround(value, mode)
        result = (m.fptosi if signed else m.fptoui)(whole, bits)
        top = m.same(result, (1 << (bits - 1)) - 1 if signed else -1)
        write(m, rd, m.select(m.feq(value, value), result, top))

    return semantics


def _from_integer(signed: bool, bits: int) -> Semantics:
    def semantics(m: Builder, insn: Insn) -> None:
        rd, rs1 = insn.operands
        assert isinstance(rd, Reg)
        value, ty, mode = read(m, rs1, bits), float_type(rd.bits), _rounding(insn)
        digits = 53 if ty is F64 else 24
        if mode is Rounding.NEAREST_EVEN or bits <= digits:
            result = m.sitofp(value, ty) if signed else m.uitofp(value, ty)
        else:
            result = _directed(m, value, ty, digits, mode, signed)
        write_bits(m, rd, m.bitcast(result, int_type(rd.bits)))

    return semantics


def _directed(m: Builder, value: Any, ty: Ty, digits: int, mode: Rounding, signed: bool) -> Any:
    """An integer of more bits than `ty` has digits, rounded in a direction.

    The magnitude is cut to its leading `digits` bits, which convert exactly, as does one unit of
    the last of them; their sum is representable, so that one addition rounds nothing.
    """
    bits = value.ty.bits
    zero, one = m.same(value, 0), m.same(value, 1)
    negative = m.slt(value, zero) if signed else m.const(int_type(1), 0)
    magnitude = m.select(negative, m.neg(value), value)
    leading = m.ctlz(magnitude)
    spare = m.same(value, bits - digits)
    fits = m.ule(spare, leading)
    cut = m.select(fits, zero, m.sub(spare, leading))  # bits that do not fit
    unit = m.shl(one, cut)
    rest = m.and_(magnitude, m.sub(unit, one))
    exact = m.sub(magnitude, rest)
    away: Any  # whether the magnitude goes up
    match mode:
        case Rounding.TOWARD_ZERO:
            away = m.const(int_type(1), 0)
        case Rounding.DOWN:
            away = m.and_(negative, m.ne(rest, zero))
        case Rounding.UP:
            away = m.and_(m.not_(negative), m.ne(rest, zero))
        case _:  # NEAREST_AWAY
            half = m.lshr(unit, one)
            away = m.and_(m.ne(rest, zero), m.ule(half, rest))
    result = m.fadd(m.uitofp(exact, ty), m.uitofp(m.select(away, unit, zero), ty))
    pattern = m.bitcast(result, int_type(ty.bits))
    sign = m.select(negative, m.same(pattern, 1 << (ty.bits - 1)), m.same(pattern, 0))
    return m.bitcast(m.or_(pattern, sign), ty)


def _widen(m: Builder, insn: Insn) -> None:
    """fcvt.d.s is exact in every mode."""
    rd, rs1 = insn.operands
    write_float(m, rd, m.fpext(read_float(m, rs1)))


def _narrow(m: Builder, insn: Insn) -> None:
    """fcvt.s.d; other directions step from the nearest single to its neighbour."""
    rd, rs1 = insn.operands
    value, mode = read_float(m, rs1), _rounding(insn)
    nearest = m.fptrunc(value)
    if mode is Rounding.NEAREST_EVEN:
        write_float(m, rd, nearest)
        return
    magnitude_mask = m.const(I32, 0x7FFF_FFFF)
    pattern = m.bitcast(nearest, I32)
    inward = m.bitcast(m.sub(pattern, m.const(I32, 1)), F32)  # one step toward zero
    outward = m.bitcast(m.add(pattern, m.const(I32, 1)), F32)
    back = m.fpext(nearest)
    wide = m.bitcast(value, I64)
    negative = m.slt(wide, m.i64(0))
    # The magnitudes, of which every comparison below is made.
    size = m.bitcast(m.and_(wide, m.i64((1 << 63) - 1)), F64)
    rounded = m.fpext(m.bitcast(m.and_(pattern, magnitude_mask), F32))
    too_far, too_near = m.flt(size, rounded), m.flt(rounded, size)
    never = m.const(int_type(1), 0)
    step_in, step_out = never, never
    match mode:
        case Rounding.TOWARD_ZERO:
            step_in = too_far
        case Rounding.DOWN:
            step_in = m.and_(m.not_(negative), too_far)
            step_out = m.and_(negative, too_near)
        case Rounding.UP:
            step_in = m.and_(negative, too_far)
            step_out = m.and_(m.not_(negative), too_near)
        case _:  # NEAREST_AWAY differs in ties, where the nearest even was the inner one
            beyond = m.fpext(m.bitcast(m.and_(m.bitcast(outward, I32), magnitude_mask), F32))
            step_out = m.and_(too_near, m.feq(m.fsub(size, rounded), m.fsub(beyond, size)))
    result = m.select(step_in, inward, m.select(step_out, outward, nearest))
    write_float(m, rd, m.select(m.feq(back, value), nearest, result))


_INTEGERS = (("w", True, 32), ("wu", False, 32), ("l", True, 64), ("lu", False, 64))
_CASES = [(*integer, width) for integer in _INTEGERS for width in "sd"]

TABLE: dict[str, Semantics] = {
    **{f"fcvt.{i}.{f}": _to_integer(signed, bits) for i, signed, bits, f in _CASES},
    **{f"fcvt.{f}.{i}": _from_integer(signed, bits) for i, signed, bits, f in _CASES},
    "fcvt.d.s": _widen,
    "fcvt.s.d": _narrow,
}
