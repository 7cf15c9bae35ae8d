"""SSE2 integer vectors, shuffles and whole-register moves (SDM vol. 2).

An instruction is a rule on lanes of one size; the size and the rule make its entry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import gcd
from typing import Any

from hcc.isa.arch import Imm, Insn, Mem, Operand, Reg, Semantics
from hcc.isa.builder import Builder
from hcc.isa.values import I64, I128, int_type, vec
from hcc.isa.x86_64.operands import bits_of, read, read_vector, write, write_zext
from hcc.isa.x86_64.semantics_float import constant

_SIZES = {"b": 8, "w": 16, "d": 32, "q": 64}


def _lanes(m: Builder, operand: Operand, bits: int) -> Any:
    return m.bitcast(read_vector(m, operand), vec(int_type(bits), 128 // bits))


def _set(m: Builder, operand: Operand, value: Any) -> None:
    assert isinstance(operand, Reg)
    m.set(operand.name, m.bitcast(value, I128))


Rule = Callable[[Builder, Any, Any], Any]


def _binary(bits: int, rule: Rule) -> Semantics:
    def semantics(m: Builder, insn: Insn) -> None:
        dst, src = insn.operands
        _set(m, dst, rule(m, _lanes(m, dst, bits), _lanes(m, src, bits)))

    return semantics


# ---- moves ----


def _move(m: Builder, insn: Insn) -> None:
    """The whole register; alignment is not checked."""
    dst, src = insn.operands
    if isinstance(dst, Mem):
        write(m, dst, read_vector(m, src))
    else:
        _set(m, dst, read_vector(m, src))


def _move_low(m: Builder, insn: Insn) -> None:
    """movd, movq: between an xmm register and a general register, memory or another."""
    dst, src = insn.operands
    bits = 32 if insn.mnemonic == "movd" else 64
    if isinstance(dst, Reg) and dst.bits == 128:
        is_vector = isinstance(src, Reg) and src.bits == 128
        write_zext(m, dst, read_vector(m, src, bits) if is_vector else read(m, src, bits))
    else:
        write(m, dst, read_vector(m, src, bits))


def _move_mask(bits: int) -> Semantics:
    """movmskps, movmskpd, pmovmskb: the sign bits, side by side."""

    def semantics(m: Builder, insn: Insn) -> None:
        dst, src = insn.operands
        value = _lanes(m, src, bits)
        negative = m.slt(value, constant(m, value.ty, 0))
        mask = m.bitcast(negative, int_type(value.ty.lanes))
        write(m, dst, m.zext(mask, bits_of(dst)))

    return semantics


def _pextrw(m: Builder, insn: Insn) -> None:
    dst, src, lane = insn.operands
    assert isinstance(lane, Imm)
    word = m.extract(_lanes(m, src, 16), lane.value & 7)
    write(m, dst, m.zext(word, bits_of(dst)))


def _pinsrw(m: Builder, insn: Insn) -> None:
    dst, src, lane = insn.operands
    assert isinstance(lane, Imm)
    _set(m, dst, m.insert(_lanes(m, dst, 16), lane.value & 7, read(m, src, 16)))


# ---- logic ----


def _pxor(m: Builder, insn: Insn) -> None:
    if insn.operands[0] == insn.operands[1]:
        _set(m, insn.operands[0], m.const(I128, 0))
    else:
        _general_pxor(m, insn)


_general_pxor = _binary(64, Builder.xor)
_and = _binary(64, Builder.and_)
_or = _binary(64, Builder.or_)
_andn = _binary(64, lambda m, a, b: m.and_(m.not_(a), b))


def _pcmpeq(bits: int) -> Semantics:
    def semantics(m: Builder, insn: Insn) -> None:
        dst, src = insn.operands
        if dst == src:  # the usual way to get all ones
            _set(m, dst, m.const(I128, -1))
        else:
            general(m, insn)

    general = _binary(bits, lambda m, a, b: m.sext(m.eq(a, b), bits))
    return semantics


def _pcmpgt(bits: int) -> Semantics:
    return _binary(bits, lambda m, a, b: m.sext(m.slt(b, a), bits))


# ---- arithmetic ----


def _smaller(compare: Rule) -> Rule:
    return lambda m, a, b: m.select(compare(m, a, b), a, b)


def _greater(compare: Rule) -> Rule:
    return lambda m, a, b: m.select(compare(m, b, a), a, b)


def _clamp(m: Builder, value: Any, low: int, high: int) -> Any:
    """Signed lanes limited to low … high."""
    floor, ceiling = constant(m, value.ty, low), constant(m, value.ty, high)
    value = m.select(m.slt(value, floor), floor, value)
    return m.select(m.slt(ceiling, value), ceiling, value)


def _saturating(bits: int, operation: Rule, signed: bool) -> Semantics:
    """padds, paddus, psubs, psubus: computed in twice the size and clamped."""
    low, high = _range(bits, signed)

    def rule(m: Builder, a: Any, b: Any) -> Any:
        widen = m.sext if signed else m.zext
        exact = operation(m, widen(a, 2 * bits), widen(b, 2 * bits))
        return m.trunc(_clamp(m, exact, low, high), bits)

    return _binary(bits, rule)


def _range(bits: int, signed: bool) -> tuple[int, int]:
    half = 1 << (bits - 1)
    return (-half, half - 1) if signed else (0, 2 * half - 1)


def _pack(bits: int, signed: bool) -> Semantics:
    """packss, packus: signed lanes of both operands, clamped to half the size."""
    low, high = _range(bits // 2, signed)

    def semantics(m: Builder, insn: Insn) -> None:
        dst, src = insn.operands
        a, b = (
            m.trunc(_clamp(m, _lanes(m, operand, bits), low, high), bits // 2)
            for operand in (dst, src)
        )
        _set(m, dst, m.shuffle(a, b, range(2 * a.ty.lanes)))

    return semantics


def _high_product(widen: Callable[[Builder, Any, int], Any]) -> Rule:
    def rule(m: Builder, a: Any, b: Any) -> Any:
        product = m.mul(widen(m, a, 32), widen(m, b, 32))
        return m.trunc(m.lshr(product, constant(m, product.ty, 16)), 16)

    return rule


def _pmuludq(m: Builder, a: Any, b: Any) -> Any:
    """The low halves of 64-bit lanes, multiplied."""
    mask = constant(m, a.ty, 0xFFFFFFFF)
    return m.mul(m.and_(a, mask), m.and_(b, mask))


def _pmaddwd(m: Builder, a: Any, b: Any) -> Any:
    product = m.mul(m.sext(a, 32), m.sext(b, 32))
    even = m.shuffle(product, product, range(0, 8, 2))
    return m.add(even, m.shuffle(product, product, range(1, 8, 2)))


def _average(bits: int) -> Rule:
    def rule(m: Builder, a: Any, b: Any) -> Any:
        total = m.add(m.zext(a, 2 * bits), m.zext(b, 2 * bits))
        one = constant(m, total.ty, 1)
        return m.trunc(m.lshr(m.add(total, one), one), bits)

    return rule


def _psadbw(m: Builder, a: Any, b: Any) -> Any:
    """Sums of absolute differences of bytes, one for each half."""
    difference = m.zext(m.select(m.ult(a, b), m.sub(b, a), m.sub(a, b)), 64)
    sums = []
    for start in (0, 8):
        part = m.shuffle(difference, difference, range(start, start + 8))
        while part.ty.lanes > 2:
            half = part.ty.lanes // 2
            low = m.shuffle(part, part, range(half))
            part = m.add(low, m.shuffle(part, part, range(half, 2 * half)))
        sums.append(m.add(m.extract(part, 0), m.extract(part, 1)))
    return m.build(sums)


# ---- shifts ----


def _shift(bits: int, move: Rule) -> Semantics:
    """psll, psrl, psra by an immediate or by the low 64 bits of a register.

    Counts above the size give zero, or copies of the sign for psra.
    """
    limit = bits - 1

    def semantics(m: Builder, insn: Insn) -> None:
        dst, src = insn.operands
        if isinstance(src, Imm):
            count = m.i64(src.value & 0xFF)
        else:
            count = m.extract(m.bitcast(read_vector(m, src), vec(I64, 2)), 0)
        value = _lanes(m, dst, bits)
        within = m.ule(count, m.i64(limit))
        other = m.i64(limit if move is Builder.ashr else 0)
        safe = m.trunc(m.select(within, count, other), bits)
        moved = move(m, value, m.splat(safe, value.ty.lanes))
        if move is not Builder.ashr:
            moved = m.select(within, moved, constant(m, value.ty, 0))
        _set(m, dst, moved)

    return semantics


def _shift_bytes(left: bool) -> Semantics:
    """pslldq, psrldq: the whole register by bytes, as a shuffle of the widest lanes that fit."""

    def semantics(m: Builder, insn: Insn) -> None:
        dst, count = insn.operands
        assert isinstance(count, Imm)
        size = min(count.value & 0xFF, 16)
        width = gcd(size, 8)
        step, lanes = size // width, 16 // width
        value = _lanes(m, dst, 8 * width)
        zeros = constant(m, value.ty, 0)
        if left:
            _set(m, dst, m.shuffle(zeros, value, range(lanes - step, 2 * lanes - step)))
        else:
            _set(m, dst, m.shuffle(value, zeros, range(step, lanes + step)))

    return semantics


# ---- shuffles ----


def _interleave(bits: int, high: bool) -> Semantics:
    """punpckl, punpckh, unpcklps …: lanes of both operands in turn, from one half."""
    lanes = 128 // bits
    start = lanes // 2 if high else 0
    order = [n for i in range(start, start + lanes // 2) for n in (i, i + lanes)]
    return _binary(bits, lambda m, a, b: m.shuffle(a, b, order))


def _fields(value: int, bits: int, count: int) -> list[int]:
    """The `count` selectors of `bits` bits in an immediate, lowest first."""
    return [value >> i * bits & (1 << bits) - 1 for i in range(count)]


def _permute(bits: int, order: Callable[[int], Sequence[int]]) -> Semantics:
    """pshufd, pshuflw, pshufhw: lanes of the source, chosen by the immediate."""

    def semantics(m: Builder, insn: Insn) -> None:
        dst, src, selector = insn.operands
        assert isinstance(selector, Imm)
        value = _lanes(m, src, bits)
        _set(m, dst, m.shuffle(value, value, order(selector.value)))

    return semantics


def _select(bits: int, order: Callable[[int], Sequence[int]]) -> Semantics:
    """shufps, shufpd: the low half from the destination, the high half from the source."""

    def semantics(m: Builder, insn: Insn) -> None:
        dst, src, selector = insn.operands
        assert isinstance(selector, Imm)
        a, b = _lanes(m, dst, bits), _lanes(m, src, bits)
        _set(m, dst, m.shuffle(a, b, order(selector.value)))

    return semantics


def _shufps_order(imm: int) -> list[int]:
    first, second, third, fourth = _fields(imm, 2, 4)
    return [first, second, third + 4, fourth + 4]


_MOVES = (
    "movaps", "movups", "movapd", "movupd", "movdqa", "movdqu", "movntps", "movntpd", "movntdq",
)  # fmt: skip


def _lane_families() -> dict[str, Semantics]:
    """The entries that exist for several lane sizes."""
    table: dict[str, Semantics] = {}
    for letter, bits in _SIZES.items():
        table[f"padd{letter}"] = _binary(bits, Builder.add)
        table[f"psub{letter}"] = _binary(bits, Builder.sub)
        if bits < 64:
            table[f"pcmpeq{letter}"] = _pcmpeq(bits)
            table[f"pcmpgt{letter}"] = _pcmpgt(bits)
        if bits < 32:
            for name, operation in (("padd", Builder.add), ("psub", Builder.sub)):
                table[f"{name}s{letter}"] = _saturating(bits, operation, signed=True)
                table[f"{name}us{letter}"] = _saturating(bits, operation, signed=False)
            table[f"pavg{letter}"] = _binary(bits, _average(bits))
        if bits > 8:
            table[f"psll{letter}"] = _shift(bits, Builder.shl)
            table[f"psrl{letter}"] = _shift(bits, Builder.lshr)
        if bits in (16, 32):
            table[f"psra{letter}"] = _shift(bits, Builder.ashr)
    for pair, bits in (("bw", 8), ("wd", 16), ("dq", 32), ("qdq", 64)):
        table[f"punpckl{pair}"] = _interleave(bits, high=False)
        table[f"punpckh{pair}"] = _interleave(bits, high=True)
    for suffix, bits in (("ps", 32), ("pd", 64)):
        table[f"unpckl{suffix}"] = _interleave(bits, high=False)
        table[f"unpckh{suffix}"] = _interleave(bits, high=True)
        table |= {f"and{suffix}": _and, f"or{suffix}": _or}
        table |= {f"andn{suffix}": _andn, f"xor{suffix}": _pxor}
        table[f"movmsk{suffix}"] = _move_mask(bits)
    return table


TABLE: dict[str, Semantics] = {
    **dict.fromkeys(_MOVES, _move),
    **_lane_families(),
    "movd": _move_low,
    "movq": _move_low,
    "pmovmskb": _move_mask(8),
    "pextrw": _pextrw,
    "pinsrw": _pinsrw,
    "pand": _and,
    "pandn": _andn,
    "por": _or,
    "pxor": _pxor,
    "pminub": _binary(8, _smaller(Builder.ult)),
    "pmaxub": _binary(8, _greater(Builder.ult)),
    "pminsw": _binary(16, _smaller(Builder.slt)),
    "pmaxsw": _binary(16, _greater(Builder.slt)),
    "packsswb": _pack(16, signed=True),
    "packssdw": _pack(32, signed=True),
    "packuswb": _pack(16, signed=False),
    "pmullw": _binary(16, Builder.mul),
    "pmulhw": _binary(16, _high_product(Builder.sext)),
    "pmulhuw": _binary(16, _high_product(Builder.zext)),
    "pmuludq": _binary(64, _pmuludq),
    "pmaddwd": _binary(16, _pmaddwd),
    "psadbw": _binary(8, _psadbw),
    "pslldq": _shift_bytes(left=True),
    "psrldq": _shift_bytes(left=False),
    "pshufd": _permute(32, lambda imm: _fields(imm, 2, 4)),
    "pshuflw": _permute(16, lambda imm: [*_fields(imm, 2, 4), 4, 5, 6, 7]),
    "pshufhw": _permute(16, lambda imm: [0, 1, 2, 3, *(4 + n for n in _fields(imm, 2, 4))]),
    "shufps": _select(32, _shufps_order),
    "shufpd": _select(64, lambda imm: [imm & 1, 2 + (imm >> 1 & 1)]),
}
