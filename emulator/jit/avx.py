"""Floating-point arithmetic by the very instructions that give the guest's NaNs.

Which NaN an operation gives depends on its operands' order and bits. LLVM's `fadd` promises
neither, so what it computes has to be tested (see `printer`), and the operands of all arithmetic
have to be kept for the test's sake. For a guest whose rule is SSE's, AVX does better: it has the
same rule, and as assembly the instruction is the one that is written here. LLVM may still move it,
or drop it.
"""

from __future__ import annotations

from typing import Any

from hcc.emulator.jit.nodes import Node
from hcc.isa.builder import Op

_ARITHMETIC: dict[Any, str] = {
    Op.FADD: "vadd", Op.FSUB: "vsub", Op.FMUL: "vmul", Op.FDIV: "vdiv", Op.FSQRT: "vsqrt",
}  # fmt: skip
_COMMUTATIVE = frozenset((Op.FADD, Op.FMUL))
_FORMS = {(32, 1): "ss", (64, 1): "sd", (32, 4): "ps", (64, 2): "pd"}
_CONVERSIONS: dict[Any, str] = {Op.FPEXT: "vcvtss2sd", Op.FPTRUNC: "vcvtsd2ss"}


def avx_instruction(node: Node) -> str | None:
    """LLVM's inline assembly for a node's operation, result and operands all in registers; None if
    there is no one instruction for it."""
    op, ty = node.op, node.ty
    if op in _CONVERSIONS:
        word = _CONVERSIONS[op] if ty.lanes == 1 else None
    else:
        form = _FORMS.get((ty.bits, ty.lanes))
        word = _ARITHMETIC[op] + form if form is not None and op in _ARITHMETIC else None
    if word is None:
        return None
    if len(node.args) == 2:
        # LLVM's assembler swaps the operands of packed sums and products where the prefix of two
        # bytes will do then, unless that of three is asked for.
        prefix = "{vex3} " if ty.lanes > 1 and op in _COMMUTATIVE else ""
        return f'"{prefix}{word} $2, $1, $0", "=x,x,x"'  # AT&T order: the first comes second
    # Scalars have a second operand, for the upper part of the result.
    sources = "$1, $1" if ty.lanes == 1 else "$1"
    return f'"{word} {sources}, $0", "=x,x"'
