"""Operands as values: reading and writing registers, addresses, conditions and vector lanes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hcc.isa.aarch64.operands import (
    NO_WRITEBACK,
    ZERO_REGISTER,
    Addressing,
    Modifier,
    WriteBack,
    lanes,
)
from hcc.isa.arch import Imm, Mem, Operand, Reg
from hcc.isa.builder import Builder
from hcc.isa.values import I1, I64, I128, Ty, int_type, vec

# ---- general registers ----


def read(m: Builder, operand: Operand, bits: int | None = None) -> Any:
    """The value of a general register, with its shift or extension, or of an immediate.

    `bits` is the width wanted: that of the instruction's result. By default the register's own.
    """
    if isinstance(operand, Imm):
        assert bits is not None
        return m.const(int_type(bits), operand.value)
    assert isinstance(operand, Reg)
    value = register(m, operand.name, operand.bits)
    wanted = bits or operand.bits
    if isinstance(operand.extra, Modifier):
        return modified(m, value, operand.extra, wanted)
    return m.zext(value, wanted) if wanted > operand.bits else m.trunc(value, wanted)


def register(m: Builder, name: str, bits: int) -> Any:
    """The low `bits` bits of a register of the state, or of the zero register."""
    if name == ZERO_REGISTER:
        return m.const(int_type(bits), 0)
    return m.trunc(m.get(name), bits)


def modified(m: Builder, value: Any, modifier: Modifier, bits: int) -> Any:
    """`value` shifted (ShiftReg) or extended (ExtendReg) to `bits` bits."""
    kind, amount = modifier.kind, modifier.amount
    if kind[1:3] == "xt":
        narrow = m.trunc(value, min({"b": 8, "h": 16, "w": 32, "x": 64}[kind[3]], value.ty.bits))
        wide = m.zext(narrow, bits) if kind[0] == "u" else m.sext(narrow, bits)
        return m.shl(wide, m.same(wide, amount)) if amount else wide
    value = m.zext(value, bits)
    count = m.same(value, amount)
    match kind:
        case "lsl":
            return m.shl(value, count)
        case "lsr":
            return m.lshr(value, count)
        case "asr":
            return m.ashr(value, count)
        case _:
            return rotate_right(m, value, amount)


def rotate_right(m: Builder, value: Any, amount: int) -> Any:
    bits = value.ty.bits
    if amount == 0:
        return value
    return m.or_(m.lshr(value, m.same(value, amount)), m.shl(value, m.same(value, bits - amount)))


def write(m: Builder, target: Reg, value: Any) -> None:
    """Set a general or SIMD register operand; the bits above `value` become zero."""
    if target.name == ZERO_REGISTER:
        return
    width = 128 if target.name[0] == "v" else 64
    m.set(target.name, m.zext(value, width))


# ---- memory ----


def address(m: Builder, operand: Operand) -> tuple[Any, tuple[str, Any] | None]:
    """Where a memory operand points, and the base register with its new value if it moves.

    A literal (an immediate in the operand's place) is its own address.
    """
    if isinstance(operand, Imm):
        return m.i64(operand.value), None
    assert isinstance(operand, Mem) and operand.base is not None
    addressing = operand.extra or NO_WRITEBACK
    assert isinstance(addressing, Addressing)
    base = m.get(operand.base)
    moved = base
    if operand.index is not None:
        moved = m.add(base, _index(m, operand, addressing))
    elif operand.disp:
        moved = m.add(base, m.i64(operand.disp))
    match addressing.writeback:
        case WriteBack.NONE:
            return moved, None
        case WriteBack.PRE:
            return moved, (operand.base, moved)
        case WriteBack.POST:
            return base, (operand.base, moved)


def _index(m: Builder, operand: Mem, addressing: Addressing) -> Any:
    assert operand.index is not None
    if addressing.extend is None:
        index = register(m, operand.index, 64)
    else:
        narrow = register(m, operand.index, 32)
        index = m.sext(narrow, 64) if addressing.extend[0] == "s" else m.zext(narrow, 64)
    return m.shl(index, m.i64(operand.scale.bit_length() - 1)) if operand.scale > 1 else index


def write_back(m: Builder, moved: tuple[str, Any] | None) -> None:
    if moved is not None:
        m.set(*moved)


# ---- conditions ----


def condition(m: Builder, name: str) -> Any:
    """ConditionHolds (Arm ARM, C1.2.4) as an i1."""
    match name:
        case "eq":
            return m.get("zf")
        case "hs":
            return m.get("cf")
        case "mi":
            return m.get("nf")
        case "vs":
            return m.get("vf")
        case "hi":
            return m.and_(m.get("cf"), m.not_(m.get("zf")))
        case "lt":
            return m.xor(m.get("nf"), m.get("vf"))
        case "le":
            return m.or_(m.get("zf"), condition(m, "lt"))
        case "al" | "nv":
            return m.const(I1, 1)
    opposite = {"ne": "eq", "lo": "hs", "pl": "mi", "vc": "vs", "ls": "hi", "ge": "lt", "gt": "le"}
    return m.not_(condition(m, opposite[name]))


def set_flags(m: Builder, n: Any, z: Any, c: Any, v: Any) -> None:
    for name, value in zip(("nf", "zf", "cf", "vf"), (n, z, c, v), strict=True):
        m.set(name, value)


# ---- SIMD registers ----


def lane_type(register: Reg) -> Ty:
    """The type of a SIMD register operand as integers: one lane is a scalar."""
    view = lanes(register)
    return vec(int_type(view.bits), view.count)


def vector(m: Builder, register: Reg) -> Any:
    """The lanes of a SIMD register operand; a picked lane (`v3.s[1]`) is a scalar."""
    view = lanes(register)
    if view.index is not None:
        return m.extract(m.bitcast(m.get(register.name), lane_type(register)), view.index)
    return m.bitcast(m.trunc(m.get(register.name), register.bits), lane_type(register))


def set_vector(m: Builder, register: Reg, value: Any) -> None:
    """Set all of a SIMD register from lanes or a scalar; the rest of it becomes zero."""
    bits = value.ty.size_bits
    m.set(register.name, m.zext(m.bitcast(value, int_type(bits)), 128))


def set_lane(m: Builder, register: Reg, value: Any) -> None:
    """Set the picked lane of `v3.s[1]` and leave the others."""
    view = lanes(register)
    assert view.index is not None
    whole = m.bitcast(m.get(register.name), lane_type(register))
    set_vector(m, register, m.insert(whole, view.index, value))


def set_low_or_high(m: Builder, register: Reg, value: Any, high: bool) -> None:
    """The result of a narrowing instruction: 64 bits that zero the upper half or replace it."""
    narrow = m.zext(m.bitcast(value, I64), 128)
    if high:
        low = m.zext(m.trunc(m.get(register.name), 64), 128)
        narrow = m.or_(low, m.shl(narrow, m.const(I128, 64)))
    m.set(register.name, narrow)


def narrow_source(m: Builder, value: Any, count: int) -> Any:
    """The lanes a widening instruction takes: all, or of twice as many the upper `count`."""
    total = value.ty.lanes
    return value if total == count else m.shuffle(value, value, range(total - count, total))


def splat_of(m: Builder, value: Any, count: int) -> Any:
    """`value` in `count` lanes (one lane is the scalar itself)."""
    return value if count == 1 else m.splat(value, count)


def constant(m: Builder, ty: Ty, value: int) -> Any:
    """The integer `value` in every lane of `ty`."""
    return splat_of(m, m.const(ty.element, value), ty.lanes)


def build(m: Builder, values: Sequence[Any]) -> Any:
    """A vector of scalars; one of them is the scalar itself."""
    return values[0] if len(values) == 1 else m.build(values)
