"""Lowering of conditions, choices and effects: where expressions become control flow.

A comparison is an i1 and is branched on as it is; it is widened only where its int is wanted.
`&&` and `||` in a condition are branches, with no value in between.
"""

from __future__ import annotations

from collections.abc import Callable

from hcc.compiler.ir.module import Block, Const, Edge, Operand
from hcc.compiler.ir.ops import Op
from hcc.compiler.ir.types import I1, VOID, Type
from hcc.compiler.kernelc.lower_convert import Conversion
from hcc.compiler.kernelc.syntax import (
    AddressOf,
    Binary,
    Builtin,
    Comma,
    Compare,
    CompoundLiteral,
    Conditional,
    Convert,
    Deref,
    Expr,
    FloatConst,
    IntConst,
    Logical,
    LogicalNot,
    MemberOf,
    Name,
    StatementExpr,
    Step,
    StringConst,
)
from hcc.compiler.kernelc.types import INT, VOLATILE, RecordType

_TRUE, _FALSE = Const(I1, 1), Const(I1, 0)
_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
BOOLEANS = (Compare, Logical, LogicalNot)


class ConditionLowering(Conversion):
    """Conditions, choices and effects."""

    # ---- choice ----

    def conditional(self, expr: Conditional) -> Operand:
        if expr.type.is_void:
            self.effect(expr)
            return _FALSE
        return self.choose(expr, expr.type.ir, self.value)

    def choose(self, expr: Conditional, ir: Type, get: Callable[[Expr], Operand]) -> Operand:
        """A choice by control flow, its result a block parameter."""
        cursor = self.cursor
        join = cursor.new_block("join", ((ir, ""),))
        otherwise = cursor.new_block("else")
        if expr.then is None:
            value = self.value(expr.condition)
            test = self.is_true(value, expr.condition.type)
            kept = self.convert(value, expr.condition.type, expr.type)
            targets = [Edge(join, [kept]), Edge(otherwise)]
            cursor.emit(Op.CBR, VOID, (test,), targets=targets)
        else:
            then = cursor.new_block("then")
            self.branch(expr.condition, then, otherwise)
            cursor.place(then)
            cursor.br(join, (get(expr.then),))
        cursor.place(otherwise)
        cursor.br(join, (get(expr.otherwise),))
        cursor.place(join)
        return join.params[0]

    # ---- conditions ----

    def condition(self, expr: Expr) -> Operand:
        """Whether a scalar expression is true, as i1."""
        match expr:
            case Compare():
                left = self.value(expr.left)
                right = self.value(expr.right)
                self.locate(expr.at)
                return self.compared(expr.op, expr.left.type.unqual, left, right)
            case LogicalNot():
                return self._negated(expr.operand)
            case Logical():
                return self._logical(expr)
            case IntConst() | FloatConst():
                return _TRUE if expr.value != 0 else _FALSE
            case Convert() if isinstance(expr.operand, BOOLEANS) and expr.type.is_integer:
                return self.condition(expr.operand)
            case Builtin(name="__builtin_expect"):
                return self.condition(expr.args[0])
        value = self.value(expr)
        self.locate(expr.at)
        return self.is_true(value, expr.type)

    def _negated(self, expr: Expr) -> Operand:
        if isinstance(expr, Compare) and not expr.left.type.is_floating:
            return self.condition(Compare(INT, expr.at, _OPPOSITE[expr.op], expr.left, expr.right))
        if isinstance(expr, LogicalNot):
            return self.condition(expr.operand)
        if not isinstance(expr, BOOLEANS) and not expr.type.is_floating:
            value = self.value(expr)
            self.locate(expr.at)
            return self.cursor.compare(Op.EQ, value, Const(value.type, 0))
        return self.cursor.binary(Op.XOR, self.condition(expr), _TRUE)

    def _logical(self, expr: Logical) -> Operand:
        """A value of && or ||: the right operand is only reached when it decides."""
        cursor = self.cursor
        join = cursor.new_block("join", ((I1, ""),))
        more = cursor.new_block("more")
        left = self.condition(expr.left)
        targets = [Edge(more), Edge(join, [_FALSE])]
        if expr.op == "||":
            targets = [Edge(join, [_TRUE]), Edge(more)]
        cursor.emit(Op.CBR, VOID, (left,), targets=targets)
        cursor.place(more)
        right = self.condition(expr.right)
        cursor.br(join, (right,))
        cursor.place(join)
        return join.params[0]

    def branch(self, expr: Expr, then: Block, otherwise: Block) -> None:
        """Branch on a condition."""
        if isinstance(expr, LogicalNot):
            self.branch(expr.operand, otherwise, then)
            return
        if isinstance(expr, Logical):
            operands = _chain(expr)
            for operand in operands[:-1]:
                more = self.cursor.new_block("more")
                if expr.op == "&&":
                    self.branch(operand, more, otherwise)
                else:
                    self.branch(operand, then, more)
                self.cursor.place(more)
            self.branch(operands[-1], then, otherwise)
            return
        test = self.condition(expr)
        if isinstance(test, Const):
            self.cursor.br(then if test.value else otherwise)
        else:
            self.cursor.cbr(test, then, otherwise)

    # ---- effects ----

    def effect(self, expr: Expr) -> None:
        """Evaluate for the side effects alone."""
        match expr:
            case Convert():
                self.effect(expr.operand)
            case Comma():
                self.effect(expr.left)
                self.effect(expr.right)
            case Step():
                self.stepped(expr)
            case Conditional():
                self._choice_effect(expr)
            case Logical():
                self._logical_effect(expr)
            case Name() | Deref() | MemberOf() | CompoundLiteral():
                place = self.place(expr)
                if expr.type.quals & VOLATILE and expr.type.is_scalar:
                    self.load(place, expr.type)
            case IntConst() | FloatConst() | StringConst():
                pass
            case StatementExpr():
                with self.statements_of(expr):
                    if expr.result is not None:
                        self.effect(expr.result)
            case Binary() | Compare() if (
                expr.type.is_scalar and getattr(expr, "op", "") not in "/%"
            ):
                self.effect(expr.left)
                self.effect(expr.right)
            case AddressOf():
                self.place(expr.operand)
            case _ if isinstance(expr.type, RecordType):
                self.record(expr)
            case _:
                self.value(expr)

    def _choice_effect(self, expr: Conditional) -> None:
        cursor = self.cursor
        end = cursor.new_block("end")
        otherwise = cursor.new_block("else")
        then = cursor.new_block("then") if expr.then is not None else end
        self.branch(expr.condition, then, otherwise)
        if expr.then is not None:
            cursor.place(then)
            self.effect(expr.then)
            cursor.br(end)
        cursor.place(otherwise)
        self.effect(expr.otherwise)
        cursor.br(end)
        cursor.place(end)

    def _logical_effect(self, expr: Logical) -> None:
        cursor = self.cursor
        end = cursor.new_block("end")
        more = cursor.new_block("more")
        first = (more, end) if expr.op == "&&" else (end, more)
        self.branch(expr.left, *first)
        cursor.place(more)
        self.effect(expr.right)
        cursor.br(end)
        cursor.place(end)


def _chain(expr: Logical) -> list[Expr]:
    """The operands of a && b && c, in order."""
    operands = [expr.right]
    left = expr.left
    while isinstance(left, Logical) and left.op == expr.op:
        operands.append(left.right)
        left = left.left
    operands.append(left)
    return operands[::-1]
