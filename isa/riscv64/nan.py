"""NaN boxing and canonical NaNs: the F and D extensions' rules (unprivileged ISA 11.3, 12.2).

A register holds a single in its low half under 32 ones; anything else read as a single is the
canonical NaN. Whatever arithmetic gives a NaN gives the canonical one: `canonical` is the only
way from a floating-point result to the bits of a register.
"""

from __future__ import annotations

from typing import Any

from hcc.isa.arch import Operand, Reg
from hcc.isa.builder import Builder
from hcc.isa.values import float_type, int_type

NAN = {32: 0x7FC0_0000, 64: 0x7FF8_0000_0000_0000}
_BOX = 0xFFFF_FFFF_0000_0000


def canonical(m: Builder, value: Any) -> Any:
    """The bits of a floating-point result."""
    bits = value.ty.bits
    return m.float_bits(value, m.const(int_type(bits), NAN[bits]))


def read_bits(m: Builder, operand: Operand) -> Any:
    """The bits of a floating-point register operand, as many as it is wide."""
    assert isinstance(operand, Reg)
    register = m.get(operand.name)
    if operand.bits == 64:
        return register
    boxed = m.ule(m.i64(_BOX), register)
    low = m.trunc(register, 32)
    return m.select(boxed, low, m.same(low, NAN[32]))


def read_float(m: Builder, operand: Operand) -> Any:
    """The f32 or f64 in a floating-point register."""
    assert isinstance(operand, Reg)
    return m.bitcast(read_bits(m, operand), float_type(operand.bits))


def write_bits(m: Builder, operand: Operand, bits: Any) -> None:
    """Set a floating-point register, boxing a single."""
    assert isinstance(operand, Reg)
    if bits.ty.bits == 32:
        bits = m.or_(m.zext(bits, 64), m.i64(_BOX))
    m.set(operand.name, bits)


def write_float(m: Builder, operand: Operand, value: Any) -> None:
    """Set a floating-point register to the result of arithmetic."""
    write_bits(m, operand, canonical(m, value))
