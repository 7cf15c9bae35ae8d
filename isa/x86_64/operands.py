"""Operands and flags: what nearly every x86-64 instruction does with them.

Sizes: an operand has 8, 16, 32 or 64 bits; a write of 32 bits clears the upper half of the
register, one of 8 or 16 keeps the rest (SDM vol. 1, 3.4.1.1). Immediates take the size of
the instruction, so `read` is told it.

Flags: ZF and SF of a subtraction are written as comparisons of its operands, and OF as SF xor
"less than", so that the condition "less" (SF xor OF) folds back into one comparison in every
engine. Flags that the manual leaves undefined get a constant: a computation that nobody may use
should not keep its operands alive.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hcc.isa.arch import Imm, Mem, Operand, Reg
from hcc.isa.builder import Builder
from hcc.isa.values import I1, I8, I128, Ty, int_type, vec


def address(m: Builder, mem: Mem) -> Any:
    """The i64 address of a memory operand."""
    addr = m.get(mem.base) if mem.base else None
    if mem.index:
        index = m.get(mem.index)
        if mem.scale > 1:
            index = m.shl(index, m.i64(mem.scale.bit_length() - 1))
        addr = m.add(addr, index) if addr is not None else index
    if addr is None:
        addr = m.i64(mem.disp)
    elif mem.disp:
        addr = m.add(addr, m.i64(mem.disp))
    if mem.extra == 32:
        addr = m.zext(m.trunc(addr, 32), 64)
    return m.add(m.get(mem.segment), addr) if mem.segment else addr


def bits_of(operand: Operand) -> int:
    """The size of a register or memory operand."""
    assert not isinstance(operand, Imm)
    return operand.bits


def read(m: Builder, operand: Operand, bits: int) -> Any:
    """The operand's value as an integer of `bits` bits."""
    match operand:
        case Reg():
            value = m.get(operand.name)
            if operand.high:
                value = m.lshr(value, m.i64(8))
            return m.trunc(value, bits)
        case Imm():
            return m.const(int_type(bits), operand.value)
        case Mem():
            return m.load(address(m, operand), bits)


def write(m: Builder, operand: Operand, value: Any) -> None:
    """Change a general register or memory."""
    if isinstance(operand, Mem):
        m.store(address(m, operand), value)
        return
    assert isinstance(operand, Reg)
    m.set(operand.name, merged(m, operand, value))


def merged(m: Builder, register: Reg, value: Any) -> Any:
    """What the whole register holds after a write of `value` to its part."""
    bits = value.ty.bits
    wide = m.zext(value, 64)
    if bits >= 32:
        return wide
    shift = 8 if register.high else 0
    kept = m.and_(m.get(register.name), m.i64(~(value.ty.mask << shift)))
    return m.or_(kept, m.shl(wide, m.i64(shift)))


# ---- flags ----


def flag(m: Builder, value: int) -> Any:
    return m.const(I1, value)


def is_negative(m: Builder, value: Any) -> Any:
    return m.slt(value, m.same(value, 0))


def is_zero(m: Builder, value: Any) -> Any:
    return m.eq(value, m.same(value, 0))


def set_flags(m: Builder, **values: Any) -> None:
    """Set the named flags to i1 values or to constants 0 and 1."""
    for name, value in values.items():
        m.set(name, flag(m, value) if isinstance(value, int) else value)


def parity(m: Builder, result: Any) -> Any:
    """PF: the low byte has an even number of ones."""
    ones = m.ctpop(m.trunc(result, 8))
    return m.eq(m.and_(ones, m.const(I8, 1)), m.const(I8, 0))


def adjust(m: Builder, a: Any, b: Any, result: Any) -> Any:
    """AF: the carry or borrow from bit 3 to bit 4."""
    changed = m.xor(m.xor(a, b), result)
    return m.trunc(m.lshr(changed, m.same(changed, 4)), 1)


def add_overflow(m: Builder, a: Any, b: Any, result: Any) -> Any:
    """OF of an addition: the result's sign differs from that of both operands."""
    return is_negative(m, m.and_(m.xor(a, result), m.xor(b, result)))


def sub_overflow(m: Builder, sign: Any, a: Any, b: Any) -> Any:
    """OF of a subtraction: the result's sign is not that of the difference."""
    return m.xor(sign, m.slt(a, b))


def set_result_flags(m: Builder, result: Any) -> None:
    """ZF, SF and PF as the result has them."""
    m.set_later("zf", is_zero, result)
    m.set_later("sf", is_negative, result)
    m.set_later("pf", parity, result)


def set_logic_flags(m: Builder, result: Any) -> None:
    """The flags of and, or, xor, test: no carry, no overflow, AF undefined."""
    set_result_flags(m, result)
    set_flags(m, cf=0, of=0, af=0)


def set_sub_flags(m: Builder, a: Any, b: Any, result: Any) -> None:
    """The flags of a - b, which is `result`."""
    sign = is_negative(m, result)  # one for both: the condition L, SF xor OF, becomes a < b
    m.set("sf", sign)
    m.set_later("cf", Builder.ult, a, b)
    m.set_later("zf", Builder.eq, a, b)
    m.set_later("of", sub_overflow, sign, a, b)
    m.set_later("af", adjust, a, b, result)
    m.set_later("pf", parity, result)


# ---- conditions (SDM vol. 1, appendix B) ----


def _less(m: Builder) -> Any:
    return m.xor(m.get("sf"), m.get("of"))


_CONDITIONS: dict[str, Callable[[Builder], Any]] = {
    "o": lambda m: m.get("of"),
    "b": lambda m: m.get("cf"),
    "e": lambda m: m.get("zf"),
    "be": lambda m: m.or_(m.get("cf"), m.get("zf")),
    "s": lambda m: m.get("sf"),
    "p": lambda m: m.get("pf"),
    "l": _less,
    "le": lambda m: m.or_(m.get("zf"), _less(m)),
}
_OPPOSITES = {
    "no": "o",
    "ae": "b",
    "ne": "e",
    "a": "be",
    "ns": "s",
    "np": "p",
    "ge": "l",
    "g": "le",
}
CONDITIONS = (*_CONDITIONS, *_OPPOSITES)


def condition(m: Builder, code: str) -> Any:
    """Whether the flags satisfy a condition code, as an i1."""
    if code in _CONDITIONS:
        return _CONDITIONS[code](m)
    return m.xor(_CONDITIONS[_OPPOSITES[code]](m), flag(m, 1))


# ---- vector registers ----


def read_vector(m: Builder, operand: Operand, bits: int = 128) -> Any:
    """The low `bits` of an xmm register, or as many of memory, as one integer."""
    if isinstance(operand, Mem):
        return m.load(address(m, operand), bits)
    assert isinstance(operand, Reg)
    if bits == 128:
        return m.get(operand.name)
    lanes = m.bitcast(m.get(operand.name), _lanes(bits))
    return m.extract(lanes, 0)


def write_low(m: Builder, operand: Operand, value: Any) -> None:
    """Change the low bits of an xmm register and keep the rest."""
    assert isinstance(operand, Reg)
    lanes = m.bitcast(m.get(operand.name), _lanes(value.ty.bits))
    m.set(operand.name, m.bitcast(m.insert(lanes, 0, value), I128))


def write_zext(m: Builder, operand: Operand, value: Any) -> None:
    """Change the low bits of an xmm register and clear the rest."""
    assert isinstance(operand, Reg)
    if value.ty.bits < 128:
        zeros = [m.same(value, 0)] * (128 // value.ty.bits - 1)
        value = m.bitcast(m.build([value, *zeros]), I128)
    m.set(operand.name, value)


def _lanes(bits: int) -> Ty:
    return vec(int_type(bits), 128 // bits)
