"""Counted loops over arrays in the typed syntax tree: counters, bounds, elements, ReLU.

What `recognise` (element-wise loops) and `products` (sums of products) both look for. A position
and a reason (`Refused`) answer whatever is not of that form.
"""

from __future__ import annotations

import math

from attrs import frozen

from hcc.compiler.kernelc import syntax as c
from hcc.compiler.kernelc.scope import Variable
from hcc.compiler.kernelc.types import FLOAT16, ArrayType, FloatingType, IntegerType, PointerType
from hcc.isa.errors import HccError

from .expressions import Array


class Refused(HccError):
    """A `__pim` function that cannot be one; `at` is the position of the reason."""

    def __init__(self, at: int, message: str) -> None:
        super().__init__(message)
        self.at = at


@frozen
class Size:
    """How far a loop runs: a parameter by name, or a number."""

    name: str = ""
    value: int = 0

    def __str__(self) -> str:
        return self.name or str(self.value)


def plain(expr: c.Expr) -> c.Expr:
    """An integer expression without conversions between integers."""
    while (
        isinstance(expr, c.Convert)
        and isinstance(expr.type, IntegerType)
        and isinstance(expr.operand.type, IntegerType)
    ):
        expr = expr.operand
    return expr


def is_variable(expr: c.Expr, variable: Variable) -> bool:
    expr = plain(expr)
    return isinstance(expr, c.Name) and expr.symbol is variable


def bound_of(expr: c.Expr) -> Size:
    expr = plain(expr)
    match expr:
        case c.IntConst(value=value) if value >= 0:
            return Size(value=value)
        case c.Name(symbol=Variable(is_param=True) as symbol):
            return Size(symbol.name)
    raise Refused(expr.at, "a loop runs to a parameter or a constant")


def statements_of(statement: c.Stmt) -> list[c.Stmt]:
    if isinstance(statement, c.Compound):
        found: list[c.Stmt] = []
        for item in statement.items:
            if isinstance(item, c.Compound):
                found += statements_of(item)
            elif not isinstance(item, c.Empty):
                found.append(item)
        return found
    return [] if isinstance(statement, c.Empty) else [statement]


def counted(loop: c.Loop) -> tuple[Variable, Size]:
    """The counter and bound of `for (i = 0; i < n; i++)`."""
    counter: Variable | None = None
    start: c.Expr | None = None
    match loop.init:
        case c.DeclStmt(items=[Variable() as counter]) if counter.init is not None:
            if len(counter.init.elements) == 1:
                start = counter.init.elements[0].value
        case c.ExprStmt(expr=c.Assign(target=c.Name(symbol=Variable() as counter), value=start)):
            pass
    if counter is None or not isinstance(counter.type, IntegerType) or loop.tests_last:
        raise Refused(loop.at, "a loop in memory is written 'for (i = 0; i < n; i++)'")
    if start is None or not isinstance(plain(start), c.IntConst) or plain(start).value != 0:  # type: ignore[attr-defined]
        raise Refused(loop.at, "a loop in memory starts at 0")
    match loop.condition:
        case c.Compare(op="<" | "!=", left=left, right=right) if is_variable(left, counter):
            size = bound_of(right)
        case c.Compare(op=">" | "!=", left=left, right=right) if is_variable(right, counter):
            size = bound_of(left)
        case _:
            raise Refused(loop.at, "a loop in memory goes on while its counter is below its bound")
    match loop.step:
        case c.Step(target=target, delta=1) if is_variable(target, counter):
            pass
        case c.CompoundAssign(op="+", target=target, value=value) if (
            is_variable(target, counter)
            and isinstance(plain(value), c.IntConst)
            and plain(value).value == 1  # type: ignore[attr-defined]
        ):
            pass
        case _:
            raise Refused(loop.at, "a loop in memory counts up by 1")
    return counter, size


def indexed(node: c.Expr) -> tuple[Variable, c.Expr]:
    """Array and index of `a[index]`."""
    match node:
        case c.Deref(pointer=c.PointerAdd(pointer=base, index=index, negative=False)):
            base = base.operand if isinstance(base, c.AddressOf) else base
            if isinstance(base, c.Name) and isinstance(base.symbol, Variable):
                return base.symbol, plain(index)
    raise Refused(node.at, "arrays are indexed by the loop's counter")


def check_half(variable: Variable, at: int) -> None:
    type_ = variable.type
    element = type_.target if isinstance(type_, PointerType) else None
    if isinstance(type_, ArrayType):
        element = type_.element
    if element is None or element.unqual is not FLOAT16:
        raise Refused(at, f"'{variable.name}' is no array of _Float16")


def element_of(node: c.Expr, counter: Variable) -> Array:
    """a[i] as an array."""
    array, index = indexed(node)
    if not is_variable(index, counter):
        raise Refused(node.at, f"'{array.name}' is indexed by something else than '{counter.name}'")
    check_half(array, node.at)
    return Array(array.name)


def called(node: c.Call) -> str:
    """The name of the function that is called, if it is called by name."""
    callee = node.callee.operand if isinstance(node.callee, c.AddressOf) else node.callee
    return callee.symbol.name if isinstance(callee, c.Name) else ""


def is_zero(node: c.Expr) -> bool:
    """Whether an expression is the constant 0 or +0.0."""
    if isinstance(node, c.Convert):
        return is_zero(node.operand)
    if not isinstance(node, (c.FloatConst, c.IntConst)):
        return False
    return node.value == 0 and math.copysign(1, node.value) > 0


def same_as(one: c.Expr, other: c.Expr) -> bool:
    """Whether two expressions without effects are written the same."""
    if isinstance(one, c.Convert) and isinstance(one.type, FloatingType):
        one = one.operand
    if isinstance(other, c.Convert) and isinstance(other.type, FloatingType):
        other = other.operand
    match one, other:
        case (c.Name(symbol=a), c.Name(symbol=b)):
            return a is b
        case (c.IntConst(value=v), c.IntConst(value=w)):
            return v == w
        case (c.FloatConst(value=x), c.FloatConst(value=y)):
            return x == y
        case (c.Deref(pointer=p), c.Deref(pointer=q)):
            return same_as(p, q)
        case (c.AddressOf(operand=p), c.AddressOf(operand=q)):
            return same_as(p, q)
        case (c.PointerAdd() as p, c.PointerAdd() as q):
            return (
                p.negative == q.negative
                and same_as(p.pointer, q.pointer)
                and same_as(p.index, q.index)
            )
        case (c.Binary() as p, c.Binary() as q):
            return p.op == q.op and same_as(p.left, q.left) and same_as(p.right, q.right)
        case (c.Convert(operand=p), c.Convert(operand=q)):
            return same_as(p, q)
    return False


def relu_operand(node: c.Conditional) -> c.Expr:
    """x of `x > 0 ? x : 0` or `x <= 0 ? 0 : x`; Refused for other conditionals.

    With `>=` or `<` the value for -0.0 would be -0.0, where ReLU gives +0.
    """
    test, then, other = node.condition, node.then, node.otherwise
    if isinstance(test, c.Compare) and then is not None:
        op, left, right = test.op, test.left, test.right
        if is_zero(left):
            left, right, op = right, left, {"<": ">", ">": "<", "<=": ">=", ">=": "<="}.get(op, op)
        operand = None
        if is_zero(right):
            if op in (">", ">=") and is_zero(other) and same_as(left, then):
                operand = then
            elif op in ("<", "<=") and is_zero(then) and same_as(left, other):
                operand = other
        if operand is not None:
            if op in (">", "<="):
                return operand
            raise Refused(
                node.at,
                "write x > 0 ? x : 0 or x <= 0 ? 0 : x: this leaves -0.0 as it is, of which ReLU"
                " makes +0",
            )
    raise Refused(node.at, "of conditionals units know ReLU only: x > 0 ? x : 0")
