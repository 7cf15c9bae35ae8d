"""The interpreter's expression graph: scalar nodes, vectors of them, and what simplifies.

Semantics functions are written for clarity and say `x + 0` or `low half of a widened value` where
an operand happens to be so; `simplify` removes what they say too much.
"""

from __future__ import annotations

from typing import Any

from hcc.emulator.pyops import NAMESPACE, SPELLINGS
from hcc.isa.builder import Op
from hcc.isa.values import I1, Ty, int_type, vec

PACK = "pack"
"""The operation that only the interpreter has: lanes laid side by side into one integer."""


class Node:
    """A scalar value: an operation on nodes, a constant, or a name already assigned.

    `image` is set on the bits of a floating-point result: the floating-point node that stands for
    them in arithmetic, equal but for the payload of NaNs.
    """

    __slots__ = ("args", "attr", "const", "height", "image", "name", "op", "ty", "uses")

    def __init__(
        self,
        ty: Ty,
        op: Op | str | None = None,
        args: tuple[Node, ...] = (),
        attr: Any = None,
        const: int | None = None,
    ) -> None:
        self.ty = ty
        self.op = op
        self.args = args
        self.attr = attr
        self.const = const
        self.height = 0
        for arg in args:
            if arg.height >= self.height:
                self.height = arg.height + 1
        self.image: Node | None = None
        self.uses = 0
        self.name: str | None = None if const is None else str(const)


class Vector:
    """A value of several lanes."""

    __slots__ = ("const", "lanes", "ty")

    def __init__(self, lanes: tuple[Node, ...]) -> None:
        self.lanes = lanes
        self.ty = vec(lanes[0].ty, len(lanes))
        self.const = None


AnyValue = Node | Vector


def operation(op: Op, ty: Ty, args: tuple[Node, ...], attr: Any = None) -> Node:
    """A scalar operation, computed at once where its integer operands are constants."""
    if not ty.is_float and all(a.const is not None for a in args):
        types = [a.ty for a in args]
        if not any(t.is_float for t in types):
            text = SPELLINGS[op](ty, [str(a.const) for a in args], types, attr)
            return constant(ty, int(eval(text, NAMESPACE)))
    return simplify(op, ty, args) or Node(ty, op, args, attr)


def constant(ty: Ty, value: int) -> Node:
    return Node(ty, const=value & ty.mask)


def as_int(a: Node) -> Node:
    """The bits of a scalar."""
    return a if not a.ty.is_float else bitcast(a, int_type(a.ty.bits))


def bitcast(a: Node, ty: Ty) -> Node:
    """A scalar as another scalar type of its size; there and back is where it came from."""
    if a.ty is ty:
        return a
    if a.op is Op.BITCAST and a.args[0].ty is ty:
        return a.args[0]
    return Node(ty, Op.BITCAST, (a,))


def pack(lanes: tuple[Node, ...]) -> Node:
    """Integer lanes laid side by side, lane 0 in the least significant bits."""
    width = lanes[0].ty.bits
    whole = _unsplit(lanes, width)
    return whole or Node(int_type(width * len(lanes)), PACK, lanes)


def _unsplit(lanes: tuple[Node, ...], width: int) -> Node | None:
    """What `split` made these lanes of, if that is what they are."""
    source = lanes[0].args[0] if lanes[0].op is Op.TRUNC else None
    if source is None or source.ty.bits != width * len(lanes):
        return None
    for i, lane in enumerate(lanes[1:], 1):
        shifted = lane.args[0] if lane.op is Op.TRUNC else lane
        if shifted.op is not Op.LSHR or shifted.args[0] is not source:
            return None
        if shifted.args[1].const != i * width:
            return None
    return source


def split(a: Node, bits: int) -> list[Node]:
    """The scalar's bits in parts, least significant first; parts of a pack are used as they are."""
    if a.op == PACK:
        width = a.args[0].ty.bits
        if width == bits:
            return list(a.args)
        if width % bits == 0:
            return [part for lane in a.args for part in split(lane, bits)]
        if bits % width == 0:
            step = bits // width
            return [pack(a.args[i : i + step]) for i in range(0, len(a.args), step)]
    a = as_int(a)
    narrow = int_type(bits)
    parts = []
    for at in range(0, a.ty.bits, bits):
        shifted = operation(Op.LSHR, a.ty, (a, constant(a.ty, at)))
        parts.append(operation(Op.TRUNC, narrow, (shifted,)))
    return parts


_ZERO_ON_THE_RIGHT = frozenset((Op.ADD, Op.SUB, Op.OR, Op.XOR, Op.SHL, Op.LSHR, Op.ASHR))


def simplify(op: Op, ty: Ty, args: tuple[Node, ...]) -> Node | None:
    """An equal node that is simpler, if one is known."""
    first, last = args[0], args[-1]
    match op:
        case _ if op in _ZERO_ON_THE_RIGHT and last.const == 0:
            return first
        case Op.ADD | Op.OR | Op.XOR if first.const == 0:
            return last
        case Op.AND if last.const == ty.mask:
            return first
        case Op.AND if last.const == 0:
            return last
        case Op.LSHR if first.op is Op.SHL and last.const is not None:
            # up and down again: the way RISC-V clears the upper bits
            if first.args[1].const == last.const:
                return operation(Op.AND, ty, (first.args[0], constant(ty, ty.mask >> last.const)))
        case Op.TRUNC:
            return _narrowed(ty, first)
        case Op.SELECT if first.const is not None:
            return args[1] if first.const else args[2]
        case Op.ULE if first.const is not None and last.op is Op.OR:
            # c <= x | c
            return constant(I1, 1) if last.args[1].const == first.const else None
    return None


def _narrowed(ty: Ty, wide: Node) -> Node | None:
    """The low bits of a node that was put together from narrower ones."""
    inner = wide.args[0] if wide.args else wide
    if wide.op in (Op.ZEXT, Op.SEXT, Op.TRUNC):
        if inner.ty is ty:
            return inner
        if inner.ty.bits > ty.bits:
            return operation(Op.TRUNC, ty, (inner,))
    if wide.op is Op.OR and wide.args[1].const is not None:
        low = wide.args[1].const & ty.mask
        if not low:
            return operation(Op.TRUNC, ty, (inner,))
    if wide.op == PACK and inner.ty is ty:
        return inner
    return None
