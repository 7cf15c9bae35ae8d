"""Expressions as LLVM IR text.

A node is written where it is first needed and named; what is written in a side path (an exit, the
rare path of a NaN) is forgotten at its end, as it does not dominate what follows. Types: an
integer of 128 bits is kept as <2 x i64> unless arithmetic is done on it; the bits of a
floating-point result are kept as the float.

NaNs: `number(value, nan)` is `value` unless that is a NaN. Which of two ways it is written in is
decided by use. Where the value is needed all the time, a branch that is never taken costs least:
no operation is added to the chain of arithmetic, and one test does for all that it is made from, as
a NaN among the operands of arithmetic makes a NaN. Where the value is wanted only when a loop is
left, a `select` is better, since LLVM can move that out of the loop. Neither is needed where the
host's own instruction gives the guest's NaN (see `host`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from hcc.emulator.jit.host import avx_instruction, truncation
from hcc.emulator.jit.nodes import INSERT, LOAD, NUMBER, PART, REG, Node, constant, root_of
from hcc.isa.builder import Op, Rounding
from hcc.isa.values import I1, I32, I64, I128, Ty, int_type, vec

_V2 = vec(I64, 2)

_PLAIN = {
    Op.ADD: "add", Op.SUB: "sub", Op.MUL: "mul", Op.UDIV: "udiv", Op.UREM: "urem",
    Op.SDIV: "sdiv", Op.SREM: "srem", Op.AND: "and", Op.OR: "or", Op.XOR: "xor", Op.SHL: "shl",
    Op.LSHR: "lshr", Op.ASHR: "ashr", Op.FADD: "fadd", Op.FSUB: "fsub", Op.FMUL: "fmul",
    Op.FDIV: "fdiv", Op.EQ: "icmp eq", Op.NE: "icmp ne", Op.ULT: "icmp ult", Op.ULE: "icmp ule",
    Op.SLT: "icmp slt", Op.SLE: "icmp sle", Op.FEQ: "fcmp oeq", Op.FLT: "fcmp olt",
    Op.FLE: "fcmp ole", Op.FUNO: "fcmp uno",
}  # fmt: skip
_CONVERSIONS = {
    Op.ZEXT: "zext", Op.SEXT: "sext", Op.TRUNC: "trunc", Op.FPEXT: "fpext",
    Op.FPTRUNC: "fptrunc", Op.SITOFP: "sitofp", Op.UITOFP: "uitofp",
}  # fmt: skip
_INTRINSICS = {
    Op.CTPOP: "ctpop", Op.BSWAP: "bswap", Op.BITREVERSE: "bitreverse", Op.FMA: "fma",
}  # fmt: skip
_ROUNDINGS = {
    Rounding.NEAREST_EVEN: "roundeven", Rounding.NEAREST_AWAY: "round",
    Rounding.TOWARD_ZERO: "trunc", Rounding.DOWN: "floor", Rounding.UP: "ceil",
}  # fmt: skip

UNLIKELY = "!prof !1"
LIKELY = "!prof !5"
RARELY = "!prof !14"
USUALLY = "!prof !15"


def llvm_type(ty: Ty) -> str:
    """The LLVM type in which values of a type are kept."""
    known = _TYPES.get(ty)
    if known is None:
        element = {32: "float", 64: "double"}[ty.bits] if ty.is_float else f"i{ty.bits}"
        known = element if ty.lanes == 1 else f"<{ty.lanes} x {element}>"
        if ty is I128:
            known = "<2 x i64>"
        _TYPES[ty] = known
    return known


_TYPES: dict[Ty, str] = {}


def _suffix(ty: Ty) -> str:
    """How an intrinsic's name spells a type."""
    element = f"{ty.kind.value}{ty.bits}"
    return element if ty.lanes == 1 else f"v{ty.lanes}{element}"


def _kept_type(node: Node) -> Ty:
    """The type in which a node's value is kept."""
    if node.op == NUMBER:
        return node.args[0].ty
    if node.op is Op.BITCAST:
        return _kept_type(node.args[0])
    if node.op == LOAD and isinstance(node.attr, Ty):
        return node.attr
    return _V2 if node.ty is I128 else node.ty


class Printer:
    """Writes expressions into a list of lines, block by block.

    With `own_nans` the guest's rule for NaNs is that of the host's instructions.
    """

    def __init__(self, declarations: set[str], own_nans: bool = False) -> None:
        self.lines: list[str] = []
        self.label = "entry"
        self._declarations = declarations
        self._own_nans = own_nans
        self._names: dict[tuple[Node, str], str] = {}
        self._added: list[tuple[Node, str]] | None = None
        self.cells: dict[int, str] = {}
        """Names of what variables held at the start of the block, as far as read."""
        self._count = 0
        self._places: dict[Node, str] = {}
        self._place = ""
        self._rare = False
        self._late: list[str] = []
        """The lines of blocks that are seldom come to."""

    # ---- lines ----

    def line(self, text: str) -> None:
        self.lines.append(text)

    def fresh(self) -> str:
        self._count += 1
        return f"%t{self._count}"

    def let(self, text: str) -> str:
        """A new name for the result of an instruction."""
        name = self.fresh()
        self.lines.append(f"{name} = {text}{self._place}")
        return name

    def start(self, label: str) -> None:
        self.lines.append(f"{label}:")
        self.label = label

    def fresh_label(self) -> str:
        self._count += 1
        return f"l{self._count}"

    def forget(self) -> None:
        """Begin a new guest block: nothing is known."""
        self._places.clear()
        self._names.clear()
        self.cells.clear()

    @contextmanager
    def side_path(self) -> Iterator[None]:
        """What is named inside is forgotten afterwards."""
        outer, self._added = self._added, []
        cells = dict(self.cells)
        try:
            yield
        finally:
            for key in self._added:
                del self._names[key]
            self._added = outer
            self.cells = cells

    @contextmanager
    def elsewhere(self, label: str) -> Iterator[None]:
        """Write what does not happen often into a block apart."""
        lines, outer = self.lines, self.label
        self.lines = []
        with self.side_path():
            self.start(label)
            yield
        self._late += self.lines
        self.lines, self.label = lines, outer

    def know(self, node: Node, text: str, name: str) -> None:
        """`name` is the node's value in the LLVM type `text`."""
        key = node, text
        if self._names.get(key) == name:
            return
        self._names[key] = name
        if self._added is not None:
            self._added.append(key)

    def known(self, node: Node) -> bool:
        return (node, llvm_type(_kept_type(node))) in self._names

    def intrinsic(self, name: str, result: str, params: str) -> str:
        self._declarations.add(f"declare {result} @{name}({params})")
        return f"@{name}"

    # ---- values ----

    def typed(self, node: Node) -> str:
        """`type name` of a node, in the type it is kept in."""
        text = llvm_type(_kept_type(node))
        return f"{text} {self.value(node, text)}"

    def value(self, node: Node, text: str) -> str:
        """The name of a node's value in an LLVM type of its size."""
        name = self._names.get((node, text))
        if name is not None:
            return name
        if node.const is not None:
            return self._constant(node, text)
        if node.op is Op.BITCAST:
            return self.value(node.args[0], text)
        own = llvm_type(_kept_type(node))
        direct = text == own
        if node.ty is I128 and node.op not in _AS_VECTOR:
            if node.op is not Op.ZEXT:
                own, direct = "i128", text == "i128"
            elif text == "i128":
                direct = True
        if direct:
            place = _load_in(node)
            if place is None:
                name = self._write(node, text)
            else:
                # LLVM may make the conversion of what was loaded part of the load.
                self._place = self._places.get(place, "")
                name = self._write(node, text)
                self._place = ""
        else:
            name = self.let(f"bitcast {own} {self.value(node, own)} to {text}")
        self.know(node, text, name)
        return name

    def _constant(self, node: Node, text: str) -> str:
        value, ty = node.const, node.ty
        assert value is not None
        if text == f"i{ty.bits}":
            return ("false", "true")[value] if ty is I1 else str(value)
        if ty is I128:
            if text == "<2 x i64>":
                return f"<i64 {value & (1 << 64) - 1}, i64 {value >> 64}>"
            if value == 0:
                return "zeroinitializer"
        return f"bitcast (i{ty.bits} {value} to {text})"

    def _arg(self, node: Node) -> str:
        """The name of a node in the type that its own `ty` says."""
        return self.value(node, "i128" if node.ty is I128 else llvm_type(node.ty))

    def _write(self, node: Node, text: str) -> str:
        """Write the operation of a node, which is wanted in the type it is kept in."""
        op, args, ty = node.op, node.args, node.ty
        instruction = self._instruction(node)
        if instruction is not None:
            operands = ", ".join(f"{llvm_type(a.ty)} {self._arg(a)}" for a in args)
            return self.let(f"call {text} asm {instruction}({operands}) #3")
        if op in _PLAIN:
            if ty is I128 and text != "i128":
                left, right = (self.value(a, text) for a in args)
                return self.let(f"{_PLAIN[op]} {text} {left}, {right}")
            if op is Op.XOR:
                name = self.reordered(node)
                if name is not None:
                    return name
            source = args[0].ty
            left, right = self._arg(args[0]), self._arg(args[1])
            kind = "i128" if source is I128 else llvm_type(source)
            return self.let(f"{_PLAIN[op]} {kind} {left}, {right}")
        if op is Op.ZEXT and ty is I128 and text == "<2 x i64>":
            low = self.value(_widened(args[0]), "i64")
            return self.let(f"insertelement <2 x i64> zeroinitializer, i64 {low}, i32 0")
        if op in _CONVERSIONS:
            return self._convert(_CONVERSIONS[op], args[0], ty)
        match op:
            case "reg" | "part":
                return self.register(node, text)
            case "number":
                return self.exact(node)
            case Op.SELECT:
                host = truncation(node)
                if host is not None:
                    return self._truncate(*host, text)
                condition = self.typed(args[0])
                a, b = (self.value(arm, text) for arm in args[1:])
                # The guest's compiler chose not to branch; nor must LLVM.
                return self.let(f"select {condition}, {text} {a}, {text} {b}, !unpredictable !0")
            case Op.EXTRACT:
                return self._extract(node)
            case "insert":
                vector, scalar = self._arg(args[0]), self._arg(args[1])
                element = llvm_type(args[1].ty)
                return self.let(
                    f"insertelement {text} {vector}, {element} {scalar}, i32 {node.attr}"
                )
            case Op.BUILD:
                return self._build(node, text)
            case Op.SHUFFLE:
                kind = llvm_type(args[0].ty)
                lanes = ", ".join(f"i32 {lane}" for lane in node.attr)
                a, b = self._arg(args[0]), self._arg(args[1])
                mask = f"<{ty.lanes} x i32> <{lanes}>"
                return self.let(f"shufflevector {kind} {a}, {kind} {b}, {mask}")
        return self._call(node)

    def _convert(self, word: str, a: Node, ty: Ty) -> str:
        source = "i128" if a.ty is I128 else llvm_type(a.ty)
        target = "i128" if ty is I128 else llvm_type(ty)
        if word == "trunc" and a.ty is I128 and ty.bits <= 64 and a.op in _AS_VECTOR:
            low = self._low_half(a)
            return low if ty is I64 else self.let(f"trunc i64 {low} to {target}")
        if word == "trunc" and a.op == REG and ty is I32:
            low_word = self.low_word(a)
            if low_word is not None:
                return low_word
        return self.let(f"{word} {source} {self._arg(a)} to {target}")

    def _truncate(self, name: str, value: Node, text: str) -> str:
        """A float as an integer by an intrinsic of the host."""
        scalar = llvm_type(value.ty)
        vector = f"<{128 // value.ty.bits} x {scalar}>"
        whole = self.let(f"insertelement {vector} poison, {scalar} {self._arg(value)}, i32 0")
        return self.let(f"call {text} {self.intrinsic(name, text, vector)}({vector} {whole})")

    def _low_half(self, a: Node) -> str:
        if a.op == REG:
            low = self.low_cell(a)
            if low is not None:
                return low
        return self.let(f"extractelement <2 x i64> {self.value(a, '<2 x i64>')}, i32 0")

    def _extract(self, node: Node) -> str:
        vector = node.args[0]
        root = root_of(vector)
        if root.op == REG and node.attr == 0 and node.ty is I64:
            low = self.low_cell(root)
            if low is not None:
                return low
        kind = llvm_type(vector.ty)
        return self.let(f"extractelement {kind} {self._arg(vector)}, i32 {node.attr}")

    def _build(self, node: Node, text: str) -> str:
        element = llvm_type(node.args[0].ty)
        if all(a.const is not None for a in node.args):
            lanes = ", ".join(f"{element} {self._arg(a)}" for a in node.args)
            return self.let(f"bitcast {text} <{lanes}> to {text}")
        first = node.args[0]
        if all(a is first for a in node.args):
            one = self.let(f"insertelement {text} poison, {element} {self._arg(first)}, i32 0")
            mask = f"<{node.ty.lanes} x i32> zeroinitializer"
            return self.let(f"shufflevector {text} {one}, {text} poison, {mask}")
        constants = ", ".join(
            f"{element} {self._arg(a) if a.const is not None else 'poison'}" for a in node.args
        )
        vector = f"<{constants}>"
        for lane, a in enumerate(node.args):
            if a.const is None:
                vector = self.let(
                    f"insertelement {text} {vector}, {element} {self._arg(a)}, i32 {lane}"
                )
        return vector

    def _call(self, node: Node) -> str:
        op, args, ty = node.op, node.args, node.ty
        kind = "i128" if ty is I128 else llvm_type(ty)
        source = "i128" if args[0].ty is I128 else llvm_type(args[0].ty)
        operands = [f"{source} {self._arg(a)}" for a in args]
        params = [source] * len(args)
        match op:
            case Op.CTLZ | Op.CTTZ:
                name = f"llvm.{op.value}.{_suffix(ty)}"
                operands.append("i1 false")
                params.append("i1")
            case Op.FPTOSI | Op.FPTOUI:
                name = f"llvm.{op.value}.sat.{_suffix(ty)}.{_suffix(args[0].ty)}"
            case Op.FSQRT:
                # LLVM makes x < 0 ? NaN : sqrt(x) plain sqrt(x), as if all NaNs were one; it does
                # not know that of this form.
                name = f"llvm.experimental.constrained.sqrt.{_suffix(ty)}"
                operands += ['metadata !"round.tonearest"', 'metadata !"fpexcept.ignore"']
                params += ["metadata", "metadata"]
            case Op.FROUND:
                name = f"llvm.{_ROUNDINGS[node.attr]}.{_suffix(ty)}"
            case _:
                name = f"llvm.{_INTRINSICS[op]}.{_suffix(ty)}"  # type: ignore[index]
        function = self.intrinsic(name, kind, ", ".join(params))
        return self.let(f"call {kind} {function}({', '.join(operands)})")

    # ---- NaNs ----

    def _instruction(self, node: Node) -> str | None:
        """The instruction that does an operation and gives the NaNs that the guest's would."""
        return avx_instruction(node) if self._own_nans else None

    def _is_open(self, node: Node) -> bool:
        """Whether a node is a number that has yet to be tested for being a NaN."""
        if node.op != NUMBER or self.known(node):
            return False
        return self._instruction(node.args[0]) is None

    def _is_nan(self, node: Node) -> str:
        """The i1 (per lane) that a number is a NaN."""
        raw = node.args[0]
        text = llvm_type(raw.ty)
        name = self._arg(raw)
        return self.let(f"fcmp uno {text} {name}, {name}")

    def exact(self, node: Node) -> str:
        """A `number` as a float whose bits are right: by a branch that is rarely taken, or by a
        select where that branch has been taken."""
        raw, nan = node.args
        if self._instruction(raw) is not None:
            return self._arg(raw)
        if not self._rare:
            self.settle([node])
            return self._names[node, llvm_type(raw.ty)]
        text = llvm_type(raw.ty)
        condition = self._is_nan(node)
        kind = "i1" if raw.ty.lanes == 1 else f"<{raw.ty.lanes} x i1>"
        other = self.value(nan, text)
        return self.let(f"select {kind} {condition}, {text} {other}, {text} {self._arg(raw)}")

    def settle(self, nodes: list[Node], others: Iterable[Node] = ()) -> None:
        """Make the given numbers known by one branch that is rarely taken, and with them those
        of `others` that cannot be NaNs unless one of the given ones is."""
        wanted = [n for n in dict.fromkeys(nodes) if self._is_open(n)]
        if not wanted:
            return
        implied = _operands_of(wanted)
        tested = [n for n in wanted if n.args[0] not in implied]
        todo = dict.fromkeys(wanted)
        for node in others:
            if self._is_open(node) and node.args[0] in implied:
                todo[node] = None
        for node in todo:
            self._arg(node.args[0])
        rare, done = self.fresh_label(), self.fresh_label()
        for group in _paired(tested):
            onward = done if group[-1] is tested[-1] else self.fresh_label()
            self.line(f"br i1 {self._any_nan(group)}, label %{rare}, label %{onward}, {UNLIKELY}")
            if onward != done:
                self.start(onward)
        fast = self.label
        self.start(rare)
        with self.side_path():
            self._rare = True
            slow = [self.value(n, llvm_type(n.args[0].ty)) for n in todo]
            self._rare = False
            self.line(f"br label %{done}")
        self.start(done)
        for node, other in zip(todo, slow, strict=True):
            text = llvm_type(node.args[0].ty)
            raw = self._arg(node.args[0])
            name = self.let(f"phi {text} [ {raw}, %{fast} ], [ {other}, %{rare} ]")
            self.know(node, text, name)

    def _any_nan(self, group: list[Node]) -> str:
        ty = group[0].args[0].ty
        text = llvm_type(ty)
        a, b = self._arg(group[0].args[0]), self._arg(group[-1].args[0])
        test = self.let(f"fcmp uno {text} {a}, {b}")
        if ty.lanes == 1:
            return test
        mask = self.let(f"bitcast <{ty.lanes} x i1> {test} to i{ty.lanes}")
        return self.let(f"icmp ne i{ty.lanes} {mask}, 0")

    # ---- what the region knows ----

    def register(self, node: Node, text: str) -> str:
        """What a register, or half of one, held at the start of the block."""
        raise AssertionError

    def low_word(self, node: Node) -> str | None:
        """The low 32 bits of a register of 64, where they are in a variable."""
        raise AssertionError

    def reordered(self, node: Node) -> str | None:
        """The name of an exclusive-or that is done in another order than it is written in."""
        raise AssertionError

    def low_cell(self, node: Node) -> str | None:
        """The low half of a register that is held in two, as an i64."""
        raise AssertionError


def _load_in(node: Node) -> Node | None:
    """The load that a node does nothing but convert."""
    while node.op in _RESIZES or node.op is Op.BITCAST:
        node = node.args[0]
    return node if node.op == LOAD else None


def _widened(a: Node) -> Node:
    return a if a.ty is I64 else Node(I64, Op.ZEXT, (a,))


def _operands_of(numbers: list[Node]) -> set[Node]:
    """The floats that numbers are computed from such that a NaN among them makes a NaN there."""
    found: set[Node] = set()
    stack = [n.args[0] for n in numbers]
    while stack:
        node = stack.pop()
        if node.op in _KEEP_NANS:
            stack += [a for a in node.args if a not in found]
            found.update(node.args)
    return found


def _paired(nodes: list[Node]) -> list[list[Node]]:
    """Two of one type at a time: one comparison tells whether either is a NaN."""
    groups: list[list[Node]] = []
    for node in nodes:
        if groups and len(groups[-1]) == 1 and groups[-1][0].args[0].ty is node.args[0].ty:
            groups[-1].append(node)
        else:
            groups.append([node])
    return groups


_RESIZES: frozenset[Any] = frozenset((Op.ZEXT, Op.SEXT, Op.TRUNC, Op.FPEXT))
_KEEP_NANS: frozenset[Any] = frozenset(
    (Op.FADD, Op.FSUB, Op.FMUL, Op.FDIV, Op.FSQRT, Op.FMA, Op.FPEXT, Op.FPTRUNC)
)
_AS_VECTOR: frozenset[Any] = frozenset((REG, LOAD, Op.AND, Op.OR, Op.XOR, Op.SELECT, Op.BITCAST))

__all__ = [
    "INSERT",
    "LIKELY",
    "PART",
    "RARELY",
    "UNLIKELY",
    "USUALLY",
    "Printer",
    "constant",
    "int_type",
    "llvm_type",
]
