"""IR to LLVM IR, as text: the same text for every target but for the marks `targets` fills.

Text, because building `llvmlite.ir` objects costs more than LLVM's own work. Rules that keep the
meaning equal on every ISA and every activation record complete:

* no nsw, nuw, inbounds, fast-math flags, noalias or TBAA: none of our operations has undefined
  results; shift counts are masked, divisions checked, conversions saturate;
* every symbol has external linkage and `dso_local`; objects are declared here and laid out by
  our linker, so LLVM never shrinks or merges them;
* a site's call carries a "deopt" bundle: (function id, site id, count, live values), which the
  code generator turns into stack-map records by itself, without gc.statepoint; inlining prepends
  the caller's bundle, so a record describes several virtual frames, outermost first;
* alias scopes only say that private objects whose address is not taken are out of reach;
* "no-builtins" on definitions and `nobuiltin` on declarations: LLVM does not take our functions
  for the C library's (it would fold `sin(0.5)` with the host's, and call malloc's result noalias).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from attrs import define, field

from hcc.compiler.codegen.aliases import AliasScopes, alias_scopes
from hcc.compiler.codegen.debug_info import DebugInfo
from hcc.compiler.ir.cfg import has_loops
from hcc.compiler.ir.module import (
    Block,
    Const,
    Function,
    Instr,
    Module,
    Operand,
    Symbol,
    Value,
)
from hcc.compiler.ir.ops import Op
from hcc.compiler.ir.types import F32, F64, I1, PTR, VOID, Type
from hcc.isa import traps
from hcc.isa.fatbinary import function_id

MIGRATION_HOOK = "__hcc_migrate"

LLVM_TYPES = {t: t.text for t in Type} | {F32: "float", F64: "double"}

_BINARY = {
    Op.ADD: "add", Op.SUB: "sub", Op.MUL: "mul", Op.AND: "and", Op.OR: "or", Op.XOR: "xor",
    Op.FADD: "fadd", Op.FSUB: "fsub", Op.FMUL: "fmul", Op.FDIV: "fdiv",
}  # fmt: skip
_SHIFTS = {Op.SHL: "shl", Op.LSHR: "lshr", Op.ASHR: "ashr"}
_DIVISIONS = {Op.SDIV: "sdiv", Op.UDIV: "udiv", Op.SREM: "srem", Op.UREM: "urem"}
_ICMP = {
    op: op.text
    for op in (
        Op.EQ, Op.NE, Op.SLT, Op.SLE, Op.SGT, Op.SGE, Op.ULT, Op.ULE, Op.UGT, Op.UGE,
    )
}  # fmt: skip
_FCMP = {
    Op.FEQ: "oeq", Op.FNE: "une", Op.FLT: "olt", Op.FLE: "ole", Op.FGT: "ogt", Op.FGE: "oge",
    Op.FUNO: "uno",
}  # fmt: skip
_CASTS = {
    Op.TRUNC: "trunc", Op.ZEXT: "zext", Op.SEXT: "sext", Op.FPTRUNC: "fptrunc",
    Op.FPEXT: "fpext", Op.SITOFP: "sitofp", Op.UITOFP: "uitofp", Op.PTRTOINT: "ptrtoint",
    Op.INTTOPTR: "inttoptr", Op.BITCAST: "bitcast",
}  # fmt: skip
_INTRINSICS = {
    Op.FABS: "fabs", Op.SQRT: "sqrt", Op.COPYSIGN: "copysign", Op.CTPOP: "ctpop",
    Op.BSWAP: "bswap",
}  # fmt: skip

_LIKELY_NOT = "!prof !0"


def llvm_module(module: Module, debug: bool = False) -> str:
    """The module as LLVM IR text with the marks for `Target.localise`; with `debug`, source lines
    for every instruction."""
    emitter = _ModuleEmitter(module, DebugInfo(module) if debug else None)
    return emitter.text()


def llvm_const(const: Const) -> str:
    """A constant without its type."""
    type_, value = const.type, const.value
    if type_.is_float:
        bits = struct.unpack("<Q", struct.pack("<d", value))[0]
        return f"0x{bits:016X}"
    if type_ is PTR:
        return "null" if value == 0 else f"inttoptr (i64 {value} to ptr)"
    if type_ is I1:
        return "true" if value else "false"
    return str(value)


@define(eq=False)
class _ModuleEmitter:
    module: Module
    debug: DebugInfo | None
    intrinsics: set[str] = field(factory=set)
    scopes: AliasScopes = field(factory=AliasScopes)

    def text(self) -> str:
        self.scopes = alias_scopes(self.module)
        bodies = []
        for function in self.module.functions.values():
            bodies += _FunctionEmitter(self, function).lines()
        head = [*self.declarations(), *sorted(self.intrinsics)]
        tail = [*_TAIL, *self.scopes.definitions()]
        if self.debug is not None:
            tail += self.debug.definitions()
        return "\n".join([*head, *bodies, *tail]) + "\n"

    def declarations(self) -> Iterable[str]:
        m = self.module
        for data in m.extern_data.values():
            kind = "constant" if data.readonly else "global"
            yield f"@{data.name} = external dso_local {kind} i8, align {data.align}"
        for item in m.globals.values():
            kind = "constant" if item.readonly else "global"
            yield f"@{item.name} = external dso_local {kind} i8, align {item.align}"
        for name in (MIGRATION_HOOK, traps.SYMBOL, "__hcc_syscall"):
            if m.declares(name):
                continue
            if name == MIGRATION_HOOK:
                yield f"declare dso_local void @{name}() #1"
            elif name == traps.SYMBOL:
                yield f"declare dso_local void @{name}(i32, ptr) #2"
            else:
                words = ", ".join(["i64"] * 7)
                yield f"declare dso_local i64 @{name}({words}) #3"
        for extern in m.extern_functions.values():
            params = ", ".join(LLVM_TYPES[t] for t in extern.signature.params)
            attrs = "#2" if extern.noreturn else "#3"
            result = LLVM_TYPES[extern.signature.result]
            yield f"declare dso_local {result} @{extern.name}({params}) {attrs}"

    def intrinsic(self, name: str, result: str, params: str) -> str:
        self.intrinsics.add(f"declare {result} @{name}({params})")
        return f"@{name}"


# An access through a null pointer is one like any other: it faults. LLVM would cut out code that
# makes one, and what ran instead would differ from ISA to ISA.
_ATTRIBUTES = 'nounwind null_pointer_is_valid uwtable "frame-pointer"="none" "no-builtins"'
_TAIL = [
    f"attributes #0 = {{ {_ATTRIBUTES} }}",
    "attributes #1 = { cold nobuiltin nounwind }",
    "attributes #2 = { cold nobuiltin noreturn nounwind }",
    "attributes #3 = { nobuiltin nounwind }",
    # A resume function without loops runs once a move: not worth optimising. With loops it may
    # run long, but is a second copy of its function: no code is unrolled or specialised there.
    f"attributes #4 = {{ noinline optnone {_ATTRIBUTES} }}",
    f"attributes #5 = {{ optsize {_ATTRIBUTES} }}",
    f"attributes #6 = {{ noinline {_ATTRIBUTES} }}",
    "declare ptr @llvm.thread.pointer.p0()",
    '!0 = !{!"branch_weights", i32 1, i32 100000}',
]


class _FunctionEmitter:
    def __init__(self, owner: _ModuleEmitter, function: Function) -> None:
        self.owner = owner
        self.module = owner.module
        self.function = function
        self.id = function_id(function.resumes or function.name)
        self.names: dict[Value, str] = {}
        self.labels: dict[Block, str] = {}
        self.exits: dict[Block, str] = {}  # the label that edges of a block come from
        self.bodies: dict[Block, list[str]] = {}
        self.out: list[str] = []
        self.label = ""
        self.count = 0

    def fresh(self) -> str:
        self.count += 1
        return f"x{self.count}"

    def lines(self) -> list[str]:
        f = self.function
        for i, block in enumerate(f.blocks):
            self.labels[block] = f"b{i}"
        number = 0
        for value in (*f.params, *(v for b in f.blocks for v in (*b.params, *b.instrs))):
            if value.type is not VOID:
                self.names[value] = f"%v{number}"
                number += 1
        for block in f.blocks:
            self.out = []
            self.label = self.labels[block]
            for instr in block.instrs:
                start = len(self.out)
                self.instr(instr)
                if self.owner.debug is not None:
                    self.locate(start, self.owner.debug.location(instr.loc, f))
            self.exits[block] = self.label
            self.bodies[block] = self.out
        params = ", ".join(f"{LLVM_TYPES[p.type]} {self.names[p]}" for p in f.params)
        result = LLVM_TYPES[f.signature.result]
        section = f'section ".text.{f.name}"'
        attrs = "#6" if f.noinline else "#0"
        if f.resumes is not None:
            attrs = "#5" if has_loops(f) else "#4"
        if self.owner.debug is not None:
            section += f" !dbg !{self.owner.debug.subprogram(f)}"
        head = f"define dso_local {result} @{f.name}({params}) {attrs} {section} {{"
        lines = [head]
        phis = self.phis()
        for block in f.blocks:
            lines.append(self.labels[block] + ":")
            lines += phis[block]
            lines += self.bodies[block]
        lines.append("}")
        return lines

    def locate(self, start: int, location: int) -> None:
        """Attach a location to the instructions from a line on."""
        for i in range(start, len(self.out)):
            if self.out[i].startswith("  ") and "= @@field" not in self.out[i]:
                self.out[i] += f", !dbg !{location}"

    def phis(self) -> dict[Block, list[str]]:
        """The phi nodes of every block, from the operands of the edges that lead to it."""
        incoming: dict[Block, list[tuple[str, list[Operand]]]] = {
            b: [] for b in self.function.blocks
        }
        for block in self.function.blocks:
            for edge in block.terminator.targets:
                incoming[edge.block].append((self.exits[block], edge.args))
        result = {}
        for block in self.function.blocks:
            lines = []
            for i, param in enumerate(block.params):
                sources = ", ".join(
                    f"[ {self.value(args[i])}, %{label} ]" for label, args in incoming[block]
                )
                lines.append(f"  {self.names[param]} = phi {LLVM_TYPES[param.type]} {sources}")
            result[block] = lines
        return result

    # ---- operands ----

    def value(self, operand: Operand) -> str:
        if isinstance(operand, Value):
            return self.names[operand]
        if isinstance(operand, Const):
            return llvm_const(operand)
        assert isinstance(operand, Symbol)
        if operand.offset:
            return f"getelementptr (i8, ptr @{operand.name}, i64 {operand.offset})"
        return f"@{operand.name}"

    def typed(self, operand: Operand) -> str:
        return f"{LLVM_TYPES[operand.type]} {self.value(operand)}"

    def line(self, text: str) -> None:
        self.out.append("  " + text)

    def start(self, label: str) -> None:
        self.out.append(label + ":")
        self.label = label

    # ---- instructions ----

    def instr(self, i: Instr) -> None:
        op, args = i.op, i.args
        name = self.names.get(i, "")
        type_ = LLVM_TYPES[i.type]
        if op in _BINARY:
            self.line(f"{name} = {_BINARY[op]} {self.typed(args[0])}, {self.value(args[1])}")
        elif op in _ICMP:
            self.line(f"{name} = icmp {_ICMP[op]} {self.typed(args[0])}, {self.value(args[1])}")
        elif op in _FCMP:
            self.line(f"{name} = fcmp {_FCMP[op]} {self.typed(args[0])}, {self.value(args[1])}")
        elif op in _CASTS:
            self.line(f"{name} = {_CASTS[op]} {self.typed(args[0])} to {type_}")
        elif op in _SHIFTS:
            self.shift(i)
        elif op in _DIVISIONS:
            self.division(i)
        elif op in _INTRINSICS:
            params = ", ".join([type_] * len(args))
            suffix = _SUFFIX[i.type]
            function = self.owner.intrinsic(f"llvm.{_INTRINSICS[op]}.{suffix}", type_, params)
            self.line(f"{name} = call {type_} {function}({', '.join(map(self.typed, args))})")
        else:
            getattr(self, "op_" + op.text)(i, name, type_)

    def shift(self, i: Instr) -> None:
        value, count = i.args
        mask = i.type.bits - 1
        if isinstance(count, Const):
            amount = str(int(count.value) & mask)
        else:
            amount = f"%{self.fresh()}"
            self.line(f"{amount} = and {self.typed(count)}, {mask}")
        self.line(f"{self.names[i]} = {_SHIFTS[i.op]} {self.typed(value)}, {amount}")

    def division(self, i: Instr) -> None:
        a, b = i.args
        minus_one = (1 << i.type.bits) - 1
        signed = i.op in (Op.SDIV, Op.SREM)
        if not isinstance(b, Const) or b.value == 0:
            zero = f"%{self.fresh()}"
            self.line(f"{zero} = icmp eq {self.typed(b)}, 0")
            self.trap_if(zero, traps.TrapCode.DIVIDE, i)
        if signed and (not isinstance(b, Const) or b.value == minus_one):
            least, minus, both = (f"%{self.fresh()}" for _ in range(3))
            self.line(f"{least} = icmp eq {self.typed(a)}, {1 << (i.type.bits - 1)}")
            self.line(f"{minus} = icmp eq {self.typed(b)}, -1")
            self.line(f"{both} = and i1 {least}, {minus}")
            self.trap_if(both, traps.TrapCode.OVERFLOW, i)
        self.line(f"{self.names[i]} = {_DIVISIONS[i.op]} {self.typed(a)}, {self.value(b)}")

    def trap_if(self, condition: str, code: traps.TrapCode, i: Instr) -> None:
        label = self.fresh()
        self.line(f"br i1 {condition}, label %{label}.trap, label %{label}.ok, {_LIKELY_NOT}")
        self.start(f"{label}.trap")
        self.trap_call(code, i)
        self.line("unreachable")
        self.start(f"{label}.ok")

    def trap_call(self, code: traps.TrapCode, i: Instr) -> None:
        argument = code.argument(i.loc.line if i.loc else 0)
        function = self.function.resumes or self.function.name
        self.line(f"call void @{traps.SYMBOL}(i32 {argument}, ptr @{function}) #2")

    def op_fneg(self, i: Instr, name: str, type_: str) -> None:
        self.line(f"{name} = fneg {self.typed(i.args[0])}")

    def op_ctlz(self, i: Instr, name: str, type_: str) -> None:
        function = self.owner.intrinsic(f"llvm.{i.op}.{type_}", type_, f"{type_}, i1")
        self.line(f"{name} = call {type_} {function}({self.typed(i.args[0])}, i1 false)")

    op_cttz = op_ctlz

    def op_fptosi(self, i: Instr, name: str, type_: str) -> None:
        source = i.args[0].type
        full = f"llvm.{i.op}.sat.{type_}.{_SUFFIX[source]}"
        function = self.owner.intrinsic(full, type_, LLVM_TYPES[source])
        self.line(f"{name} = call {type_} {function}({self.typed(i.args[0])})")

    op_fptoui = op_fptosi

    def op_select(self, i: Instr, name: str, type_: str) -> None:
        self.line(f"{name} = select {', '.join(map(self.typed, i.args))}")

    def op_alloca(self, i: Instr, name: str, type_: str) -> None:
        self.line(f"{name} = alloca [{max(i.attr.size, 1)} x i8], align {i.attr.align}")

    def op_load(self, i: Instr, name: str, type_: str) -> None:
        volatile = "volatile " if i.attr.volatile else ""
        addr, scope = self.typed(i.args[0]), self.owner.scopes.metadata(i)
        self.line(f"{name} = load {volatile}{type_}, {addr}, align {i.attr.align}{scope}")

    def op_store(self, i: Instr, name: str, type_: str) -> None:
        volatile = "volatile " if i.attr.volatile else ""
        value, addr = map(self.typed, i.args)
        scope = self.owner.scopes.metadata(i)
        self.line(f"store {volatile}{value}, {addr}, align {i.attr.align}{scope}")

    def op_ptradd(self, i: Instr, name: str, type_: str) -> None:
        base, offset = map(self.typed, i.args)
        self.line(f"{name} = getelementptr i8, {base}, {offset}")

    def op_memcpy(self, i: Instr, name: str, type_: str) -> None:
        full = f"llvm.{i.op}.p0.p0.i64"
        function = self.owner.intrinsic(full, "void", "ptr, ptr, i64, i1")
        to, source, size = i.args
        pointers = ", ".join(f"ptr align {i.attr} {self.value(p)}" for p in (to, source))
        self.line(f"call void {function}({pointers}, {self.typed(size)}, i1 false)")

    op_memmove = op_memcpy

    def op_memset(self, i: Instr, name: str, type_: str) -> None:
        function = self.owner.intrinsic("llvm.memset.p0.i64", "void", "ptr, i8, i64, i1")
        to, byte, size = i.args
        rest = f"{self.typed(byte)}, {self.typed(size)}, i1 false"
        scope = self.owner.scopes.metadata(i)
        self.line(f"call void {function}(ptr align {i.attr} {self.value(to)}, {rest}){scope}")

    # ---- calls, sites and what the runtime sees ----

    def bundle(self, i: Instr) -> str:
        """The deopt bundle of a site; an i1 is recorded as an i8."""
        if i.site is None:
            return ""
        live = []
        for operand in i.site.live:
            if operand.type is I1:
                wide = f"%{self.fresh()}"
                self.line(f"{wide} = zext {self.typed(operand)} to i8")
                live.append(f"i8 {wide}")
            else:
                live.append(self.typed(operand))
        head = [f"i32 {n}" for n in (self.id, i.site.id, len(live))]
        return f' [ "deopt"({", ".join([*head, *live])}) ]'

    def op_call(self, i: Instr, name: str, type_: str) -> None:
        bundle = self.bundle(i)
        head = f"{name} = " if name else ""
        tail = "notail " if bundle else ""
        attrs = " #2" if i.attr.noreturn else ""
        args = ", ".join(map(self.typed, i.args[1:]))
        self.line(f"{head}{tail}call {type_} {self.value(i.args[0])}({args}){attrs}{bundle}")

    def op_poll(self, i: Instr, name: str, type_: str) -> None:
        label = self.fresh()
        self.line(f"%{label}.field = @@field flag")
        self.line(f"%{label}.flag = load volatile i32, @@fieldptr %{label}.field, align 4")
        self.line(f"%{label}.set = icmp ne i32 %{label}.flag, 0")
        self.line(f"br i1 %{label}.set, label %{label}.move, label %{label}.go, {_LIKELY_NOT}")
        self.start(f"{label}.move")
        bundle = self.bundle(i)
        self.line(f"notail call void @{MIGRATION_HOOK}() #1{bundle}")
        self.line(f"br label %{label}.go")
        self.start(f"{label}.go")

    def op_syscall(self, i: Instr, name: str, type_: str) -> None:
        args = ", ".join(map(self.typed, i.args))
        self.line(f"{name} = call i64 @__hcc_syscall(i64 @@syscall {i.attr}, {args}) #3")

    def op_trap(self, i: Instr, name: str, type_: str) -> None:
        self.trap_call(traps.BY_NAME[i.attr], i)

    def op_dsp_get(self, i: Instr, name: str, type_: str) -> None:
        label = self.fresh()
        self.line(f"%{label}.field = @@field dsp")
        self.line(f"{name} = load ptr, @@fieldptr %{label}.field, align 8")

    def op_dsp_set(self, i: Instr, name: str, type_: str) -> None:
        label = self.fresh()
        self.line(f"%{label}.field = @@field dsp")
        self.line(f"store {self.typed(i.args[0])}, @@fieldptr %{label}.field, align 8")

    # ---- terminators ----

    def target(self, i: Instr, index: int) -> str:
        return f"label %{self.labels[i.targets[index].block]}"

    def op_br(self, i: Instr, name: str, type_: str) -> None:
        self.line(f"br {self.target(i, 0)}")

    def op_cbr(self, i: Instr, name: str, type_: str) -> None:
        self.line(f"br {self.typed(i.args[0])}, {self.target(i, 0)}, {self.target(i, 1)}")

    def op_switch(self, i: Instr, name: str, type_: str) -> None:
        value = self.typed(i.args[0])
        kind = LLVM_TYPES[i.args[0].type]
        cases = " ".join(f"{kind} {c}, {self.target(i, n + 1)}" for n, c in enumerate(i.attr))
        self.line(f"switch {value}, {self.target(i, 0)} [ {cases} ]")

    def op_ret(self, i: Instr, name: str, type_: str) -> None:
        self.line(f"ret {self.typed(i.args[0])}" if i.args else "ret void")

    def op_unreachable(self, i: Instr, name: str, type_: str) -> None:
        self.line("unreachable")


_SUFFIX = {F32: "f32", F64: "f64"} | {t: t.text for t in Type if t.is_int}
