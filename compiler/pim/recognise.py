"""`__pim` functions: which loops a function is made of, as operations on whole arrays.

A `__pim` function is a sequence of counted loops (`for (i = 0; i < n; i++)`) over arrays of
`_Float16`; each is one of

* element-wise: `y[i] = …` for any expression of arrays at [i], scalars, constants, + - * and
  ReLU (`x > 0 ? x : 0` and its mirror images, or `hcc_relu(x)`); several statements and scalar
  locals are fine
* a product of a matrix and a vector: an inner loop that adds `w[r * n + c] * x[c]` (or
  `w[r][c] * x[c]`) up from zero, and `y[r] =` the sum or ReLU of it

Arrays do not overlap unless they are the same. A sum may be added up in another order. In
element-wise expressions every operation is rounded to `_Float16` as C says; an operation in a
wider type is taken where it is rounded at once, which gives the same.

Anything else is refused by `Refused`, which says where and why.
"""

from __future__ import annotations

import numpy as np
from attrs import define, field, frozen

from hcc.compiler.kernelc import syntax as c
from hcc.compiler.kernelc.scope import Function, Variable
from hcc.compiler.kernelc.types import FLOAT16, CType, FloatingType

from .expressions import Add, Expr, Mul, Relu, Scalar, subtract
from .loops import Refused, Size, called, counted, element_of, relu_operand, statements_of
from .products import ProductLoop, product_loop

__all__ = ["ElementLoop", "PimFunction", "PimLoop", "ProductLoop", "Refused", "Size", "recognise"]


@frozen
class ElementLoop:
    """result[i] = expr for all i below size."""

    result: str
    expr: Expr
    size: Size
    at: int
    place: int = 0  # which C statement it is (its id)


PimLoop = ElementLoop | ProductLoop


@frozen
class PimFunction:
    """A recognised function: its parameters in order, its loops."""

    name: str
    params: tuple[Variable, ...]
    loops: tuple[PimLoop, ...]

    @property
    def sizes(self) -> list[str]:
        """Names of the parameters that bound loops."""
        found: list[str] = []
        for loop in self.loops:
            bounds = (loop.size,) if isinstance(loop, ElementLoop) else (loop.outputs, loop.inputs)
            found += [size.name for size in bounds if size.name]
        return list(dict.fromkeys(found))


def recognise(function: Function) -> PimFunction:
    """The loops of a `__pim` function; Refused says what is in the way."""
    body = function.body
    assert body is not None and body.statement is not None
    loops: list[PimLoop] = []
    for item in statements_of(body.statement):
        match item:
            case c.Loop():
                loops += _loop(item)
            case c.DeclStmt(items=declared) if all(_is_plain(v) for v in declared):
                pass
            case c.Return(value=None) if item is statements_of(body.statement)[-1]:
                pass
            case _:
                raise Refused(item.at, "only counted loops over arrays run in memory")
    if not loops:
        raise Refused(function.at, f"'{function.name}' has no loop")
    return PimFunction(function.name, tuple(body.params), tuple(loops))


def _is_plain(item: Variable | CType) -> bool:
    """Whether a declaration only makes room: an array, a counter, a sum, without initialiser."""
    return not isinstance(item, Variable) or (item.init is None and not item.static)


def _loop(loop: c.Loop) -> list[PimLoop]:
    counter, size = counted(loop)
    items = statements_of(loop.body)
    if any(isinstance(item, c.Loop) for item in items):
        return [product_loop(loop, counter, size, items)]
    reader = _Elements(counter)
    found: list[PimLoop] = []
    for item in items:
        stored = reader.statement(item)
        if stored is not None:
            found.append(ElementLoop(*stored, size, item.at, id(loop)))
    if not found:
        raise Refused(loop.at, "the loop stores nothing")
    return found


@define
class _Elements:
    """Reads the statements of a loop; `known` is what scalar locals hold."""

    counter: Variable
    known: dict[int, Expr] = field(factory=dict)

    def statement(self, item: c.Stmt) -> tuple[str, Expr] | None:
        """(array, value) of a store; None for a local."""
        match item:
            case c.DeclStmt(items=items):
                for variable in items:
                    if not isinstance(variable, Variable):
                        raise Refused(item.at, "only scalars are declared in a loop")
                    self._declare(variable)
                return None
            case c.ExprStmt(expr=c.Assign(target=target, value=value)):
                return self._store(target, self.value(value), item.at)
            case c.ExprStmt(expr=c.CompoundAssign(op=op, target=target, value=value) as node):
                if op not in ("+", "-", "*"):
                    raise Refused(node.at, f"units do not compute '{op}'")
                _check_wide(node.operation_type, node.at)
                old = self.value(target)
                return self._store(target, _combine(op, old, self._wide(value)), item.at)
        raise Refused(item.at, "a loop in memory consists of assignments")

    def _declare(self, variable: Variable) -> None:
        if variable.type.unqual is not FLOAT16:
            raise Refused(variable.at, f"'{variable.name}' is no _Float16")
        if variable.init is not None:
            self.known[id(variable)] = self.value(variable.init.elements[0].value)

    def _store(self, target: c.Expr, value: Expr, at: int) -> tuple[str, Expr] | None:
        match target:
            case c.Name(symbol=Variable() as symbol) if id(symbol) in self.known or (
                not symbol.is_param and not symbol.static and symbol.type.unqual is FLOAT16
            ):
                self.known[id(symbol)] = value
                return None
            case c.Deref():
                return element_of(target, self.counter).name, value
        raise Refused(at, "a loop in memory stores to arrays and scalar locals")

    def value(self, node: c.Expr) -> Expr:
        """The value of a `_Float16` expression."""
        if node.type.unqual is not FLOAT16:
            raise Refused(node.at, f"units compute in _Float16, not in '{node.type}'")
        match node:
            case c.Deref():
                return element_of(node, self.counter)
            case c.FloatConst(value=value):
                return Scalar(value=value)
            case c.Name(symbol=Variable() as symbol):
                if id(symbol) in self.known:
                    return self.known[id(symbol)]
                if symbol.is_param:
                    return Scalar(symbol.name)
                raise Refused(node.at, f"'{symbol.name}' is neither a parameter nor set before")
            case c.Binary(op=op, left=left, right=right):
                return _combine(op, self.value(left), self.value(right), node.at)
            case c.Unary(op="-", operand=operand):
                return Mul(self.value(operand), Scalar(value=-1.0))
            case c.Conditional():
                return Relu(self.value(relu_operand(node)))
            case c.Call(args=[argument]) if called(node) == "hcc_relu":
                return Relu(self.value(argument))
            case c.Convert(operand=operand):
                return self._narrowed(operand)
        raise Refused(node.at, "units do not compute this expression")

    def _narrowed(self, node: c.Expr) -> Expr:
        """What is rounded to `_Float16` at once: one operation in a wider type, or a parameter."""
        match node:
            case c.Name(symbol=Variable(is_param=True) as symbol):
                return Scalar(symbol.name)
            case c.Convert(operand=operand) if isinstance(node.type, FloatingType):
                return self._narrowed(operand)
            case c.Binary(op=op, left=left, right=right) if isinstance(node.type, FloatingType):
                return _combine(op, self._wide(left), self._wide(right), node.at)
            case c.Unary(op="-", operand=operand):
                return Mul(self._wide(operand), Scalar(value=-1.0))
        return self._wide(node)

    def _wide(self, node: c.Expr) -> Expr:
        """An operand of an operation in a wider type, which must be exact in `_Float16`."""
        if node.type.unqual is FLOAT16:
            return self.value(node)
        match node:
            case c.Convert(operand=operand) if operand.type.unqual is FLOAT16:
                return self.value(operand)
            case c.FloatConst(value=value) if float(np.float16(value)) == value:
                return Scalar(value=value)
            case c.FloatConst(value=value):
                raise Refused(node.at, f"{value:g} is no _Float16: write it with a cast")
        raise Refused(
            node.at, f"computed in '{node.type}' without rounding to _Float16: units round always"
        )


def _check_wide(type_: CType, at: int) -> None:
    if not isinstance(type_, FloatingType):
        raise Refused(at, f"units compute in _Float16, not in '{type_}'")


def _combine(op: str, left: Expr, right: Expr, at: int = 0) -> Expr:
    match op:
        case "+":
            return Add(left, right)
        case "-":
            return subtract(left, right)
        case "*":
            return Mul(left, right)
    raise Refused(at, f"units do not compute '{op}'")
