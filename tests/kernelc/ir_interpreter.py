"""Runs IR modules, for tests of the front end: each function becomes a Python function.

Integers are kept as unsigned Python ints of their width, pointers as addresses into one bytearray,
floats as Python floats (f32 rounded after each operation). System calls go to the host: write is
collected, exit raises. What C leaves open is as hcc defines it; traps raise `GuestTrap`.
"""

from __future__ import annotations

import math
import struct
import sys
from typing import Any

from hcc.compiler.ir.module import Const, Function, Instr, Module, Operand, Symbol, Value
from hcc.compiler.ir.ops import Op
from hcc.compiler.ir.types import F32, I1, VOID, Type

MEMORY_SIZE = 64 << 20
STACK_TOP = MEMORY_SIZE - 4096
DATA_STACK_TOP = MEMORY_SIZE - (16 << 20)
FIRST_FUNCTION = 0x1000
FIRST_GLOBAL = 0x100000


class GuestExit(Exception):
    """The program called exit."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class GuestTrap(Exception):
    """The program was stopped: division by zero, abort, unreachable."""


def signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


def round32(value: float) -> float:
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)


def divide(a: int, b: int, bits: int, is_signed: bool, want_rest: bool) -> int:
    if is_signed:
        a, b = signed(a, bits), signed(b, bits)
    if b == 0 or (is_signed and b == -1 and a == -(1 << (bits - 1))):
        raise GuestTrap("division")
    quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
    return (a - b * quotient if want_rest else quotient) & ((1 << bits) - 1)


def float_divide(a: float, b: float) -> float:
    if b != 0:
        return a / b
    if a == 0 or math.isnan(a):
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def to_int(value: float, bits: int, is_signed: bool) -> int:
    if math.isnan(value):
        return 0
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if is_signed else (0, (1 << bits) - 1)
    if math.isinf(value):
        whole = high if value > 0 else low
    else:
        whole = min(max(math.trunc(value), low), high)
    return whole & ((1 << bits) - 1)


def int_to_f32(value: int) -> float:
    """Round an integer to f32 once."""
    bits = abs(value).bit_length()
    if bits > 53:  # make the double inexact part sticky, so that rounding twice is rounding once
        shift = bits - 53
        kept = abs(value) >> shift
        if abs(value) & ((1 << shift) - 1):
            kept |= 1
        value = (kept << shift) * (1 if value > 0 else -1)
    return round32(float(value))


_BINARY = {
    Op.ADD: "({a} + {b}) & {m}", Op.SUB: "({a} - {b}) & {m}", Op.MUL: "({a} * {b}) & {m}",
    Op.AND: "{a} & {b}", Op.OR: "{a} | {b}", Op.XOR: "{a} ^ {b}",
    Op.SHL: "({a} << ({b} & {w1})) & {m}", Op.LSHR: "{a} >> ({b} & {w1})",
    Op.ASHR: "(signed({a}, {w}) >> ({b} & {w1})) & {m}",
    Op.SDIV: "divide({a}, {b}, {w}, True, False)", Op.UDIV: "divide({a}, {b}, {w}, False, False)",
    Op.SREM: "divide({a}, {b}, {w}, True, True)", Op.UREM: "divide({a}, {b}, {w}, False, True)",
    Op.EQ: "int({a} == {b})", Op.NE: "int({a} != {b})",
    Op.SLT: "int(signed({a}, {w}) < signed({b}, {w}))",
    Op.SLE: "int(signed({a}, {w}) <= signed({b}, {w}))",
    Op.SGT: "int(signed({a}, {w}) > signed({b}, {w}))",
    Op.SGE: "int(signed({a}, {w}) >= signed({b}, {w}))",
    Op.ULT: "int({a} < {b})", Op.ULE: "int({a} <= {b})", Op.UGT: "int({a} > {b})",
    Op.UGE: "int({a} >= {b})",
    Op.FEQ: "int({a} == {b})", Op.FNE: "int({a} != {b})", Op.FLT: "int({a} < {b})",
    Op.FLE: "int({a} <= {b})", Op.FGT: "int({a} > {b})", Op.FGE: "int({a} >= {b})",
    Op.FUNO: "int({a} != {a} or {b} != {b})",
    Op.FADD: "{a} + {b}", Op.FSUB: "{a} - {b}", Op.FMUL: "{a} * {b}",
    Op.FDIV: "float_divide({a}, {b})", Op.COPYSIGN: "copysign({a}, {b})",
    Op.PTRADD: "({a} + {b}) & 0xFFFFFFFFFFFFFFFF",
}  # fmt: skip
_UNARY = {
    Op.CTLZ: "{w} - {a}.bit_length()", Op.CTTZ: "({a} & -{a}).bit_length() - 1 if {a} else {w}",
    Op.CTPOP: "{a}.bit_count()", Op.BSWAP: "int.from_bytes({a}.to_bytes({n}, 'little'), 'big')",
    Op.FNEG: "-{a}", Op.FABS: "abs({a})", Op.SQRT: "sqrt({a}) if {a} >= 0 else nan",
    Op.TRUNC: "{a} & {m}", Op.ZEXT: "{a}", Op.SEXT: "signed({a}, {v}) & {m}",
    Op.FPTRUNC: "round32({a})", Op.FPEXT: "{a}", Op.FPTOSI: "to_int({a}, {w}, True)",
    Op.FPTOUI: "to_int({a}, {w}, False)", Op.PTRTOINT: "{a}", Op.INTTOPTR: "{a}",
}  # fmt: skip
_ROUNDED = {Op.FADD, Op.FSUB, Op.FMUL, Op.FDIV, Op.SQRT}
_FORMATS = {"f32": "<f", "f64": "<d"}


class Machine:
    """Linked modules and their memory."""

    def __init__(self, modules: list[Module]) -> None:
        self.memory = bytearray(MEMORY_SIZE)
        self.output = bytearray()
        self.errors = bytearray()
        self.polls = 0
        self.sp = STACK_TOP
        self.dsp = DATA_STACK_TOP
        self.break_address = 0
        self.symbols: dict[str, int] = {}
        self.functions: dict[str, Function] = {}
        self.by_address: dict[int, Any] = {}
        self._place(modules)

    def _place(self, modules: list[Module]) -> None:
        for module in modules:
            for name, function in module.functions.items():
                if name not in self.functions:
                    address = FIRST_FUNCTION + 16 * len(self.functions)
                    self.functions[name] = function
                    self.symbols[name] = address
                    self.by_address[address] = None
        address = FIRST_GLOBAL
        chosen = {}
        for module in modules:
            for name, item in module.globals.items():
                if name not in chosen or chosen[name].tentative:
                    chosen[name] = item
        for name, item in chosen.items():
            address = (address + item.align - 1) // item.align * item.align
            self.symbols[name] = address
            self.memory[address : address + len(item.init)] = item.init
            address += max(item.size, 1)
        for item in chosen.values():
            for reloc in item.relocs:
                at = self.symbols[item.name] + reloc.offset
                target = (self.symbols[reloc.symbol] + reloc.addend) & (1 << 64) - 1
                self.memory[at : at + 8] = target.to_bytes(8, "little")
        self.break_address = (address + 4095) // 4096 * 4096

    def run(self, name: str = "main", *args: int) -> Any:
        """Call a function; exit's status, or the function's result."""
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(200_000)
        try:
            wanted = len(self.functions[name].params)
            return self.call(self.symbols[name], *args[:wanted])
        except GuestExit as exit_:
            return exit_.status
        finally:
            sys.setrecursionlimit(limit)

    def call(self, address: int, *args: Any) -> Any:
        try:
            code = self.by_address[address]
        except KeyError:
            raise GuestTrap(f"call of {address:#x}") from None
        if code is None:
            index = (address - FIRST_FUNCTION) // 16
            function = list(self.functions.values())[index]
            code = self.by_address[address] = _Translator(self, function).translate()
        return code(*args)

    def string(self, text: str) -> int:
        """Put a C string where the program can read it."""
        data = text.encode() + b"\0"
        address = self.break_address
        self.memory[address : address + len(data)] = data
        self.break_address += (len(data) + 15) // 16 * 16
        return address

    def system_call(self, number: int, *args: int) -> int:
        match number:
            case 64:
                data = self.memory[args[1] : args[1] + args[2]]
                (self.errors if args[0] == 2 else self.output).extend(data)
                return args[2]
            case 93 | 94:
                raise GuestExit(args[0] & 0xFF)
            case 214:
                if self.break_address <= args[0] < DATA_STACK_TOP - (8 << 20):
                    self.break_address = args[0]
                return self.break_address
            case 63:
                return 0
            case 113 | 169:
                return 0
        return (1 << 64) - 38

    def copy(self, to: int, source: int, size: int) -> None:
        self.memory[to : to + size] = self.memory[source : source + size]

    def fill(self, to: int, byte: int, size: int) -> None:
        self.memory[to : to + size] = bytes((byte,)) * size

    def load(self, address: int, size: int) -> int:
        if not 0x1000 <= address <= MEMORY_SIZE - size:
            raise GuestTrap(f"load at {address:#x}")
        return int.from_bytes(self.memory[address : address + size], "little")

    def store(self, address: int, size: int, value: int) -> None:
        if not 0x1000 <= address <= MEMORY_SIZE - size:
            raise GuestTrap(f"store at {address:#x}")
        self.memory[address : address + size] = value.to_bytes(size, "little")


class _Translator:
    """One IR function as Python source."""

    def __init__(self, machine: Machine, function: Function) -> None:
        self.machine = machine
        self.function = function
        self.lines: list[str] = []
        self.names: dict[int, str] = {}
        self.frame = 0
        self.slots: dict[int, tuple[int, int]] = {}

    def lay_out_frame(self) -> None:
        """Give each alloca its offset, with room to align it."""
        for instr in self.function.instrs():
            if instr.op is Op.ALLOCA:
                align = max(instr.attr.align, 1)
                self.slots[id(instr)] = (self.frame, align)
                self.frame += (instr.attr.size + align - 1 + 15) // 16 * 16

    def translate(self) -> Any:
        function = self.function
        params = [self.name(p) for p in function.params]
        self.lay_out_frame()
        blocks = {id(b): i for i, b in enumerate(function.blocks)}
        body: list[str] = []
        for i, block in enumerate(function.blocks):
            body.append(f"        {'if' if i == 0 else 'elif'} b == {i}:")
            self.lines = []
            for instr in block.instrs:
                self.instruction(instr, blocks)
            body += ["            " + line for line in self.lines]
        head = [
            f"def code({', '.join(params)}):",
            f"    sp = M.sp - {self.frame}",
            "    if sp < DATA_STACK_TOP: raise GuestTrap('stack overflow')",
            "    M.sp = sp",
            "    b = 0",
            "    while True:",
        ]
        scope: dict[str, Any] = {
            "M": self.machine, "signed": signed, "divide": divide, "round32": round32,
            "float_divide": float_divide, "to_int": to_int, "int_to_f32": int_to_f32,
            "copysign": math.copysign, "sqrt": math.sqrt, "nan": math.nan, "inf": math.inf,
            "pack": struct.pack, "unpack": struct.unpack, "GuestTrap": GuestTrap,
            "DATA_STACK_TOP": DATA_STACK_TOP,
        }  # fmt: skip
        exec("\n".join(head + body), scope)
        return scope["code"]

    def name(self, value: Value) -> str:
        return self.names.setdefault(id(value), f"v{len(self.names)}")

    def operand(self, operand: Operand) -> str:
        if isinstance(operand, Symbol):
            if operand.name not in self.machine.symbols:
                return f"M.symbols[{operand.name!r}]"
            return str(self.machine.symbols[operand.name] + operand.offset)
        if isinstance(operand, Const):
            if operand.type.is_float:
                return f"({operand.value!r})"
            return str(operand.value)
        return self.name(operand)

    def emit(self, text: str) -> None:
        self.lines.append(text)

    def instruction(self, instr: Instr, blocks: dict[int, int]) -> None:
        args = [self.operand(a) for a in instr.args]
        op, type_ = instr.op, instr.type
        if op in _BINARY or op in _UNARY:
            self.computation(instr, args)
            return
        result = self.name(instr) if type_ is not VOID else "_"
        match op:
            case Op.SITOFP | Op.UITOFP:
                bits = instr.args[0].type.bits
                whole = f"signed({args[0]}, {bits})" if op is Op.SITOFP else args[0]
                self.emit(f"{result} = {'int_to_f32' if type_ is F32 else 'float'}({whole})")
            case Op.BITCAST:
                self.bitcast(instr, args[0])
            case Op.SELECT:
                self.emit(f"{result} = {args[1]} if {args[0]} else {args[2]}")
            case Op.ALLOCA:
                offset, align = self.slots[id(instr)]
                self.emit(f"{result} = (sp + {offset + align - 1}) & -{align}")
            case Op.LOAD:
                self.load(result, type_, args[0])
            case Op.STORE:
                self.store(instr.args[0].type, args[1], args[0])
            case Op.MEMCPY | Op.MEMMOVE:
                self.emit(f"M.copy({args[0]}, {args[1]}, {args[2]})")
            case Op.MEMSET:
                self.emit(f"M.fill({args[0]}, {args[1]}, {args[2]})")
            case Op.CALL:
                self.emit(f"{result} = M.call({', '.join(args)})")
            case Op.SYSCALL:
                self.emit(f"{result} = M.system_call({instr.attr}, {', '.join(args)})")
            case Op.POLL:
                self.emit("M.polls += 1")
            case Op.TRAP:
                self.emit(f"raise GuestTrap({instr.attr!r})")
            case Op.UNREACHABLE:
                self.emit("raise GuestTrap('unreachable')")
            case Op.DSP_GET:
                self.emit(f"{result} = M.dsp")
            case Op.DSP_SET:
                self.emit(f"M.dsp = {args[0]}")
            case _:
                self.terminator(instr, args, blocks)

    def computation(self, instr: Instr, args: list[str]) -> None:
        op = instr.op
        bits = instr.type.bits
        first = instr.args[0].type.bits
        compares = instr.type is I1 and op in _BINARY and op not in (Op.AND, Op.OR, Op.XOR)
        width = first if compares else bits
        text = (_BINARY.get(op) or _UNARY[op]).format(
            a=args[0], b=args[-1], m=(1 << bits) - 1, w=width, w1=width - 1, n=width // 8, v=first
        )
        if op in _ROUNDED and instr.type is F32:
            text = f"round32({text})"
        self.emit(f"{self.name(instr)} = {text}")

    def bitcast(self, instr: Instr, arg: str) -> None:
        formats = {"i32": "<I", "i64": "<Q", "f32": "<f", "f64": "<d", "ptr": "<Q"}
        have, want = formats[str(instr.args[0].type)], formats[str(instr.type)]
        self.emit(f"{self.name(instr)} = unpack({want!r}, pack({have!r}, {arg}))[0]")

    def load(self, result: str, type_: Type, address: str) -> None:
        text = f"M.load({address}, {type_.size})"
        if type_.is_float:
            text = f"unpack({_FORMATS[str(type_)]!r}, {text}.to_bytes({type_.size}, 'little'))[0]"
        self.emit(f"{result} = {text}")

    def store(self, type_: Type, address: str, value: str) -> None:
        if type_.is_float:
            value = f"int.from_bytes(pack({_FORMATS[str(type_)]!r}, {value}), 'little')"
        self.emit(f"M.store({address}, {type_.size}, {value})")

    def terminator(self, instr: Instr, args: list[str], blocks: dict[int, int]) -> None:
        match instr.op:
            case Op.BR:
                self.edge(instr, 0, blocks)
            case Op.CBR:
                self.emit(f"if {args[0]}:")
                self.edge(instr, 0, blocks, "    ")
                self.emit("else:")
                self.edge(instr, 1, blocks, "    ")
            case Op.SWITCH:
                for i, case in enumerate(instr.attr):
                    self.emit(f"{'if' if i == 0 else 'elif'} {args[0]} == {case}:")
                    self.edge(instr, i + 1, blocks, "    ")
                if instr.attr:
                    self.emit("else:")
                self.edge(instr, 0, blocks, "    " if instr.attr else "")
            case Op.RET:
                self.emit(f"M.sp = sp + {self.frame}")
                self.emit(f"return {args[0] if args else 'None'}")
            case _:
                raise AssertionError(instr.op)

    def edge(self, instr: Instr, index: int, blocks: dict[int, int], indent: str = "") -> None:
        edge = instr.targets[index]
        if edge.args:
            names = ", ".join(self.name(p) for p in edge.block.params)
            values = ", ".join(self.operand(a) for a in edge.args)
            self.emit(f"{indent}{names} = {values}")
        self.emit(f"{indent}b = {blocks[id(edge.block)]}")
