"""Declarators, parameter lists, type names and members of records (6.7.2.1, 6.7.5, 6.7.6).

A declarator is read from the name outwards as a list of parts, the one nearest to the name first;
`declared_type` applies them to the specified type from the other end.
"""

from __future__ import annotations

from typing import Any

from attrs import define, field

from hcc.compiler.kernelc.layout import lay_out
from hcc.compiler.kernelc.scope import Variable
from hcc.compiler.kernelc.semantics import Mark
from hcc.compiler.kernelc.specifiers import QUALIFIERS, Attributes, Specifiers, Specs
from hcc.compiler.kernelc.syntax import Expr, IntConst
from hcc.compiler.kernelc.tokens import Token
from hcc.compiler.kernelc.types import (
    ERROR,
    INT,
    LONG,
    ArrayType,
    CType,
    FunctionType,
    IntegerType,
    Member,
    RecordType,
    pointer_to,
    qualified,
)

MAX_TYPE_SIZE = 1 << 40


@define(eq=False)
class PointerPart:
    quals: int = 0


@define(eq=False)
class ArrayPart:
    """`[...]`: a constant length, a variable one, or neither."""

    at: int
    length: Expr | None
    star: bool = False


@define(eq=False)
class FunctionPart:
    """`(...)`: the parameters, or an identifier list, and the scope they were declared in."""

    at: int
    params: list[Variable] = field(factory=list)
    variadic: bool = False
    prototyped: bool = True
    names: list[Token] | None = None
    level: Any = None


Part = PointerPart | ArrayPart | FunctionPart


@define(eq=False)
class Declarator:
    """A declarator; `name` is None in a type name."""

    name: Token | None
    parts: list[Part] = field(factory=list)
    attributes: Attributes = field(factory=Attributes)
    bound: Expr | None = None
    """The variable length of an array that became a pointer, as a parameter."""

    def function_part(self) -> FunctionPart | None:
        """The parameter list of the function this declares, if it declares one."""
        return self.parts[0] if self.parts and isinstance(self.parts[0], FunctionPart) else None


class Declarators(Specifiers):
    """The actions of declarators."""

    # ---- parts ----

    def on_declarator_name(self, name: Token) -> Declarator:
        return Declarator(name)

    def on_declarator_pointer(
        self, pointers: list[PointerPart], declarator: Declarator
    ) -> Declarator:
        declarator.parts.extend(reversed(pointers))
        return declarator

    def on_declarator_attribute(self, declarator: Declarator, token: Any) -> Declarator:
        self.apply_attributes(declarator.attributes, token.payload)
        return declarator

    def on_declarator_asm(self, declarator: Declarator, _token: Token) -> Declarator:
        return declarator

    def on_pointer(self, _star: Token) -> list[PointerPart]:
        return [PointerPart()]

    def on_pointer_more(self, pointers: list[PointerPart], _star: Token) -> list[PointerPart]:
        pointers.append(PointerPart())
        return pointers

    def on_pointer_qualifier(self, pointers: list[PointerPart], word: Token) -> list[PointerPart]:
        pointers[-1].quals |= QUALIFIERS[word.value]
        return pointers

    def on_pointer_attribute(self, pointers: list[PointerPart], _word: Token) -> list[PointerPart]:
        return pointers

    def on_bound_none(self, *_: object) -> ArrayPart:
        return ArrayPart(0, None)

    def on_bound_value(self, length: Expr) -> ArrayPart:
        return ArrayPart(length.at, length)

    def on_bound_words_value(self, _words: object, length: Expr) -> ArrayPart:
        return ArrayPart(length.at, length)

    def on_bound_star(self, *_: object) -> ArrayPart:
        return ArrayPart(0, None, star=True)

    def on_declarator_array(
        self, declarator: Declarator, open_: Token, bound: ArrayPart, _close: Token
    ) -> Declarator:
        bound.at = bound.at or open_.lineno
        declarator.parts.append(bound)
        return declarator

    def on_abstract_pointer(self, pointers: list[PointerPart]) -> Declarator:
        return self.on_declarator_pointer(pointers, Declarator(None))

    def on_abstract_array(self, open_: Token, bound: ArrayPart, close: Token) -> Declarator:
        return self.on_declarator_array(Declarator(None), open_, bound, close)

    # ---- parameters ----

    def on_parameters_open(self, open_: Token) -> Mark:
        mark = self.mark(open_.lineno)
        self.scope.enter()
        return mark

    def on_parameters_none(self) -> FunctionPart:
        return FunctionPart(0, prototyped=False)

    def on_parameters_fixed(self, params: list[Variable]) -> FunctionPart:
        if len(params) == 1 and params[0].type.is_void and not params[0].name:
            return FunctionPart(0)
        for param in params:
            if param.type.is_void:
                self.error(param.at, "a parameter cannot be void")
                param.type = ERROR
        return FunctionPart(0, params)

    def on_parameters_variadic(self, params: list[Variable], *_: Token) -> FunctionPart:
        part = self.on_parameters_fixed(params)
        part.variadic = True
        return part

    def on_parameters_only_variadic(self, dots: Token) -> FunctionPart:
        self.error(dots.lineno, "a parameter must come before '...'")
        return FunctionPart(0, variadic=True)

    def on_declarator_function(
        self, declarator: Declarator, mark: Mark, part: FunctionPart, _close: Token
    ) -> Declarator:
        part.at = mark.at
        part.level = self.scope.leave()
        declarator.parts.append(part)
        return declarator

    def on_abstract_function(self, mark: Mark, part: FunctionPart, close: Token) -> Declarator:
        return self.on_declarator_function(Declarator(None), mark, part, close)

    def on_declarator_identifiers(
        self, declarator: Declarator, mark: Mark, names: list[Token], close: Token
    ) -> Declarator:
        part = FunctionPart(0, prototyped=False, names=names)
        return self.on_declarator_function(declarator, mark, part, close)

    def on_parameter(self, specs: Specs, declarator: Declarator) -> Variable:
        if specs.storage not in ("", "register"):
            self.error(specs.at, f"'{specs.storage}' on a parameter")
        type_ = self.specified_type(specs, declarator, parameter=True)
        name = declarator.name
        at = name.lineno if name is not None else specs.at
        param = Variable(name.value if name is not None else "", type_, at, is_param=True)
        param.is_register = specs.storage == "register"
        param.bound = declarator.bound
        if name is not None:
            before = self.scope.find_here(name.value)
            if before is not None:
                note = self.note(before.at, "the other one is here")
                self.error_on(name, f"two parameters named '{name.value}'", note)
            self.scope.declare(name.value, param)
        return param

    def on_parameter_unnamed(self, specs: Specs) -> Variable:
        return self.on_parameter(specs, Declarator(None))

    # ---- the type ----

    def specified_type(
        self, specs: Specs, declarator: Declarator, parameter: bool = False
    ) -> CType:
        """The type that specifiers and a declarator give together."""
        type_ = self.declared_type(declarator, self.resolve_specs(specs), parameter)
        for attributes in (specs.attributes, declarator.attributes):
            if attributes.mode:
                type_ = self.in_mode(type_, attributes)
        return type_

    def declared_type(self, declarator: Declarator, base: CType, parameter: bool = False) -> CType:
        """The type a declarator gives its name. Arrays and functions as parameters become
        pointers."""
        type_ = base
        what = f"'{declarator.name.value}'" if declarator.name is not None else "this type"
        for index in range(len(declarator.parts) - 1, -1, -1):
            part = declarator.parts[index]
            if isinstance(part, PointerPart):
                type_ = qualified(pointer_to(type_), part.quals)
            elif isinstance(part, ArrayPart):
                type_ = self._array_of(type_, part, what, parameter and index == 0)
            else:
                type_ = self._function_returning(type_, part, what)
        if parameter:
            if isinstance(type_, ArrayType):
                declarator.bound = type_.vla
                type_ = pointer_to(type_.element)
            elif type_.is_function:
                type_ = pointer_to(type_)
        return type_

    def _array_of(self, element: CType, part: ArrayPart, what: str, parameter: bool) -> CType:
        if element.is_error:
            return ERROR
        if element.is_function:
            self.error(part.at, f"{what} is declared as an array of functions")
            return ERROR
        if not element.complete:
            self.error(part.at, f"{what} is declared as an array of incomplete type '{element}'")
            return ERROR
        if part.length is None:
            if part.star:
                return ArrayType(element, None, IntConst(LONG, part.at, 1))
            return ArrayType(element, None)
        length = self.value(part.length)
        if length.type.is_error:
            return ERROR
        if not length.type.is_integer:
            self.error(part.at, f"the size of {what} is not an integer ('{length.type}')")
            return ERROR
        if isinstance(length, IntConst):
            if length.value < 0:
                self.error(part.at, f"the size of {what} is negative")
                return ERROR
            if length.value * element.size > MAX_TYPE_SIZE:
                self.error(part.at, f"{what} is too large")
                return ERROR
            return ArrayType(element, length.value)
        if self.scope.depth == 0:
            self.error(part.at, f"the size of {what} is not constant, and it is not in a function")
            return ERROR
        return ArrayType(element, None, self.convert(length, LONG))

    def _function_returning(self, result: CType, part: FunctionPart, what: str) -> CType:
        if result.is_error:
            return ERROR
        if result.is_array or result.is_function:
            kind = "an array" if result.is_array else "a function"
            self.error(part.at, f"{what} is declared as a function that returns {kind}")
            return ERROR
        params = tuple(p.type.unqual for p in part.params)
        return FunctionType(result.unqual, params, part.variadic, part.prototyped)

    # ---- type names ----

    def on_type_name(self, specs: Specs) -> CType:
        return self.on_type_name_abstract(specs, Declarator(None))

    def on_type_name_abstract(self, specs: Specs, declarator: Declarator) -> CType:
        if specs.storage:
            self.error(specs.at, f"'{specs.storage}' in a type name")
        return self.specified_type(specs, declarator)

    # ---- members ----

    def open_members(self, type_: RecordType) -> None:
        self.pending_members.append((type_, [], [], {}))

    def on_member_first(self, specs: Specs, declared: Any) -> Specs:
        self._member_declared(specs, declared)
        return specs

    def on_member_next(self, specs: Specs, _comma: Token, declared: Any) -> Specs:
        self._member_declared(specs, declared)
        return specs

    def on_member_plain(self, declarator: Declarator) -> Any:
        return declarator, None, []

    def on_member_unnamed(self, colon: Token, width: Expr, attributes: list[Any]) -> Any:
        return Declarator(None), width, attributes

    def on_member_bits(
        self, declarator: Declarator, _colon: Token, width: Expr, attributes: list[Any]
    ) -> Any:
        return declarator, width, attributes

    def on_member_anonymous(self, specs: Specs, _semi: Token) -> None:
        type_ = self.resolve_specs(specs)
        if isinstance(type_, RecordType) and not type_.record.tag:
            self._add_member(Member("", type_, at=specs.at), specs.attributes.align)
        elif not type_.is_error and not specs.defines_tag:
            self.warning(specs.at, "declaration declares nothing")

    def _member_declared(self, specs: Specs, declared: Any) -> None:
        declarator, width, tokens = declared
        if specs.storage:
            self.error(specs.at, f"'{specs.storage}' on a member")
        attributes: Attributes = declarator.attributes
        for token in tokens:
            self.apply_attributes(attributes, token.payload)
        type_ = self.specified_type(specs, declarator)
        name = declarator.name.value if declarator.name is not None else ""
        at = declarator.name.lineno if declarator.name is not None else specs.at
        member = Member(name, type_, at=at)
        member.packed = attributes.packed or specs.attributes.packed
        if width is not None and not self._bit_field(member, width):
            return
        if width is None and not self._member_type(member):
            return
        self._add_member(member, max(attributes.align, specs.attributes.align))

    def _bit_field(self, member: Member, width: Expr) -> bool:
        type_ = member.type
        shown = f"bit-field '{member.name}'" if member.name else "a bit-field"
        if type_.is_error:
            return False
        if not isinstance(type_, IntegerType):
            self.error(member.at, f"{shown} has type '{type_}', which is no integer")
            return False
        count = self.constant_integer(width, f"the width of {shown}")
        if not 0 <= count <= type_.bits:
            self.error(width.at, f"the width of {shown} is not within 0 to {type_.bits}")
            return False
        if count == 0 and member.name:
            self.error(width.at, f"{shown} has no width")
            return False
        member.width = count
        return True

    def _member_type(self, member: Member) -> bool:
        type_ = member.type
        if type_.is_error:
            member.type = INT
            return True
        if type_.is_function:
            self.error(member.at, f"member '{member.name}' is declared as a function")
            return False
        if type_.variably_modified:
            self.error(member.at, f"member '{member.name}' has a variable size")
            return False
        if isinstance(type_, ArrayType) and type_.length is None:
            return True  # a flexible array member; its place is checked at the end
        if not type_.complete:
            self.error(member.at, f"member '{member.name}' has incomplete type '{type_}'")
            return False
        return True

    def _add_member(self, member: Member, align: int) -> None:
        _, members, aligns, names = self.pending_members[-1]
        new = {member.name: member} if member.name else {}
        if not member.name and isinstance(member.type, RecordType):
            new = dict.fromkeys(member.type.record.by_name, member)
        for name in new:
            if name in names:
                note = self.note(names[name].at, "the other one is here")
                self.error(member.at, f"two members named '{name}'", note)
                return
        names.update(new)
        members.append(member)
        aligns.append(align)

    def on_record(self, mark: Mark, _members: None, _close: Token, tokens: list[Any]) -> Any:
        type_, attributes = mark.value
        _, members, aligns, _ = self.pending_members.pop()
        for token in tokens:
            self.apply_attributes(attributes, token.payload)
        self.refuse_mode(attributes, "a struct or union")
        for i, member in enumerate(members):
            flexible = isinstance(member.type, ArrayType) and member.type.length is None
            if flexible and (i + 1 < len(members) or type_.record.is_union or i == 0):
                where = (
                    "in a union" if type_.record.is_union else "not the last, or the only, member"
                )
                self.error(member.at, f"flexible array member '{member.name}' is {where}")
            if attributes.packed:
                member.packed = True
        type_.record.packed = attributes.packed
        type_.record.being_defined = False
        lay_out(type_.record, members, aligns, attributes.align or 1)
        return ("tag", mark.at, type_)
