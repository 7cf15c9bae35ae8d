"""The actions of the expression rules (6.5)."""

from __future__ import annotations

from typing import Any

from attrs import define

from hcc.compiler.kernelc.builtins import BUILTIN_FUNCTIONS, BuiltinName, Builtins
from hcc.compiler.kernelc.conversions import promoted_operand
from hcc.compiler.kernelc.operators import PRECEDENCE
from hcc.compiler.kernelc.scope import (
    EnumConstant,
    Function,
    Typedef,
    Variable,
    did_you_mean,
)
from hcc.compiler.kernelc.syntax import (
    Call,
    ErrorExpr,
    Expr,
    FloatConst,
    IntConst,
    MemberOf,
    Name,
    StringConst,
    VlaSize,
)
from hcc.compiler.kernelc.tokens import Token
from hcc.compiler.kernelc.types import (
    CHAR,
    ERROR,
    INT,
    ULONG,
    ArrayType,
    CType,
    FloatingType,
    FunctionType,
    Member,
    PointerType,
    RecordType,
    declare,
    promoted_argument,
    qualified,
)


@define(eq=False)
class Flat:
    """A run of operands and binary operators, sorted by precedence as it grows."""

    operands: list[Expr]
    operators: list[Token]


class Expressions(Builtins):
    """The actions of the expression rules."""

    # ---- binary expressions ----

    def on_flat(self, left: Expr | Flat, op: Token, right: Expr) -> Flat:
        if not isinstance(left, Flat):
            return Flat([left, right], [op])
        precedence = PRECEDENCE[op.value]
        while left.operators and PRECEDENCE[left.operators[-1].value] >= precedence:
            self._reduce(left)
        left.operands.append(right)
        left.operators.append(op)
        return left

    def _reduce(self, flat: Flat) -> None:
        right = flat.operands.pop()
        op = flat.operators.pop()
        flat.operands[-1] = self.binary(op.value, flat.operands[-1], right, op.lineno)

    def on_flat_end(self, flat: Expr | Flat) -> Expr:
        if not isinstance(flat, Flat):
            return flat
        while flat.operators:
            self._reduce(flat)
        return flat.operands[0]

    def on_question(self, flat: Expr | Flat, question: Token) -> tuple[Expr, Token]:
        return self.on_flat_end(flat), question

    def on_conditional(
        self, head: tuple[Expr, Token], then: Expr, _colon: Token, otherwise: Expr
    ) -> Expr:
        return self.chosen(head[0], then, otherwise, head[1].lineno)

    def on_conditional_short(
        self, head: tuple[Expr, Token], _colon: Token, otherwise: Expr
    ) -> Expr:
        return self.chosen(head[0], None, otherwise, head[1].lineno)

    def on_assign(self, flat: Expr | Flat, op: Token, value: Expr) -> Expr:
        target = self.on_flat_end(flat)
        if op.value == "=":
            return self.assigned(target, value, op.lineno)
        return self.compound_assigned(op.value[:-1], target, value, op.lineno)

    def on_comma(self, left: Expr, comma: Token, right: Expr) -> Expr:
        return self.sequence(left, right, comma.lineno)

    # ---- unary expressions ----

    def on_cast(self, open_: Token, type_: CType, _close: Token, operand: Expr) -> Expr:
        return self.cast(operand, type_, open_.lineno)

    def on_prefix_step(self, op: Token, target: Expr) -> Expr:
        return self.stepped(target, 1 if op.value == "++" else -1, True, op.lineno)

    def on_postfix_step(self, target: Expr, op: Token) -> Expr:
        return self.stepped(target, 1 if op.value == "++" else -1, False, op.lineno)

    def on_unary(self, op: Token, operand: Expr) -> Expr:
        match op.value:
            case "*":
                return self.dereferenced(operand, op.lineno)
            case "&":
                return self.address(operand, op.lineno)
            case "!":
                return self.logical_not(operand, op.lineno)
        return self.negated(op.value, operand, op.lineno)

    def on_label_address(self, op: Token, _name: Token) -> Expr:
        self.refuse(op.lineno, "the address of a label (computed goto) is")
        return ErrorExpr(ERROR, op.lineno)

    def on_sizeof_expression(self, word: Token, operand: Expr) -> Expr:
        if isinstance(operand, MemberOf) and operand.member.width is not None:
            self.error(word.lineno, f"sizeof of bit-field '{operand.member.name}'")
        return self._size_of(operand.type, word)

    def on_sizeof_type(self, word: Token, _open: Token, type_: CType, _close: Token) -> Expr:
        return self._size_of(type_, word)

    def _size_of(self, type_: CType, word: Token) -> Expr:
        if type_.is_error:
            return ErrorExpr(ERROR, word.lineno)
        if type_.is_void or type_.is_function:
            return IntConst(ULONG, word.lineno, 1)  # as GNU C has it
        if not type_.complete:
            self.error(word.lineno, f"sizeof of incomplete type '{type_}'")
            return ErrorExpr(ERROR, word.lineno)
        if isinstance(type_, ArrayType) and type_.is_vla:
            return VlaSize(ULONG, word.lineno, type_)
        return IntConst(ULONG, word.lineno, type_.size)

    def on_alignof_expression(self, word: Token, operand: Expr) -> Expr:
        if isinstance(operand, Name) and isinstance(operand.symbol, Variable):
            align = max(operand.symbol.align, operand.type.align)
            return IntConst(ULONG, word.lineno, align)
        return IntConst(ULONG, word.lineno, operand.type.align)

    def on_alignof_type(self, word: Token, _open: Token, type_: CType, _close: Token) -> Expr:
        if not type_.complete and not type_.is_void:
            self.error(word.lineno, f"_Alignof of incomplete type '{type_}'")
        return IntConst(ULONG, word.lineno, type_.align)

    # ---- primary expressions ----

    def on_constant(self, token: Any) -> Expr:
        value, type_ = token.payload
        if isinstance(type_, FloatingType):
            return FloatConst(type_, token.lineno, value)
        return IntConst(type_, token.lineno, value)

    def on_string(self, token: Any) -> Expr:
        data, element = token.payload
        length = len(data) // element.size + 1
        return StringConst(ArrayType(element, length), token.lineno, data + b"\0" * element.size)

    def on_parenthesised(self, _open: Token, expr: Expr, _close: Token) -> Expr:
        return expr

    def on_identifier(self, token: Token) -> Expr:
        name = token.value
        entity = self.scope.find(name)
        if isinstance(entity, Variable):
            entity.used = True
            return Name(entity.type, token.lineno, entity)
        if isinstance(entity, EnumConstant):
            return IntConst(entity.type, token.lineno, entity.value)
        if isinstance(entity, Function):
            entity.used = True
            return Name(entity.type, token.lineno, entity)
        if isinstance(entity, Typedef):
            if not entity.type.is_error:
                self.error_on(token, f"unexpected type name '{name}': an expression is expected")
            return ErrorExpr(ERROR, token.lineno)
        return self._unknown(token)

    def _unknown(self, token: Token) -> Expr:
        """A name nothing declares: perhaps a builtin, perhaps a function not declared yet."""
        name = token.value
        if name in BUILTIN_FUNCTIONS:
            return BuiltinName(ERROR, token.lineno, name)
        if name == "__func__" and self.function is not None:
            data = self.function.name.encode() + b"\0"
            type_ = qualified(ArrayType(CHAR, len(data)), 1)
            return StringConst(type_, token.lineno, data)
        if name.startswith("__builtin_"):
            function = self.library_function(name.removeprefix("__builtin_"), token.lineno)
            if function is not None:
                return Name(function.type, token.lineno, function)
            self.error_on(token, f"builtin '{name}' is not supported")
            return ErrorExpr(ERROR, token.lineno)
        if self.next_kind() == "(":
            return self._implicit_function(token)
        if name not in self.undeclared:
            self.undeclared.add(name)
            hint = self.header_hint(name) or did_you_mean(name, self.scope.names)
            self.error_on(token, f"'{name}' undeclared{hint}")
        return ErrorExpr(ERROR, token.lineno)

    def _implicit_function(self, token: Token) -> Expr:
        """A call of an undeclared function: C89 lets it return int."""
        name = token.value
        refused = self.refused_function(name)
        if refused:
            self.error_on(token, f"'{name}': {refused} not supported")
            return ErrorExpr(ERROR, token.lineno)
        function = self.library_function(name, token.lineno)
        hint = self.header_hint(name) or did_you_mean(name, self.scope.names)
        if function is None:
            function = Function(name, FunctionType(INT, (), False, False), token.lineno)
            function.symbol = name
            function.implicit = function.used = True
            self.definitions.linked[name] = function
        self.diagnostics.warning(
            self.files.span(token.lineno, len(name)),
            f"implicit declaration of function '{name}'{hint}",
        )
        self.scope.declare_at_file_scope(name, function)
        return Name(function.type, token.lineno, function)

    # ---- postfix expressions ----

    def on_subscript(self, base: Expr, open_: Token, index: Expr, _close: Token) -> Expr:
        pointer, number = self.value(base), self.value(index)
        if pointer.type.is_error or number.type.is_error:
            return ErrorExpr(ERROR, open_.lineno)
        if pointer.type.is_integer and number.type.is_pointer:
            pointer, number = number, pointer
        type_ = pointer.type
        if not isinstance(type_, PointerType):
            notes = []
            if isinstance(base, Name):
                what = declare(base.symbol.type, "")
                notes.append(
                    self.note(base.symbol.at, f"'{base.symbol.name}' is declared here as '{what}'")
                )
            fact = "subscript of a value that is neither array nor pointer"
            self.error(open_.lineno, f"{fact} ('{base.type}')", *notes)
            return ErrorExpr(ERROR, open_.lineno)
        if not number.type.is_integer:
            self.error(index.at, f"array subscript is not an integer ('{number.type}')")
            return ErrorExpr(ERROR, open_.lineno)
        if type_.target.is_function:
            self.error(open_.lineno, "subscript of a pointer to a function")
            return ErrorExpr(ERROR, open_.lineno)
        return self.dereferenced(self.pointer_add(pointer, number, open_.lineno), open_.lineno)

    def on_member_dot(self, base: Expr, dot: Token, name: Token) -> Expr:
        if base.type.is_error:
            return base
        if isinstance(base.type, PointerType) and isinstance(base.type.target, RecordType):
            self.error(dot.lineno, f"'{base.type}' is a pointer; did you mean to use '->'?")
            base = self.dereferenced(base, dot.lineno)
        return self.member(base, name, dot)

    def on_member_arrow(self, base: Expr, arrow: Token, name: Token) -> Expr:
        base = self.value(base)
        if base.type.is_error:
            return base
        if base.type.is_record:
            self.error(arrow.lineno, f"'{base.type}' is not a pointer; did you mean to use '.'?")
            return self.member(base, name, arrow)
        if not isinstance(base.type, PointerType):
            self.error(arrow.lineno, f"'->' applied to a value that is no pointer ('{base.type}')")
            return ErrorExpr(ERROR, arrow.lineno)
        return self.member(self.dereferenced(base, arrow.lineno), name, arrow)

    def member(self, base: Expr, name: Token, op: Token) -> Expr:
        type_ = base.type
        if not isinstance(type_, RecordType):
            self.error(
                op.lineno,
                f"member '{name.value}' of a value that is no struct or union ('{type_}')",
            )
            return ErrorExpr(ERROR, op.lineno)
        if not type_.complete:
            self.error(op.lineno, f"member '{name.value}' of incomplete type '{type_}'")
            return ErrorExpr(ERROR, op.lineno)
        path = type_.record.find(name.value)
        if not path:
            hint = did_you_mean(name.value, list(type_.record.by_name))
            self.error_on(name, f"'{type_}' has no member named '{name.value}'{hint}")
            return ErrorExpr(ERROR, op.lineno)
        for member in path:
            base = self.member_of(base, member, name.lineno)
        return base

    def member_of(self, base: Expr, member: Member, at: int) -> Expr:
        """A member, with the qualifiers of the whole."""
        type_ = member.type
        if base.type.quals and not type_.is_function:
            type_ = qualified(type_, base.type.quals)
        return MemberOf(type_, at, base, member)

    def on_call_empty(self, callee: Expr, open_: Token, _close: Token) -> Expr:
        return self.on_call(callee, open_, [], _close)

    def on_call(self, callee: Expr, open_: Token, args: list[Expr], _close: Token) -> Expr:
        at = callee.at
        if isinstance(callee, BuiltinName):
            return self.call_builtin(callee.name, args, at)
        if callee.type.is_error:
            return ErrorExpr(ERROR, at)
        type_: CType = callee.type
        if isinstance(type_, PointerType):
            type_ = type_.target
        if not isinstance(type_, FunctionType):
            self.error(open_.lineno, f"called object is not a function ('{callee.type}')")
            return ErrorExpr(ERROR, at)
        result = type_.result
        if not result.complete and not result.is_void:
            self.error(at, f"call of a function that returns incomplete type '{result}'")
            return ErrorExpr(ERROR, at)
        converted = self._arguments(callee, type_, args, open_)
        if converted is None:
            return ErrorExpr(ERROR, at)
        direct = isinstance(callee, Name) and isinstance(callee.symbol, Function)
        function = callee if direct else self.value(callee)
        return Call(result.unqual, at, function, converted)

    def _arguments(
        self, callee: Expr, type_: FunctionType, args: list[Expr], open_: Token
    ) -> list[Expr] | None:
        """The arguments converted to the parameters; None after an error."""
        name = callee.symbol.name if isinstance(callee, Name) else ""
        count = len(type_.params)
        if type_.prototyped and (len(args) < count or (len(args) > count and not type_.variadic)):
            many = "many" if len(args) > count else "few"
            at = args[count].at if len(args) > count else open_.lineno
            wanted = f"{'at least ' if type_.variadic else ''}{count}"
            notes = []
            if isinstance(callee, Name):
                notes.append(self.note(callee.symbol.at, f"'{name}' is declared here"))
            shown = f"'{name}'" if name else "the function"
            message = f"too {many} arguments to {shown}: {wanted} expected, {len(args)} given"
            self.error(at, message, *notes)
            return None
        converted: list[Expr] = []
        for i, arg in enumerate(args):
            if type_.prototyped and i < count:
                shown = f" of '{name}'" if name else ""
                use = f"passing argument {i + 1}{shown} as"
                converted.append(self.assign_convert(arg, type_.params[i], arg.at, use))
            else:
                converted.append(self._promoted(arg))
        return None if any(a.type.is_error for a in converted) else converted

    def _promoted(self, arg: Expr) -> Expr:
        arg = self.value(arg)
        type_ = arg.type
        if type_.is_void:
            self.error(arg.at, "a void value cannot be an argument")
            return ErrorExpr(ERROR, arg.at)
        if not type_.complete:
            self.error(arg.at, f"argument of incomplete type '{type_}'")
            return ErrorExpr(ERROR, arg.at)
        if type_.is_arithmetic:
            type_ = promoted_operand(arg) if type_.is_integer else promoted_argument(type_)
            return self.convert(arg, type_)
        return arg
