"""What AArch64 operands have beyond the neutral `Reg`, `Imm` and `Mem`: the content of `extra`.

* A general register may carry a `Modifier`: the shift or extension applied to it.
* A SIMD register always carries `Lanes`: how the instruction looks at it. A scalar (b, h, s, d
  or q register) is one lane; `v3.s[1]` is four lanes of 32 bits of which lane 1 is meant.
* A memory operand may carry an `Addressing`.

The zero register is called "zr": it is not part of the state.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeGuard

from attrs import frozen

from hcc.isa.arch import Imm, Insn, Mem, Operand, Reg

ZERO_REGISTER = "zr"


@frozen
class Modifier:
    """lsl, lsr, asr, ror, or uxtb ... sxtx followed by a left shift by `amount`."""

    kind: str
    amount: int = 0


@frozen
class Lanes:
    """The view of a SIMD register: `count` lanes of `bits`; `index` picks one of them."""

    bits: int
    count: int
    index: int | None = None


class WriteBack(Enum):
    """When the base register of a load or store moves."""

    NONE = "offset"
    PRE = "pre-indexed"
    POST = "post-indexed"


@frozen
class Addressing:
    """How base, index and displacement combine; `extend` is that of a w index register."""

    writeback: WriteBack = WriteBack.NONE
    extend: str | None = None


NO_WRITEBACK = Addressing()


def is_simd(operand: Operand) -> TypeGuard[Reg]:
    return type(operand) is Reg and type(operand.extra) is Lanes


def reg(insn: Insn, index: int) -> Reg:
    """The operand at `index`, which the instruction's encoding makes a register."""
    operand = insn.operands[index]
    assert isinstance(operand, Reg), insn.text
    return operand


def imm(insn: Insn, index: int) -> int:
    """The value of the immediate operand at `index`."""
    operand = insn.operands[index]
    assert isinstance(operand, Imm), insn.text
    return operand.value


def mem(insn: Insn, index: int = -1) -> Mem:
    """The memory operand at `index`, by default the last."""
    operand = insn.operands[index]
    assert isinstance(operand, Mem), insn.text
    return operand


def lanes(register: Reg) -> Lanes:
    """The view of a SIMD register operand."""
    view = register.extra
    assert isinstance(view, Lanes), register
    return view
