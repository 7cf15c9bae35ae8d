"""The state of lowering one function, and memory access: places, loads, stores, copies.

A `Place` is where an lvalue is: an address as base operand plus constant offset, so that chains of
members and constant subscripts cost one instruction when they are used, not one each.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from attrs import define

from hcc.compiler.ir.construct import Cursor, int_const
from hcc.compiler.ir.module import Block, Const, Instr, Location, Operand, StackSlot, Symbol
from hcc.compiler.ir.ops import Op
from hcc.compiler.ir.types import I8, I64, INT_OF_BITS, PTR, VOID, Type
from hcc.compiler.kernelc.syntax import Expr, StatementExpr, Step, VlaMark
from hcc.compiler.kernelc.types import (
    VOLATILE,
    ArrayType,
    CType,
    FloatingType,
    IntegerType,
    Member,
    PointerType,
    RecordType,
    all_quals,
)

if TYPE_CHECKING:
    from hcc.compiler.kernelc.lower_module import ModuleLowering
    from hcc.compiler.kernelc.scope import Function

MAX_SCALARS_COPIED = 8
MAX_ARRAY_COPIED = 4
NULL = Const(PTR, 0)


@define(eq=False)
class Place:
    """An address. `align` bounds what may be assumed of it (0: the type's own). For a bit-field,
    the address is the record's."""

    base: Operand
    offset: int = 0
    align: int = 0
    member: Member | None = None
    record_size: int = 0


class Lowering(ABC):
    """What all parts of the lowering of a function share."""

    def __init__(self, module: ModuleLowering, function: Function, cursor: Cursor) -> None:
        self.module = module
        self.function = function
        self.cursor = cursor
        self.allocas: list[Instr] = []
        self.prologue: list[Instr] = []
        self.lengths: dict[int, Instr] = {}
        self.result_address: Operand | None = None
        self.variadic_address: Operand | None = None
        self.slots: Instr | None = None
        self.slots_needed = 0
        self._locations = module.locations

    # ---- what other parts provide ----

    @abstractmethod
    def value(self, expr: Expr) -> Operand: ...

    @abstractmethod
    def record(self, expr: Expr) -> Operand: ...

    @abstractmethod
    def place(self, expr: Expr) -> Place: ...

    @abstractmethod
    def stepped(self, expr: Step) -> tuple[Operand, Operand]: ...

    @abstractmethod
    def statements_of(self, expr: StatementExpr) -> AbstractContextManager[None]: ...

    @abstractmethod
    def size_of(self, type_: CType) -> Operand: ...

    # ---- positions and blocks ----

    def locate(self, at: int) -> None:
        """Give the instructions to come the position `at`."""
        location = self._locations.get(at)
        if location is None:
            location = self._locations[at] = self.module.location(at)
        self.cursor.loc = location

    def alloca(self, size: int, align: int, name: str = "", volatile: bool = False) -> Instr:
        """A stack object; it ends up at the start of the entry block."""
        loc: Location | None = self.cursor.loc
        slot = StackSlot(max(size, 1), align, volatile)
        made = Instr(PTR, name, op=Op.ALLOCA, attr=slot, loc=loc)
        self.allocas.append(made)
        return made

    def alloca_for(self, type_: CType, name: str = "") -> Instr:
        return self.alloca(type_.size, type_.align, name, bool(all_quals(type_) & VOLATILE))

    def go_to(self, block: Block) -> None:
        """Branch to a block from the current one, if that is still open, and go on there."""
        if self.cursor.is_open:
            self.cursor.br(block)
        self.cursor.place(block)

    # ---- addresses ----

    def address(self, place: Place) -> Operand:
        """The address as one operand."""
        return self.offset_by(place.base, place.offset)

    def offset_by(self, base: Operand, offset: int) -> Operand:
        if offset == 0:
            return base
        if isinstance(base, Symbol):
            return Symbol(base.name, base.offset + offset)
        if isinstance(base, Const):
            return Const(PTR, (int(base.value) + offset) & (1 << 64) - 1)
        return self.cursor.ptradd(base, offset)

    # ---- loads and stores ----

    def load(self, place: Place, type_: CType) -> Operand:
        """The value of a scalar object."""
        if place.member is not None:
            return self._load_bits(place, place.member, type_)
        size = type_.ir.size
        align = min(size, place.align) if place.align else size
        volatile = bool(type_.quals & VOLATILE)
        return self.cursor.load(type_.ir, self.address(place), align, volatile)

    def store(self, place: Place, type_: CType, value: Operand) -> Operand:
        """Store a scalar; the value the object then has (a bit-field may cut it)."""
        if place.member is not None:
            return self._store_bits(place, place.member, type_, value)
        size = type_.ir.size
        align = min(size, place.align) if place.align else size
        volatile = bool(type_.quals & VOLATILE)
        self.cursor.store(value, self.address(place), align, volatile)
        return value

    def load_int(self, ir: Type, place: Place, offset: int, align: int) -> Operand:
        """An integer of the raw bytes at an offset."""
        return self.cursor.load(ir, self.offset_by(place.base, place.offset + offset), align)

    # ---- bit-fields ----

    def _unit(self, place: Place, member: Member) -> tuple[int, int] | None:
        """Offset and size of the smallest aligned unit a bit-field lies in; None if it lies in
        none within the record, as packed ones may."""
        assert member.width is not None
        for size in (1, 2, 4, 8):
            start = member.bit // (size * 8) * size
            if (
                member.bit + member.width <= (start + size) * 8
                and start + size <= place.record_size
            ):
                return start, size
        return None

    def _load_bits(self, place: Place, member: Member, type_: CType) -> Operand:
        unit = self._unit(place, member)
        volatile = bool(type_.quals & VOLATILE)
        if unit is None:
            bits, shift = self._gather(place, member), 0
        else:
            start, size = unit
            align = min(size, place.align) if place.align else size
            address = self.offset_by(place.base, place.offset + start)
            bits = self.cursor.load(INT_OF_BITS[size * 8], address, align, volatile)
            shift = member.bit - start * 8
        return self._extract(bits, shift, member, type_)

    def _extract(self, bits: Operand, shift: int, member: Member, type_: CType) -> Operand:
        """The field at bit `shift` of an integer, as a value of its type."""
        assert member.width is not None and isinstance(type_, IntegerType)
        width, total = member.width, bits.type.bits
        if type_.signed:
            bits = self.shift(
                Op.ASHR, self.shift(Op.SHL, bits, total - shift - width), total - width
            )
        else:
            bits = self.shift(Op.LSHR, bits, shift)
            if shift + width < total:
                mask = int_const(bits.type, (1 << width) - 1)
                bits = self.cursor.binary(Op.AND, bits, mask)
        return self.resize(bits, type_.ir, type_.signed)

    def shift(self, op: Op, value: Operand, count: int) -> Operand:
        if count == 0:
            return value
        return self.cursor.binary(op, value, int_const(value.type, count))

    def resize(self, value: Operand, to: Type, signed: bool) -> Operand:
        """An integer of another width."""
        have = value.type.bits
        if have == to.bits:
            return value
        if isinstance(value, Const):
            number = int(value.value)
            if signed and number >> (have - 1):
                number -= 1 << have
            return int_const(to, number)
        if have > to.bits:
            return self.cursor.convert(Op.TRUNC, value, to)
        return self.cursor.convert(Op.SEXT if signed and have > 1 else Op.ZEXT, value, to)

    def _store_bits(self, place: Place, member: Member, type_: CType, value: Operand) -> Operand:
        assert member.width is not None
        unit = self._unit(place, member)
        volatile = bool(type_.quals & VOLATILE)
        if unit is None:
            self._scatter(place, member, value)
        else:
            start, size = unit
            ir = INT_OF_BITS[size * 8]
            align = min(size, place.align) if place.align else size
            address = self.offset_by(place.base, place.offset + start)
            shift = member.bit - start * 8
            new = self.resize(value, ir, False)
            if member.width < size * 8:
                old = self.cursor.load(ir, address, align, volatile)
                new = self._merge(old, new, shift, member.width)
            self.cursor.store(new, address, align, volatile)
        if member.width == type_.ir.bits or type_.is_bool:
            return value
        return self._extract(value, 0, member, type_)

    def _merge(self, old: Operand, new: Operand, shift: int, width: int) -> Operand:
        """`old` with `width` bits at `shift` replaced by the low bits of `new`."""
        ir = old.type
        mask = (1 << width) - 1
        if isinstance(new, Const):
            placed: Operand = int_const(ir, (int(new.value) & mask) << shift)
        else:
            masked = self.cursor.binary(Op.AND, new, int_const(ir, mask))
            placed = self.shift(Op.SHL, masked, shift)
        kept = self.cursor.binary(Op.AND, old, int_const(ir, ~(mask << shift)))
        if isinstance(placed, Const) and placed.value == 0:
            return kept
        return self.cursor.binary(Op.OR, kept, placed)

    def _bytes(self, member: Member) -> list[tuple[int, int, int, int]]:
        """The bytes of a field: (byte offset, bit in the byte, bit in the field, count)."""
        assert member.width is not None
        parts = []
        done = 0
        while done < member.width:
            bit = member.bit + done
            count = min(8 - bit % 8, member.width - done)
            parts.append((bit // 8, bit % 8, done, count))
            done += count
        return parts

    def _gather(self, place: Place, member: Member) -> Operand:
        result: Operand = int_const(I64, 0)
        for offset, bit, done, count in self._bytes(member):
            byte = self.resize(self.load_int(I8, place, offset, 1), I64, False)
            part = self.shift(Op.LSHR, byte, bit)
            part = self.cursor.binary(Op.AND, part, int_const(I64, (1 << count) - 1))
            part = self.shift(Op.SHL, part, done)
            result = part if done == 0 else self.cursor.binary(Op.OR, result, part)
        return result

    def _scatter(self, place: Place, member: Member, value: Operand) -> None:
        wide = self.resize(value, I64, False)
        for offset, bit, done, count in self._bytes(member):
            part = self.resize(self.shift(Op.LSHR, wide, done), I8, False)
            if count < 8:
                part = self._merge(self.load_int(I8, place, offset, 1), part, bit, count)
            self.cursor.store(part, self.offset_by(place.base, place.offset + offset), 1)

    # ---- whole records ----

    def copy(self, to: Place, source: Place, type_: CType) -> None:
        """Copy an object of a record (or array) type."""
        if type_.size == 0:
            return
        parts = scalars_of(type_)
        packed = to.align or source.align
        if parts is None or packed:
            align = min(type_.align, packed) if packed else type_.align
            size = int_const(I64, type_.size)
            self.cursor.emit(Op.MEMCPY, VOID, (self.address(to), self.address(source), size), align)
            return
        for offset, ir in parts:
            value = self.cursor.load(ir, self.offset_by(source.base, source.offset + offset))
            self.cursor.store(value, self.offset_by(to.base, to.offset + offset))

    def zero(self, place: Place, type_: CType) -> None:
        """Fill an object with zeros."""
        if type_.is_scalar:
            volatile = bool(type_.quals & VOLATILE)
            self.cursor.store(zero_of(type_.ir), self.address(place), 0, volatile)
        elif type_.size:
            self.cursor.memset(self.address(place), 0, type_.size, type_.align)

    # ---- the data stack ----

    def leave_vlas(self, inside: VlaMark | None, outside: VlaMark | None) -> None:
        """Free the variable-length arrays that are alive inside but not outside."""
        outermost: VlaMark | None = None
        while inside is not outside and inside is not None:
            outermost = inside
            inside = inside.parent
        if outermost is not None:
            assert isinstance(outermost.slot, Instr)
            saved = self.cursor.load(PTR, outermost.slot)
            self.cursor.emit(Op.DSP_SET, VOID, (saved,))


def zero_of(ir: Type) -> Const:
    return Const(ir, 0.0 if ir.is_float else 0)


def scalars_of(type_: CType) -> list[tuple[int, Type]] | None:
    """The scalars a small record consists of, as (offset, IR type); None if it is better copied
    as bytes: too many, or unions, bit-fields, long arrays, packed members in it."""
    found: list[tuple[int, Type]] = []
    return found if _collect(type_, 0, found) else None


def _collect(type_: CType, offset: int, found: list[tuple[int, Type]]) -> bool:
    match type_:
        case RecordType():
            if type_.record.is_union or type_.record.packed:
                return False
            for member in type_.record.members:
                if member.width is not None or member.packed:
                    return False
                if not _collect(member.type, offset + member.offset, found):
                    return False
        case ArrayType():
            if type_.length is None or type_.length > MAX_ARRAY_COPIED:
                return False
            for i in range(type_.length):
                if not _collect(type_.element, offset + i * type_.element.size, found):
                    return False
        case IntegerType() | FloatingType() | PointerType():
            if type_.quals & VOLATILE:
                return False
            found.append((offset, type_.ir))
    return len(found) <= MAX_SCALARS_COPIED
