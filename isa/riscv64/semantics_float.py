"""RV64 F and D: arithmetic, comparison, sign injection, classification, loads and stores.

Unprivileged ISA, chapters 11 and 12. Arithmetic rounds to nearest even: the decoder refuses a
static mode that asks for another, and fcsr.frm can hold no other. Operations do not raise the
exception flags in fcsr.fflags. Conversions are in `semantics_convert`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hcc.isa.arch import Insn, Mem, Reg, Semantics
from hcc.isa.builder import Builder
from hcc.isa.riscv64.nan import NAN, read_bits, read_float, write_bits, write_float
from hcc.isa.riscv64.operands import address, read, write
from hcc.isa.values import float_type, int_type


def _arithmetic(f: Callable[..., Any]) -> Semantics:
    """rd = f(rs1, …), rounded to nearest even."""

    def semantics(m: Builder, insn: Insn) -> None:
        rd, *sources = insn.operands
        write_float(m, rd, f(m, *(read_float(m, source) for source in sources)))

    return semantics


def _negative(m: Builder, value: Any) -> Any:
    """The value with its sign bit turned, NaN or not."""
    bits = m.bitcast(value, int_type(value.ty.bits))
    return m.bitcast(m.xor(bits, m.same(bits, 1 << (value.ty.bits - 1))), value.ty)


def _fused(negate_product: bool, negate_addend: bool) -> Callable[..., Any]:
    """±(a * b) ± c with one rounding."""

    def fused(m: Builder, a: Any, b: Any, c: Any) -> Any:
        return m.fma(
            _negative(m, a) if negate_product else a, b, _negative(m, c) if negate_addend else c
        )

    return fused


def _extreme(larger: bool) -> Semantics:
    """fmin, fmax: a NaN loses to a number, -0 is less than +0 (11.6)."""

    def semantics(m: Builder, insn: Insn) -> None:
        rd, rs1, rs2 = insn.operands
        a, b = read_bits(m, rs1), read_bits(m, rs2)
        fa, fb = (m.bitcast(bits, float_type(bits.ty.bits)) for bits in (a, b))
        # Equal operands have equal bits, except for zeros, where the sign decides.
        equal = m.and_(a, b) if larger else m.or_(a, b)
        nan = m.same(a, NAN[a.ty.bits])
        unordered = m.select(m.feq(fa, fa), a, m.select(m.feq(fb, fb), b, nan))
        less, more = m.flt(fa, fb), m.flt(fb, fa)
        if larger:
            less, more = more, less
        chosen = m.select(m.feq(fa, fb), equal, unordered)
        write_bits(m, rd, m.select(less, a, m.select(more, b, chosen)))

    return semantics


def _sign(f: Callable[[Builder, Any, Any], Any]) -> Semantics:
    """rd = rs1 with the sign f(sign of rs1, sign of rs2)."""

    def semantics(m: Builder, insn: Insn) -> None:
        rd, rs1, rs2 = insn.operands
        a, b = read_bits(m, rs1), read_bits(m, rs2)
        sign = 1 << (a.ty.bits - 1)
        if rs1 == rs2 and f is _sign_of_second:  # fmv
            write_bits(m, rd, a)
            return
        magnitude = m.and_(a, m.same(a, ~sign))
        write_bits(m, rd, m.or_(magnitude, m.and_(f(m, a, b), m.same(a, sign))))

    return semantics


def _sign_of_second(m: Builder, a: Any, b: Any) -> Any:
    return b


def _compare(name: str) -> Semantics:
    """1 if the relation holds, 0 if not or unordered."""

    def semantics(m: Builder, insn: Insn) -> None:
        rd, rs1, rs2 = insn.operands
        write(m, rd, m.zext(getattr(m, name)(read_float(m, rs1), read_float(m, rs2)), 64))

    return semantics


def _classify(m: Builder, insn: Insn) -> None:
    """One bit of ten, by table 11.5."""
    rd, rs1 = insn.operands
    a = read_bits(m, rs1)
    sign = 1 << (a.ty.bits - 1)
    quiet = NAN[a.ty.bits]
    infinity = quiet & quiet << 1  # all of the exponent, none of the mantissa
    least_normal = infinity & -infinity
    magnitude = m.and_(a, m.same(a, sign - 1))
    negative = m.ne(m.and_(a, m.same(a, sign)), m.same(a, 0))

    def signed(minus: int, plus: int) -> Any:
        return m.select(negative, m.i64(1 << minus), m.i64(1 << plus))

    result = m.select(m.ult(magnitude, m.same(a, quiet)), m.i64(1 << 8), m.i64(1 << 9))
    for limit, minus, plus in (
        (infinity + 1, 0, 7),
        (infinity, 1, 6),
        (least_normal, 2, 5),
        (1, 3, 4),
    ):
        below = m.ult(magnitude, m.same(a, limit))
        result = m.select(below, signed(minus, plus), result)
    write(m, rd, result)


def _load(m: Builder, insn: Insn) -> None:
    rd, mem = insn.operands
    assert isinstance(mem, Mem)
    write_bits(m, rd, m.load(address(m, mem), mem.bits))


def _store(m: Builder, insn: Insn) -> None:
    """The low bits as they are, boxed or not."""
    rs2, mem = insn.operands
    assert isinstance(rs2, Reg) and isinstance(mem, Mem)
    m.store(address(m, mem), m.trunc(m.get(rs2.name), mem.bits))


def _move_out(m: Builder, insn: Insn) -> None:
    """fmv.x.w, fmv.x.d: the low bits as they are, sign-extended."""
    rd, rs1 = insn.operands
    assert isinstance(rs1, Reg)
    write(m, rd, m.trunc(m.get(rs1.name), rs1.bits))


def _move_in(m: Builder, insn: Insn) -> None:
    rd, rs1 = insn.operands
    assert isinstance(rd, Reg)
    write_bits(m, rd, read(m, rs1, rd.bits))


_FAMILIES: dict[str, Semantics] = {
    "fadd": _arithmetic(lambda m, a, b: m.fadd(a, b)),
    "fsub": _arithmetic(lambda m, a, b: m.fsub(a, b)),
    "fmul": _arithmetic(lambda m, a, b: m.fmul(a, b)),
    "fdiv": _arithmetic(lambda m, a, b: m.fdiv(a, b)),
    "fsqrt": _arithmetic(lambda m, a: m.fsqrt(a)),
    "fmadd": _arithmetic(_fused(negate_product=False, negate_addend=False)),
    "fmsub": _arithmetic(_fused(negate_product=False, negate_addend=True)),
    "fnmsub": _arithmetic(_fused(negate_product=True, negate_addend=False)),
    "fnmadd": _arithmetic(_fused(negate_product=True, negate_addend=True)),
    "fmin": _extreme(larger=False),
    "fmax": _extreme(larger=True),
    "fsgnj": _sign(_sign_of_second),
    "fsgnjn": _sign(lambda m, a, b: m.not_(b)),
    "fsgnjx": _sign(lambda m, a, b: m.xor(a, b)),
    "feq": _compare("feq"),
    "flt": _compare("flt"),
    "fle": _compare("fle"),
    "fclass": _classify,
}

TABLE: dict[str, Semantics] = {
    **{f"{name}.{width}": f for name, f in _FAMILIES.items() for width in "sd"},
    **dict.fromkeys(("flw", "fld"), _load),
    **dict.fromkeys(("fsw", "fsd"), _store),
    **dict.fromkeys(("fmv.x.w", "fmv.x.d"), _move_out),
    **dict.fromkeys(("fmv.w.x", "fmv.d.x"), _move_in),
}
