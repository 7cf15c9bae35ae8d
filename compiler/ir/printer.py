"""The text form of the IR: what `--emit ir` shows and `parser.parse_module` reads back.

    module "sum.c"
    extern func @puts(ptr) -> i32
    global @count size 4 align 4 = x"05000000"
    func @sum(%0.a: ptr, %1.n: i64) -> i64 export {
    entry:
      br loop1(i64 0, i64 0)
    loop1(%2.i: i64, %3.s: i64):
      %4 = slt i1 %2, %1
      ...
    }

Values are numbered in order of appearance; a name behind the number is the hint of the source.
Constants carry their type. Floats are the hexadecimal digits of their bits.
"""

from __future__ import annotations

import struct

from hcc.compiler.ir.module import (
    Block,
    CallSite,
    Const,
    Edge,
    Function,
    Global,
    Instr,
    MemoryAccess,
    Module,
    Operand,
    Signature,
    StackSlot,
    Symbol,
    Value,
)
from hcc.compiler.ir.ops import Op
from hcc.compiler.ir.types import F32, VOID


def print_module(module: Module) -> str:
    """The whole module as text, ending in a newline."""
    lines = [f'module "{module.name}"']
    for extern in module.extern_functions.values():
        flags = _flags(leaf=extern.leaf, noreturn=extern.noreturn)
        lines.append(f"extern func @{extern.name}{_signature(extern.signature)}{flags}")
    for data in module.extern_data.values():
        flags = _flags(readonly=data.readonly)
        lines.append(f"extern data @{data.name} align {data.align}{flags}")
    lines += [_global(g) for g in module.globals.values()]
    lines += [print_function(f) for f in module.functions.values()]
    return "\n".join(lines) + "\n"


def print_function(function: Function) -> str:
    """One function as text."""
    return "\n".join(_FunctionPrinter(function).lines())


def _flags(**flags: bool) -> str:
    return "".join(f" {name}" for name, value in flags.items() if value)


def _signature(signature: Signature) -> str:
    params = ", ".join(str(t) for t in signature.params)
    return f"({params}) -> {signature.result}"


def _global(g: Global) -> str:
    flags = _flags(readonly=g.readonly, local=not g.exported, tentative=g.tentative)
    text = f"global @{g.name} size {g.size} align {g.align}{flags}"
    if g.init:
        text += f' = x"{g.init.hex()}"'
    for reloc in g.relocs:
        text += f" reloc {reloc.offset} @{reloc.symbol}+{reloc.addend}"
    return text


def float_bits(value: Const) -> int:
    """The IEEE 754 bits of a floating-point constant."""
    if value.type is F32:
        return int.from_bytes(struct.pack("<f", value.value), "little")
    return int.from_bytes(struct.pack("<d", value.value), "little")


class _FunctionPrinter:
    def __init__(self, function: Function) -> None:
        self.function = function
        self.numbers: dict[Value, int] = {}

    def define(self, value: Value) -> str:
        number = self.numbers.setdefault(value, len(self.numbers))
        return f"%{number}.{value.name}" if value.name else f"%{number}"

    def lines(self) -> list[str]:
        f = self.function
        params = ", ".join(f"{self.define(p)}: {p.type}" for p in f.params)
        flags = _flags(export=f.exported, leaf=f.leaf, noreturn=f.noreturn, noinline=f.noinline)
        if f.resumes:
            flags += f" resumes @{f.resumes}"
        lines = [f"func @{f.name}({params}) -> {f.signature.result}{flags} {{"]
        # Numbers first, so that uses before definitions in text order have them too.
        for block in f.blocks:
            for value in (*block.params, *(i for i in block.instrs if i.type is not VOID)):
                self.define(value)
        for block in f.blocks:
            lines += self.block(block)
        return [*lines, "}"]

    def block(self, block: Block) -> list[str]:
        params = ", ".join(f"{self.define(p)}: {p.type}" for p in block.params)
        head = f"{block.name}({params}):" if params else f"{block.name}:"
        return [head, *("  " + self.instr(i) for i in block.instrs)]

    def operand(self, operand: Operand) -> str:
        match operand:
            case Const(type, value):
                if type.is_float:
                    return f"{type} 0x{float_bits(operand):0{type.bits // 4}x}"
                return f"{type} {value}"
            case Symbol(name, 0):
                return f"@{name}"
            case Symbol(name, offset):
                return f"@{name}+{offset}"
        return f"%{self.numbers[operand]}"

    def operands(self, operands: list[Operand]) -> str:
        return ", ".join(self.operand(o) for o in operands)

    def edge(self, edge: Edge) -> str:
        return f"{edge.block.name}({self.operands(edge.args)})" if edge.args else edge.block.name

    def instr(self, i: Instr) -> str:
        head = f"{self.define(i)} = " if i.type is not VOID else ""
        text = f"{head}{i.op}"
        if i.type is not VOID:
            text += f" {i.type}"
        if i.args:
            text += " " + self.operands(i.args)
        match i.attr:
            case MemoryAccess(align, volatile):
                text += f" align {align}" + _flags(volatile=volatile)
            case StackSlot(size, align, volatile):
                text += f" size {size} align {align}" + _flags(volatile=volatile)
            case CallSite(signature, leaf, noreturn):
                text += f" : {_signature(signature)}" + _flags(leaf=leaf, noreturn=noreturn)
            case tuple() if i.op is Op.SWITCH:
                default, *others = i.targets
                cases = zip(i.attr, others, strict=True)
                text += "".join(f" [{c}: {self.edge(e)}]" for c, e in cases)
                text += f" else {self.edge(default)}"
            case str():
                text += f" {i.attr}"
            case int():
                text += f" #{i.attr}"
        if i.targets and i.op is not Op.SWITCH:
            text += ", " if i.args else " "
            text += ", ".join(self.edge(e) for e in i.targets)
        if i.site is not None:
            text += f" site {i.site.id} [{self.operands(i.site.live)}]"
        if i.loc is not None:
            text += f" !{i.loc.line}:{i.loc.column}"
        return text
