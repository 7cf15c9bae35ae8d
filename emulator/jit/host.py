"""What instructions of the host do just as the guest's semantics want it.

Which NaN an operation gives depends on its operands' order and bits. LLVM's `fadd` promises
neither, so what it computes has to be tested (see `printer`), and the operands of all arithmetic
have to be kept for the test's sake. For a guest whose rule is SSE's, AVX does better: it has the
same rule, and as assembly the instruction is the one that is written here. LLVM may still move it,
or drop it.

A conversion to an integer that gives 1000…0 for what does not fit is x86's. Written out, it takes
LLVM ten instructions.
"""

from __future__ import annotations

import struct
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


_TRUNCATIONS = {
    (32, 32): "llvm.x86.sse.cvttss2si",
    (32, 64): "llvm.x86.sse.cvttss2si64",
    (64, 32): "llvm.x86.sse2.cvttsd2si",
    (64, 64): "llvm.x86.sse2.cvttsd2si64",
}


def truncation(choice: Node) -> tuple[str, Node] | None:
    """The intrinsic, and the float, that a `select` of a converted float or 1000…0 amounts to;
    None if it is another choice. The intrinsic takes the float as the first lane of 128 bits."""
    fits, result, misfit = choice.args
    bits = result.ty.bits
    if result.op is not Op.FPTOSI or fits.op is not Op.FLT or misfit.const != 1 << (bits - 1):
        return None
    value, limit = fits.args
    name = _TRUNCATIONS.get((value.ty.bits, bits)) if value.ty.lanes == 1 else None
    if name is None or result.args[0] is not value or limit.op is not Op.BITCAST:
        return None
    beyond = struct.pack("<f" if value.ty.bits == 32 else "<d", 2.0 ** (bits - 1))
    return (name, value) if limit.args[0].const == int.from_bytes(beyond, "little") else None
