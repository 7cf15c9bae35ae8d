"""The JIT's builder: collects what one straight run of guest instructions computes and does.

The counterpart of the interpreter's `pybuilder`: the same semantics functions run over it. It
keeps the effects of a block in order (loads, stores, conditional exits and traps), the value each
register has at the end, and how the block ends. `printer` writes them as LLVM IR.

How registers are used is noted on the way (`votes`): a 128-bit register in which a region only
ever keeps scalars is better held in two halves, a 64-bit one that holds doubles as a double.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from attrs import define, field, frozen

from hcc.emulator.jit.nodes import (
    INSERT,
    LANELESS,
    LATER,
    LOAD,
    NUMBER,
    REG,
    Node,
    bitcast,
    constant,
    inserted,
    made,
    number,
    operation,
    register,
    root_of,
)
from hcc.isa.arch import RegisterFile
from hcc.isa.builder import Builder, JumpKind, Op, Trap
from hcc.isa.values import F64, I64, Ty, int_type


@define
class Votes:
    """Evidence for how a region should hold its registers, by index.

    `copies` are pairs of 128-bit registers of which one was copied to the other, `wide` are
    registers of which more was used than the low bits.
    """

    vector: set[int] = field(factory=set)
    scalar: set[int] = field(factory=set)
    floats: set[int] = field(factory=set)
    wide: set[int] = field(factory=set)
    copies: list[tuple[int, int]] = field(factory=list)

    def split(self) -> frozenset[int]:
        """The 128-bit registers to be held in two halves."""
        vector = set(self.vector)
        while True:
            more = {a for pair in self.copies for a in pair if vector & set(pair)} - vector
            if not more:
                break
            vector |= more
        scalar = set(self.scalar)
        for pair in self.copies * 2:
            if scalar & set(pair):
                scalar |= set(pair)
        return frozenset(scalar - vector)


@frozen
class Load:
    """Read memory into `node`."""

    pc: int
    node: Node
    addr: Node


@frozen
class Store:
    """Write memory."""

    pc: int
    addr: Node
    value: Node


@frozen
class Leave:
    """Go on at `target` if the condition holds, with the registers as set by then."""

    pc: int
    condition: Node
    target: int
    sets: dict[int, Node]


@frozen
class TrapIf:
    """Stop with a fault if the condition holds."""

    pc: int
    condition: Node
    kind: Trap
    sets: dict[int, Node]


Effect = Load | Store | Leave | TrapIf


@frozen
class Jump:
    """The end of a block: go to an address, known or not."""

    target: Node
    kind: JumpKind
    next_pc: int


@frozen
class Branch:
    """The end of a block: one of two known addresses."""

    condition: Node
    target: int
    next_pc: int


@frozen
class Fall:
    """The end of a block: it runs into what follows."""

    next_pc: int


@frozen
class Syscall:
    """The end of a block: the operating system's turn."""

    next_pc: int


@frozen
class Enter:
    """The end of a block: a call of a function whose code is in the region."""

    target: int


@frozen
class Back:
    """The end of a block of such a function: its return, to `next_pc` if the guest does what is
    usual."""

    target: Node
    next_pc: int


@frozen
class Trapped:
    """The end of a block: it stops with a fault."""

    kind: Trap


@frozen
class Unknown:
    """The end of a block: an instruction that is not supported; the interpreter says so."""

    pc: int


End = Jump | Branch | Fall | Syscall | Enter | Back | Trapped | Unknown


@define(eq=False)
class GuestBlock:
    """What a straight run of guest instructions does."""

    start: int
    addrs: list[int] = field(factory=list)
    effects: list[Effect] = field(factory=list)
    sets: dict[int, Node] = field(factory=dict)
    end: End = Fall(0)


class BlockBuilder(Builder):
    """Builds one block. `votes` belongs to the region, which the blocks share."""

    def __init__(self, registers: RegisterFile, start: int, votes: Votes) -> None:
        self.block = GuestBlock(start)
        self.registers = registers
        self.pc = self.next_pc = start
        self.end: End | None = None
        self._votes = votes
        self._gets: dict[int, Node] = {}
        self._saved: tuple[int, dict[int, Node]] = (0, {})

    # ---- instruction by instruction ----

    def begin(self, pc: int, next_pc: int) -> None:
        """Start an instruction."""
        self.pc, self.next_pc = pc, next_pc
        self._saved = len(self.block.effects), dict(self.block.sets)

    def finish(self) -> None:
        """The instruction is complete."""
        self.block.addrs.append(self.pc)

    def take_back(self) -> None:
        """Forget the instruction begun: it turned out not to be supported."""
        count, self.block.sets = self._saved
        del self.block.effects[count:]
        self.end = None

    # ---- values ----

    def const(self, ty: Ty, value: int) -> Node:
        return constant(ty, value)

    def emit(self, op: Op, ty: Ty, args: Sequence[Any], attr: Any = None) -> Node:
        if op is Op.BITCAST:
            a = args[0]
            if ty.is_float and (a.op == REG or a.op == LOAD):
                self._prefer_float(a, ty)
            return bitcast(a, ty)
        if op is Op.EXTRACT or op is Op.TRUNC:
            if attr or ty.bits != 64:
                self._vote_whole(args[0])
        elif op not in LANELESS:
            for arg in args:
                self._vote_whole(arg)
                self._vote_wide(arg)
        node = operation(op, ty, tuple(args), attr)
        if op in _ON_BITS:
            narrowed = node.op in (Op.SEXT, Op.ZEXT) and node.args[0].op is op
            for arg in node.args[0].args if narrowed else args:
                _change_bits(arg)
        return node

    def insert(self, a: Node, lane: int, value: Node) -> Node:
        return inserted(a, lane, value)

    def float_bits(self, value: Node, nan: Node) -> Node:
        return number(value, nan)

    def _prefer_float(self, a: Node, ty: Ty) -> None:
        if a.op == LOAD:
            if ty.lanes == 1:
                a.attr = ty
        else:
            self._votes.floats.add(a.attr)

    def _vote_wide(self, a: Node) -> None:
        if a.op == REG:
            self._votes.wide.add(a.attr)

    def _vote_whole(self, a: Node) -> None:
        if a.ty.size_bits == 128:
            root = root_of(a)
            if root.op == REG:
                self._votes.vector.add(root.attr)

    # ---- registers ----

    def get(self, register_name: str) -> Node:
        index = self.registers.index[register_name]
        node = self.block.sets.get(index)
        if node is not None and node.op == LATER:
            node = self.block.sets[index] = made(node)
        elif node is None:
            node = self._gets.get(index)
            if node is None:
                bits = self.registers.registers[index].bits
                node = self._gets[index] = register(int_type(bits), index)
        return node

    def set_later(self, register_name: str, compute: Callable[..., Any], *args: Any) -> None:
        index = self.registers.index[register_name]
        ty = int_type(self.registers.registers[index].bits)
        self.block.sets[index] = Node(ty, LATER, args, partial(compute, self))

    def set(self, register_name: str, value: Node) -> None:
        index = self.registers.index[register_name]
        bits = self.registers.registers[index].bits
        if value.ty is not int_type(bits):
            raise TypeError(f"{register_name} has {bits} bits, not {value.ty}")
        if bits == 128:
            self._vote_set(index, value)
        elif value.op == NUMBER or (value.op is Op.BITCAST and value.args[0].ty is F64):
            self._votes.floats.add(index)
        self.block.sets[index] = value

    def _vote_set(self, index: int, value: Node) -> None:
        root = root_of(value)
        scalar: Node | None = None
        if root.op == INSERT and root.attr == 0:
            scalar = root.args[1]
            base = root_of(root.args[0])
            if base.op == REG and base.attr != index:
                self._votes.copies.append((index, base.attr))
        elif root.op is Op.ZEXT or _has_zeros_above(root):
            scalar = root.args[0]
        elif root.op == REG:
            self._votes.copies.append((index, root.attr))
            return
        elif root.op == LOAD or root.op in LANELESS or value.const is not None:
            return
        if scalar is not None and scalar.ty is I64:
            self._votes.scalar.add(index)
        else:
            self._votes.vector.add(index)

    # ---- effects ----

    def load(self, addr: Node, bits: int) -> Node:
        self._vote_wide(addr)
        node = Node(int_type(bits), LOAD)
        self.block.effects.append(Load(self.pc, node, addr))
        return node

    def store(self, addr: Node, value: Node) -> None:
        self._vote_wide(addr)
        self._vote_wide(value)
        self.block.effects.append(Store(self.pc, addr, value))

    def exit_if(self, condition: Node, target: int) -> None:
        effect = Leave(self.pc, condition, target, dict(self.block.sets))
        self.block.effects.append(effect)

    def trap_if(self, condition: Node, kind: Trap) -> None:
        effect = TrapIf(self.pc, condition, kind, dict(self.block.sets))
        self.block.effects.append(effect)

    # ---- ends ----

    def jump(self, target: Node, kind: JumpKind = JumpKind.PLAIN) -> None:
        self.end = Jump(target, kind, self.next_pc)

    def branch(self, condition: Node, target: int) -> None:
        self.end = Branch(condition, target, self.next_pc)

    def syscall(self) -> None:
        self.end = Syscall(self.next_pc)

    def trap(self, kind: Trap) -> None:
        self.end = Trapped(kind)


def _has_zeros_above(a: Node) -> bool:
    """Whether a vector is built from a scalar and zeros."""
    return a.op is Op.BUILD and all(lane.const == 0 for lane in a.args[1:])


_ON_BITS = frozenset((Op.AND, Op.OR, Op.XOR, Op.SHL, Op.LSHR, Op.ASHR))


def _change_bits(value: Node) -> None:
    """Note of a load that LLVM may fold bit operations into it."""
    load = value.args[0] if value.op in (Op.ZEXT, Op.SEXT) else value
    if load.op == LOAD and load.attr is None:
        load.attr = Op.SEXT if value.op is Op.SEXT else Op.ZEXT
