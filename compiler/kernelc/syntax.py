"""The typed syntax tree that the parser's actions build and the lowering walks.

Expressions carry their C type and the position they are reported at (`at`, see positions.py).
Every implicit conversion is a node of its own, array and function designators in value context
are wrapped in `AddressOf`, and constants are folded on construction, so the lowering decides
nothing about C's type rules. An lvalue node used where a value is wanted means its load.
"""

from __future__ import annotations

from typing import Any, Protocol

from attrs import define, field

from hcc.compiler.kernelc.scope import Function, Variable
from hcc.compiler.kernelc.types import ArrayType, CType, Member


@define(eq=False, repr=False)
class Expr:
    type: CType
    at: int


# ---- constants ----


@define(eq=False, repr=False)
class IntConst(Expr):
    """An integer, or a pointer given as its address."""

    value: int


@define(eq=False, repr=False)
class FloatConst(Expr):
    value: float


@define(eq=False, repr=False)
class StringConst(Expr):
    """An array lvalue; `data` includes the terminating zero."""

    data: bytes


@define(eq=False, repr=False)
class ImageConst(Expr):
    """The bytes of an object with static storage that is initialised by numbers alone."""

    data: bytes


# ---- lvalues ----


@define(eq=False, repr=False)
class Name(Expr):
    symbol: Variable | Function


@define(eq=False, repr=False)
class Deref(Expr):
    pointer: Expr


@define(eq=False, repr=False)
class MemberOf(Expr):
    """`base.member`; the base may be a value (a call's result) or an lvalue."""

    base: Expr
    member: Member


@define(eq=False, repr=False)
class CompoundLiteral(Expr):
    variable: Variable


# ---- operators ----


@define(eq=False, repr=False)
class Unary(Expr):
    """`-` or `~` on a promoted operand."""

    op: str
    operand: Expr


@define(eq=False, repr=False)
class Binary(Expr):
    """`+ - * / % & | ^` on operands of this node's type. Of `<< >>`, the right one has any."""

    op: str
    left: Expr
    right: Expr


@define(eq=False, repr=False)
class Compare(Expr):
    """`< <= > >= == !=` on operands of one scalar type; the result is an int."""

    op: str
    left: Expr
    right: Expr


@define(eq=False, repr=False)
class Logical(Expr):
    """`&&` or `||`."""

    op: str
    left: Expr
    right: Expr


@define(eq=False, repr=False)
class LogicalNot(Expr):
    operand: Expr


@define(eq=False, repr=False)
class PointerAdd(Expr):
    """A pointer plus (or minus) an index, counted in elements."""

    pointer: Expr
    index: Expr
    negative: bool


@define(eq=False, repr=False)
class PointerDifference(Expr):
    left: Expr
    right: Expr


@define(eq=False, repr=False)
class Conditional(Expr):
    """`condition ? then : otherwise`; in GNU's `x ?: y`, `then` is None."""

    condition: Expr
    then: Expr | None
    otherwise: Expr


@define(eq=False, repr=False)
class Comma(Expr):
    left: Expr
    right: Expr


@define(eq=False, repr=False)
class Assign(Expr):
    target: Expr
    value: Expr


@define(eq=False, repr=False)
class CompoundAssign(Expr):
    """`target op= value`. The operation is done in `operation_type`; for pointers `op` is + or -
    and the value is an index."""

    op: str
    target: Expr
    value: Expr
    operation_type: CType


@define(eq=False, repr=False)
class Step(Expr):
    """`++` and `--`: `delta` is 1 or -1."""

    target: Expr
    delta: int
    prefix: bool


@define(eq=False, repr=False)
class Convert(Expr):
    """A conversion to this node's type, written or implied. One written with a variably modified
    type `evaluates` its lengths."""

    operand: Expr
    evaluates: bool = False


@define(eq=False, repr=False)
class AddressOf(Expr):
    """The address of an lvalue or function, as a pointer of this node's type."""

    operand: Expr


@define(eq=False, repr=False)
class Call(Expr):
    callee: Expr
    args: list[Expr]


@define(eq=False, repr=False)
class Builtin(Expr):
    """A call of a compiler builtin that is not a library function; see builtins.py."""

    name: str
    args: list[Expr]


@define(eq=False, repr=False)
class VaArg(Expr):
    """The next variadic argument; `list_` is the lvalue of the va_list."""

    list_: Expr


@define(eq=False, repr=False)
class VlaSize(Expr):
    """`sizeof` of a type whose size is known only at run time."""

    of: CType


@define(eq=False, repr=False)
class StatementExpr(Expr):
    """GNU's `({ ... })`: statements, and the expression behind them that gives the value, unless
    this node's type is void."""

    body: Compound
    result: Expr | None


@define(eq=False, repr=False)
class ErrorExpr(Expr):
    """An expression that was complained about."""


# ---- initialisers ----


@define(eq=False, repr=False)
class Designator:
    """`.name` or `[low]` or `[low ... high]`."""

    at: int
    name: str = ""
    low: int = 0
    high: int = 0


@define(eq=False, repr=False)
class InitItem:
    designators: list[Designator]
    value: Expr | InitList


class Numbers(Protocol):
    """An initialiser of integers alone: as nested lists, and as items that are made on demand."""

    rows: list[Any]

    def items(self) -> list[InitItem]: ...


@define(eq=False, repr=False)
class InitList:
    """`{ ... }`, by its items or, if it has `numbers`, by them."""

    at: int
    given: list[InitItem] | None
    numbers: Numbers | None = None

    @property
    def items(self) -> list[InitItem]:
        if self.given is None:
            assert self.numbers is not None
            self.given = self.numbers.items()
        return self.given


@define(eq=False, repr=False)
class Element:
    """One scalar, string, image or whole record of an initialised object, at its byte offset."""

    offset: int
    type: CType
    value: Expr
    member: Member | None = None
    """The bit-field that is initialised, if it is one."""


@define(eq=False, repr=False)
class Initializer:
    """What an object starts with: the elements in order of evaluation; the rest is zero."""

    elements: list[Element]
    covers_all: bool = False


# ---- statements ----


@define(eq=False, repr=False)
class VlaMark:
    """One declared variable-length array: the chain of those alive at a place. Leaving its scope
    frees it, and `slot` (set by the lowering) tells to where."""

    parent: VlaMark | None
    slot: object = None


@define(eq=False, repr=False)
class Stmt:
    at: int
    labelled: bool = False
    """Whether control may come in from outside: a label or a case of an outer switch inside."""


@define(eq=False, repr=False)
class ExprStmt(Stmt):
    expr: Expr = field(kw_only=True)


@define(eq=False, repr=False)
class DeclStmt(Stmt):
    """Declared locals in order; an array type stands for the size of a VLA typedef."""

    items: list[Variable | CType] = field(kw_only=True)


@define(eq=False, repr=False)
class Compound(Stmt):
    items: list[Stmt] = field(kw_only=True)
    vla_before: VlaMark | None = None
    vla_after: VlaMark | None = None
    end: int = 0


@define(eq=False, repr=False)
class If(Stmt):
    condition: Expr = field(kw_only=True)
    then: Stmt = field(kw_only=True)
    otherwise: Stmt | None = field(kw_only=True)


@define(eq=False, repr=False)
class Loop(Stmt):
    """`for`, `while` and `do`: `init` first; `tests_last` for do."""

    init: Stmt | None = field(kw_only=True)
    condition: Expr | None = field(kw_only=True)
    step: Expr | None = field(kw_only=True)
    body: Stmt = field(kw_only=True)
    tests_last: bool = False
    vla: VlaMark | None = None
    vla_inside: VlaMark | None = None


@define(eq=False, repr=False)
class Case:
    """`case low:` or `case low ... high:`; `low` is None for `default:`."""

    at: int
    low: int | None
    high: int | None
    vla: VlaMark | None = None


@define(eq=False, repr=False)
class Switch(Stmt):
    value: Expr = field(kw_only=True)
    body: Stmt = field(kw_only=True)
    cases: list[Case] = field(kw_only=True)
    vla: VlaMark | None = None


@define(eq=False, repr=False)
class Label:
    """A label of a function: where it is defined and which VLAs live there."""

    name: str
    at: int
    defined: bool = False
    used: bool = False
    vla: VlaMark | None = None


@define(eq=False, repr=False)
class Labelled(Stmt):
    labels: list[Label | Case] = field(kw_only=True)
    body: Stmt = field(kw_only=True)


@define(eq=False, repr=False)
class Goto(Stmt):
    label: Label = field(kw_only=True)
    vla: VlaMark | None = None


@define(eq=False, repr=False)
class Break(Stmt):
    vla: VlaMark | None = None


@define(eq=False, repr=False)
class Continue(Stmt):
    vla: VlaMark | None = None


@define(eq=False, repr=False)
class Return(Stmt):
    value: Expr | None = field(kw_only=True)


@define(eq=False, repr=False)
class Empty(Stmt):
    pass


VlaArray = ArrayType
"""A variable-length array type whose size a declaration evaluates."""
