"""The interpreter's builder: turns the semantics of a run of instructions into Python source.

Interpreting by calling the semantics at every step would pay for them at every step; instead a
straight run of guest instructions (a block) is translated once, into one Python function
`block(r)` over the list of registers that returns the next PC. Operations become nodes of a
graph. Only what an effect needs is printed: a node used once is printed in place (so a `select`
arm costs nothing when it is not taken), one used more often becomes a local variable, and flags
that the block overwrites before anything reads them vanish.

Vectors are tuples of scalar nodes: lane-wise operations are scalar operations per lane.

Effects (register writes, memory, exits) keep their order. Register writes happen at once, so a
fault finds the registers as they were before the instruction that faulted; condition flags are
the exception: those that are dead anyway are not kept. `line_pcs` tells the address of
the instruction that each line of the function belongs to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hcc.emulator.pyops import NAMESPACE, SPELLINGS
from hcc.isa.arch import RegisterFile
from hcc.isa.builder import Builder, JumpKind, Op, Trap
from hcc.isa.values import I1, Kind, Ty, int_type, vec

# Operations whose spelling names an operand twice.
_REPEATS = frozenset({Op.FUNO})

_TRAP_NAMES = {kind: f"TRAP_{kind.name}" for kind in Trap}


class Node:
    """A scalar value: an operation on nodes, a constant, or a name already assigned."""

    __slots__ = ("args", "attr", "const", "name", "op", "ty", "uses")

    def __init__(
        self,
        ty: Ty,
        op: Op | None = None,
        args: tuple[Node, ...] = (),
        attr: Any = None,
        const: int | None = None,
    ) -> None:
        self.ty = ty
        self.op = op
        self.args = args
        self.attr = attr
        self.const = const
        self.uses = 0
        self.name: str | None = None if const is None else str(const)


class Vector:
    """A value of several lanes."""

    __slots__ = ("const", "lanes", "ty")

    def __init__(self, lanes: tuple[Node, ...]) -> None:
        self.lanes = lanes
        self.ty = vec(lanes[0].ty, len(lanes))
        self.const = None


AnyValue = Node | Vector

# The extra operation that only this builder has: lanes laid side by side into one integer.
_PACK = "pack"


class PyBuilder(Builder):
    """Collects the effects of a block; `source` prints them as one Python function."""

    def __init__(self, registers: RegisterFile, checked: bool = False) -> None:
        self.registers = registers
        self.pc = self.next_pc = 0
        self.ends = False  # the instruction transferred control
        self.left = False  # the instruction may have left the block: end it here
        self._checked = checked
        self._cache: dict[str, AnyValue] = {}
        self._effects: list[tuple[Any, ...]] = []

    # ---- values ----

    def const(self, ty: Ty, value: int) -> Node:
        return Node(ty, const=value & ty.mask)

    def emit(self, op: Op, ty: Ty, args: Sequence[Any], attr: Any = None) -> AnyValue:
        match op:
            case Op.BITCAST:
                return self._bitcast(args[0], ty)
            case Op.BUILD:
                return Vector(tuple(args))
            case Op.EXTRACT:
                lane: Node = args[0].lanes[attr]
                return lane
            case Op.SHUFFLE:
                both = args[0].lanes + args[1].lanes
                return Vector(tuple(both[i] for i in attr))
        if ty.lanes == 1:
            return self._scalar(op, ty, tuple(args), attr)
        element = ty.element
        lanes = []
        for i in range(ty.lanes):
            operands = tuple(a.lanes[i] if isinstance(a, Vector) else a for a in args)
            lanes.append(self._scalar(op, element, operands, attr))
        return Vector(tuple(lanes))

    def _scalar(self, op: Op, ty: Ty, args: tuple[Node, ...], attr: Any) -> Node:
        node = Node(ty, op, args, attr)
        if all(a.const is not None for a in args) and ty.kind is Kind.INT:
            types = [a.ty for a in args]
            if not any(t.is_float for t in types):
                text = SPELLINGS[op](ty, [str(a.const) for a in args], types, attr)
                return Node(ty, const=int(eval(text, dict(NAMESPACE))))
        simpler = _simplify(op, ty, args)
        return simpler if simpler is not None else node

    def _bitcast(self, a: AnyValue, ty: Ty) -> AnyValue:
        if isinstance(a, Node) and ty.lanes == 1:
            if a.op is Op.BITCAST and a.args[0].ty is ty:
                return a.args[0]
            return Node(ty, Op.BITCAST, (a,))
        if isinstance(a, Vector):
            if ty.lanes == a.ty.lanes:
                cast = [self._bitcast(lane, ty.element) for lane in a.lanes]
                return Vector(tuple(cast))  # type: ignore[arg-type]
            lanes = tuple(self._as_int(lane) for lane in a.lanes)
            whole = Node(int_type(a.ty.size_bits), _PACK, lanes)  # type: ignore[arg-type]
            return whole if ty.lanes == 1 and not ty.is_float else self._bitcast(whole, ty)
        # A scalar taken apart: the lanes of a pack are reused where they fit.
        bits = ty.bits
        if a.op == _PACK and a.args[0].ty.bits == bits:
            parts = list(a.args)
        elif a.op == _PACK and a.args[0].ty.bits % bits == 0:
            parts = [p for lane in a.args for p in _split(self, lane, bits)]
        else:
            parts = _split(self, a, bits)
        if ty.is_float:
            parts = [self._bitcast(p, ty.element) for p in parts]  # type: ignore[misc]
        return Vector(tuple(parts))

    def _as_int(self, a: Node) -> Node:
        return a if not a.ty.is_float else self._bitcast(a, int_type(a.ty.bits))  # type: ignore[return-value]

    # ---- effects ----

    def _effect(self, *parts: Any) -> None:
        self._effects.append((self.pc, *parts))

    def get(self, register: str) -> AnyValue:
        cached = self._cache.get(register)
        if cached is None:
            index = self.registers.index[register]
            bits = self.registers.registers[index].bits
            cached = Node(int_type(bits))
            self._effect("get", index, cached)
            self._cache[register] = cached
        return cached

    def set(self, register: str, value: Any) -> None:
        index = self.registers.index[register]
        declared = self.registers.registers[index]
        if value.ty is not int_type(declared.bits):
            raise TypeError(f"{register} has {declared.bits} bits, not {value.ty}")
        self._cache[register] = value
        self._effect("set", index, value)

    def load(self, addr: Any, bits: int) -> Node:
        node = Node(int_type(bits))
        self._effect("load", node, addr)
        return node

    def store(self, addr: Any, value: Any) -> None:
        self._effect("store", addr, value)

    def jump(self, target: Any, kind: JumpKind = JumpKind.PLAIN) -> None:
        self._effect("jump", target)
        self.ends = True

    def branch(self, condition: Any, target: int) -> None:
        self._effect("branch", condition, target, self.next_pc)
        self.ends = True

    def exit_if(self, condition: Any, target: int) -> None:
        self._effect("exit_if", condition, target)
        self.left = True

    def syscall(self) -> None:
        self._effect("syscall", self.next_pc)
        self.ends = True

    def trap(self, kind: Trap) -> None:
        self._effect("trap", kind)
        self.ends = True

    def trap_if(self, condition: Any, kind: Trap) -> None:
        self._effect("trap_if", condition, kind)

    # ---- printing ----

    def source(self, name: str, live_flags: frozenset[int]) -> tuple[str, list[int]]:
        """The block as Python source, and the guest PC of each of its lines.

        `live_flags` are the indices of the flag registers whose values matter after the block.
        """
        effects = self._without_dead_sets(live_flags)
        for effect in effects:
            for part in effect[2:]:
                if isinstance(part, Node) and effect[1] != "get" and not (
                    effect[1] == "load" and part is effect[2]
                ):
                    _use(part)
        printer = _Printer(self._checked)
        for effect in effects:
            printer.effect(*effect)
        if not self.ends:
            printer.line(self.pc, f"return {self.next_pc}")
        return f"def {name}(r):\n" + "\n".join(printer.lines), [self.pc_of_head(), *printer.pcs]

    def successors(self) -> list[int] | None:
        """The addresses the block may go on at; None where one is not known before it runs."""
        targets = []
        for effect in self._effects:
            match effect[1]:
                case "jump":
                    if effect[2].const is None:
                        return None
                    targets.append(effect[2].const)
                case "branch":
                    targets += [effect[3], effect[4]]
                case "exit_if":
                    targets.append(effect[3])
                case "syscall":
                    return None
        return targets if self.ends else [*targets, self.next_pc]

    def flag_effects(self, flags: frozenset[int]) -> tuple[set[int], set[int]]:
        """The flags read before the block writes them, and the flags it writes."""
        reads = {e[2] for e in self._effects if e[1] == "get" and e[2] in flags}
        return reads, {e[2] for e in self._effects if e[1] == "set" and e[2] in flags}

    def pc_of_head(self) -> int:
        return self._effects[0][0] if self._effects else self.pc

    def _without_dead_sets(self, live_flags: frozenset[int]) -> list[tuple[Any, ...]]:
        """The effects without register writes that nothing can observe."""
        flags = {i for i, register in enumerate(self.registers.registers) if register.flag}
        dead = flags - live_flags
        kept = []
        for effect in reversed(self._effects):
            if effect[1] == "set":
                index = effect[2]
                if index in dead:
                    continue
                dead.add(index)
            elif effect[1] == "exit_if":
                dead.clear()
            elif effect[1] in ("load", "store", "trap_if"):
                dead &= flags
            kept.append(effect)
        kept.reverse()
        return kept


def _split(m: PyBuilder, a: Node, bits: int) -> list[Node]:
    a = m._as_int(a)
    wide = a.ty
    parts = []
    for i in range(wide.bits // bits):
        shifted = a if i == 0 else m.lshr(a, m.const(wide, i * bits))
        parts.append(m.trunc(shifted, bits))
    return parts


def _simplify(op: Op, ty: Ty, args: tuple[Node, ...]) -> Node | None:
    """Identities that semantics functions produce often: x + 0, x | 0, x << 0, narrow of widen."""
    last = args[-1].const
    if last == 0 and op in (Op.ADD, Op.SUB, Op.OR, Op.XOR, Op.SHL, Op.LSHR, Op.ASHR):
        return args[0]
    if op is Op.ADD and args[0].const == 0:
        return args[1]
    if op is Op.TRUNC and args[0].op in (Op.ZEXT, Op.SEXT) and args[0].args[0].ty is ty:
        return args[0].args[0]
    if op is Op.SELECT and args[0].const is not None:
        return args[1] if args[0].const else args[2]
    return None


def _use(node: Node) -> None:
    """Count the uses of a node that will be printed, and of its operands the first time."""
    stack = [node]
    while stack:
        node = stack.pop()
        node.uses += 1
        if node.uses == 1:
            stack.extend(node.args)
            if node.op in _REPEATS:
                stack.extend(node.args)


class _Printer:
    """Prints effects as indented lines of Python."""

    def __init__(self, checked: bool) -> None:
        self.lines: list[str] = []
        self.pcs: list[int] = []
        self._count = 0
        self._checked = checked
        self._pc = 0

    def line(self, pc: int, text: str) -> None:
        self.lines.append(" " + text)
        self.pcs.append(pc)

    def _temp(self) -> str:
        self._count += 1
        return f"t{self._count}"

    def expr(self, node: Node) -> str:
        """The text of a node; assigns it to a local first if it is used again."""
        if node.name is not None:
            return node.name
        texts = [self.expr(a) for a in node.args]
        if node.op == _PACK:
            width = node.args[0].ty.bits
            parts = [
                text if i == 0 else f"({text} << {i * width})"
                for i, text in enumerate(texts)
                if i == 0 or text != "0"
            ]
            text = f"({' | '.join(parts)})"
        else:
            text = SPELLINGS[node.op](node.ty, texts, [a.ty for a in node.args], node.attr)  # type: ignore[index]
        if node.uses > 1:
            node.name = self._temp()
            self.line(self._pc, f"{node.name} = {text}")
            return node.name
        return text

    def effect(self, pc: int, kind: str, *parts: Any) -> None:
        self._pc = pc
        match kind:
            case "get":
                index, node = parts
                if node.uses:
                    node.name = self._temp()
                    self.line(pc, f"{node.name} = r[{index}]")
            case "set":
                index, value = parts
                text = self.expr(value)
                self.line(pc, f"r[{index}] = {f'+{text}' if value.ty is I1 else text}")
            case "load":
                self._load(pc, *parts)
            case "store":
                self._store(pc, *parts)
            case "jump":
                self.line(pc, f"return {self.expr(parts[0])}")
            case "branch":
                condition, target, next_pc = parts
                self.line(pc, f"return {target} if {self.expr(condition)} else {next_pc}")
            case "exit_if":
                self.line(pc, f"if {self.expr(parts[0])}: return {parts[1]}")
            case "syscall":
                self.line(pc, f"return {~parts[0]}")
            case "trap":
                self.line(pc, f"raise Trapped({_TRAP_NAMES[parts[0]]})")
            case "trap_if":
                self.line(pc, f"if {self.expr(parts[0])}: raise Trapped({_TRAP_NAMES[parts[1]]})")

    def _addr(self, pc: int, addr: Node) -> str:
        text = self.expr(addr)
        if text.isalnum():
            return text
        name = self._temp()
        self.line(pc, f"{name} = {text}")
        return name

    def _load(self, pc: int, node: Node, addr: Node) -> None:
        a, size = self._addr(pc, addr), node.ty.bits // 8
        node.name = self._temp()
        slow = f"load({a}, {size})"
        if self._checked:
            self.line(pc, f"{node.name} = {slow}")
            return
        if size == 16:
            fast = f"UQ2(mem, {a})"
            test = f"pages[{a} >> 12] & 1 and {a} & 4095 <= 4080"
            self.line(pc, f"if {test}: {node.name}, x = {fast}; {node.name} |= x << 64")
            self.line(pc, f"else: {node.name} = {slow}")
            return
        fast = f"mem[{a}]" if size == 1 else f"U{size}(mem, {a})[0]"
        edge = "" if size == 1 else f" and {a} & 4095 <= {4096 - size}"
        self.line(pc, f"{node.name} = {fast} if pages[{a} >> 12] & 1{edge} else {slow}")

    def _store(self, pc: int, addr: Node, value: Node) -> None:
        text = self.expr(value)
        a, size = self._addr(pc, addr), value.ty.bits // 8
        slow = f"store({a}, {size}, {text})"
        if self._checked:
            self.line(pc, slow)
            return
        if size == 16:
            if not text.isalnum():
                name = self._temp()
                self.line(pc, f"{name} = {text}")
                text = name
            fast = f"P16(mem, {a}, {text} & {(1 << 64) - 1}, {text} >> 64)"
            slow = f"store({a}, {size}, {text})"
        else:
            fast = f"mem[{a}] = {text}" if size == 1 else f"P{size}(mem, {a}, {text})"
        edge = "" if size == 1 else f" and {a} & 4095 <= {4096 - size}"
        self.line(pc, f"if pages[{a} >> 12] & 2{edge}: {fast}")
        self.line(pc, f"else: {slow}")
