"""Reading and writing the operands of RISC-V instructions: x0, widths, addresses.

The W forms of RV64I work on the low 32 bits and sign-extend their result (5.2).
"""

from __future__ import annotations

from typing import Any

from hcc.isa.arch import Imm, Mem, Operand, Reg
from hcc.isa.builder import Builder


def read(m: Builder, operand: Operand, bits: int = 64) -> Any:
    """The low `bits` bits of an integer register, or an immediate."""
    match operand:
        case Reg(name="x0"):
            return m.trunc(m.i64(0), bits)
        case Reg(name=name):
            return m.trunc(m.get(name), bits)
        case Imm(value=value):
            return m.trunc(m.i64(value), bits)
    raise AssertionError(f"{operand} is no integer operand")


def write(m: Builder, operand: Operand, value: Any) -> None:
    """Set an integer register to a value of up to 64 bits, sign-extended; x0 takes nothing."""
    assert isinstance(operand, Reg)
    if operand.name != "x0":
        m.set(operand.name, m.sext(value, 64))


def address(m: Builder, operand: Operand) -> Any:
    """The i64 address of a memory operand."""
    assert isinstance(operand, Mem)
    if operand.base is None:
        return m.i64(operand.disp)
    return m.add(m.get(operand.base), m.i64(operand.disp))
