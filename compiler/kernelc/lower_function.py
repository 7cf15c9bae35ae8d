"""Lowering of a function definition: its parameters, its body, and what is left to tidy up."""

from __future__ import annotations

from attrs import fields

from hcc.compiler.ir.construct import Cursor
from hcc.compiler.ir.module import Block, Operand, Value
from hcc.compiler.ir.module import Function as IrFunction
from hcc.compiler.kernelc.abi import (
    MAX_RECORD_IN_WORDS,
    parameter_types,
    returns_through_memory,
    signature_of,
)
from hcc.compiler.kernelc.lower_base import Place
from hcc.compiler.kernelc.lower_module import ModuleLowering
from hcc.compiler.kernelc.lower_statements import StatementLowering
from hcc.compiler.kernelc.scope import Function, Variable
from hcc.compiler.kernelc.syntax import (
    Assign,
    Call,
    CompoundAssign,
    Expr,
    StatementExpr,
    Step,
    VaArg,
)
from hcc.compiler.kernelc.types import CType, RecordType


def lower_function(module: ModuleLowering, function: Function, exported: bool) -> IrFunction:
    """The IR of a function that has a body."""
    body = function.body
    assert body is not None and body.statement is not None
    signature = signature_of(function.type)
    params = [Value(type_) for type_ in signature.params]
    made = IrFunction(
        module.symbol_of(function),
        signature,
        params,
        exported=exported,
        leaf=function.leaf,
        noreturn=function.noreturn,
        noinline=function.noinline,
    )
    cursor = Cursor(made)
    lowering = _FunctionLowering(module, function, cursor)
    lowering.locate(function.at)
    made.loc = cursor.loc
    cursor.place(Block("entry"))
    lowering.take_parameters(params, body.params)
    lowering.statement(body.statement)
    if cursor.is_open:
        lowering.locate(body.end)
        cursor.ret(lowering.no_result())
    made.entry.instrs[0:0] = [*lowering.allocas, *lowering.prologue]
    _drop_unreachable(made)
    return made


class _FunctionLowering(StatementLowering):
    """Parameters."""

    def take_parameters(self, values: list[Value], params: list[Variable]) -> None:
        """Store the parameters into their objects."""
        rest = iter(values)
        type_ = self.function.type
        if returns_through_memory(type_.result):
            self.result_address = _named(next(rest), "result")
        given = type_.params
        for i, param in enumerate(params):
            passed = given[i] if i < len(given) else param.type
            count = len(parameter_types(passed))
            self._take(param, passed, [_named(next(rest), param.name) for _ in range(count)])
        if type_.variadic:
            self.variadic_address = _named(next(rest), "variadic")
        for param in params:
            if param.bound is not None and _changes_something(param.bound):
                self.effect(param.bound)
            if param.type.variably_modified:
                self.evaluate_type(param.type)

    def _take(self, param: Variable, passed: CType, values: list[Operand]) -> None:
        type_ = param.type
        self.locate(param.at)
        if isinstance(type_, RecordType):
            if type_.size > MAX_RECORD_IN_WORDS:
                param.slot = values[0]  # the caller made the copy for us
                return
            slot = self.alloca(max(8 * len(values), 1), max(type_.align, 8), param.name)
            param.slot = slot
            for i, word in enumerate(values):
                self.cursor.store(word, self.offset_by(slot, 8 * i))
            return
        value = self.resize(values[0], passed.ir, False) if passed.ir.is_int else values[0]
        value = self.convert(value, passed, type_)
        param.slot = self.alloca_for(type_, param.name)
        self.store(Place(param.slot), type_, value)


def _changes_something(expr: Expr) -> bool:
    """Whether evaluating an expression does more than give its value."""
    todo: list[object] = [expr]
    while todo:
        node = todo.pop()
        if isinstance(node, (Assign, CompoundAssign, Step, Call, VaArg, StatementExpr)):
            return True
        if isinstance(node, list):
            todo += node
        elif isinstance(node, Expr):
            todo += [getattr(node, a.name) for a in fields(type(node)) if a.name != "type"]
    return False


def _named(value: Value, name: str) -> Value:
    value.name = name
    return value


def _drop_unreachable(function: IrFunction) -> None:
    """Drop the blocks that no path leads to."""
    seen = {id(function.entry)}
    todo = [function.entry]
    while todo:
        for edge in todo.pop().terminator.targets:
            if id(edge.block) not in seen:
                seen.add(id(edge.block))
                todo.append(edge.block)
    function.blocks = [b for b in function.blocks if id(b) in seen]
