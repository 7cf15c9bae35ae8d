"""Element-wise expressions: what is computed for every index, as a tree.

Leaves are arrays (one element an index) and scalars (the same for all); inner nodes are what a
unit can do to sixteen lanes. Subtraction is a multiplication by -1, which is exact, and an
addition. `normalise` puts the cheaper operand where the instructions want it and folds constants
the way binary16 does; no rounding is added or removed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import frozen


@frozen
class Array:
    """An operand of the kernel, element by element."""

    name: str


@frozen
class Scalar:
    """A value that is the same for every element: a parameter by name, or a constant."""

    name: str = ""
    value: float | None = None

    def __str__(self) -> str:
        return self.name if self.value is None else f"{self.value:g}"


@frozen
class Add:
    left: Expr
    right: Expr


@frozen
class Mul:
    left: Expr
    right: Expr


@frozen
class Relu:
    operand: Expr


Expr = Array | Scalar | Add | Mul | Relu

MINUS_ONE = Scalar(value=-1.0)


def subtract(left: Expr, right: Expr) -> Expr:
    """left - right, with the one rounding of a subtraction."""
    return Add(Mul(right, MINUS_ONE), left)


def walk(expr: Expr) -> Iterator[Expr]:
    """Every node, leaves first, left to right."""
    match expr:
        case Add(left, right) | Mul(left, right):
            yield from walk(left)
            yield from walk(right)
        case Relu(operand):
            yield from walk(operand)
    yield expr


def arrays(expr: Expr) -> list[str]:
    """The arrays an expression reads, in order of first use."""
    return list(dict.fromkeys(node.name for node in walk(expr) if isinstance(node, Array)))


def scalars(expr: Expr) -> list[Scalar]:
    """The scalars it uses, in order of first use."""
    return list(dict.fromkeys(node for node in walk(expr) if isinstance(node, Scalar)))


def is_leaf(expr: Expr) -> bool:
    return isinstance(expr, (Array, Scalar))


def _fold(node: Add | Mul) -> Expr:
    left, right = node.left, node.right
    if not (isinstance(left, Scalar) and isinstance(right, Scalar)):
        return node
    if left.value is None or right.value is None:
        return node
    a, b = np.float32(np.float16(left.value)), np.float32(np.float16(right.value))
    with np.errstate(over="ignore", invalid="ignore"):
        value = np.float16(a + b if isinstance(node, Add) else a * b)
    return Scalar(value=float(value))


def normalise(expr: Expr) -> Expr:
    """The same values, with scalars to the right and the longer operand to the left."""
    match expr:
        case Add(left, right) | Mul(left, right):
            left, right = normalise(left), normalise(right)
            if _weight(left) < _weight(right):
                left, right = right, left
            return _fold(type(expr)(left, right))
        case Relu(operand):
            operand = normalise(operand)
            return operand if isinstance(operand, Relu) else Relu(operand)
    return expr


def _weight(expr: Expr) -> int:
    """Scalars last, then arrays, then what has to be computed."""
    match expr:
        case Scalar():
            return 0
        case Array():
            return 1
    return 2


def to_text(expr: Expr) -> str:
    """The expression in C."""
    match expr:
        case Array(name):
            return f"{name}[i]"
        case Scalar():
            return str(expr)
        case Add(left, right):
            return f"({to_text(left)} + {to_text(right)})"
        case Mul(left, right):
            return f"({to_text(left)} * {to_text(right)})"
        case Relu(operand):
            return f"relu({to_text(operand)})"
