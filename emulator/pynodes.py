"""The interpreter's expression graph: scalar nodes, vectors of them, and what simplifies.

Semantics functions are written for clarity and say `x + 0` or `low half of a widened value` where
an operand happens to be so; `Graph` removes what they say too much, and computes once what several
instructions say alike. Flags become comparisons again (`comparisons`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from hcc.emulator import comparisons
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


@lru_cache(maxsize=1 << 14)
def _folded(op: Op, ty: Ty, numbers: tuple[int, ...], types: tuple[Ty, ...], attr: Any) -> int:
    """An operation on integer constants, by its own spelling."""
    text = SPELLINGS[op](ty, [str(number) for number in numbers], list(types), attr)
    return int(eval(text, NAMESPACE))


class Graph:
    """Makes the nodes of one block; the same operation on the same nodes is the same node."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], Node] = {}

    def constant(self, ty: Ty, value: int) -> Node:
        value &= ty.mask
        node = self._known.get((ty, value))
        if node is None:
            node = self._known[ty, value] = Node(ty, const=value)
        return node

    def operation(self, op: Op, ty: Ty, args: tuple[Node, ...], attr: Any = None) -> Node:
        """A scalar operation, computed at once where its integer operands are constants."""
        numbers = []
        for a in args:
            if a.const is None:
                break
            numbers.append(a.const)
        else:
            if not ty.is_float:
                types = tuple([a.ty for a in args])
                return self.constant(ty, _folded(op, ty, tuple(numbers), types, attr))
        return self._simplified(op, ty, args) or self._node(op, ty, args, attr)

    def _node(self, op: Op | str, ty: Ty, args: tuple[Node, ...], attr: Any = None) -> Node:
        key = (op, ty, attr, *map(id, args))
        node = self._known.get(key)
        if node is None:
            node = self._known[key] = Node(ty, op, args, attr)
        return node

    # ---- the same bits as other types ----

    def as_int(self, a: Node) -> Node:
        """The bits of a scalar."""
        return a if not a.ty.is_float else self.bitcast(a, int_type(a.ty.bits))

    def bitcast(self, a: Node, ty: Ty) -> Node:
        """A scalar as another scalar type of its size; there and back is where it came from."""
        if a.ty is ty:
            return a
        if a.op is Op.BITCAST and a.args[0].ty is ty:
            return a.args[0]
        return self._node(Op.BITCAST, ty, (a,))

    def pack(self, lanes: tuple[Node, ...]) -> Node:
        """Integer lanes laid side by side, lane 0 in the least significant bits."""
        width = lanes[0].ty.bits
        whole = _unsplit(lanes, width)
        return whole or self._node(PACK, int_type(width * len(lanes)), lanes)

    def split(self, a: Node, bits: int) -> list[Node]:
        """The scalar's bits in parts, lowest first; parts of a pack are used as they are."""
        if a.op == PACK:
            width = a.args[0].ty.bits
            if width == bits:
                return list(a.args)
            if width % bits == 0:
                return [part for lane in a.args for part in self.split(lane, bits)]
            if bits % width == 0:
                step = bits // width
                return [self.pack(a.args[i : i + step]) for i in range(0, len(a.args), step)]
        a = self.as_int(a)
        narrow = int_type(bits)
        parts = []
        for at in range(0, a.ty.bits, bits):
            shifted = self.operation(Op.LSHR, a.ty, (a, self.constant(a.ty, at)))
            parts.append(self.operation(Op.TRUNC, narrow, (shifted,)))
        return parts

    # ---- simplification ----

    def _simplified(self, op: Op, ty: Ty, args: tuple[Node, ...]) -> Node | None:
        """An equal node that is simpler, if one is known."""
        first, last = args[0], args[-1]
        match op:
            case _ if last.const == 0 and op in _ZERO_ON_THE_RIGHT:
                return first
            case Op.ADD | Op.OR | Op.XOR if first.const == 0:
                return last
            case Op.ADD if last.const is not None and first.op is Op.ADD:
                return self._sum(ty, first, last.const)
            case Op.AND if last.const == ty.mask:
                return first
            case Op.AND if last.const == 0:
                return last
            case Op.LSHR | Op.SHL if last.const is not None:
                return self._shifted_back(op, ty, first, last.const)
            case Op.TRUNC:
                return self._narrowed(ty, first)
            case Op.SELECT if first.const is not None:
                return args[1] if first.const else args[2]
            case Op.ULE if first.const is not None and last.op is Op.OR:
                # c <= x | c
                return self.constant(I1, 1) if last.args[1].const == first.const else None
            case Op.EQ | Op.NE if first.ty is I1:
                differ = self.operation(Op.XOR, I1, args)
                return differ if op is Op.NE else self._inverse(differ)
            case Op.AND | Op.OR | Op.XOR if ty is I1:
                return self._truth(op, first, last)
            case Op.XOR:
                return comparisons.other(first, last)
        return None

    def _truth(self, op: Op, a: Node, b: Node) -> Node | None:
        """What flags are tested for as one comparison."""
        if op is Op.XOR and b.const == 1:
            return self._inverse(a)
        opposite = self._comparison(comparisons.opposite(op, a, b))
        if opposite is not None:
            return self._inverse(opposite)
        if op is Op.XOR:
            return comparisons.other(a, b)
        return self._comparison(comparisons.joined(op, a, b))

    def _sum(self, ty: Ty, first: Node, number: int) -> Node | None:
        """(x + c) + number"""
        x, inner = first.args
        if inner.const is None:
            return None
        return self.operation(Op.ADD, ty, (x, self.constant(ty, inner.const + number)))

    def _shifted_back(self, op: Op, ty: Ty, first: Node, count: int) -> Node | None:
        """Up and down again, or down and up: a mask."""
        if first.op is not (Op.SHL if op is Op.LSHR else Op.LSHR) or first.args[1].const != count:
            return None
        mask = ty.mask >> count if op is Op.LSHR else ty.mask << count
        return self.operation(Op.AND, ty, (first.args[0], self.constant(ty, mask)))

    def _narrowed(self, ty: Ty, wide: Node) -> Node | None:
        """The low bits of a node that was put together from narrower ones."""
        inner = wide.args[0] if wide.args else wide
        if wide.op in (Op.ZEXT, Op.SEXT, Op.TRUNC):
            if inner.ty is ty:
                return inner
            if inner.ty.bits > ty.bits:
                return self.operation(Op.TRUNC, ty, (inner,))
        if wide.op is Op.OR and wide.args[1].const is not None:
            low = wide.args[1].const & ty.mask
            if not low:
                return self.operation(Op.TRUNC, ty, (inner,))
        if wide.op == PACK and inner.ty is ty:
            return inner
        return None

    def _inverse(self, a: Node) -> Node:
        """The negation of an i1."""
        known = comparisons.negated(a) or self._comparison(comparisons.inverse(a))
        return known or self._node(Op.XOR, I1, (a, self.constant(I1, 1)))

    def _comparison(self, found: comparisons.Comparison[Node] | None) -> Node | None:
        return None if found is None else self._node(found[0], I1, found[1])


_ZERO_ON_THE_RIGHT = frozenset((Op.ADD, Op.SUB, Op.OR, Op.XOR, Op.SHL, Op.LSHR, Op.ASHR))


def _unsplit(lanes: tuple[Node, ...], width: int) -> Node | None:
    """What `Graph.split` made these lanes of, if that is what they are."""
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
