"""What flags are made of and tested for folds back into the comparison it came from.

Semantics functions set flags as the manuals define them and test them as the manuals say: carry or
zero, sign unlike overflow. In either engine's expression graph these are the rules by which that
becomes one comparison again. A node has `op`, `args` and `const`.
"""

from __future__ import annotations

from typing import Any, TypeVar

from hcc.isa.builder import Op

N = TypeVar("N", bound=Any)
Comparison = tuple[Op, tuple[N, ...]]

_INVERSE = {Op.EQ: Op.NE, Op.NE: Op.EQ}
_INVERSE_SWAPPED = {Op.ULT: Op.ULE, Op.ULE: Op.ULT, Op.SLT: Op.SLE, Op.SLE: Op.SLT}
_OR_EQUAL = {Op.ULT: Op.ULE, Op.SLT: Op.SLE, Op.FLT: Op.FLE}
_EQUAL, _UNEQUAL = (Op.EQ, Op.FEQ), (Op.NE,)
_NOT_EQUAL = {Op.ULE: Op.ULT, Op.SLE: Op.SLT}


def inverse(a: N) -> Comparison[N] | None:
    """The comparison that holds where `a`, a comparison of integers, does not."""
    if a.op in _INVERSE:
        return _INVERSE[a.op], a.args
    if a.op in _INVERSE_SWAPPED:
        return _INVERSE_SWAPPED[a.op], a.args[::-1]
    return None


def negated(a: N) -> N | None:
    """What `a`, an i1, is the negation of."""
    return a.args[0] if a.op is Op.XOR and a.args[1].const == 1 else None


def joined(op: Op, a: N, b: N) -> Comparison[N] | None:
    """`x < y or x == y`, and `x <= y and x != y`, as one comparison."""
    return _joined(op, a, b) or _joined(op, b, a)


def _joined(op: Op, order: N, equality: N) -> Comparison[N] | None:
    wanted, results = (_EQUAL, _OR_EQUAL) if op is Op.OR else (_UNEQUAL, _NOT_EQUAL)
    if equality.op in wanted and order.op in results and _same_pair(order.args, equality.args):
        return results[order.op], order.args
    return None


def opposite(op: Op, a: N, b: N) -> Comparison[N] | None:
    """The comparison of floats that holds where `a op b` does not: `x < y` or one is a NaN (at
    most one of these is true, so that `op` may be exclusive), that or `x == y`, and neither
    `x < y` nor `x == y`."""
    return _opposite(op, a, b) or _opposite(op, b, a)


def _opposite(op: Op, a: N, b: N) -> Comparison[N] | None:
    less = negated(a)
    equal: N | None = b
    match op:
        case Op.XOR:
            if a.op is Op.FLT and b.op is Op.FUNO and _same_pair(a.args, b.args):
                return Op.FLE, a.args[::-1]
            return None
        case Op.OR:
            order, result = Op.FLE, Op.FLT
        case _:
            order, result, equal = Op.FLT, Op.FLE, negated(b)
    if less is None or equal is None or less.op is not order or equal.op is not Op.FEQ:
        return None
    return (result, less.args) if _same_pair(less.args, equal.args) else None


def _same_pair(some: tuple[N, ...], others: tuple[N, ...]) -> bool:
    """The same two operands in either order."""
    (a, b), (c, d) = some, others
    return (_same(a, c) and _same(b, d)) or (_same(a, d) and _same(b, c))


def _same(a: N, b: N) -> bool:
    return a is b or (a.const is not None and a.const == b.const)


def other(a: N, b: N) -> N | None:
    """x ^ (x ^ y) is y."""
    for x, both in ((a, b), (b, a)):
        if both.op is Op.XOR and x in both.args:
            left, right = both.args
            y: N = right if left is x else left
            return y
    return None
