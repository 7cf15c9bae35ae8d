"""SSE and SSE2 floating point, scalar and packed (SDM vol. 1, 10-11; vol. 2).

Values travel as integers and become floats only for the operation itself, so that NaNs keep
their bits. Every instruction has up to four forms by suffix (ss, sd, ps, pd); scalar forms keep
the rest of the destination. MXCSR stays at its default (nearest even, no flushing, all exceptions
masked): `ldmxcsr` of anything else is refused as an illegal instruction.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from attrs import frozen

from hcc.isa.arch import Insn, Mem, Operand, Reg, Semantics
from hcc.isa.builder import Builder, Rounding, Trap
from hcc.isa.values import F32, F64, I1, I32, I64, I128, Ty, float_type, int_type, vec
from hcc.isa.x86_64.operands import (
    bits_of,
    read,
    read_vector,
    set_flags,
    write,
    write_low,
    write_zext,
)

MXCSR_DEFAULT = 0x1F80
_MXCSR_STICKY = 0x3F  # exception flags: not kept, and harmless to load


@frozen
class Form:
    """What the suffix of an instruction says: the element's size, one or all of them."""

    bits: int
    packed: bool

    def read(self, m: Builder, operand: Operand) -> Any:
        """The operand as an integer or a vector of integers."""
        if not self.packed:
            return read_vector(m, operand, self.bits)
        return m.bitcast(read_vector(m, operand), vec(int_type(self.bits), 128 // self.bits))

    def write(self, m: Builder, operand: Operand, value: Any) -> None:
        if not self.packed:
            write_low(m, operand, value)
        else:
            assert isinstance(operand, Reg)
            m.set(operand.name, m.bitcast(value, I128))


FORMS = {"ss": Form(32, False), "sd": Form(64, False), "ps": Form(32, True), "pd": Form(64, True)}


def constant(m: Builder, ty: Ty, value: int) -> Any:
    """An integer constant of a scalar type, or in every lane of a vector type."""
    scalar = m.const(ty.element, value)
    return scalar if ty.lanes == 1 else m.splat(scalar, ty.lanes)


def as_float(m: Builder, value: Any) -> Any:
    """Integers as floats of their size, lane by lane."""
    return m.bitcast(value, value.ty.with_element(float_type(value.ty.bits)))


# ---- NaNs (SDM vol. 1, 4.8.3.5 and table 4-7) ----


def _exponent(ty: Ty) -> int:
    """The bits of plus infinity: above them, sign apart, lie the NaNs."""
    return 0x7F800000 if ty.bits == 32 else 0x7FF0000000000000


def _quiet_bit(ty: Ty) -> int:
    return 1 << (22 if ty.bits == 32 else 51)


def with_nan_rule(m: Builder, result: Any, a: Any, b: Any = None) -> Any:
    """The integer form of an arithmetic result, its NaN chosen as SSE does.

    That is the first operand that is a NaN, made quiet, or else the "real indefinite". `a` and
    `b` are the operands as integers. All floating-point arithmetic of this ISA goes through here.
    """
    ty = a.ty
    exponent, quiet = constant(m, ty, _exponent(ty)), constant(m, ty, _quiet_bit(ty))
    magnitude = constant(m, ty, ty.mask >> 1)
    nan = constant(m, ty, 1 << (ty.bits - 1) | _exponent(ty) | _quiet_bit(ty))
    for operand in (b, a):
        if operand is not None:
            plain = m.ule(m.and_(operand, magnitude), exponent)
            nan = m.select(plain, nan, m.or_(operand, quiet))
    return m.float_bits(result, nan)


def _arithmetic(operation: Callable[[Builder, Any, Any], Any], form: Form) -> Semantics:
    def semantics(m: Builder, insn: Insn) -> None:
        dst, src = insn.operands
        a, b = form.read(m, dst), form.read(m, src)
        result = operation(m, as_float(m, a), as_float(m, b))
        form.write(m, dst, with_nan_rule(m, result, a, b))

    return semantics


def _sqrt(form: Form) -> Semantics:
    def semantics(m: Builder, insn: Insn) -> None:
        dst, src = insn.operands
        a = form.read(m, src)
        form.write(m, dst, with_nan_rule(m, m.fsqrt(as_float(m, a)), a))

    return semantics


def _extreme(greater: bool, form: Form) -> Semantics:
    """min, max: the second operand unless the first is strictly less (greater), bits unchanged."""

    def semantics(m: Builder, insn: Insn) -> None:
        dst, src = insn.operands
        a, b = form.read(m, dst), form.read(m, src)
        low, high = as_float(m, a), as_float(m, b)
        if greater:
            low, high = high, low
        form.write(m, dst, m.select(m.flt(low, high), a, b))

    return semantics


# ---- comparisons ----

_PREDICATES: dict[str, Callable[[Builder, Any, Any], Any]] = {
    "eq": lambda m, a, b: m.feq(a, b),
    "lt": lambda m, a, b: m.flt(a, b),
    "le": lambda m, a, b: m.fle(a, b),
    "unord": lambda m, a, b: m.funo(a, b),
    "neq": lambda m, a, b: m.not_(m.feq(a, b)),
    "nlt": lambda m, a, b: m.not_(m.flt(a, b)),
    "nle": lambda m, a, b: m.not_(m.fle(a, b)),
    "ord": lambda m, a, b: m.not_(m.funo(a, b)),
}


def _compare(predicate: str, form: Form) -> Semantics:
    """cmp with a predicate: all ones where it holds."""

    def semantics(m: Builder, insn: Insn) -> None:
        dst, src = insn.operands
        a, b = as_float(m, form.read(m, dst)), as_float(m, form.read(m, src))
        form.write(m, dst, m.sext(_PREDICATES[predicate](m, a, b), form.bits))

    return semantics


def _compare_flags(form: Form) -> Semantics:
    """comis, ucomis: unordered sets ZF, PF and CF; they differ in exceptions only."""

    def semantics(m: Builder, insn: Insn) -> None:
        dst, src = insn.operands
        a, b = as_float(m, form.read(m, dst)), as_float(m, form.read(m, src))
        unordered = m.funo(a, b)
        set_flags(
            m,
            zf=m.or_(unordered, m.feq(a, b)),
            pf=unordered,
            cf=m.xor(m.fle(b, a), m.const(I1, 1)),
            of=0,
            sf=0,
            af=0,
        )

    return semantics


# ---- conversions ----


def _bits_of_float(value: float, bits: int) -> int:
    return int.from_bytes(struct.pack("<f" if bits == 32 else "<d", value), "little")


def _to_int(m: Builder, a: Any, bits: int, nearest: bool) -> Any:
    """Floats (given as integers) to signed integers; 1000…0 where the value does not fit."""
    value = as_float(m, a)
    if nearest:
        value = m.fround(value, Rounding.NEAREST_EVEN)
    limit = as_float(m, constant(m, a.ty, _bits_of_float(2.0 ** (bits - 1), a.ty.bits)))
    fits = m.flt(value, limit)  # values too low already saturate to 1000…0
    result = m.fptosi(value, bits)
    return m.select(fits, result, constant(m, result.ty, 1 << (bits - 1)))


def _widen(m: Builder, a: Any) -> Any:
    """Singles to doubles; a NaN is made quiet and keeps its sign and the top of its payload."""
    result = m.fpext(as_float(m, a))
    wide = m.zext(a, 64)
    ty = wide.ty
    sign = m.shl(m.lshr(wide, constant(m, ty, 31)), constant(m, ty, 63))
    payload = m.lshr(m.shl(wide, constant(m, ty, 41)), constant(m, ty, 12))
    head = constant(m, ty, _exponent(ty) | _quiet_bit(ty))
    nan = m.or_(m.or_(sign, payload), head)
    return m.float_bits(result, nan)


def _narrow(m: Builder, a: Any) -> Any:
    """Doubles to singles, NaNs as in `_widen`."""
    result = m.fptrunc(as_float(m, a))
    ty = a.ty.with_element(I32)
    sign = m.shl(m.trunc(m.lshr(a, constant(m, a.ty, 63)), 32), constant(m, ty, 31))
    payload = m.trunc(m.lshr(m.shl(a, constant(m, a.ty, 12)), constant(m, a.ty, 41)), 32)
    head = constant(m, ty, _exponent(ty) | _quiet_bit(ty))
    nan = m.or_(m.or_(sign, payload), head)
    return m.float_bits(result, nan)


def _float_to_general(form: Form, nearest: bool) -> Semantics:
    """cvtss2si and its kin: to a register of 32 or 64 bits."""

    def semantics(m: Builder, insn: Insn) -> None:
        dst, src = insn.operands
        write(m, dst, _to_int(m, form.read(m, src), bits_of(dst), nearest))

    return semantics


def _general_to_float(element: Ty) -> Semantics:
    def semantics(m: Builder, insn: Insn) -> None:
        dst, src = insn.operands
        value = m.sitofp(read(m, src, bits_of(src)), element)
        write_low(m, dst, m.bitcast(value, int_type(element.bits)))

    return semantics


def _scalar_to_float(source_bits: int, convert: Callable[[Builder, Any], Any]) -> Semantics:
    """cvtss2sd, cvtsd2ss."""

    def semantics(m: Builder, insn: Insn) -> None:
        dst, src = insn.operands
        write_low(m, dst, convert(m, read_vector(m, src, source_bits)))

    return semantics


def _packed(source: Ty, convert: Callable[[Builder, Any], Any]) -> Semantics:
    """A packed conversion from lanes of integers; what it does not fill becomes zero."""

    def semantics(m: Builder, insn: Insn) -> None:
        dst, src = insn.operands
        value = read_vector(m, src, source.size_bits)
        result = convert(m, m.bitcast(value, source))
        write_zext(m, dst, m.bitcast(result, int_type(result.ty.size_bits)))

    return semantics


def _int_to_lanes(m: Builder, a: Any, element: Ty) -> Any:
    result = m.sitofp(a, element)
    return m.bitcast(result, a.ty.with_element(int_type(element.bits)))


_TWO_32, _FOUR_32, _TWO_64 = vec(I32, 2), vec(I32, 4), vec(I64, 2)


# ---- MXCSR ----


def _ldmxcsr(m: Builder, insn: Insn) -> None:
    value = read(m, insn.operands[0], 32)
    control = m.and_(value, m.same(value, ~_MXCSR_STICKY))
    m.trap_if(m.ne(control, m.same(value, MXCSR_DEFAULT)), Trap.ILLEGAL)
    m.set("mxcsr", value)


def _stmxcsr(m: Builder, insn: Insn) -> None:
    # The control bits have their default even where nobody set the register.
    value = m.get("mxcsr")
    write(m, insn.operands[0], m.or_(value, m.same(value, MXCSR_DEFAULT)))


# ---- moves ----


def _move_scalar(bits: int) -> Semantics:
    """movss, movsd: loads clear the rest of the register, moves between registers keep it."""

    def semantics(m: Builder, insn: Insn) -> None:
        dst, src = insn.operands
        value = read_vector(m, src, bits)
        if isinstance(dst, Mem):
            write(m, dst, value)
        elif isinstance(src, Mem):
            write_zext(m, dst, value)
        else:
            write_low(m, dst, value)

    return semantics


def _move_half(high: bool) -> Semantics:
    """movlps, movhps and their pd twins: one half from or to memory."""

    def semantics(m: Builder, insn: Insn) -> None:
        dst, src = insn.operands
        lane = int(high)
        if isinstance(dst, Mem):
            assert isinstance(src, Reg)
            write(m, dst, m.extract(m.bitcast(m.get(src.name), _TWO_64), lane))
        else:
            _set_half(m, dst, lane, read_vector(m, src, 64))

    return semantics


def _set_half(m: Builder, dst: Operand, lane: int, value: Any) -> None:
    assert isinstance(dst, Reg)
    halves = m.bitcast(m.get(dst.name), _TWO_64)
    m.set(dst.name, m.bitcast(m.insert(halves, lane, value), I128))


def _move_between_halves(dst_lane: int) -> Semantics:
    """movlhps, movhlps."""

    def semantics(m: Builder, insn: Insn) -> None:
        dst, src = insn.operands
        halves = m.bitcast(read_vector(m, src), _TWO_64)
        _set_half(m, dst, dst_lane, m.extract(halves, 1 - dst_lane))

    return semantics


def _families() -> dict[str, Semantics]:
    """The entries that exist for every suffix."""
    table: dict[str, Semantics] = {}
    for suffix, form in FORMS.items():
        table |= {
            f"add{suffix}": _arithmetic(Builder.fadd, form),
            f"sub{suffix}": _arithmetic(Builder.fsub, form),
            f"mul{suffix}": _arithmetic(Builder.fmul, form),
            f"div{suffix}": _arithmetic(Builder.fdiv, form),
            f"sqrt{suffix}": _sqrt(form),
            f"min{suffix}": _extreme(False, form),
            f"max{suffix}": _extreme(True, form),
            **{f"cmp{name}{suffix}": _compare(name, form) for name in _PREDICATES},
        }
    return table


TABLE: dict[str, Semantics] = {
    **_families(),
    **{f"{u}comi{s}": _compare_flags(FORMS[s]) for u in ("", "u") for s in ("ss", "sd")},
    "cvtsi2ss": _general_to_float(F32),
    "cvtsi2sd": _general_to_float(F64),
    **{f"cvtt{s}2si": _float_to_general(FORMS[s], nearest=False) for s in ("ss", "sd")},
    **{f"cvt{s}2si": _float_to_general(FORMS[s], nearest=True) for s in ("ss", "sd")},
    "cvtss2sd": _scalar_to_float(32, _widen),
    "cvtsd2ss": _scalar_to_float(64, _narrow),
    "cvtps2pd": _packed(_TWO_32, _widen),
    "cvtpd2ps": _packed(_TWO_64, _narrow),
    "cvtdq2ps": _packed(_FOUR_32, lambda m, a: _int_to_lanes(m, a, F32)),
    "cvtdq2pd": _packed(_TWO_32, lambda m, a: _int_to_lanes(m, a, F64)),
    "cvtps2dq": _packed(_FOUR_32, lambda m, a: _to_int(m, a, 32, nearest=True)),
    "cvttps2dq": _packed(_FOUR_32, lambda m, a: _to_int(m, a, 32, nearest=False)),
    "cvtpd2dq": _packed(_TWO_64, lambda m, a: _to_int(m, a, 32, nearest=True)),
    "cvttpd2dq": _packed(_TWO_64, lambda m, a: _to_int(m, a, 32, nearest=False)),
    "ldmxcsr": _ldmxcsr,
    "stmxcsr": _stmxcsr,
    "movss": _move_scalar(32),
    "movsd": _move_scalar(64),
    "movlps": _move_half(high=False),
    "movlpd": _move_half(high=False),
    "movhps": _move_half(high=True),
    "movhpd": _move_half(high=True),
    "movlhps": _move_between_halves(1),
    "movhlps": _move_between_halves(0),
}
