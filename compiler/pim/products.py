"""Products of a matrix and a vector in the typed syntax tree.

An inner loop that adds `w[r * n + c] * x[c]` (or `w[r][c] * x[c]`) up from zero, in any order of
the operands, and `y[r] =` the sum or ReLU of it.
"""

from __future__ import annotations

from attrs import frozen

from hcc.compiler.kernelc import syntax as c
from hcc.compiler.kernelc.scope import Variable
from hcc.compiler.kernelc.types import FLOAT16, ArrayType, FloatingType

from .loops import (
    Refused,
    Size,
    bound_of,
    called,
    check_half,
    counted,
    element_of,
    indexed,
    is_variable,
    is_zero,
    plain,
    relu_operand,
    same_as,
    statements_of,
)


@frozen
class ProductLoop:
    """result = matrix · vector, with ReLU if asked for."""

    result: str
    matrix: str
    vector: str
    outputs: Size
    inputs: Size
    relu: bool
    at: int
    place: int = 0  # which C statement it is (its id)


def product_loop(
    loop: c.Loop, counter: Variable, outputs: Size, items: list[c.Stmt]
) -> ProductLoop:
    inner = [item for item in items if isinstance(item, c.Loop)]
    at = items.index(inner[0])
    if len(inner) > 1:
        raise Refused(inner[1].at, "a second loop in the loop over rows")
    column, inputs = counted(inner[0])
    total = _cleared(items[:at], counter, inner[0].at)
    body = statements_of(inner[0].body)
    product = _added(body[0], total) if len(body) == 1 else None
    if product is None:
        raise Refused(inner[0].at, "the inner loop adds up w[r * n + c] * x[c] and nothing else")
    matrix, vector = _factors(product, counter, column, inputs)
    result, relu = _stored(items[at + 1 :], total, counter, loop.at)
    if result in (matrix, vector):
        raise Refused(loop.at, f"'{result}' is both result and operand of the product")
    return ProductLoop(result, matrix, vector, outputs, inputs, relu, loop.at, id(loop))


def _cleared(items: list[c.Stmt], counter: Variable, at: int) -> c.Expr | Variable:
    """What is set to zero before the inner loop: a local, or y[r]."""
    if len(items) == 1:
        match items[0]:
            case c.DeclStmt(items=[Variable() as total]) if total.init is not None and is_zero(
                total.init.elements[0].value
            ):
                return total
            case c.ExprStmt(expr=c.Assign(target=target, value=value)) if is_zero(value):
                if isinstance(target, c.Name) and isinstance(target.symbol, Variable):
                    return target.symbol
                element_of(target, counter)
                return target
    raise Refused(at, "the sum of a row is set to zero before the inner loop, and nothing else")


def _is_total(node: c.Expr, total: c.Expr | Variable) -> bool:
    if isinstance(node, c.Convert) and isinstance(node.type, FloatingType):
        node = node.operand
    if isinstance(total, Variable):
        return isinstance(node, c.Name) and node.symbol is total
    return same_as(node, total)


def _added(item: c.Stmt, total: c.Expr | Variable) -> c.Expr | None:
    """What `total += …` adds."""
    match item:
        case c.ExprStmt(expr=c.CompoundAssign(op="+", target=target, value=value)) if _is_total(
            target, total
        ):
            return value
        case c.ExprStmt(expr=c.Assign(target=target, value=value)) if _is_total(target, total):
            if isinstance(value, c.Convert):
                value = value.operand
            if isinstance(value, c.Binary) and value.op == "+":
                if _is_total(value.left, total):
                    return value.right
                if _is_total(value.right, total):
                    return value.left
    return None


def _factors(node: c.Expr, row: Variable, column: Variable, inputs: Size) -> tuple[str, str]:
    """Matrix and vector of `w[r * n + c] * x[c]`."""
    while isinstance(node, c.Convert):
        node = node.operand
    if not isinstance(node, c.Binary) or node.op != "*":
        raise Refused(node.at, "a sum of a row adds products of two elements")
    sides = []
    for side in (node.left, node.right):
        while isinstance(side, c.Convert):
            side = side.operand
        sides.append(side)
    for one, other in (sides, sides[::-1]):
        matrix = _matrix(one, row, column, inputs)
        if matrix is not None:
            return matrix, element_of(other, column).name
    raise Refused(
        node.at,
        f"no factor is an element [{row.name} * {inputs} + {column.name}] of a matrix whose rows "
        f"have {inputs} elements",
    )


def _matrix(node: c.Expr, row: Variable, column: Variable, inputs: Size) -> str | None:
    """The matrix of w[r * n + c] or w[r][c]."""
    if not isinstance(node, c.Deref) or not isinstance(node.pointer, c.PointerAdd):
        return None
    base, index = node.pointer.pointer, plain(node.pointer.index)
    if isinstance(base, c.AddressOf) and isinstance(base.operand, c.Deref):
        try:
            outer, at = indexed(base.operand)
        except Refused:
            return None
        type_ = base.operand.type
        fits = isinstance(type_, ArrayType) and _row_length(type_) == inputs
        fits = fits and is_variable(at, row) and is_variable(index, column)
        if fits and isinstance(type_, ArrayType) and type_.element.unqual is FLOAT16:
            return outer.name
        return None
    array, _ = indexed(node)
    if not isinstance(index, c.Binary) or index.op != "+":
        return None
    for one, other in ((index.left, index.right), (index.right, index.left)):
        product = plain(one)
        if not is_variable(other, column):
            continue
        if not isinstance(product, c.Binary) or product.op != "*":
            continue
        for left, right in ((product.left, product.right), (product.right, product.left)):
            if is_variable(left, row) and bound_or_none(right) == inputs:
                check_half(array, node.at)
                return array.name
    return None


def bound_or_none(expr: c.Expr) -> Size | None:
    try:
        return bound_of(expr)
    except Refused:
        return None


def _row_length(type_: ArrayType) -> Size | None:
    if type_.length is not None:
        return Size(value=type_.length)
    return None if type_.vla is None else bound_or_none(type_.vla)


def _stored(
    items: list[c.Stmt], total: c.Expr | Variable, counter: Variable, at: int
) -> tuple[str, bool]:
    """The array that takes the sums, and whether ReLU is applied."""
    if not items and not isinstance(total, Variable):
        return element_of(total, counter).name, False
    if len(items) != 1:
        raise Refused(at, "after the inner loop the sum is stored, and nothing else")
    match items[0]:
        case c.ExprStmt(expr=c.Assign(target=target, value=value)):
            name = element_of(target, counter).name
            relu = False
            if isinstance(value, c.Convert) and not _is_total(value, total):
                value = value.operand
            if isinstance(value, c.Conditional):
                value, relu = relu_operand(value), True
            elif isinstance(value, c.Call) and called(value) == "hcc_relu":
                value, relu = value.args[0], True
            if _is_total(value, total):
                return name, relu
    raise Refused(items[0].at, "after the inner loop the sum or ReLU of it is stored")
