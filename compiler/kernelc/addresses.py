"""Address constants (6.6p9): what an initialiser of a static object may refer to."""

from __future__ import annotations

from attrs import define

from hcc.compiler.kernelc.scope import Function, Variable
from hcc.compiler.kernelc.syntax import (
    AddressOf,
    Binary,
    CompoundLiteral,
    Convert,
    Deref,
    Expr,
    IntConst,
    MemberOf,
    Name,
    PointerAdd,
    StringConst,
)
from hcc.compiler.kernelc.types import PointerType


@define(eq=False)
class Address:
    """A constant address: what it is in, and the offset."""

    base: Variable | Function | StringConst | None
    offset: int


def static_address(expr: Expr) -> Address | None:
    """The address constant an expression is (6.6p9), or None."""
    match expr:
        case IntConst():
            return Address(None, expr.value)
        case AddressOf():
            return _static_place(expr.operand)
        case Convert() if expr.type.size == 8 and not expr.type.is_floating:
            if expr.operand.type.size == 8 and not expr.operand.type.is_floating:
                return static_address(expr.operand)
            return None
        case PointerAdd():
            base = static_address(expr.pointer)
            pointer = expr.type
            assert isinstance(pointer, PointerType)
            if base is None or not isinstance(expr.index, IntConst) or pointer.variably_modified:
                return None
            step = expr.index.value * (pointer.target.size or 1)
            return Address(base.base, base.offset + (-step if expr.negative else step))
    return _static_sum(expr)


def number_of(expr: Expr) -> int | None:
    """The number a constant pointer is, if it is in no object: `&((struct s *)0)->member`."""
    address = static_address(expr)
    return address.offset if address is not None and address.base is None else None


def distance(left: Expr, right: Expr) -> int | None:
    """The bytes from one address constant to another in the same object, or None."""
    a = static_address(left)
    b = static_address(right) if a is not None else None
    if a is None or b is None or a.base is not b.base:
        return None
    return a.offset - b.offset


def _static_sum(expr: Expr) -> Address | None:
    """An address kept in an integer, plus or minus a constant."""
    if not isinstance(expr, Binary) or expr.op not in "+-" or expr.type.size != 8:
        return None
    left, right = expr.left, expr.right
    if expr.op == "+" and isinstance(left, IntConst):
        left, right = right, left
    base = static_address(left)
    if base is None or not isinstance(right, IntConst):
        return None
    return Address(base.base, base.offset + (right.value if expr.op == "+" else -right.value))


def _static_place(expr: Expr) -> Address | None:
    """The address of an lvalue, if constant."""
    match expr:
        case Name(symbol=Variable() as variable):
            return Address(variable, 0) if variable.static else None
        case Name(symbol=Function() as function):
            return Address(function, 0)
        case StringConst():
            return Address(expr, 0)
        case CompoundLiteral():
            return Address(expr.variable, 0) if expr.variable.static else None
        case Deref():
            return static_address(expr.pointer)
        case MemberOf():
            base = _static_place(expr.base)
            return None if base is None else Address(base.base, base.offset + expr.member.offset)
    return None
