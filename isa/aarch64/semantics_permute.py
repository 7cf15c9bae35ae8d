"""Advanced SIMD moves: whole registers, bitwise selection, lanes, tables (Arm ARM, C3.6).

Bitwise instructions work on the register as one integer, whatever their arrangement says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hcc.isa.aarch64.access import (
    constant,
    lane_type,
    read,
    set_lane,
    set_vector,
    splat_of,
    vector,
    write,
)
from hcc.isa.aarch64.operands import imm, is_simd, lanes, reg
from hcc.isa.arch import Imm, Insn, Reg, Semantics
from hcc.isa.builder import Builder
from hcc.isa.values import I128, int_type


def _whole(m: Builder, register: Reg) -> Any:
    """The 64 or 128 bits of an operand as one integer."""
    return m.trunc(m.get(register.name), register.bits)


# ---- bitwise ----


def _replicated(register: Reg, value: int) -> int:
    """`value` in every lane, as one integer."""
    view = lanes(register)
    value &= (1 << view.bits) - 1
    return sum(value << i * view.bits for i in range(view.count))


def _bitwise(compute: Callable[..., Any]) -> Semantics:
    """rd = compute(rn, rm), or of the old rd and an immediate (orr, bic)."""

    def semantics(m: Builder, insn: Insn) -> None:
        target = reg(insn, 0)
        if isinstance(insn.operands[1], Imm):
            immediate = m.const(int_type(target.bits), _replicated(target, imm(insn, 1)))
            operands = [_whole(m, target), immediate]
        else:
            operands = [_whole(m, reg(insn, i)) for i in range(1, len(insn.operands))]
        write(m, target, compute(m, *operands))

    return semantics


def _bit_select(kind: str) -> Semantics:
    """bsl selects by the old rd; bit and bif insert where rm is one or zero."""

    def semantics(m: Builder, insn: Insn) -> None:
        target = reg(insn, 0)
        d, n, s = (_whole(m, reg(insn, i)) for i in range(3))
        match kind:
            case "bsl":
                result = m.xor(m.and_(m.xor(n, s), d), s)
            case "bit":
                result = m.xor(m.and_(m.xor(d, n), s), d)
            case _:
                result = m.xor(m.and_(m.xor(d, n), s), n)
        write(m, target, result)

    return semantics


def _movi(invert: bool) -> Semantics:
    def semantics(m: Builder, insn: Insn) -> None:
        target, value = reg(insn, 0), imm(insn, 1)
        bits = _replicated(target, ~value if invert else value)
        m.set(target.name, m.const(I128, bits))

    return semantics


# ---- lanes ----


def _scalar(m: Builder, source: Reg, bits: int) -> Any:
    """A lane, or the low bits of a general register."""
    return vector(m, source) if is_simd(source) else m.trunc(read(m, source), bits)


def _dup(m: Builder, insn: Insn) -> None:
    target = reg(insn, 0)
    view = lanes(target)
    set_vector(m, target, splat_of(m, _scalar(m, reg(insn, 1), view.bits), view.count))


def _ins(m: Builder, insn: Insn) -> None:
    target = reg(insn, 0)
    set_lane(m, target, _scalar(m, reg(insn, 1), lanes(target).bits))


def _lane_to_general(signed: bool) -> Semantics:
    def semantics(m: Builder, insn: Insn) -> None:
        target, value = reg(insn, 0), vector(m, reg(insn, 1))
        write(m, target, m.sext(value, target.bits) if signed else value)

    return semantics


def _permute(order: Callable[[int], Iterable[int]]) -> Semantics:
    """rd takes the lanes of rn:rm that `order(lane count)` lists."""

    def semantics(m: Builder, insn: Insn) -> None:
        a, b = vector(m, reg(insn, 1)), vector(m, reg(insn, 2))
        set_vector(m, reg(insn, 0), m.shuffle(a, b, list(order(a.ty.lanes))))

    return semantics


def _interleave(start: Callable[[int], int]) -> Callable[[int], list[int]]:
    """Lanes start(n) and up, alternately of rn and rm."""
    return lambda n: [start(n) + i // 2 + (n if i % 2 else 0) for i in range(n)]


def _transpose(odd: int) -> Callable[[int], list[int]]:
    return lambda n: [i - i % 2 + odd + (n if i % 2 else 0) for i in range(n)]


def _ext(m: Builder, insn: Insn) -> None:
    a, b, start = vector(m, reg(insn, 1)), vector(m, reg(insn, 2)), imm(insn, 3)
    set_vector(m, reg(insn, 0), m.shuffle(a, b, range(start, start + a.ty.lanes)))


def _reverse(container_bits: int) -> Semantics:
    """rev16, rev32, rev64: the order of lanes within each container."""

    def semantics(m: Builder, insn: Insn) -> None:
        a = vector(m, reg(insn, 1))
        last = container_bits // a.ty.bits - 1
        set_vector(m, reg(insn, 0), m.shuffle(a, a, [i ^ last for i in range(a.ty.lanes)]))

    return semantics


def _table(extend: bool) -> Semantics:
    """tbl: bytes of up to four registers by index, zero where the index is too big; tbx: kept."""

    def semantics(m: Builder, insn: Insn) -> None:
        target = reg(insn, 0)
        tables = [m.get(reg(insn, i).name) for i in range(1, len(insn.operands) - 1)]
        indices = vector(m, reg(insn, len(insn.operands) - 1))
        ty = lane_type(target)
        old = vector(m, target) if extend else constant(m, ty, 0)
        found = []
        for i in range(ty.lanes):
            index = m.extract(indices, i)
            low = m.and_(index, m.same(index, 15))
            count = m.shl(m.zext(low, 128), m.const(I128, 3))
            byte = m.extract(old, i)
            for number, table in reversed(list(enumerate(tables))):
                inside = m.ult(index, m.same(index, 16 * number + 16))
                byte = m.select(inside, m.trunc(m.lshr(table, count), 8), byte)
            found.append(byte)
        set_vector(m, target, m.build(found))

    return semantics


TABLE: dict[str, Semantics] = {
    "and (vector)": _bitwise(Builder.and_),
    "orr (vector)": _bitwise(Builder.or_),
    "eor (vector)": _bitwise(Builder.xor),
    "bic (vector)": _bitwise(lambda m, a, b: m.and_(a, m.not_(b))),
    "orn (vector)": _bitwise(lambda m, a, b: m.or_(a, m.not_(b))),
    "mvn (vector)": _bitwise(Builder.not_),
    "mov (vector)": _bitwise(lambda m, a: a),
    "bsl": _bit_select("bsl"),
    "bit": _bit_select("bit"),
    "bif": _bit_select("bif"),
    "movi": _movi(invert=False),
    "mvni": _movi(invert=True),
    "dup": _dup,
    "ins": _ins,
    "umov": _lane_to_general(signed=False),
    "smov": _lane_to_general(signed=True),
    "zip1": _permute(_interleave(lambda n: 0)),
    "zip2": _permute(_interleave(lambda n: n // 2)),
    "uzp1": _permute(lambda n: range(0, 2 * n, 2)),
    "uzp2": _permute(lambda n: range(1, 2 * n, 2)),
    "trn1": _permute(_transpose(0)),
    "trn2": _permute(_transpose(1)),
    "ext": _ext,
    "rev16 (vector)": _reverse(16),
    "rev32 (vector)": _reverse(32),
    "rev64": _reverse(64),
    "tbl": _table(extend=False),
    "tbx": _table(extend=True),
}
