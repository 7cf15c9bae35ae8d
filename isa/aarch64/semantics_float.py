"""Floating point, scalar and vector alike: a scalar is one lane (Arm ARM, C3.5, C3.6).

The NaN rule is in `nan`, conversions between precisions are in `half`. The cumulative exception
bits of FPSR are not kept; half-precision arithmetic (FEAT_FP16) is refused by the decoder.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from hcc.isa.aarch64.access import (
    condition,
    constant,
    lane_type,
    narrow_source,
    read,
    set_flags,
    set_lane,
    set_low_or_high,
    set_vector,
    vector,
    write,
)
from hcc.isa.aarch64.half import convert, to_odd
from hcc.isa.aarch64.lanewise import Compute, lanewise, pairwise
from hcc.isa.aarch64.nan import (
    arithmetic,
    as_bits,
    as_float,
    extremum,
    extremum_number,
    finish,
    magnitude,
    multiply_add,
)
from hcc.isa.aarch64.operands import imm, is_simd, lanes, reg
from hcc.isa.arch import Imm, Insn, Semantics
from hcc.isa.builder import Builder, Rounding
from hcc.isa.values import I1, float_type


def _arithmetic(compute: Callable[..., Any]) -> Compute:
    return lambda m, *operands: arithmetic(m, compute, *operands)


def _extremum(rule: Callable[..., Any], largest: bool) -> Compute:
    return lambda m, a, b: rule(m, a, b, largest)


def _negated(m: Builder, bits: Any) -> Any:
    return m.xor(bits, constant(m, bits.ty, 1 << bits.ty.bits - 1))


def _round(mode: Rounding) -> Compute:
    return lambda m, a: finish(m, m.fround(as_float(m, a), mode), (a,))


_add = _arithmetic(Builder.fadd)
_sub = _arithmetic(Builder.fsub)
_mul = _arithmetic(Builder.fmul)
_MAX, _MIN = _extremum(extremum, largest=True), _extremum(extremum, largest=False)
_MAXNM = _extremum(extremum_number, largest=True)
_MINNM = _extremum(extremum_number, largest=False)


# ---- fused multiply-add of scalars: rd, rn, rm, ra ----


def _fused(negate_product: bool, negate_addend: bool) -> Compute:
    """FMADD and its kin negate operands, NaNs included, before the one operation."""

    def compute(m: Builder, a: Any, b: Any, c: Any) -> Any:
        a = _negated(m, a) if negate_product else a
        c = _negated(m, c) if negate_addend else c
        return multiply_add(m, c, a, b)

    return compute


def _across(compute: Compute) -> Semantics:
    """Reduce: a tree of neighbours, always of four lanes."""

    def semantics(m: Builder, insn: Insn) -> None:
        a = vector(m, reg(insn, 1))
        pairs = compute(m, m.shuffle(a, a, (0, 2)), m.shuffle(a, a, (1, 3)))
        set_vector(m, reg(insn, 0), compute(m, m.extract(pairs, 0), m.extract(pairs, 1)))

    return semantics


# ---- comparisons ----


def _flags_of_comparison(m: Builder, insn: Insn) -> tuple[Any, Any, Any, Any]:
    """FPCompare: NZCV is 0011 unordered, 0110 equal, 1000 less, 0010 greater."""
    a = as_float(m, vector(m, reg(insn, 0)))
    second = insn.operands[1]
    bits = constant(m, lane_type(reg(insn, 0)), 0) if isinstance(second, Imm) else None
    b = as_float(m, bits if bits is not None else vector(m, reg(insn, 1)))
    less = m.flt(a, b)
    return less, m.feq(a, b), m.not_(less), m.funo(a, b)


def _fcmp(m: Builder, insn: Insn) -> None:
    set_flags(m, *_flags_of_comparison(m, insn))


def _fccmp(m: Builder, insn: Insn) -> None:
    holds, otherwise = condition(m, insn.extra), imm(insn, 2)
    flags = [
        m.select(holds, flag, m.const(I1, otherwise >> bit & 1))
        for bit, flag in zip((3, 2, 1, 0), _flags_of_comparison(m, insn), strict=True)
    ]
    set_flags(m, *flags)


def _fcsel(m: Builder, insn: Insn) -> None:
    a, b = vector(m, reg(insn, 1)), vector(m, reg(insn, 2))
    set_vector(m, reg(insn, 0), m.select(condition(m, insn.extra), a, b))


def _compare_lanes(compute: Compute, absolute: bool = False) -> Semantics:
    """All ones where the comparison holds, else zero; with a register or with #0.0."""

    def semantics(m: Builder, insn: Insn) -> None:
        target = reg(insn, 0)
        a = vector(m, reg(insn, 1))
        zero = isinstance(insn.operands[2], Imm)
        b = constant(m, a.ty, 0) if zero else vector(m, reg(insn, 2))
        if absolute:
            a, b = magnitude(m, a), magnitude(m, b)
        holds = compute(m, as_float(m, a), as_float(m, b))
        set_vector(m, target, m.sext(holds, lanes(target).bits))

    return semantics


# ---- moves ----


def _fmov(m: Builder, insn: Insn) -> None:
    """Between SIMD registers, general registers and lanes, and of immediates."""
    target, source = reg(insn, 0), insn.operands[1]
    if isinstance(source, Imm):
        ty = lane_type(target)
        set_vector(m, target, constant(m, ty, float_bits(source.value, ty.bits)))
        return
    value = vector(m, source) if is_simd(source) else read(m, source)
    if is_simd(target) and lanes(target).index is not None:
        set_lane(m, target, value)
    else:
        write(m, target, value)


def float_bits(double_bits: int, width: int) -> int:
    """The bits of a float immediate, which the decoder gives as a double, in another width."""
    if width == 64:
        return double_bits
    (value,) = struct.unpack("<d", struct.pack("<Q", double_bits))
    (bits,) = struct.unpack("<I", struct.pack("<f", value))
    return int(bits)


# ---- conversions ----


def _scale(m: Builder, value: Any, insn: Insn, sign: int) -> Any:
    """Times 2^fbits (sign +1) or 2^-fbits for the fixed-point forms: exact, or saturating later."""
    if len(insn.operands) < 3:
        return value
    width = value.ty.bits
    exponent = sign * imm(insn, 2)
    bits = {32: exponent + 127 << 23, 64: exponent + 1023 << 52}[width]
    factor = constant(m, as_bits(m, value).ty, bits)
    return m.fmul(value, as_float(m, factor))


def _to_integer(mode: Rounding, signed: bool) -> Semantics:
    """FPToFixed: saturating, NaN gives 0."""

    def semantics(m: Builder, insn: Insn) -> None:
        target, source = reg(insn, 0), reg(insn, 1)
        value = _scale(m, as_float(m, vector(m, source)), insn, +1)
        if mode is not Rounding.TOWARD_ZERO:
            value = m.fround(value, mode)
        bits = lanes(target).bits if is_simd(target) else target.bits
        result = m.fptosi(value, bits) if signed else m.fptoui(value, bits)
        if is_simd(target):
            set_vector(m, target, result)
        else:
            write(m, target, result)

    return semantics


def _from_integer(signed: bool) -> Semantics:
    """FixedToFP."""

    def semantics(m: Builder, insn: Insn) -> None:
        target, source = reg(insn, 0), reg(insn, 1)
        value = vector(m, source) if is_simd(source) else read(m, source)
        element = float_type(lanes(target).bits)
        number = m.sitofp(value, element) if signed else m.uitofp(value, element)
        set_vector(m, target, as_bits(m, _scale(m, number, insn, -1)))

    return semantics


def _fcvt(m: Builder, insn: Insn) -> None:
    target = reg(insn, 0)
    set_vector(m, target, convert(m, vector(m, reg(insn, 1)), lanes(target).bits))


def _fcvtl(m: Builder, insn: Insn) -> None:
    target = reg(insn, 0)
    view = lanes(target)
    narrow = narrow_source(m, vector(m, reg(insn, 1)), view.count)
    set_vector(m, target, convert(m, narrow, view.bits))


def _fcvtn(m: Builder, insn: Insn) -> None:
    target, source = reg(insn, 0), reg(insn, 1)
    narrow = convert(m, vector(m, source), lanes(target).bits)
    set_low_or_high(m, target, narrow, high=lanes(target).count > lanes(source).count)


def _fcvtxn(m: Builder, insn: Insn) -> None:
    target, source = reg(insn, 0), reg(insn, 1)
    narrow = to_odd(m, vector(m, source))
    if lanes(target).count == 1:
        set_vector(m, target, narrow)
    else:
        set_low_or_high(m, target, narrow, high=lanes(target).count > lanes(source).count)


def _swapped(compute: Compute) -> Compute:
    return lambda m, a, b: compute(m, b, a)


_less, _not_greater = Builder.flt, Builder.fle
_MODES = {
    "n": Rounding.NEAREST_EVEN,
    "a": Rounding.NEAREST_AWAY,
    "z": Rounding.TOWARD_ZERO,
    "m": Rounding.DOWN,
    "p": Rounding.UP,
}

TABLE: dict[str, Semantics] = {
    "fadd": lanewise(_add),
    "fsub": lanewise(_sub),
    "fmul": lanewise(_mul),
    "fdiv": lanewise(_arithmetic(Builder.fdiv)),
    "fsqrt": lanewise(_arithmetic(Builder.fsqrt)),
    "fnmul": lanewise(lambda m, a, b: _negated(m, _mul(m, a, b))),
    "fabd": lanewise(lambda m, a, b: magnitude(m, _sub(m, a, b))),
    "fabs": lanewise(magnitude),
    "fneg": lanewise(_negated),
    "fmax": lanewise(_MAX),
    "fmin": lanewise(_MIN),
    "fmaxnm": lanewise(_MAXNM),
    "fminnm": lanewise(_MINNM),
    "fmadd": lanewise(_fused(negate_product=False, negate_addend=False)),
    "fmsub": lanewise(_fused(negate_product=True, negate_addend=False)),
    "fnmadd": lanewise(_fused(negate_product=True, negate_addend=True)),
    "fnmsub": lanewise(_fused(negate_product=False, negate_addend=True)),
    "fmla": lanewise(multiply_add, accumulate=True),
    "fmls": lanewise(lambda m, c, a, b: multiply_add(m, c, _negated(m, a), b), accumulate=True),
    "faddp": pairwise(_add),
    "fmaxp": pairwise(_MAX),
    "fminp": pairwise(_MIN),
    "fmaxnmp": pairwise(_MAXNM),
    "fminnmp": pairwise(_MINNM),
    "fmaxv": _across(_MAX),
    "fminv": _across(_MIN),
    "fmaxnmv": _across(_MAXNM),
    "fminnmv": _across(_MINNM),
    "frintx": lanewise(_round(Rounding.NEAREST_EVEN)),
    "frinti": lanewise(_round(Rounding.NEAREST_EVEN)),
    **{f"frint{letter}": lanewise(_round(mode)) for letter, mode in _MODES.items()},
    "fcmp": _fcmp,
    "fcmpe": _fcmp,
    "fccmp": _fccmp,
    "fccmpe": _fccmp,
    "fcsel": _fcsel,
    "fcmeq": _compare_lanes(Builder.feq),
    "fcmge": _compare_lanes(_swapped(_not_greater)),
    "fcmgt": _compare_lanes(_swapped(_less)),
    "fcmle": _compare_lanes(_not_greater),
    "fcmlt": _compare_lanes(_less),
    "facge": _compare_lanes(_swapped(_not_greater), absolute=True),
    "facgt": _compare_lanes(_swapped(_less), absolute=True),
    "fmov": _fmov,
    **{f"fcvt{letter}s": _to_integer(mode, signed=True) for letter, mode in _MODES.items()},
    **{f"fcvt{letter}u": _to_integer(mode, signed=False) for letter, mode in _MODES.items()},
    "scvtf": _from_integer(signed=True),
    "ucvtf": _from_integer(signed=False),
    "fcvt": _fcvt,
    "fcvtl": _fcvtl,
    "fcvtl2": _fcvtl,
    "fcvtn": _fcvtn,
    "fcvtn2": _fcvtn,
    "fcvtxn": _fcvtxn,
    "fcvtxn2": _fcvtxn,
}
