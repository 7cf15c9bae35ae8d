"""Unrolls firmware text into chains: an interpreter for the syntax tree, with limits.

Firmware computes only with integers, a few strings and the compiler object, and everything it
computes is known at compile time; so compiling it is interpreting it. The interpreter is ours,
not Python's: the text can call firmware instructions, other firmware functions (its own, or the
library's), and the handful of functions in _FUNCTIONS, and nothing else. Every statement and
expression counts against MAX_STEPS, integers stay within 64 bits, strings within MAX_STRING,
calls within MAX_CALLS: compiling ends, whatever the text says.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping

from attrs import define, field, frozen

from hcc.isa.lebug.instructions import INSTRUCTIONS, STRUCTURE
from hcc.isa.lebug.machine import PARAMETER_NAMES

from . import syntax
from .arithmetic import FUNCTIONS as _FUNCTIONS
from .arithmetic import MAX_RANGE, ArithmeticFault, binary, compare, truth, unary
from .assemble import Assembler
from .diagnostics import FirmwareError, Span

MAX_STEPS = 500_000
MAX_CALLS = 40
MAX_LEVELS = 120  # of blocks and expressions under evaluation at once, over all calls


@frozen
class CompilerObject:
    """What `cp` is: its methods are the instructions, its attributes the parameters."""


@frozen
class Compiled:
    """What `cp.compile()` returns; firmware can only hand it on."""


@frozen
class Method:
    name: str


@frozen
class Imported:
    """A module named in the text, such as LeBug's `firm`; its attributes are firmware."""

    name: str


Scope = dict[str, object]


@define
class _Frame:
    locals: Scope
    function: str = ""
    returned: bool = False
    value: object = None


@define
class Interpreter:
    """Runs statements against one assembler."""

    assembler: Assembler
    library: Callable[[str], syntax.Function | None]
    steps: int = 0
    depth: int = 0
    level: int = 0
    module: Scope = field(factory=dict)

    def tick(self, span: Span) -> None:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise FirmwareError(
                f"the firmware takes over {MAX_STEPS} steps to unroll (an endless recursion, "
                "or a range meant for run time?)",
                span,
            )

    def descend(self, span: Span) -> None:
        self.level += 1
        if self.level > MAX_LEVELS:
            raise FirmwareError(f"calls and expressions nest over {MAX_LEVELS} levels", span)

    # Statements

    def run(self, statements: Iterable[syntax.Statement], frame: _Frame) -> None:
        for statement in statements:
            self.tick(statement.span)
            self.descend(statement.span)
            self.statement(statement, frame)
            self.level -= 1
            if frame.returned:
                return

    def statement(self, statement: syntax.Statement, frame: _Frame) -> None:
        match statement:
            case syntax.Evaluate(_, value):
                self.value(value, frame)
            case syntax.Assign(span, name, operator, value):
                new = self.value(value, frame)
                if operator:
                    new = self.checked(span, binary, operator, self.name(span, name, frame), new)
                frame.locals[name] = new
            case syntax.Return(span, value):
                if not frame.function:
                    raise FirmwareError("return outside a function", span)
                frame.value = None if value is None else self.value(value, frame)
                frame.returned = True
            case syntax.Assert(span, condition, message):
                if not self.truth(condition, frame):
                    raise FirmwareError(self.assertion(message, frame), span)
            case syntax.If(_, branches, otherwise):
                for condition, body in branches:
                    if self.truth(condition, frame):
                        self.run(body, frame)
                        return
                self.run(otherwise, frame)
            case syntax.For(span, name, over, body):
                for item in self.iterable(self.value(over, frame), span):
                    self.tick(span)
                    frame.locals[name] = item
                    self.run(body, frame)
                    if frame.returned:
                        return
            case syntax.Function(_, name):
                frame.locals[name] = statement

    def assertion(self, message: syntax.Expression | None, frame: _Frame) -> str:
        if message is None:
            return "assertion failed"
        return f"assertion failed: {self.value(message, frame)}"

    def iterable(self, value: object, span: Span) -> Iterable[object]:
        if isinstance(value, range):
            if len(value) > MAX_RANGE:
                raise FirmwareError(
                    f"a loop of {len(value)} rounds: firmware is unrolled, limit {MAX_RANGE}", span
                )
            return value
        if isinstance(value, tuple):
            return value
        raise FirmwareError(f"cannot loop over {_kind(value)}", span)

    # Expressions

    def value(self, node: syntax.Expression, frame: _Frame) -> object:
        self.tick(node.span)
        self.descend(node.span)
        result = self.evaluate(node, frame)
        self.level -= 1
        return result

    def evaluate(self, node: syntax.Expression, frame: _Frame) -> object:
        match node:
            case syntax.Literal(_, literal):
                return literal
            case syntax.Name(span, name):
                return self.name(span, name, frame)
            case syntax.Sequence(_, items):
                return tuple(self.value(item, frame) for item in items)
            case syntax.Unary(span, operator, operand):
                return self.checked(span, unary, operator, self.value(operand, frame))
            case syntax.Binary(span, first, rest):
                left = self.value(first, frame)
                for operator, operand in rest:
                    left = self.checked(span, binary, operator, left, self.value(operand, frame))
                return left
            case syntax.Compare(span, first, rest):
                left = self.value(first, frame)
                for operator, operand in rest:
                    right = self.value(operand, frame)
                    if not self.checked(span, compare, operator, left, right):
                        return False
                    left = right
                return True
            case syntax.Logic(span, operator, operands):
                result: object = None
                for operand in operands:
                    result = self.value(operand, frame)
                    if bool(self.checked(span, truth, result)) is (operator == "or"):
                        return result
                return result
            case syntax.Ternary(_, chosen, condition, otherwise):
                return self.value(chosen if self.truth(condition, frame) else otherwise, frame)
            case syntax.Attribute(span, owner, name):
                return self.attribute(self.value(owner, frame), name, span)
            case syntax.Index(span, owner, index):
                return self.index(self.value(owner, frame), self.value(index, frame), span)
            case syntax.Call():
                return self.call(node, frame)

    def truth(self, node: syntax.Expression, frame: _Frame) -> bool:
        return bool(self.checked(node.span, truth, self.value(node, frame)))

    def checked(self, span: Span, function: Callable[..., object], *arguments: object) -> object:
        try:
            return function(*arguments)
        except ArithmeticFault as fault:
            raise FirmwareError(str(fault), span) from None

    def name(self, span: Span, name: str, frame: _Frame) -> object:
        if name in frame.locals:
            return frame.locals[name]
        if name in self.module:
            return self.module[name]
        if name in INSTRUCTIONS or name in STRUCTURE:
            return Method(name)
        if name in _FUNCTIONS:
            return Method(name)
        if name == "__name__":
            return "firmware"
        function = self.library(name)
        if function is not None:
            return function
        raise FirmwareError(f"'{name}' is not defined{self.hint(name, frame)}", span)

    def hint(self, name: str, frame: _Frame) -> str:
        known = [*frame.locals, *self.module, *INSTRUCTIONS, *STRUCTURE, *_FUNCTIONS]
        close = difflib.get_close_matches(name, known, 1)
        return f"; is '{close[0]}' meant?" if close else ""

    def attribute(self, owner: object, name: str, span: Span) -> object:
        if isinstance(owner, CompilerObject):
            if name in INSTRUCTIONS or name in STRUCTURE:
                return Method(name)
            parameters = self.assembler.machine.parameters()
            if name in parameters and name != "BUILDING_BLOCKS":
                return parameters[name]
            close = difflib.get_close_matches(name, [*INSTRUCTIONS, *STRUCTURE, *parameters], 1)
            hint = f"; is '{close[0]}' meant?" if close else ""
            raise FirmwareError(f"no firmware instruction is named '{name}'{hint}", span)
        raise FirmwareError(f"{_kind(owner)} has no attribute '{name}'", span)

    def index(self, owner: object, index: object, span: Span) -> object:
        if not isinstance(owner, tuple):
            raise FirmwareError(f"{_kind(owner)} cannot be indexed", span)
        if isinstance(index, bool) or not isinstance(index, int):
            raise FirmwareError(f"an index must be an integer, not {_kind(index)}", span)
        if not -len(owner) <= index < len(owner):
            raise FirmwareError(f"index {index} is outside a list of {len(owner)}", span)
        return owner[index]

    # Calls

    def call(self, node: syntax.Call, frame: _Frame) -> object:
        function = self.callee(node, frame)
        positional = [self.value(argument, frame) for argument in node.positional]
        named = {name: self.value(argument, frame) for name, argument in node.named}
        match function:
            case syntax.Function():
                return self.invoke(function, positional, named, node.span)
            case Method(name):
                return self.instruction(name, positional, named, node.span)
        raise FirmwareError(f"{_kind(function)} cannot be called", node.span)

    def callee(self, node: syntax.Call, frame: _Frame) -> object:
        """The function called; `module.name` may be a firmware function of the library."""
        target = node.function
        if isinstance(target, syntax.Attribute) and isinstance(target.value, syntax.Name):
            module = target.value.name
            bound = module in frame.locals or module in self.module
            library = None if bound else self.library(target.name)
            if library is not None:
                return library
        return self.value(target, frame)

    def instruction(
        self, name: str, positional: list[object], named: dict[str, object], span: Span
    ) -> object:
        if name in _FUNCTIONS:
            if named:
                raise FirmwareError(f"{name} takes no named arguments", span)
            return self.checked(span, _FUNCTIONS[name], *positional)
        if name in STRUCTURE:
            if positional or named:
                raise FirmwareError(f"{name} takes no arguments", span)
            match name:
                case "begin_chain":
                    self.assembler.begin_chain(span)
                case "end_chain":
                    self.assembler.end_chain(span)
                case "compile":
                    self.assembler.finish(span=span)
                    return Compiled()
            return None
        self.assembler.emit(name, positional, named, span)
        return None

    def invoke(
        self,
        function: syntax.Function,
        positional: list[object],
        named: Mapping[str, object],
        span: Span,
    ) -> object:
        if self.depth >= MAX_CALLS:
            raise FirmwareError(f"calls nest more than {MAX_CALLS} deep", span)
        parameters = function.parameters
        if len(positional) > len(parameters):
            raise FirmwareError(
                f"{function.name} takes {len(parameters)} arguments, {len(positional)} given", span
            )
        values: Scope = dict(zip((p.name for p in parameters), positional, strict=False))
        for name, value in named.items():
            if name not in {parameter.name for parameter in parameters}:
                raise FirmwareError(f"{function.name} has no parameter '{name}'", span)
            if name in values:
                raise FirmwareError(f"{function.name}: '{name}' is given twice", span)
            values[name] = value
        for parameter in parameters:
            if parameter.name not in values:
                if parameter.default is None:
                    raise FirmwareError(f"{function.name} needs its '{parameter.name}'", span)
                values[parameter.name] = self.value(parameter.default, _Frame({}))
        self.depth += 1
        frame = _Frame(values, function.name)
        self.run(function.body, frame)
        self.depth -= 1
        return frame.value

    def module_frame(self) -> _Frame:
        return _Frame(self.module)

    def entry_arguments(
        self, function: syntax.Function, arguments: Mapping[str, object]
    ) -> dict[str, object]:
        """The entry's arguments: the compiler first, then those given, then the machine's."""
        values: dict[str, object] = {}
        known = self.assembler.machine.parameters()
        names = [parameter.name for parameter in function.parameters]
        for name in arguments:
            if name not in names:
                listed = ", ".join(names) or "none"
                raise FirmwareError(
                    f"{function.name} has no parameter '{name}' (it has {listed})", function.span
                )
        for index, parameter in enumerate(function.parameters):
            if parameter.name in arguments:
                values[parameter.name] = arguments[parameter.name]
            elif index == 0 and parameter.name not in PARAMETER_NAMES:
                values[parameter.name] = CompilerObject()
            elif parameter.default is None:
                if parameter.name not in known:
                    raise FirmwareError(
                        f"{function.name} needs a value for its parameter '{parameter.name}'",
                        parameter.span,
                    )
                values[parameter.name] = known[parameter.name]
        return values


def _kind(value: object) -> str:
    match value:
        case CompilerObject():
            return "the compiler object"
        case Compiled():
            return "a compiled firmware"
        case Method(name):
            return f"the instruction {name}"
        case syntax.Function():
            return f"the function {value.name}"
        case None:
            return "None"
        case tuple():
            return "a list"
        case range():
            return "a range"
        case str():
            return f"the string '{value[:20]}'"
    return f"the number {value}"
