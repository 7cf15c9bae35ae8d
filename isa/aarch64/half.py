"""Conversions between precisions, half included, on bits (Arm ARM, FPConvert, FPConvertNaN).

The builder knows f32 and f64; half precision is computed on integers, with one float operation
where rounding has to land on a denormal: adding a number whose unit in the last place is 2^-24,
that of denormal halves, leaves the rounded half in the low bits of the sum.
"""

from __future__ import annotations

from typing import Any

from hcc.isa.aarch64.access import constant
from hcc.isa.aarch64.nan import INFINITY, QUIET, as_bits, as_float, is_nan, magnitude
from hcc.isa.builder import Builder
from hcc.isa.values import Ty, float_type

# Bits of the fraction and bias of the exponent, by width.
FRACTION = {16: 10, 32: 23, 64: 52}
BIAS = {16: 15, 32: 127, 64: 1023}


def convert(m: Builder, bits: Any, width: int) -> Any:
    """Float lanes of one width as those of another, rounded to nearest even; integer lanes both."""
    source = bits.ty.bits
    if source == 16:
        number = _from_half(m, bits, width)
    elif width == 16:
        number = _to_half(m, bits)
    elif source < width:
        number = as_bits(m, m.fpext(as_float(m, bits)))
    else:
        number = as_bits(m, m.fptrunc(as_float(m, bits)))
    return m.select(is_nan(m, bits), _converted_nan(m, bits, width), number)


def to_odd(m: Builder, bits: Any) -> Any:
    """f64 to f32, inexact results rounded to odd (FPRounding_ODD); integer lanes both.

    From the nearest single, one step toward zero if it lies beyond; then the last bit is set.
    """
    exact = as_float(m, magnitude(m, bits))
    nearest = m.fptrunc(exact)
    back = m.fpext(nearest)
    rounded = as_bits(m, nearest)
    one = constant(m, rounded.ty, 1)
    toward_zero = m.select(m.flt(exact, back), m.sub(rounded, one), rounded)
    odd = m.select(m.feq(exact, back), rounded, m.or_(toward_zero, one))
    sign = m.shl(m.trunc(m.lshr(bits, constant(m, bits.ty, 63)), 32), constant(m, odd.ty, 31))
    return m.select(is_nan(m, bits), _converted_nan(m, bits, 32), m.or_(odd, sign))


def _converted_nan(m: Builder, bits: Any, width: int) -> Any:
    """Sign and the most significant bits of the payload are kept; the result is quiet."""
    source = bits.ty.bits
    wide = max(source, width)
    ext = m.zext(bits, wide)
    payload = m.and_(ext, constant(m, ext.ty, (1 << FRACTION[source]) - 1))
    sign = m.and_(ext, constant(m, ext.ty, 1 << source - 1))
    shift = constant(m, ext.ty, abs(FRACTION[width] - FRACTION[source]))
    move = constant(m, ext.ty, abs(width - source))
    if width > source:
        payload, sign = m.shl(payload, shift), m.shl(sign, move)
    else:
        payload, sign = m.lshr(payload, shift), m.lshr(sign, move)
    fixed = constant(m, ext.ty, INFINITY[width] | QUIET[width])
    return m.trunc(m.or_(m.or_(sign, payload), fixed), width)


def _from_half(m: Builder, bits: Any, width: int) -> Any:
    """Exact. Zeros and denormals are the fraction times 2^-24."""
    wide = m.zext(bits, width)
    ty: Ty = wide.ty
    fraction = FRACTION[width] - FRACTION[16]
    size = m.and_(wide, constant(m, ty, 0x7FFF))
    moved = m.shl(size, constant(m, ty, fraction))
    bias = BIAS[width] - BIAS[16] << FRACTION[width]
    normal = m.add(moved, constant(m, ty, bias))
    unit = as_float(m, constant(m, ty, BIAS[width] - 24 << FRACTION[width]))
    small = as_bits(m, m.fmul(m.uitofp(size, float_type(width)), unit))
    infinite = constant(m, ty, INFINITY[width])
    number = m.select(m.ult(size, constant(m, ty, 1 << 10)), small, normal)
    number = m.select(m.eq(size, constant(m, ty, INFINITY[16])), infinite, number)
    sign = m.and_(wide, constant(m, ty, 0x8000))
    return m.or_(number, m.shl(sign, constant(m, ty, width - 16)))


def _to_half(m: Builder, bits: Any) -> Any:
    ty: Ty = bits.ty
    width, drop = ty.bits, FRACTION[ty.bits] - FRACTION[16]
    size = magnitude(m, bits)
    # Normal halves: round the fraction in place; a carry goes on into the exponent.
    odd = m.and_(m.lshr(size, constant(m, ty, drop)), constant(m, ty, 1))
    rounded = m.add(m.add(size, constant(m, ty, (1 << drop - 1) - 1)), odd)
    bias = BIAS[width] - BIAS[16] << FRACTION[16]
    normal = m.sub(m.lshr(rounded, constant(m, ty, drop)), constant(m, ty, bias))
    # Denormal ones and zero: let the host's addition round.
    pivot = constant(m, ty, BIAS[width] + FRACTION[width] - 24 << FRACTION[width])
    small = m.sub(as_bits(m, m.fadd(as_float(m, size), as_float(m, pivot))), pivot)
    least = constant(m, ty, BIAS[width] - 14 << FRACTION[width])
    # From 65520 on, halfway between the largest half and the next power of two: infinity.
    great = BIAS[width] + 16 << FRACTION[width]
    great -= 1 << drop - 1
    number = m.select(m.ult(size, least), small, normal)
    number = m.select(m.ult(size, constant(m, ty, great)), number, constant(m, ty, INFINITY[16]))
    sign = m.and_(m.lshr(bits, constant(m, ty, width - 16)), constant(m, ty, 0x8000))
    return m.trunc(m.or_(number, sign), 16)
