"""Data-stack lowering: moves stack objects that outlive a site to memory that all ISAs share.

A native frame cannot be copied to another ISA, but an object in it may be pointed to from
anywhere. So objects whose address escapes, or that hold a value across a site, live on the
*data stack*, ordinary memory at the same address on every ISA: each function takes its frame
from the thread's data-stack pointer on entry and gives it back on return. The frame's base is an
ordinary pointer value, part of the activation record; addresses of objects are constant offsets
from it, which `sink` then computes where they are used.

Requires: promoted IR with points. `suspends` tells which instructions are sites. Establishes:
every remaining `alloca` is dead at every site and its address stays within one block.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import define

from hcc.compiler.ir.construct import int_const
from hcc.compiler.ir.module import Block, Function, Instr, Operand, Value
from hcc.compiler.ir.ops import Op
from hcc.compiler.ir.types import I64, PTR, VOID

FRAME_ALIGN = 16


def lower_data_stack(function: Function, suspends: Callable[[Instr], bool]) -> None:
    """Move what must be moved; functions without sites keep all objects native."""
    uses_vla = any(i.op in (Op.DSP_GET, Op.DSP_SET) for i in function.instrs())
    slots = [i for i in function.entry.instrs if i.op is Op.ALLOCA]
    if not any(suspends(i) for i in function.instrs()):
        slots = []
    uses = _uses_of(function, slots)
    moved = [s for s in slots if not _stays_in_one_stretch(s, uses[s], suspends)]
    if not moved and not uses_vla:
        return
    offsets, size = _layout(moved)
    base = _enter_frame(function, offsets, size)
    _leave_frame(function, base, size)


def _layout(slots: list[Instr]) -> tuple[dict[Instr, int], int]:
    """Offsets of the objects in the frame, the strictest alignment first."""
    offsets: dict[Instr, int] = {}
    at = 0
    for slot in sorted(slots, key=lambda s: -s.attr.align):
        align = slot.attr.align
        at = (at + align - 1) & -align
        offsets[slot] = at
        at += max(slot.attr.size, 1)
    return offsets, (at + FRAME_ALIGN - 1) & -FRAME_ALIGN


@define(eq=False, repr=False)
class _Uses:
    """Where an object is used: in one block, from `first` to `last`, or `elsewhere` too."""

    home: Block | None = None
    first: int = 0
    last: int = 0
    elsewhere: bool = False


def _uses_of(function: Function, slots: list[Instr]) -> dict[Instr, _Uses]:
    """The uses of each object, through addresses derived from it; escapes count as elsewhere."""
    owner: dict[Operand, Instr] = {slot: slot for slot in slots}
    result = {slot: _Uses() for slot in slots}
    for block in function.blocks:
        for i, instr in enumerate(block.instrs):
            for operand in instr.operands():
                slot = owner.get(operand) if isinstance(operand, Value) else None
                if slot is None:
                    continue
                uses = result[slot]
                if uses.home is None:
                    uses.home, uses.first = block, i
                uses.last = i
                if uses.home is not block or not _keeps_address(instr, operand):
                    uses.elsewhere = True
                elif instr.op is Op.PTRADD:
                    owner[instr] = slot
    return result


def _keeps_address(instr: Instr, addr: Operand) -> bool:
    """Whether an instruction that uses an address leaves it unknown to anyone else."""
    if instr.op is Op.STORE:
        return instr.args[0] is not addr
    return instr.op in (Op.PTRADD, Op.LOAD, Op.MEMSET, Op.MEMCPY, Op.MEMMOVE)


def _stays_in_one_stretch(slot: Instr, uses: _Uses, suspends: Callable[[Instr], bool]) -> bool:
    """Whether the object is set and used within one block, with no site in between."""
    if uses.home is None:
        return True
    stretch = uses.home.instrs[uses.first : uses.last + 1]
    if uses.elsewhere or not _is_set_first(stretch[0], slot):
        return False
    return not any(suspends(i) for i in stretch)


def _is_set_first(instr: Instr, slot: Instr) -> bool:
    """Whether an instruction sets the whole object, so that nothing older is read later."""
    if instr.op is Op.STORE:
        return instr.args[1] is slot and instr.args[0].type.size >= slot.attr.size
    if instr.op in (Op.MEMSET, Op.MEMCPY):
        return instr.args[0] is slot and instr.args[2] == int_const(I64, slot.attr.size)
    return False


def _enter_frame(function: Function, offsets: dict[Instr, int], size: int) -> Value:
    """Take the frame at the function's entry and make addresses in it of the objects."""
    entry = function.entry
    entry.instrs = [i for i in entry.instrs if i not in offsets]
    at = next(i for i, x in enumerate(entry.instrs) if x.op is not Op.ALLOCA)
    old = Instr(PTR, op=Op.DSP_GET, loc=function.loc)
    new = [old]
    base = old
    if size:
        base = Instr(PTR, "frame", op=Op.PTRADD, args=[old, int_const(I64, -size)])
        new += [base, Instr(VOID, op=Op.DSP_SET, args=[base])]
    for slot, offset in offsets.items():
        slot.op, slot.attr = Op.PTRADD, None
        slot.args = [base, int_const(I64, offset)]
        new.append(slot)
    entry.instrs[at:at] = new
    return base


def _leave_frame(function: Function, base: Value, size: int) -> None:
    for block in function.blocks:
        if block.terminator.op is Op.RET:
            top: Operand = base
            if size:
                step = Instr(PTR, op=Op.PTRADD, args=[base, int_const(I64, size)])
                block.instrs.insert(-1, step)
                top = step
            block.instrs.insert(-1, Instr(VOID, op=Op.DSP_SET, args=[top]))
