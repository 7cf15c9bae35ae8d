"""Lowering of a translation unit: what is emitted, and under which symbols.

Functions and objects of external linkage are emitted as the program has them; those of internal
linkage, and inline functions, only if something that is emitted refers to them. So the static
functions of headers cost nothing where they are not used.
"""

from __future__ import annotations

from collections.abc import Callable

from hcc.compiler.ir.module import (
    DataReloc,
    ExternData,
    ExternFunction,
    Global,
    Location,
    Module,
    Signature,
    Symbol,
)
from hcc.compiler.ir.module import Function as IrFunction
from hcc.compiler.kernelc.abi import signature_of
from hcc.compiler.kernelc.actions import Actions
from hcc.compiler.kernelc.scope import Function, Variable
from hcc.compiler.kernelc.static_data import object_size, static_data
from hcc.compiler.kernelc.syntax import Initializer, StringConst
from hcc.compiler.kernelc.types import CONST, VOLATILE, ArrayType, CType, all_quals

LowerFunction = Callable[["ModuleLowering", Function, bool], IrFunction]


class ModuleLowering:
    """Collects a module; everything that is referred to is queued to be emitted."""

    def __init__(self, actions: Actions, module: Module) -> None:
        self.actions = actions
        self.module = module
        self.unit = actions.unit
        self.locations: dict[int, Location] = {}
        self._queue: list[Function | Variable] = []
        self._queued: set[int] = set()
        self._strings: dict[tuple[bytes, int], Symbol] = {}
        self._templates = 0

    # ---- reporting ----

    def location(self, at: int) -> Location:
        return self.actions.files.location(at)

    def error(self, at: int, message: str) -> None:
        self.actions.error(at, message)

    def refuse(self, at: int, feature: str) -> None:
        self.actions.refuse(at, feature)

    # ---- symbols ----

    def symbol_of(self, function: Function) -> str:
        if function.linkage == "external" and is_inline_only(function):
            return f"{function.name}.{self.unit}"
        return function.symbol

    def function_symbol(self, function: Function) -> Symbol:
        """The address of a function, which is emitted or declared."""
        if function.body is not None:
            self._enqueue(function)
            return Symbol(self.symbol_of(function))
        name = function.symbol
        if name not in self.module.extern_functions:
            signature = signature_of(function.type)
            self.extern_function(name, signature, function.leaf, function.noreturn)
        return Symbol(name)

    def extern_function(
        self, name: str, signature: Signature, leaf: bool = False, noreturn: bool = False
    ) -> None:
        if name not in self.module.extern_functions and name not in self.module.functions:
            made = ExternFunction(name, signature, leaf, noreturn)
            self.module.extern_functions[name] = made

    def variable_symbol(self, variable: Variable) -> Symbol:
        """The address of a static object, which is emitted or declared."""
        if variable.defined or variable.tentative:
            self._enqueue(variable)
        elif variable.symbol not in self.module.extern_data:
            made = ExternData(variable.symbol, alignment(variable), is_readonly(variable.type))
            self.module.extern_data[variable.symbol] = made
        return Symbol(variable.symbol)

    def _enqueue(self, entity: Function | Variable) -> None:
        if id(entity) not in self._queued:
            self._queued.add(id(entity))
            self._queue.append(entity)

    def string(self, literal: StringConst) -> Symbol:
        """The address of a string literal; equal ones of a unit are one object."""
        type_ = literal.type
        assert isinstance(type_, ArrayType)
        key = (literal.data, type_.element.align)
        symbol = self._strings.get(key)
        if symbol is None:
            name = f"str.{len(self._strings)}.{self.unit}"
            data = literal.data.rstrip(b"\0")
            self.module.globals[name] = Global(
                name, len(literal.data), key[1], data, readonly=True, exported=False
            )
            symbol = self._strings[key] = Symbol(name)
        return symbol

    def template(self, type_: CType, init: Initializer) -> Symbol:
        """The address of a read-only object that locals are copied from."""
        name = f"init.{self._templates}.{self.unit}"
        self._templates += 1
        data, relocs = static_data(self, type_, init)
        made = Global(name, type_.size, type_.align, data, relocs, True, exported=False)
        self.module.globals[name] = made
        return Symbol(name)

    # ---- emission ----

    def run(self, lower: LowerFunction) -> None:
        """Emit what has external linkage and everything it needs."""
        definitions = self.actions.definitions
        for function in definitions.functions:
            if function.linkage == "external" and not is_inline_only(function):
                self._enqueue(function)
        for variable in definitions.variables:
            if variable.linkage == "external" and (variable.defined or variable.tentative):
                self._enqueue(variable)
        while self._queue:
            entity = self._queue.pop(0)
            if isinstance(entity, Function):
                exported = entity.linkage == "external" and not is_inline_only(entity)
                try:
                    made = lower(self, entity, exported)
                except RecursionError:
                    self.error(entity.at, f"function '{entity.name}' is nested too deeply")
                    continue
                self.module.functions[made.name] = made
            else:
                self._emit_variable(entity)
        for name in self.module.functions:
            self.module.extern_functions.pop(name, None)
        self._sort()

    def _emit_variable(self, variable: Variable) -> None:
        type_ = variable.type
        data: bytes = b""
        relocs: list[DataReloc] = []
        if variable.init is not None:
            data, relocs = static_data(self, type_, variable.init)
        self.module.globals[variable.symbol] = Global(
            variable.symbol,
            object_size(type_, variable.init),
            alignment(variable),
            data,
            relocs,
            readonly=is_readonly(type_),
            exported=variable.linkage == "external",
            tentative=variable.tentative and not variable.defined,
        )

    def _sort(self) -> None:
        """Put functions and objects into the order in which the source defines them."""
        order: dict[str, int] = {}
        for function in self.actions.definitions.functions:
            order[self.symbol_of(function)] = len(order)
        module = self.module
        module.functions = dict(sorted(module.functions.items(), key=lambda i: order[i[0]]))
        rank = {v.symbol: i for i, v in enumerate(self.actions.definitions.variables)}
        last = len(rank)
        module.globals = dict(sorted(module.globals.items(), key=lambda i: rank.get(i[0], last)))


def is_inline_only(function: Function) -> bool:
    """An inline definition that is no external one (6.7.4p6): each unit has its own."""
    return function.inline and not function.extern_inline and function.linkage == "external"


def is_readonly(type_: CType) -> bool:
    quals = all_quals(type_)
    return bool(quals & CONST) and not quals & VOLATILE


def alignment(variable: Variable) -> int:
    return max(variable.type.align, variable.align)
