"""The syntax tree of firmware text.

Nodes are plain frozen data with the place they came from. There is no node for what firmware
may not do (while, classes, lambda, …): the parser refuses those by name.
"""

from __future__ import annotations

from attrs import frozen

from .diagnostics import Span


@frozen
class Name:
    span: Span
    name: str


@frozen
class Literal:
    span: Span
    value: int | float | bool | str | None


@frozen
class Sequence:
    span: Span
    items: tuple[Expression, ...]


@frozen
class Unary:
    span: Span
    operator: str
    operand: Expression


@frozen
class Binary:
    """A chain of left-associative operations: first, then (operator, operand) pairs."""

    span: Span
    first: Expression
    rest: tuple[tuple[str, Expression], ...]


@frozen
class Compare:
    """first < a <= b …: true if every neighbouring pair is."""

    span: Span
    first: Expression
    rest: tuple[tuple[str, Expression], ...]


@frozen
class Logic:
    """`and` or `or` over two or more operands, stopping at the first that decides."""

    span: Span
    operator: str
    operands: tuple[Expression, ...]


@frozen
class Ternary:
    span: Span
    value: Expression
    condition: Expression
    otherwise: Expression


@frozen
class Call:
    span: Span
    function: Expression
    positional: tuple[Expression, ...]
    named: tuple[tuple[str, Expression], ...]


@frozen
class Attribute:
    span: Span
    value: Expression
    name: str


@frozen
class Index:
    span: Span
    value: Expression
    index: Expression


Expression = (
    Name
    | Literal
    | Sequence
    | Unary
    | Binary
    | Compare
    | Logic
    | Ternary
    | Call
    | Attribute
    | Index
)


@frozen
class Evaluate:
    span: Span
    value: Expression


@frozen
class Assign:
    """`name = value`, or with an operator `name op= value`."""

    span: Span
    name: str
    operator: str
    value: Expression


@frozen
class Return:
    span: Span
    value: Expression | None


@frozen
class Assert:
    span: Span
    condition: Expression
    message: Expression | None


@frozen
class If:
    span: Span
    branches: tuple[tuple[Expression, tuple[Statement, ...]], ...]
    otherwise: tuple[Statement, ...]


@frozen
class For:
    span: Span
    name: str
    over: Expression
    body: tuple[Statement, ...]


@frozen
class Parameter:
    span: Span
    name: str
    default: Expression | None


@frozen
class Function:
    span: Span
    name: str
    parameters: tuple[Parameter, ...]
    body: tuple[Statement, ...]


@frozen
class Skip:
    """pass and import: nothing to do. What an import brings is found by name."""

    span: Span


Statement = Evaluate | Assign | Return | Assert | If | For | Function | Skip
