"""Expressions with types or braces in them: compound literals, va_arg, offsetof, _Generic."""

from __future__ import annotations

from typing import Any

from attrs import define

from hcc.compiler.kernelc.expressions import Expressions
from hcc.compiler.kernelc.scope import Variable
from hcc.compiler.kernelc.syntax import (
    CompoundLiteral,
    ErrorExpr,
    Expr,
    InitList,
    IntConst,
    MemberOf,
    VaArg,
)
from hcc.compiler.kernelc.tokens import Token
from hcc.compiler.kernelc.types import (
    ERROR,
    INT,
    ULONG,
    ArrayType,
    CType,
    compatible,
    promoted_argument,
)


@define(eq=False)
class Offset:
    """The path of an offsetof so far: bytes from the start and the type there."""

    type: CType
    bytes: int
    dynamic: Expr | None = None


class Forms(Expressions):
    """The actions of these rules."""

    def on_compound_literal(
        self, open_: Token, type_: CType, _close: Token, braces: InitList
    ) -> Expr:
        if isinstance(type_, ArrayType) and type_.is_vla:
            self.error(open_.lineno, "a compound literal cannot have variable length")
            return ErrorExpr(ERROR, open_.lineno)
        at_file_scope = self.function is None
        variable = Variable(".literal", type_, open_.lineno, static=at_file_scope, used=True)
        variable.type, variable.init = self.initializer(type_, braces, at_file_scope)
        if not variable.type.complete:
            if not variable.type.is_error:
                self.error(open_.lineno, f"compound literal of incomplete type '{variable.type}'")
            return ErrorExpr(ERROR, open_.lineno)
        if at_file_scope:
            variable.symbol = self.symbol_for("literal")
            variable.linkage, variable.defined = "internal", True
            self.definitions.variables.append(variable)
        return CompoundLiteral(variable.type, open_.lineno, variable)

    def on_va_arg(
        self, word: Token, _open: Token, list_: Expr, _comma: Token, type_: CType, _close: Token
    ) -> Expr:
        if list_.type.is_error or type_.is_error:
            return ErrorExpr(ERROR, word.lineno)
        if not self.check_va_list(list_, "va_arg"):
            return ErrorExpr(ERROR, word.lineno)
        if not type_.complete or type_.is_array:
            self.error(word.lineno, f"va_arg of type '{type_}'")
            return ErrorExpr(ERROR, word.lineno)
        wider = promoted_argument(type_)
        if not compatible(wider, type_.unqual):
            message = f"'{type_}' is promoted to '{wider}' when passed; va_arg fetches it as that"
            self.warning(word.lineno, message)
            return self.convert(VaArg(wider, word.lineno, list_), type_)
        return VaArg(type_.unqual, word.lineno, list_)

    def on_offsetof(
        self, word: Token, _open: Token, type_: CType, _comma: Token, path: list[Any], _close: Token
    ) -> Expr:
        here = Offset(type_, 0)
        for step in path:
            if here.type.is_error:
                return ErrorExpr(ERROR, word.lineno)
            if isinstance(step, Token):
                member = self.member(ErrorlessBase(here.type, word.lineno), step, word)
                if not isinstance(member, MemberOf):
                    return ErrorExpr(ERROR, word.lineno)
                here = _through(member, here)
            elif isinstance(here.type, ArrayType) and isinstance(step, IntConst):
                size = here.type.element.size
                here = Offset(here.type.element, here.bytes + step.value * size)
            else:
                self.error(word.lineno, "offsetof wants members and constant subscripts")
                return ErrorExpr(ERROR, word.lineno)
        return IntConst(ULONG, word.lineno, here.bytes)

    def on_offset_first(self, name: Token) -> list[Any]:
        return [name]

    def on_offset_member(self, path: list[Any], _dot: Token, name: Token) -> list[Any]:
        return [*path, name]

    def on_offset_index(
        self, path: list[Any], _open: Token, index: Expr, _close: Token
    ) -> list[Any]:
        return [*path, index]

    def on_types_compatible(
        self, word: Token, _open: Token, a: CType, _comma: Token, b: CType, _close: Token
    ) -> Expr:
        return IntConst(INT, word.lineno, int(compatible(a.unqual, b.unqual)))

    def on_association(self, type_: CType, _colon: Token, expr: Expr) -> tuple[CType, Expr]:
        return type_, expr

    def on_association_default(self, _word: Token, _colon: Token, expr: Expr) -> tuple[None, Expr]:
        return None, expr

    def on_generic(
        self,
        word: Token,
        _open: Token,
        control: Expr,
        _comma: Token,
        associations: list[tuple[CType | None, Expr]],
        _close: Token,
    ) -> Expr:
        type_ = self.value(control).type.unqual
        default: Expr | None = None
        for candidate, expr in associations:
            if candidate is None:
                default = expr
            elif compatible(candidate, type_):
                return expr
        if default is None and not type_.is_error:
            self.error(word.lineno, f"no association of _Generic fits '{type_}'")
        return default or ErrorExpr(ERROR, word.lineno)


class ErrorlessBase(Expr):
    """Stands for the object whose members offsetof walks."""


def _through(member: MemberOf, here: Offset) -> Offset:
    """The offset of a member reached through anonymous records."""
    offset = 0
    node: Expr = member
    while isinstance(node, MemberOf):
        offset += node.member.offset
        node = node.base
    return Offset(member.type, here.bytes + offset)
