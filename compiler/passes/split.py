"""Scalar replacement: splits stack objects into the scalars that the code accesses.

A struct or small array whose parts are only loaded and stored at constant offsets becomes one
stack object per part, which `promote` then turns into SSA values; so structs by value do not
cost memory, nor space on the data stack.

Requires: valid IR. An object is split if all its uses are non-volatile loads and stores through
`ptradd` chains of constant offsets, whole clears by `memset`, and copies by `memcpy` of a
constant size, and if any two accesses either touch the same bytes or are disjoint. A copy becomes
loads and stores of the parts and of the bytes between them.
"""

from __future__ import annotations

from itertools import pairwise

from attrs import define, field

from hcc.compiler.ir.construct import int_const
from hcc.compiler.ir.module import (
    Const,
    Function,
    Instr,
    MemoryAccess,
    Operand,
    StackSlot,
    Value,
)
from hcc.compiler.ir.ops import Op
from hcc.compiler.ir.types import I8, I16, I32, I64, PTR, VOID, Type
from hcc.compiler.passes.promote import zero

# Larger objects are left whole: arrays indexed by constants are rare beyond this.
MAX_SIZE = 128
_CHUNKS = ((8, I64), (4, I32), (2, I16), (1, I8))


@define(eq=False, repr=False)
class _Object:
    """A stack object under examination: the addresses into it and the parts accessed."""

    slot: Instr
    parts: dict[int, Type] = field(factory=dict)  # offset: type
    copied: bool = False
    pieces: dict[int, Instr] = field(factory=dict)

    @property
    def size(self) -> int:
        size: int = self.slot.attr.size
        return size


def split_objects(function: Function) -> None:
    """Split every stack object of the function that can be."""
    objects = {
        i: _Object(i)
        for i in function.entry.instrs
        if i.op is Op.ALLOCA and not i.attr.volatile and i.attr.size <= MAX_SIZE
    }
    if not objects:
        return
    addresses = _find_addresses(function, objects)
    _reject_other_uses(function, objects, addresses)
    _unify_copies(function, objects, addresses)
    for obj in list(objects.values()):
        if not _add_pieces(obj):
            del objects[obj.slot]
    if objects:
        _rewrite(function, objects, addresses)


Addresses = dict[Value, tuple[Instr, int]]


def _find_addresses(function: Function, objects: dict[Instr, _Object]) -> Addresses:
    """Values that are a constant offset into one of the objects."""
    addresses: Addresses = {slot: (slot, 0) for slot in objects}
    changed = True
    while changed:  # definitions may stand after uses in block order
        changed = False
        for instr in function.instrs():
            if instr.op is not Op.PTRADD or instr in addresses:
                continue
            base, offset = instr.args
            if base in addresses and isinstance(offset, Const):
                slot, start = addresses[base]
                moved = start + _signed(int(offset.value))
                addresses[instr] = (slot, moved)
                changed = True
    return addresses


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _reject_other_uses(
    function: Function, objects: dict[Instr, _Object], addresses: Addresses
) -> None:
    """Record each object's accesses; drop objects that are used in any other way."""

    def drop(operand: Operand) -> None:
        if isinstance(operand, Value) and operand in addresses:
            objects.pop(addresses[operand][0], None)

    def access(operand: Operand, type_: Type) -> None:
        if not isinstance(operand, Value) or operand not in addresses:
            return
        slot, offset = addresses[operand]
        obj = objects.get(slot)
        if obj is None:
            return
        fits = 0 <= offset and offset + type_.size <= obj.size
        known = obj.parts.setdefault(offset, type_)
        if not fits or known.size != type_.size:
            del objects[slot]

    for instr in function.instrs():
        match instr.op:
            case Op.LOAD if not instr.attr.volatile:
                access(instr.args[0], instr.type)
            case Op.STORE if not instr.attr.volatile:
                drop(instr.args[0])
                access(instr.args[1], instr.args[0].type)
            case Op.PTRADD if instr in addresses:
                pass
            case Op.MEMSET if _whole(instr, addresses, objects) and instr.args[1] == zero(I8):
                pass
            case Op.MEMCPY if _constant_copy(instr):
                for operand in instr.args[:2]:
                    if isinstance(operand, Value) and operand in addresses:
                        if _whole(instr, addresses, objects, operand):
                            objects[addresses[operand][0]].copied = True
                        else:
                            drop(operand)
            case _:
                for operand in instr.operands():
                    drop(operand)
    for obj in list(objects.values()):
        offsets = sorted(obj.parts)
        for a, b in pairwise(offsets):
            if a + obj.parts[a].size > b:
                objects.pop(obj.slot, None)


def _unify_copies(
    function: Function, objects: dict[Instr, _Object], addresses: Addresses
) -> None:
    """Give objects that are copied into each other the same parts; drop them where that fails."""
    copies = []
    for instr in function.instrs():
        if instr.op is Op.MEMCPY:
            pair = [addresses.get(a) for a in instr.args[:2] if isinstance(a, Value)]
            if len(pair) == 2 and pair[0] is not None and pair[1] is not None:
                copies.append((pair[0][0], pair[1][0]))
    changed = True
    while changed:
        changed = False
        for a, b in copies:
            if a in objects and b in objects:
                x, y = objects[a].parts, objects[b].parts
                if x == y:
                    continue
                merged = {**x, **y}
                offsets = sorted(merged)
                clash = any(x[o].size != y[o].size for o in x.keys() & y.keys()) or any(
                    o + merged[o].size > n for o, n in pairwise(offsets)
                )
                changed = True
                if clash:
                    del objects[a], objects[b]
                else:
                    objects[a].parts, objects[b].parts = dict(merged), dict(merged)


def _constant_copy(instr: Instr) -> bool:
    size = instr.args[2]
    same = instr.args[0] is instr.args[1]
    return isinstance(size, Const) and int(size.value) <= MAX_SIZE and not same


def _whole(
    instr: Instr, addresses: Addresses, objects: dict[Instr, _Object], at: Operand | None = None
) -> bool:
    """Whether the memset or memcpy touches all of the object at `at`, from its start."""
    operand = instr.args[0] if at is None else at
    size = instr.args[2]
    if not isinstance(operand, Value) or operand not in addresses or not isinstance(size, Const):
        return False
    slot, offset = addresses[operand]
    return slot in objects and offset == 0 and size.value == objects[slot].size


def _add_pieces(obj: _Object) -> bool:
    """Make the stack objects of the parts; a copied object also needs the bytes between them."""
    if obj.copied:
        at = 0
        for offset in [*sorted(obj.parts), obj.size]:
            while at < offset:
                size, type_ = next(c for c in _CHUNKS if c[0] <= offset - at and at % c[0] == 0)
                obj.parts[at] = type_
                at += size
            if offset < obj.size:
                at = offset + obj.parts[offset].size
    if len(obj.parts) > 16:
        return False
    for offset, type_ in sorted(obj.parts.items()):
        slot = StackSlot(type_.size, type_.size)
        name = obj.slot.name
        obj.pieces[offset] = Instr(PTR, name, op=Op.ALLOCA, attr=slot, loc=obj.slot.loc)
    return True


def _rewrite(function: Function, objects: dict[Instr, _Object], addresses: Addresses) -> None:
    def piece(operand: Operand) -> Instr | None:
        if not isinstance(operand, Value) or operand not in addresses:
            return None
        slot, offset = addresses[operand]
        return objects[slot].pieces[offset] if slot in objects else None

    def target(operand: Operand) -> _Object | None:
        if not isinstance(operand, Value) or operand not in addresses:
            return None
        return objects.get(addresses[operand][0])

    for block in function.blocks:
        kept: list[Instr] = []
        for instr in block.instrs:
            match instr.op:
                case Op.ALLOCA if instr in objects:
                    kept.extend(objects[instr].pieces.values())
                    continue
                case Op.PTRADD if target(instr) is not None:
                    continue
                case Op.LOAD:
                    instr.args[0] = piece(instr.args[0]) or instr.args[0]
                case Op.STORE:
                    instr.args[1] = piece(instr.args[1]) or instr.args[1]
                case Op.MEMSET if (obj := target(instr.args[0])) is not None:
                    for offset, slot in obj.pieces.items():
                        kept.append(_store(zero(obj.parts[offset]), slot, instr))
                    continue
                case Op.MEMCPY:
                    to, source = target(instr.args[0]), target(instr.args[1])
                    if to is not None or source is not None:
                        _copy(instr, to, source, kept)
                        continue
            kept.append(instr)
        block.instrs = kept


def _store(value: Operand, addr: Operand, at: Instr, align: int = 0) -> Instr:
    access = MemoryAccess(align or value.type.size)
    return Instr(VOID, op=Op.STORE, args=[value, addr], attr=access, loc=at.loc)


def _copy(at: Instr, to: _Object | None, source: _Object | None, kept: list[Instr]) -> None:
    """Expand a memcpy of which at least one side is being split."""
    obj = to or source
    assert obj is not None
    assert to is None or source is None or to.parts == source.parts
    for offset, type_ in sorted(obj.parts.items()):
        places: list[Operand] = []
        for side, base in ((source, at.args[1]), (to, at.args[0])):
            if side is not None:
                places.append(side.pieces[offset])
            elif offset:
                step = Instr(PTR, op=Op.PTRADD, args=[base, int_const(I64, offset)], loc=at.loc)
                kept.append(step)
                places.append(step)
            else:
                places.append(base)
        load = Instr(type_, op=Op.LOAD, args=[places[0]], attr=MemoryAccess(1), loc=at.loc)
        kept += [load, _store(load, places[1], at, 1)]
