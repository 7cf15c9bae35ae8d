"""Floating-point arithmetic with AArch64's NaN results (Arm ARM, FPProcessNaNs and its kin).

An operation computes on the host's floats and its result stands unless it is a NaN. Then the
operands decide, as bits, for which reason operands are handed around as integer lanes: the first
signalling NaN among them, else the first quiet one, made quiet; the default NaN if there is none.
FPCR.DN and FPCR.FZ are zero (other values are refused where FPCR is written).

`propagated` is the whole rule; all arithmetic ends in the builder's `float_bits` with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hcc.isa.aarch64.access import constant
from hcc.isa.builder import Builder
from hcc.isa.values import Ty, float_type, int_type

# By width: the exponent field (the bits of infinity) and the bit that makes a NaN quiet.
INFINITY = {16: 0x7C00, 32: 0x7F80_0000, 64: 0x7FF0_0000_0000_0000}
QUIET = {16: 1 << 9, 32: 1 << 22, 64: 1 << 51}


def as_float(m: Builder, bits: Any) -> Any:
    """Integer lanes as floats."""
    return m.bitcast(bits, bits.ty.with_element(float_type(bits.ty.bits)))


def as_bits(m: Builder, value: Any) -> Any:
    """Float lanes as integers."""
    return m.bitcast(value, value.ty.with_element(int_type(value.ty.bits)))


def magnitude(m: Builder, bits: Any) -> Any:
    """The bits without the sign."""
    return m.and_(bits, constant(m, bits.ty, bits.ty.mask >> 1))


def is_nan(m: Builder, bits: Any) -> Any:
    return m.ult(constant(m, bits.ty, INFINITY[bits.ty.bits]), magnitude(m, bits))


def is_signalling(m: Builder, bits: Any) -> Any:
    """Above infinity and below the first quiet NaN."""
    width = bits.ty.bits
    above = m.sub(magnitude(m, bits), constant(m, bits.ty, INFINITY[width] + 1))
    return m.ult(above, constant(m, bits.ty, QUIET[width] - 1))


def default_nan(m: Builder, ty: Ty) -> Any:
    return constant(m, ty, INFINITY[ty.bits] | QUIET[ty.bits])


def propagated(m: Builder, operands: Sequence[Any]) -> Any:
    """The NaN that results from these operands (integer lanes), in the manual's order."""
    ty = operands[0].ty
    chosen = default_nan(m, ty)
    for bits in reversed(operands):
        chosen = m.select(is_nan(m, bits), bits, chosen)
    if len(operands) > 1:
        for bits in reversed(operands):
            chosen = m.select(is_signalling(m, bits), bits, chosen)
    return m.or_(chosen, constant(m, ty, QUIET[ty.bits]))


def finish(m: Builder, result: Any, operands: Sequence[Any]) -> Any:
    """The bits of a float result, or where it is a NaN the one that the operands call for."""
    return m.float_bits(result, propagated(m, operands))


Compute = Callable[..., Any]


def arithmetic(m: Builder, compute: Compute, *operands: Any) -> Any:
    """`compute(m, floats...)` with the NaN rule; operands and result are integer lanes."""
    result = compute(m, *(as_float(m, bits) for bits in operands))
    return finish(m, result, operands)


def multiply_add(m: Builder, addend: Any, a: Any, b: Any) -> Any:
    """FPMulAdd: addend + a * b, rounded once. Infinity times zero beats a quiet addend."""
    x, y, z = (as_float(m, bits) for bits in (a, b, addend))
    product = m.fmul(x, y)
    undefined = m.and_(m.funo(product, product), m.not_(m.funo(x, y)))
    overruled = m.and_(undefined, m.not_(is_signalling(m, addend)))
    nan = m.select(overruled, default_nan(m, a.ty), propagated(m, (addend, a, b)))
    return m.float_bits(m.fma(x, y, z), nan)


def extremum(m: Builder, a: Any, b: Any, largest: bool) -> Any:
    """FPMax, FPMin: -0 is less than +0."""
    x, y = as_float(m, a), as_float(m, b)
    zeros = m.and_(a, b) if largest else m.or_(a, b)
    less = m.flt(y, x) if largest else m.flt(x, y)
    ordered = m.select(m.feq(x, y), zeros, m.select(less, a, b))
    return m.select(m.funo(x, y), propagated(m, (a, b)), ordered)


def extremum_number(m: Builder, a: Any, b: Any, largest: bool) -> Any:
    """FPMaxNum, FPMinNum: a quiet NaN yields to a number."""
    width = a.ty.bits
    least = constant(m, a.ty, INFINITY[width] | (1 << width - 1 if largest else 0))

    def yielding(bits: Any, other: Any) -> Any:
        quiet = m.and_(is_nan(m, bits), m.not_(is_signalling(m, bits)))
        return m.select(m.and_(quiet, m.not_(is_nan(m, other))), least, bits)

    return extremum(m, yielding(a, b), yielding(b, a), largest)
