"""A cursor for building IR: appends instructions to the current block and checks their types.

Front ends and passes build through it, so that an ill-typed instruction fails where it is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import define, field

from hcc.compiler.ir.module import (
    Block,
    CallSite,
    Const,
    Edge,
    Function,
    Instr,
    Location,
    MemoryAccess,
    Operand,
    Signature,
    StackSlot,
    Value,
)
from hcc.compiler.ir.ops import Op
from hcc.compiler.ir.types import F32, I1, I8, I64, PTR, VOID, Type


def int_const(type: Type, value: int) -> Const:  # noqa: A002
    """An integer constant, taken modulo the width of its type."""
    return Const(type, value & ((1 << type.bits) - 1))


@define(eq=False)
class Cursor:
    """Where the next instruction goes. `loc` is given to every instruction made."""

    function: Function
    block: Block | None = None
    loc: Location | None = None
    _count: int = field(default=0, init=False)

    # ---- blocks ----

    def new_block(self, hint: str, params: Sequence[tuple[Type, str]] = ()) -> Block:
        """A block that is not yet part of the function; `place` appends it."""
        self._count += 1
        return Block(f"{hint}{self._count}", [Value(t, n) for t, n in params])

    def place(self, block: Block) -> Block:
        """Append a block to the function and go on there."""
        self.function.blocks.append(block)
        self.block = block
        return block

    @property
    def is_open(self) -> bool:
        """Whether the current block still wants instructions."""
        block = self.block
        return block is not None and not (block.instrs and block.terminator.op.is_terminator)

    def emit(
        self,
        op: Op,
        type: Type,  # noqa: A002
        args: Sequence[Operand] = (),
        attr: Any = None,
        targets: Sequence[Edge] = (),
        name: str = "",
    ) -> Instr:
        assert self.block is not None
        instr = Instr(
            type, name, op=op, args=list(args), attr=attr, targets=list(targets), loc=self.loc
        )
        self.block.instrs.append(instr)
        return instr

    # ---- operations ----

    def binary(self, op: Op, a: Operand, b: Operand) -> Instr:
        assert a.type is b.type, f"{op}: {a.type} and {b.type}"
        return self.emit(op, a.type, (a, b))

    def unary(self, op: Op, a: Operand) -> Instr:
        return self.emit(op, a.type, (a,))

    def compare(self, op: Op, a: Operand, b: Operand) -> Instr:
        assert a.type is b.type, f"{op}: {a.type} and {b.type}"
        return self.emit(op, I1, (a, b))

    def convert(self, op: Op, a: Operand, to: Type) -> Operand:
        """A conversion; to the type it already has, the operand itself."""
        return a if a.type is to else self.emit(op, to, (a,))

    def select(self, condition: Operand, a: Operand, b: Operand) -> Instr:
        assert condition.type is I1 and a.type is b.type
        return self.emit(Op.SELECT, a.type, (condition, a, b))

    # ---- memory ----

    def alloca(self, size: int, align: int, name: str = "", volatile: bool = False) -> Instr:
        """A stack object; always put into the entry block, before everything else."""
        slot = StackSlot(size, align, volatile)
        instr = Instr(PTR, name, op=Op.ALLOCA, attr=slot, loc=self.loc)
        self.function.entry.instrs.insert(0, instr)
        return instr

    def load(self, type: Type, addr: Operand, align: int = 0, volatile: bool = False) -> Instr:  # noqa: A002
        """Load a value; natural alignment unless given."""
        return self.emit(Op.LOAD, type, (addr,), MemoryAccess(align or type.size, volatile))

    def store(self, value: Operand, addr: Operand, align: int = 0, volatile: bool = False) -> Instr:
        access = MemoryAccess(align or value.type.size, volatile)
        return self.emit(Op.STORE, VOID, (value, addr), access)

    def ptradd(self, base: Operand, offset: Operand | int) -> Operand:
        """`base` plus an offset in bytes."""
        if isinstance(offset, int):
            if offset == 0:
                return base
            offset = int_const(I64, offset)
        return self.emit(Op.PTRADD, PTR, (base, offset))

    def memcpy(self, to: Operand, source: Operand, size: int, align: int = 1) -> None:
        self.emit(Op.MEMCPY, VOID, (to, source, int_const(I64, size)), align)

    def memset(self, to: Operand, byte: int, size: int, align: int = 1) -> None:
        self.emit(Op.MEMSET, VOID, (to, int_const(I8, byte), int_const(I64, size)), align)

    # ---- control ----

    def call(
        self,
        callee: Operand,
        args: Sequence[Operand],
        signature: Signature,
        leaf: bool = False,
        noreturn: bool = False,
    ) -> Instr:
        """A call; a callee that does not return is followed by `unreachable`."""
        site = CallSite(signature, leaf, noreturn)
        instr = self.emit(Op.CALL, signature.result, (callee, *args), site)
        if noreturn:
            self.emit(Op.UNREACHABLE, VOID)
        return instr

    def br(self, block: Block, args: Sequence[Operand] = ()) -> None:
        self.emit(Op.BR, VOID, targets=[Edge(block, list(args))])

    def cbr(self, condition: Operand, then: Block, otherwise: Block) -> None:
        assert condition.type is I1
        self.emit(Op.CBR, VOID, (condition,), targets=[Edge(then), Edge(otherwise)])

    def switch(self, value: Operand, default: Block, cases: Sequence[tuple[int, Block]]) -> None:
        targets = [Edge(default), *(Edge(block) for _, block in cases)]
        mask = (1 << value.type.bits) - 1
        self.emit(Op.SWITCH, VOID, (value,), tuple(c & mask for c, _ in cases), targets)

    def ret(self, value: Operand | None = None) -> None:
        self.emit(Op.RET, VOID, () if value is None else (value,))


def float_const(type: Type, value: float) -> Const:  # noqa: A002
    """A floating-point constant, rounded to its type."""
    if type is F32:
        import struct

        try:
            value = struct.unpack("<f", struct.pack("<f", value))[0]
        except OverflowError:
            value = float("inf") if value > 0 else float("-inf")
    return Const(type, value)
