"""Declarations of variables, functions and typedefs, with linkage (6.2.2, 6.7, 6.9)."""

from __future__ import annotations

import copy
from typing import Any

from attrs import define, field

from hcc.compiler.kernelc.declarators import Declarator, Declarators
from hcc.compiler.kernelc.scope import EnumConstant, Function, Typedef, Variable
from hcc.compiler.kernelc.semantics import is_complete_object
from hcc.compiler.kernelc.specifiers import Specs
from hcc.compiler.kernelc.syntax import DeclStmt, Expr, Initializer, InitList, IntConst, VlaMark
from hcc.compiler.kernelc.tokens import Token
from hcc.compiler.kernelc.types import (
    CHAR_POINTER,
    ERROR,
    ArrayType,
    CType,
    FunctionType,
    compatible,
    composite,
    qualified,
)

AUTO_TYPE = "__auto_type"


@define(eq=False)
class Declared:
    """A declaration as it is read: what it has declared so far, and what comes last."""

    specs: Specs
    items: list[Variable | CType] = field(factory=list)
    current: Variable | Function | Typedef | None = None
    untyped: Token | None = None
    """The name of an `__auto_type`, until its value is known."""
    initialised: bool = False


class Declarations(Declarators):
    """The actions of declarations."""

    # ---- actions ----

    def on_declaration_empty(self, specs: Specs, semi: Token) -> Declared:
        self.resolve_specs(specs)
        if not specs.defines_tag and not (specs.type and specs.type.is_error):
            self.warning(specs.at or semi.lineno, "declaration declares nothing")
        return Declared(specs)

    def on_declare_first(self, specs: Specs, declarator: Declarator) -> Declared:
        declared = Declared(specs)
        self._declare(declared, declarator)
        return declared

    def on_declare_next(
        self, declared: Declared, _comma: Token, declarator: Declarator
    ) -> Declared:
        self._finish(declared)
        self._declare(declared, declarator)
        return declared

    def on_declare_implicit(self, declarator: Declarator) -> Declared:
        """A declaration without specifiers, at file scope: int."""
        assert declarator.name is not None
        self.warning(declarator.name.lineno, "type specifier missing; int assumed")
        specs = Specs(declarator.name.lineno, words=["int"])
        return self.on_declare_first(specs, declarator)

    def on_initialise(self, declared: Declared, equals: Token, value: Expr | InitList) -> Declared:
        if declared.untyped is not None:
            self._declare_as(declared, value)
        entity = declared.current
        declared.initialised = True
        if isinstance(entity, Variable):
            self._initialise(entity, value, declared.specs, equals)
        elif entity is not None:
            what = "a function" if isinstance(entity, Function) else "a typedef"
            self.error(equals.lineno, f"'{entity.name}' is {what} and cannot be initialised")
        return declared

    def on_declaration_end(self, declared: Declared, _semi: Token) -> Declared:
        self._finish(declared)
        return declared

    def on_top_declaration(self, _declared: Declared | None) -> None:
        return None

    def on_block_declaration(self, declared: Declared | None) -> DeclStmt | None:
        if declared is None or not declared.items:
            return None
        return DeclStmt(declared.specs.at, items=declared.items)

    def on_static_assert(self, word: Token, _open: Token, expr: Expr, *rest: Any) -> None:
        if not isinstance(expr, IntConst):
            self.constant_integer(expr, "the condition of _Static_assert")
        elif expr.value == 0:
            text = ""
            if len(rest) > 2:
                text = ": " + rest[1].payload[0].decode("utf-8", "replace")
            self.error(word.lineno, f"static assertion failed{text}")

    # ---- declaring ----

    def _declare(self, declared: Declared, declarator: Declarator) -> None:
        specs = declared.specs
        declared.initialised = False
        further = declared.current is not None
        declared.current = None
        name = declarator.name
        assert name is not None
        if specs.words == [AUTO_TYPE] and specs.named is None and specs.storage != "typedef":
            if declarator.parts or further:
                self.error_on(name, f"{AUTO_TYPE} declares one plain name")
                specs.words = ["int"]
            else:
                declared.untyped = name
                return
        self._declare_name(declared, name, self.specified_type(specs, declarator), declarator)

    def _declare_as(self, declared: Declared, value: Expr | InitList) -> None:
        """Declare an `__auto_type` as what its value is."""
        name, specs = declared.untyped, declared.specs
        assert name is not None
        declared.untyped = None
        type_: CType = ERROR
        if isinstance(value, InitList):
            self.error(value.at, f"'{name.value}' is {AUTO_TYPE} and initialised by a list")
        else:
            type_ = self.value(value).type.unqual
            if type_.is_void:
                self.error(value.at, f"'{name.value}' is {AUTO_TYPE} and its value is void")
                type_ = ERROR
        type_ = specs.type = qualified(type_, specs.quals)
        self._declare_name(declared, name, type_, Declarator(name))

    def _declare_name(
        self, declared: Declared, name: Token, type_: CType, declarator: Declarator
    ) -> None:
        specs = declared.specs
        if specs.storage == "typedef":
            declared.current = self._declare_typedef(name, type_, specs, declarator)
            if type_.variably_modified:
                declared.items.append(type_)
        elif isinstance(type_, FunctionType):
            declared.current = self.declare_function(name, type_, specs, declarator)
        else:
            variable = self._declare_variable(name, type_, specs, declarator)
            declared.current = variable
            if variable is not None and not variable.static and not variable.linkage:
                declared.items.append(variable)

    def _clash(self, name: Token, before: Any, type_: CType) -> None:
        kind = {Typedef: "a typedef", EnumConstant: "an enumeration constant"}.get(type(before))
        if kind is None:
            kind = "a function" if isinstance(before, Function) else f"'{before.type}'"
        note = self.note(before.at, f"'{name.value}' is declared as {kind} here")
        self.error_on(name, f"'{name.value}' redeclared as '{type_}'", note)

    def _declare_typedef(
        self, name: Token, type_: CType, specs: Specs, declarator: Declarator
    ) -> Typedef:
        before = self.scope.find_here(name.value)
        align = max(specs.attributes.align, declarator.attributes.align)
        if align > type_.align and type_.complete and not type_.is_record:
            type_ = _realigned(type_, align)
        if before is not None and not (
            isinstance(before, Typedef) and compatible(before.type, type_)
        ):
            self._clash(name, before, type_)
        made = Typedef(name.value, type_, name.lineno)
        self.scope.declare(name.value, made)
        return made

    def declare_function(
        self, name: Token, type_: FunctionType, specs: Specs, declarator: Declarator
    ) -> Function:
        """Declare a function; returns the one object that stands for all its declarations."""
        here = self.scope.find_here(name.value)
        before = self.definitions.linked.get(name.value)
        if before is None and isinstance(here, Function):
            before = here
        if here is not None and not isinstance(here, Function):
            self._clash(name, here, type_)
            before = None
        elif before is not None and not isinstance(before, Function):
            self._clash(name, before, type_)
            before = None
        if specs.storage in ("auto", "register"):
            self.error(name.lineno, f"'{specs.storage}' on a function")
        static = specs.storage == "static"
        if static and self.scope.depth > 0:
            self.error(name.lineno, "a function declared in a block cannot be static")
        if isinstance(before, Function):
            function = before
            self._merge_function(function, name, type_, static)
        else:
            function = Function(name.value, self._known_type(name, type_), name.lineno)
            function.linkage = "internal" if static else "external"
            function.symbol = self.symbol_for(name.value) if static else name.value
            self.definitions.linked[name.value] = function
        inline = specs.inline
        if not (here is None and before is None):
            function.extern_inline |= function.inline != inline
        function.inline |= inline
        function.extern_inline |= inline and specs.storage == "extern"
        for attributes in (specs.attributes, declarator.attributes):
            function.leaf |= attributes.leaf
            function.pim |= attributes.pim
            function.noreturn |= attributes.noreturn
            function.noinline |= attributes.noinline
        self.scope.declare(name.value, function)
        return function

    def _known_type(self, name: Token, type_: FunctionType) -> FunctionType:
        """A library function declared without prototype gets the library's."""
        if type_.prototyped or self.scope.depth > 1 or self.next_kind() == "{":
            return type_
        known = self.library_function(name.value, name.lineno)
        if known is not None and compatible(known.type.result, type_.result):
            return known.type
        return type_

    def _merge_function(
        self, function: Function, name: Token, type_: FunctionType, static: bool
    ) -> None:
        if function.implicit:
            function.implicit = False
            function.at = name.lineno
            if not compatible(function.type, type_):
                note = self.note(function.at, "it was declared implicitly, by a call")
                self.warning(name.lineno, f"conflicting types for '{name.value}'", note)
                function.type = type_
                return
        elif not compatible(function.type, type_):
            note = self.note(function.at, f"'{name.value}' was declared as '{function.type}' here")
            self.error_on(name, f"conflicting types for '{name.value}': '{type_}'", note)
            function.type = type_
            return
        if static and function.linkage == "external":
            note = self.note(function.at, "it was declared without static here")
            self.error_on(name, f"static declaration of '{name.value}' after non-static", note)
        merged = composite(function.type, type_)
        assert isinstance(merged, FunctionType)
        function.type = merged

    # ---- variables ----

    def _declare_variable(
        self, name: Token, type_: CType, specs: Specs, declarator: Declarator
    ) -> Variable | None:
        if type_.is_void:
            self.error_on(name, f"variable '{name.value}' is declared void")
            type_ = ERROR
        if specs.inline:
            self.error(specs.at, "'inline' on a variable")
        align = max(specs.attributes.align, declarator.attributes.align)
        if self.scope.depth == 0 or specs.storage == "extern":
            variable = self._linked_variable(name, type_, specs)
        else:
            variable = self._local_variable(name, type_, specs)
        variable.align = max(variable.align, align)
        self.scope.declare(name.value, variable)
        return variable

    def _linked_variable(self, name: Token, type_: CType, specs: Specs) -> Variable:
        here = self.scope.find_here(name.value)
        before = self.definitions.linked.get(name.value)
        if self.scope.depth == 0 and here is not None and before is None:
            before = here if isinstance(here, Variable) else before
        if here is not None and not isinstance(here, Variable):
            self._clash(name, here, type_)
        elif isinstance(before, Variable):
            return self._merge_variable(before, name, type_, specs)
        elif before is not None:
            self._clash(name, before, type_)
        if specs.storage in ("auto", "register"):
            self.error(name.lineno, f"'{specs.storage}' outside of a function")
        if type_.variably_modified:
            self.error(name.lineno, f"'{name.value}' has variable size and static storage")
            type_ = ERROR
        variable = Variable(name.value, type_, name.lineno, static=True)
        internal = specs.storage == "static"
        variable.linkage = "internal" if internal else "external"
        variable.symbol = self.symbol_for(name.value) if internal else name.value
        variable.tentative = specs.storage != "extern"
        self.definitions.linked[name.value] = variable
        self.definitions.variables.append(variable)
        return variable

    def _merge_variable(
        self, before: Variable, name: Token, type_: CType, specs: Specs
    ) -> Variable:
        if not compatible(before.type, type_):
            self._clash(name, before, type_)
            return before
        if specs.storage == "static" and before.linkage == "external":
            note = self.note(before.at, "it was declared without static here")
            self.error_on(name, f"static declaration of '{name.value}' after non-static", note)
        elif specs.storage == "" and before.linkage == "internal":
            note = self.note(before.at, "it was declared static here")
            self.error_on(name, f"non-static declaration of '{name.value}' after static", note)
        before.type = composite(before.type, type_)
        before.tentative |= specs.storage != "extern"
        return before

    def _local_variable(self, name: Token, type_: CType, specs: Specs) -> Variable:
        here = self.scope.find_here(name.value)
        if here is not None:
            if isinstance(here, (Variable, Function)):
                note = self.note(here.at, f"'{name.value}' was declared here before")
                self.error_on(name, f"redeclaration of '{name.value}'", note)
            else:
                self._clash(name, here, type_)
        static = specs.storage == "static"
        variable = Variable(name.value, type_, name.lineno, static=static)
        variable.is_register = specs.storage == "register"
        if static:
            function = f"{self.function.name}." if self.function is not None else ""
            variable.symbol = self.symbol_for(function + name.value)
            variable.linkage = "internal"
            variable.defined = True
            self.definitions.variables.append(variable)
            if type_.variably_modified:
                self.error(name.lineno, f"'{name.value}' has variable size and static storage")
                variable.type = ERROR
        elif isinstance(type_, ArrayType) and type_.is_vla:
            self.vla = variable.vla = VlaMark(self.vla)
        return variable

    def _initialise(
        self, variable: Variable, value: Expr | InitList, specs: Specs, equals: Token
    ) -> None:
        if specs.storage == "extern":
            if self.scope.depth > 0:
                self.error(equals.lineno, f"'{variable.name}' is extern and initialised in a block")
            else:
                self.warning(variable.at, f"'{variable.name}' is initialised and declared extern")
        if variable.init is not None and variable.linkage:
            note = self.note(variable.at, "it was defined here")
            self.error(equals.lineno, f"redefinition of '{variable.name}'", note)
            return
        if self.function is None and self.scope.depth > 0:
            self.error(equals.lineno, f"parameter '{variable.name}' is initialised")
            return
        variable.reads_itself = variable.used
        variable.type, variable.init = self.initializer(
            variable.type, value, variable.static, variable.static
        )
        variable.defined = True
        if variable.vla is not None:
            variable.init = Initializer([])

    def _finish(self, declared: Declared) -> None:
        """The declarator at hand is complete and has no (further) initialiser."""
        variable = declared.current
        if declared.untyped is not None:
            name = declared.untyped
            self.error_on(name, f"'{name.value}' is {AUTO_TYPE} and has no value")
            self._declare_name(declared, name, ERROR, Declarator(name))
        if not isinstance(variable, Variable) or variable.type.is_error:
            return
        if self.function is None and self.scope.depth > 0:
            return  # a parameter of an old-style definition
        local = not variable.linkage or (variable.static and self.scope.depth > 0)
        if local and declared.specs.storage != "extern" and not is_complete_object(variable.type):
            if isinstance(variable.type, ArrayType):
                self.error(variable.at, f"the size of array '{variable.name}' is missing")
            else:
                fact = f"has incomplete type '{variable.type}'"
                self.error(variable.at, f"variable '{variable.name}' {fact}")
            variable.type = ERROR

    # ---- the end ----

    def finish_unit(self) -> None:
        """Checks that need the whole translation unit."""
        for variable in self.definitions.variables:
            type_ = variable.type
            if variable.tentative and not variable.defined and not type_.complete:
                if isinstance(type_, ArrayType):
                    self.warning(
                        variable.at, f"array '{variable.name}' is assumed to have one element"
                    )
                    variable.type = ArrayType(type_.element, 1)
                elif not type_.is_error:
                    self.error(variable.at, f"'{variable.name}' has incomplete type '{type_}'")
        for entity in self.definitions.linked.values():
            if (
                isinstance(entity, Function)
                and entity.linkage == "internal"
                and entity.used
                and entity.body is None
            ):
                self.error(entity.at, f"static function '{entity.name}' is used but not defined")

    def declare_va_list(self) -> None:
        """The one typedef that is always there."""
        self.scope.declare("__builtin_va_list", Typedef("__builtin_va_list", CHAR_POINTER, 0))


def _realigned(type_: CType, align: int) -> CType:
    """A version of a type that only differs in its alignment."""
    made = copy.copy(type_)
    made.align = align
    made._pointer = None
    made._qualified = {}
    return made
