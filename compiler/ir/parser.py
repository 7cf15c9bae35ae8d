"""Reads the text form of the IR (see `printer`); the inverse of `print_module`.

A scanner of one regular expression and a few functions named after what they read. Source
locations are printed without their file, so they come back as places in the module's file.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

from hcc.compiler.ir import ops
from hcc.compiler.ir import types as ty
from hcc.compiler.ir.module import (
    Block,
    CallSite,
    Const,
    DataReloc,
    Edge,
    ExternData,
    ExternFunction,
    Function,
    Global,
    Instr,
    Location,
    MemoryAccess,
    Module,
    Operand,
    Signature,
    Site,
    StackSlot,
    Symbol,
    Value,
)
from hcc.compiler.ir.ops import Op
from hcc.compiler.ir.types import VOID, Type
from hcc.isa.errors import FormatError

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>x?"[^"]*") | (?P<value>%\d+(?:\.[\w.$]+)?) | (?P<symbol>@[\w.$]+)
        | (?P<loc>!\d+:\d+) | (?P<number>-?(?:0x[0-9a-f]+|\d+)\b) | (?P<word>[A-Za-z_$][\w.$]*)
        | (?P<arrow>->) | (?P<mark>[(){}\[\],:=+#]))""",
    re.VERBOSE,
)


def parse_module(text: str, source: str = "<ir>") -> Module:
    """The module that `text` describes; FormatError with the line of the first mistake."""
    return _Parser(text, source).module()


class _Parser:
    def __init__(self, text: str, source: str) -> None:
        self.source = source
        self.tokens: list[tuple[str, int]] = []
        line = 1
        for number, row in enumerate(text.split("\n"), 1):
            position = 0
            line = number
            while row[position:].strip():
                match = _TOKEN.match(row, position)
                if match is None:
                    raise FormatError(f"{source}:{number}: cannot read '{row[position:].strip()}'")
                self.tokens.append((match.group().strip(), number))
                position = match.end()
        self.tokens.append(("", line))
        self.at = 0
        self.values: dict[str, Value] = {}
        self.blocks: dict[str, Block] = {}
        self.fixups: list[Callable[[], None]] = []

    # ---- tokens ----

    def fail(self, expected: str) -> FormatError:
        text, line = self.tokens[self.at]
        return FormatError(f"{self.source}:{line}: expected {expected}, found '{text}'")

    @property
    def next(self) -> str:
        return self.tokens[self.at][0]

    def take(self) -> str:
        token = self.next
        self.at += 1
        return token

    def accept(self, token: str) -> bool:
        if self.next == token:
            self.at += 1
            return True
        return False

    def expect(self, token: str) -> None:
        if not self.accept(token):
            raise self.fail(f"'{token}'")

    def number(self) -> int:
        try:
            value = int(self.next, 0)
        except ValueError:
            raise self.fail("a number") from None
        self.at += 1
        return value

    def name(self) -> str:
        if not self.next.startswith("@"):
            raise self.fail("a symbol")
        return self.take()[1:]

    def type(self) -> Type:
        if self.next not in ty.BY_TEXT:
            raise self.fail("a type")
        return ty.BY_TEXT[self.take()]

    def flag(self, name: str) -> bool:
        return self.accept(name)

    # ---- top level ----

    def module(self) -> Module:
        self.expect("module")
        module = Module(self.take().strip('"'))
        while self.next:
            match self.take():
                case "extern":
                    self.extern(module)
                case "global":
                    item = self.global_()
                    module.globals[item.name] = item
                case "func":
                    function = self.function(module)
                    module.functions[function.name] = function
                case _:
                    self.at -= 1
                    raise self.fail("'extern', 'global' or 'func'")
        return module

    def extern(self, module: Module) -> None:
        if self.accept("func"):
            name, signature = self.name(), self.signature()
            extern = ExternFunction(name, signature, self.flag("leaf"), self.flag("noreturn"))
            module.extern_functions[name] = extern
        else:
            self.expect("data")
            name = self.name()
            self.expect("align")
            module.extern_data[name] = ExternData(name, self.number(), self.flag("readonly"))

    def signature(self) -> Signature:
        self.expect("(")
        params: list[Type] = []
        while not self.accept(")"):
            params.append(self.type())
            self.accept(",")
        self.expect("->")
        return Signature(tuple(params), self.type())

    def global_(self) -> Global:
        name = self.name()
        self.expect("size")
        size = self.number()
        self.expect("align")
        item = Global(name, size, self.number())
        item.readonly = self.flag("readonly")
        item.exported = not self.flag("local")
        item.tentative = self.flag("tentative")
        if self.accept("="):
            try:
                item.init = bytes.fromhex(self.next[2:-1])
            except ValueError:
                raise self.fail("hexadecimal digits") from None
            self.at += 1
        while self.accept("reloc"):
            offset, symbol = self.number(), self.name()
            self.expect("+")
            item.relocs.append(DataReloc(offset, symbol, self.number()))
        return item

    # ---- functions ----

    def function(self, module: Module) -> Function:
        self.values, self.blocks, self.fixups = {}, {}, []
        name = self.name()
        self.expect("(")
        params = self.params(")")
        self.expect("->")
        result = self.type()
        signature = Signature(tuple(p.type for p in params), result)
        exported, leaf, noreturn = self.flag("export"), self.flag("leaf"), self.flag("noreturn")
        noinline = self.flag("noinline")
        function = Function(name, signature, params, [], exported, leaf, noreturn, noinline)
        if self.accept("resumes"):
            function.resumes = self.name()
        self.expect("{")
        while not self.accept("}"):
            function.blocks.append(self.block(module))
        for fixup in self.fixups:
            fixup()
        return function

    def params(self, end: str) -> list[Value]:
        params: list[Value] = []
        while not self.accept(end):
            value = self.define(self.take())
            self.expect(":")
            value.type = self.type()
            params.append(value)
            self.accept(",")
        return params

    def define(self, token: str) -> Value:
        if not token.startswith("%"):
            self.at -= 1
            raise self.fail("a value")
        number, _, hint = token.partition(".")
        value = Value(VOID, hint)
        self.values[number] = value
        return value

    def named_block(self, name: str) -> Block:
        return self.blocks.setdefault(name, Block(name))

    def block(self, module: Module) -> Block:
        block = self.named_block(self.take())
        if self.accept("("):
            block.params = self.params(")")
        self.expect(":")
        while True:
            instr = self.instr(module)
            block.instrs.append(instr)
            if instr.op.is_terminator:
                return block

    def operands(self, sink: list[Operand]) -> None:
        """Comma-separated operands, appended to `sink` (values once all are known)."""
        while self.is_operand(self.at):
            self.operand(sink)
            if not (self.next == "," and self.is_operand(self.at + 1)):
                return
            self.expect(",")

    def is_operand(self, at: int) -> bool:
        """Whether a token starts an operand of the line that is being read."""
        token, line = self.tokens[at]
        on_line = line == self.tokens[self.at - 1][1]
        return on_line and (token[:1] in ("%", "@") or token in ty.BY_TEXT)

    def operand(self, sink: list[Operand]) -> None:
        token = self.next
        if token.startswith("%"):
            self.at += 1
            index, line = len(sink), self.tokens[self.at - 1][1]
            sink.append(Const(VOID, 0))

            def fixup() -> None:
                if token not in self.values:
                    raise FormatError(f"{self.source}:{line}: '{token}' is not defined")
                sink[index] = self.values[token]

            self.fixups.append(fixup)
        elif token.startswith("@"):
            name = self.name()
            sink.append(Symbol(name, self.number() if self.accept("+") else 0))
        else:
            type_, value = self.type(), self.number()
            if type_.is_float:
                code = "<f" if type_.bits == 32 else "<d"
                (real,) = struct.unpack(code, value.to_bytes(type_.size, "little"))
                sink.append(Const(type_, real))
            else:
                sink.append(Const(type_, value))

    def edge(self) -> Edge:
        edge = Edge(self.named_block(self.take()))
        if self.accept("("):
            self.operands(edge.args)
            self.expect(")")
        return edge

    def instr(self, module: Module) -> Instr:
        result: Value | None = None
        token = ""
        if self.next.startswith("%"):
            token = self.take()
            self.expect("=")
        if self.next not in ops.BY_TEXT:
            raise self.fail("an operation")
        op = ops.BY_TEXT[self.take()]
        instr = Instr(VOID, op=op)
        if token:
            result = self.define(token)
            instr.name = result.name
            self.values[token.partition(".")[0]] = instr
            instr.type = self.type()
        if self.is_operand(self.at):
            self.operands(instr.args)
        self.attribute(instr)
        if op is not Op.SWITCH and op.is_terminator and op not in (Op.RET, Op.UNREACHABLE):
            self.accept(",")
            instr.targets.append(self.edge())
            while self.accept(","):
                instr.targets.append(self.edge())
        if self.accept("site"):
            instr.site = Site(self.number(), [])
            self.expect("[")
            self.operands(instr.site.live)
            self.expect("]")
        if self.next.startswith("!"):
            line, column = self.take()[1:].split(":")
            instr.loc = Location(module.name, int(line), int(column))
        return instr

    def attribute(self, instr: Instr) -> None:
        match instr.op:
            case Op.LOAD | Op.STORE:
                self.expect("align")
                instr.attr = MemoryAccess(self.number(), self.flag("volatile"))
            case Op.ALLOCA:
                self.expect("size")
                size = self.number()
                self.expect("align")
                instr.attr = StackSlot(size, self.number(), self.flag("volatile"))
            case Op.CALL:
                self.expect(":")
                instr.attr = CallSite(self.signature(), self.flag("leaf"), self.flag("noreturn"))
            case Op.MEMCPY | Op.MEMMOVE | Op.MEMSET | Op.SYSCALL:
                self.expect("#")
                instr.attr = self.number()
            case Op.TRAP:
                instr.attr = self.take()
            case Op.SWITCH:
                cases = []
                while self.accept("["):
                    cases.append(self.number())
                    self.expect(":")
                    instr.targets.append(self.edge())
                    self.expect("]")
                self.expect("else")
                instr.targets.insert(0, self.edge())
                instr.attr = tuple(cases)



