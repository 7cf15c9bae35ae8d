"""The expression graph of the JIT's builder: what a guest block computes, before it becomes text.

Semantics functions compute more than a block needs (six flags for every addition), so operations
only become nodes; the printer writes out those that something observable depends on. Every node
knows which cells of guest state it depends on (`deps`), which gives liveness for nothing.

Vectors are values of their own here, since LLVM has them. A register of 128 bits is one integer
to the semantics; as LLVM splits such integers into general registers, the printer keeps them as
vectors wherever no 128-bit arithmetic is done on them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hcc.emulator import comparisons
from hcc.isa.builder import Op
from hcc.isa.values import I1, I32, I64, Ty, int_type, vec

REG = "reg"
"""What a register held when the block began; attr: its index."""
LOAD = "load"
"""The result of a load, which is an effect of the block; attr: the floating-point type it is used
in, or the extension of what bit operations are done on."""
NUMBER = "number"
"""args (value, nan): the bits of a floating-point value, or of `nan` in lanes where it is NaN."""
PART = "part"
"""One half of a 128-bit register: attr (index, half)."""
INSERT = "insert"
"""args (vector, scalar): the vector with lane `attr` replaced."""
LATER = "later"
"""A register's value that nobody has asked for: attr computes it from the args."""


class Node:
    """A value; `const` is set for integer constants. `deps` has two bits for each register: its
    low part, as scalar code uses it, and the rest."""

    __slots__ = ("args", "attr", "const", "deps", "op", "ty")

    def __init__(
        self, ty: Ty, op: Op | str | None, args: tuple[Node, ...] = (), attr: Any = None
    ) -> None:
        self.ty = ty
        self.op = op
        self.args = args
        self.attr = attr
        self.const: int | None = None
        deps: int = 0
        for arg in args:
            deps |= arg.deps
        self.deps: int = deps


LANELESS = frozenset((Op.AND, Op.OR, Op.XOR, Op.BITCAST))
"""Operations on bits, for which it does not matter how a register is cut up."""


def constant(ty: Ty, value: int) -> Node:
    node = Node(ty, None)
    node.const = value & ty.mask
    return node


def made(node: Node) -> Node:
    """A register's value, computed now if that was put off."""
    return node.attr(*node.args) if node.op == LATER else node


def low_bit(index: int) -> int:
    """The bit of `deps` for the low part of a register."""
    return 1 << (2 * index)


def both_bits(index: int) -> int:
    """The bits of `deps` for all of a register."""
    return 3 << (2 * index)


def register(ty: Ty, index: int) -> Node:
    node = Node(ty, REG, (), index)
    node.deps = both_bits(index)
    return node


def _signed(value: int, ty: Ty) -> int:
    sign = 1 << (ty.bits - 1)
    return (value ^ sign) - sign


# Constant folding: results are cut to the width afterwards. Only what addresses, jump targets
# and conditions are made of; LLVM does the rest.
_FOLD: dict[Op, Callable[[Ty, int, int], int]] = {
    Op.ADD: lambda ty, a, b: a + b,
    Op.SUB: lambda ty, a, b: a - b,
    Op.MUL: lambda ty, a, b: a * b,
    Op.AND: lambda ty, a, b: a & b,
    Op.OR: lambda ty, a, b: a | b,
    Op.XOR: lambda ty, a, b: a ^ b,
    Op.SHL: lambda ty, a, b: a << b,
    Op.LSHR: lambda ty, a, b: a >> b,
    Op.ASHR: lambda ty, a, b: _signed(a, ty) >> b,
    Op.EQ: lambda ty, a, b: a == b,
    Op.NE: lambda ty, a, b: a != b,
    Op.ULT: lambda ty, a, b: a < b,
    Op.ULE: lambda ty, a, b: a <= b,
    Op.SLT: lambda ty, a, b: _signed(a, ty) < _signed(b, ty),
    Op.SLE: lambda ty, a, b: _signed(a, ty) <= _signed(b, ty),
}
_ZERO_ON_THE_RIGHT = frozenset((Op.ADD, Op.SUB, Op.OR, Op.XOR, Op.SHL, Op.LSHR, Op.ASHR))


def operation(op: Op, ty: Ty, args: tuple[Node, ...], attr: Any = None) -> Node:
    """The node of a pure operation, or a simpler one that is equal."""
    first = args[0]
    match op:
        case Op.BITCAST:
            return bitcast(first, ty)
        case Op.TRUNC:
            return _truncated(ty, first)
        case Op.ZEXT | Op.SEXT:
            if first.const is not None:
                value = first.const
                return constant(ty, value if op is Op.ZEXT else _signed(value, first.ty))
            if op is Op.ZEXT and first.op is Op.ZEXT:
                first = first.args[0]
                args = (first,)
        case Op.EXTRACT:
            return _extracted(ty, first, attr)
        case Op.SELECT if first.const is not None:
            return args[1] if first.const else args[2]
        case Op.SHUFFLE | Op.BUILD | Op.FROUND:
            pass
        case _ if len(args) == 2 and ty.lanes == 1:
            simpler = _binary(op, ty, first, args[1])
            if simpler is not None:
                return simpler
    return Node(ty, op, args, attr)


def _binary(op: Op, ty: Ty, a: Node, b: Node) -> Node | None:
    if op in _BITWISE and ty is I64 and a.const is None:
        narrow = _narrowed(op, a, b)
        if narrow is not None:
            return narrow
    elif ty is I1 and op in _BITWISE:
        truth = _truth(op, a, b)
        if truth is not None:
            return truth
    if b.const is not None:
        if a.const is not None:
            fold = _FOLD.get(op)
            return None if fold is None else constant(ty, int(fold(a.ty, a.const, b.const)))
        if b.const == 0:
            if op in _ZERO_ON_THE_RIGHT:
                return a
            if op is Op.AND:
                return b
        elif op is Op.AND and b.const == ty.mask:
            return a
        elif op in (Op.ADD, Op.SUB):
            # Sums of a base and one displacement: what addresses should look like.
            step = b.const if op is Op.ADD else -b.const
            if a.op is Op.ADD and a.args[1].const is not None:
                step += a.args[1].const
                a = a.args[0]
            step &= ty.mask
            return Node(ty, Op.ADD, (a, constant(ty, step))) if step else a
    elif a.const is not None:
        if op is Op.ADD:
            return _binary(op, ty, b, a)
        if a.const == 0 and op in (Op.OR, Op.XOR):
            return b
    return None


_BITWISE = frozenset((Op.AND, Op.OR, Op.XOR))


def _truth(op: Op, a: Node, b: Node) -> Node | None:
    """What flags are tested for as one comparison."""
    found = comparisons.opposite(op, a, b)
    if found is not None:
        return Node(I1, Op.XOR, (Node(I1, *found), constant(I1, 1)))
    if op is not Op.XOR:
        found = comparisons.joined(op, a, b)
    elif b.const == 1:
        known = comparisons.negated(a)
        if known is not None:
            return known
        found = comparisons.inverse(a)
    else:
        return comparisons.other(a, b)
    return None if found is None else Node(I1, *found)


def _narrowed(op: Op, a: Node, b: Node) -> Node | None:
    """An operation on 64 bits done on 32: on two numbers that were extended in the same way, or
    where a mask leaves no more. RISC-V keeps an `int` as 64 bits, and has no bit operations on
    32."""
    if a.op is Op.SEXT and b.op is Op.SEXT and a.args[0].ty is b.args[0].ty is I32:
        return Node(I64, Op.SEXT, (operation(op, I32, (a.args[0], b.args[0])),))
    if op is Op.AND and b.const is not None and 0 < b.const < 1 << 31:
        low = _low_word(a)
        if low is not None:
            return Node(I64, Op.ZEXT, (operation(op, I32, (low, constant(I32, b.const))),))
    return None


def _low_word(a: Node) -> Node | None:
    """The low 32 bits of 64 by operations on 32 bits alone; None if it takes others."""
    if a.const is not None:
        return constant(I32, a.const)
    if a.op in (Op.SEXT, Op.ZEXT) and a.args[0].ty.bits <= 32:
        return _truncated(I32, a)
    if a.op == REG:
        return Node(I32, Op.TRUNC, (a,))
    if isinstance(a.op, Op) and a.op in _BITWISE:
        left, right = (_low_word(b) for b in a.args)
        if left is not None and right is not None:
            return operation(a.op, I32, (left, right))
    return None


def _truncated(ty: Ty, wide: Node) -> Node:
    if wide.const is not None:
        return constant(ty, wide.const)
    inner = wide.args[0] if wide.args else wide
    if wide.op in (Op.ZEXT, Op.SEXT, Op.TRUNC):
        if inner.ty is ty:
            return inner
        if inner.ty.bits > ty.bits:
            return _truncated(ty, inner)
        if wide.op is Op.ZEXT:
            return Node(ty, Op.ZEXT, (inner,))
    if wide.op is Op.OR and _is_above(inner, ty) and wide.args[1].op is Op.ZEXT:
        return _truncated(ty, wide.args[1])
    if wide.op is Op.BITCAST and inner.ty.lanes > 1 and inner.ty.bits == ty.bits:
        return _extracted(ty, inner, 0) if not inner.ty.is_float else Node(ty, Op.TRUNC, (wide,))
    node = Node(ty, Op.TRUNC, (wide,))
    if wide.op == REG and wide.ty.bits == 128:
        node.deps = low_bit(wide.attr)
    return node


def _is_above(a: Node, ty: Ty) -> bool:
    """Whether a mask leaves nothing of the low bits, as where x86-64 writes a low byte."""
    return a.op is Op.AND and a.args[1].const is not None and not a.args[1].const & ty.mask


def _extracted(ty: Ty, vector: Node, lane: int) -> Node:
    while vector.op == INSERT:
        if vector.attr == lane:
            return vector.args[1]
        vector = vector.args[0]
    if vector.op is Op.BUILD:
        return vector.args[lane]
    node = Node(ty, Op.EXTRACT, (vector,), lane)
    if lane == 0:
        root = vector.args[0] if vector.op is Op.BITCAST else vector
        if root.op == REG:
            node.deps = low_bit(root.attr)
        elif root.op is Op.ZEXT and root.args[0].ty is ty:
            return root.args[0]
    return node


def inserted(vector: Node, lane: int, value: Node) -> Node:
    """`vector` with one lane replaced."""
    if vector.op == INSERT and vector.attr == lane:
        vector = vector.args[0]
    return Node(vector.ty, INSERT, (vector, value), lane)


def bitcast(a: Node, ty: Ty) -> Node:
    """The same bits as another type; there and back is where it came from."""
    if a.op is Op.BITCAST:
        a = a.args[0]
    elif a.op == NUMBER and ty is a.args[0].ty:
        # Read as a number again: equal but for the payload of NaNs, which only bits show.
        return a.args[0]
    if a.ty is ty:
        return a
    if a.op is Op.EXTRACT and ty.bits == a.ty.bits and ty.lanes == 1:
        # The lane of the vector as that type: in LLVM an integer lane goes by another register.
        whole = a.args[0]
        return _extracted(ty, bitcast(whole, vec(ty, whole.ty.lanes)), a.attr)
    return Node(ty, Op.BITCAST, (a,))


def largest(a: Node, depth: int = 6) -> int:
    """The largest unsigned value that an integer can have, as far as the way it is made tells."""
    if a.const is not None:
        return a.const
    ty = a.ty
    if not depth or not a.args:
        return ty.mask
    first, depth = a.args[0], depth - 1
    found = ty.mask
    match a.op:
        case Op.ZEXT | Op.TRUNC:
            found = largest(first, depth)
        case Op.AND:
            found = min(largest(first, depth), largest(a.args[1], depth))
        case Op.OR | Op.XOR:
            found = (1 << max(largest(b, depth).bit_length() for b in a.args)) - 1
        case Op.ADD:
            found = largest(first, depth) + largest(a.args[1], depth)
        case Op.MUL:
            found = largest(first, depth) * largest(a.args[1], depth)
        case Op.SHL | Op.LSHR if a.args[1].const is not None and a.args[1].const < ty.bits:
            by = a.args[1].const
            found = largest(first, depth)
            found = found << by if a.op is Op.SHL else found >> by
        case Op.SELECT:
            found = max(largest(b, depth) for b in a.args[1:])
    return min(found, ty.mask)


def number(value: Node, nan: Node) -> Node:
    """The bits of a floating-point result under an ISA's rule for NaNs."""
    ty = value.ty.with_element(int_type(value.ty.bits))
    return Node(ty, NUMBER, (value, nan))


def numbers(node: Node) -> list[Node]:
    """The floating-point results that a value is put together from."""
    found = []
    seen = {node}
    stack = [node]
    while stack:
        node = stack.pop()
        if node.op == NUMBER:
            found.append(node)
        elif node.op in _CARRIERS:
            fresh = [arg for arg in node.args if arg not in seen]
            seen.update(fresh)
            stack += fresh
    return found


_CARRIERS = frozenset((Op.BITCAST, Op.BUILD, INSERT, Op.ZEXT))


def root_of(a: Node) -> Node:
    """What a node is a bitcast of."""
    return a.args[0] if a.op is Op.BITCAST else a


def half(a: Node, which: int) -> Node:
    """The low (0) or high (1) 64 bits of a value of 128 bits, for registers held in two halves."""
    return _half(a, which, {})


def _half(a: Node, which: int, known: dict[Node, Node]) -> Node:
    """The same; `known` are the halves found so far, as values are used more than once."""
    if a.const is not None:
        return constant(I64, a.const >> (64 * which))
    a = root_of(a)
    found = known.get(a)
    if found is None:
        found = known[a] = _find_half(a, which, known)
    return found


def _find_half(a: Node, which: int, known: dict[Node, Node]) -> Node:
    lane_bits = a.ty.bits
    match a.op:
        case "reg":
            return part(a.attr, which)
        case "insert" if lane_bits == 64:
            return bitcast(a.args[1], I64) if a.attr == which else _half(a.args[0], which, known)
        case "insert" if lane_bits < 64 and a.attr * lane_bits // 64 != which:
            return _half(a.args[0], which, known)
        case Op.BUILD if lane_bits == 64:
            return bitcast(a.args[which], I64)
        case Op.ZEXT if a.ty.lanes == 1 and a.args[0].ty.bits <= 64:
            return _widened(a.args[0]) if which == 0 else constant(I64, 0)
        case Op.AND | Op.OR | Op.XOR:
            assert isinstance(a.op, Op)
            left, right = (_half(arg, which, known) for arg in a.args)
            return operation(a.op, I64, (left, right))
    return Node(I64, Op.EXTRACT, (bitcast(a, vec(I64, 2)),), which)


def _widened(a: Node) -> Node:
    return a if a.ty is I64 else operation(Op.ZEXT, I64, (a,))


def part(index: int, which: int) -> Node:
    node = Node(I64, PART, (), (index, which))
    node.deps = low_bit(index) << which
    return node
