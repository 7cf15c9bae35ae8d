"""Arithmetic that tells whether its result fits: GNU's `__builtin_add_overflow` and its likes.

Operands and result may be of any integer types; the operation is done as if on unlimited integers.
Here these are of 128 bits, in two halves, which holds every sum, difference and product that can
fit a type of 64 bits; a product whose magnitude has more than that fits none.
"""

from __future__ import annotations

from attrs import frozen

from hcc.compiler.ir.construct import Cursor, int_const
from hcc.compiler.ir.module import Operand
from hcc.compiler.ir.ops import Op
from hcc.compiler.ir.types import I1, I64

NEVER = int_const(I1, 0)
_ZERO, _ONE = int_const(I64, 0), int_const(I64, 1)


@frozen
class Wide:
    """A number of 128 bits in two's complement."""

    low: Operand
    high: Operand


def widened(cursor: Cursor, value: Operand, signed: bool) -> Wide:
    """A value of 64 bits."""
    return Wide(value, cursor.binary(Op.ASHR, value, int_const(I64, 63)) if signed else _ZERO)


def sum_of(cursor: Cursor, a: Wide, b: Wide) -> Wide:
    """a + b, of operands of 64 bits."""
    low = cursor.binary(Op.ADD, a.low, b.low)
    carry = cursor.convert(Op.ZEXT, cursor.compare(Op.ULT, low, a.low), I64)
    return Wide(low, cursor.binary(Op.ADD, cursor.binary(Op.ADD, a.high, b.high), carry))


def difference_of(cursor: Cursor, a: Wide, b: Wide) -> Wide:
    """a - b, of operands of 64 bits."""
    low = cursor.binary(Op.SUB, a.low, b.low)
    borrow = cursor.convert(Op.ZEXT, cursor.compare(Op.ULT, a.low, b.low), I64)
    return Wide(low, cursor.binary(Op.SUB, cursor.binary(Op.SUB, a.high, b.high), borrow))


def product_of(cursor: Cursor, a: Wide, b: Wide) -> tuple[Wide, Operand]:
    """a * b, of operands of 64 bits, and whether its magnitude has more than 64 bits."""
    (left, left_negative), (right, right_negative) = _magnitude(cursor, a), _magnitude(cursor, b)
    low = cursor.binary(Op.MUL, left, right)
    divisor = cursor.select(cursor.compare(Op.EQ, left, _ZERO), _ONE, left)
    quotient = cursor.binary(Op.UDIV, low, divisor)
    too_large = cursor.binary(
        Op.AND,
        cursor.compare(Op.NE, left, _ZERO),
        cursor.compare(Op.NE, quotient, right),
    )
    negative = cursor.binary(Op.XOR, left_negative, right_negative)
    below_zero = cursor.binary(Op.AND, negative, cursor.compare(Op.NE, low, _ZERO))
    return Wide(
        cursor.select(negative, cursor.binary(Op.SUB, _ZERO, low), low),
        cursor.select(below_zero, int_const(I64, -1), _ZERO),
    ), too_large


def _magnitude(cursor: Cursor, number: Wide) -> tuple[Operand, Operand]:
    """The magnitude of a number of 64 bits, and whether the number is negative."""
    negative = cursor.compare(Op.SLT, number.high, _ZERO)
    opposite = cursor.binary(Op.SUB, _ZERO, number.low)
    return cursor.select(negative, opposite, number.low), negative


def differs(cursor: Cursor, a: Wide, b: Wide) -> Operand:
    """Whether two numbers differ, as a truth value."""
    low = cursor.compare(Op.NE, a.low, b.low)
    return cursor.binary(Op.OR, low, cursor.compare(Op.NE, a.high, b.high))
