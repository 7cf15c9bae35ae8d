"""Lowering of initialisers: stores for locals, bytes and relocations for static objects."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from hcc.compiler.ir.construct import int_const
from hcc.compiler.ir.module import DataReloc
from hcc.compiler.ir.ops import Op
from hcc.compiler.ir.types import I64, VOID
from hcc.compiler.kernelc.initializers import static_address
from hcc.compiler.kernelc.lower_base import Place
from hcc.compiler.kernelc.lower_calls import CallLowering
from hcc.compiler.kernelc.lower_expressions import half_bits
from hcc.compiler.kernelc.scope import Function, Variable
from hcc.compiler.kernelc.syntax import (
    CompoundLiteral,
    Element,
    Expr,
    FloatConst,
    Initializer,
    IntConst,
    StringConst,
)
from hcc.compiler.kernelc.types import VOLATILE, CType

if TYPE_CHECKING:
    from hcc.compiler.kernelc.lower_module import ModuleLowering

TEMPLATE_ELEMENTS = 12
"""From so many constant elements on, a local aggregate is copied from a template."""


class InitializerLowering(CallLowering):
    """Initialisation of locals and compound literals."""

    def literal(self, variable: Variable) -> Place:
        """The object of a compound literal, initialised each time it is evaluated."""
        if variable.static:
            return Place(self.module.variable_symbol(variable))
        if variable.slot is None:
            variable.slot = self.alloca_for(variable.type, "literal")
        assert variable.init is not None
        place = Place(variable.slot)
        self.initialise(place, variable.type, variable.init)
        return place

    def initialise(self, place: Place, type_: CType, init: Initializer) -> None:
        """Give a local object its initial value."""
        if type_.is_scalar:
            for element in init.elements:
                self._store_element(place, element)
            return
        elements = init.elements
        constant = [e for e in elements if _is_constant(e.value)]
        if len(constant) >= TEMPLATE_ELEMENTS and len(constant) * 2 >= len(elements):
            if not type_.quals & VOLATILE and self._from_template(place, type_, elements, constant):
                return
        if not init.covers_all:
            self.zero(place, type_)
        overlapping = any(e.value.type.is_array or e.value.type.is_record for e in elements)
        for element in elements:
            if not init.covers_all and not overlapping and _is_zero(element.value):
                continue
            self._store_element(place, element)

    def _from_template(
        self, place: Place, type_: CType, elements: list[Element], constant: list[Element]
    ) -> bool:
        """Copy the constant elements from a read-only object, then store the others."""
        if all(_is_zero(e.value) for e in constant):
            return False
        template = self.module.template(type_, Initializer(constant))
        size = int_const(I64, type_.size)
        align = min(type_.align, 16)
        self.cursor.emit(Op.MEMCPY, VOID, (self.address(place), template, size), align)
        for element in elements:
            if element not in constant:
                self._store_element(place, element)
        return True

    def _store_element(self, whole: Place, element: Element) -> None:
        member, type_ = element.member, element.type
        offset = whole.offset + element.offset
        if member is not None:
            size = member.offset + type_.size  # the record goes at least so far
            place = Place(whole.base, offset - member.offset, 1 if member.packed else 0, member,
                          max(size, 0))  # fmt: skip
        else:
            place = Place(whole.base, offset)
        value = element.value
        if isinstance(value, StringConst) and type_.is_array:
            source = Place(self.module.string(value))
            self.copy(place, source, type_)
        elif type_.is_record:
            self.copy(place, self.place(value), type_)
        elif type_.is_scalar:
            operand = self.value(value)
            self.locate(value.at)
            self.store(place, type_, operand)


def _is_constant(value: Expr) -> bool:
    if isinstance(value, (IntConst, FloatConst, StringConst)):
        return True
    return value.type.is_pointer and static_address(value) is not None


def _is_zero(value: Expr) -> bool:
    if isinstance(value, FloatConst):
        return value.value == 0 and str(value.value) != "-0.0"
    return isinstance(value, IntConst) and value.value == 0


# ---- static objects ----


def static_data(
    module: ModuleLowering, type_: CType, init: Initializer
) -> tuple[bytes, list[DataReloc]]:
    """The bytes and relocations of an initialised static object."""
    data = bytearray(type_.size)
    relocs: dict[int, DataReloc] = {}
    _fill(module, data, relocs, 0, init)
    end = len(data.rstrip(b"\0"))
    if relocs:
        end = max(end, max(relocs) + 8)
    return bytes(data[:end]), [relocs[offset] for offset in sorted(relocs)]


def _fill(
    module: ModuleLowering,
    data: bytearray,
    relocs: dict[int, DataReloc],
    start: int,
    init: Initializer,
) -> None:
    for element in init.elements:
        offset = start + element.offset
        value, type_ = element.value, element.type
        if element.member is not None and isinstance(value, IntConst):
            _put_bits(data, offset - element.member.offset, element, value.value)
        elif isinstance(value, StringConst) and type_.is_array:
            data[offset : offset + len(value.data)] = value.data
        elif isinstance(value, CompoundLiteral) and type_.is_record:
            assert value.variable.init is not None
            data[offset : offset + type_.size] = bytes(type_.size)
            _fill(module, data, relocs, offset, value.variable.init)
        elif isinstance(value, IntConst):
            size = type_.size
            relocs.pop(offset, None)
            mask = (1 << size * 8) - 1
            data[offset : offset + size] = (value.value & mask).to_bytes(size, "little")
        elif isinstance(value, FloatConst):
            data[offset : offset + type_.size] = float_bytes(value.value, type_.size)
        else:
            _put_address(module, relocs, data, offset, value)


def _put_bits(data: bytearray, start: int, element: Element, value: int) -> None:
    member = element.member
    assert member is not None and member.width is not None
    first, last = member.bit // 8, (member.bit + member.width - 1) // 8
    span = slice(start + first, start + last + 1)
    word = int.from_bytes(data[span], "little")
    mask = (1 << member.width) - 1
    shift = member.bit - first * 8
    word = word & ~(mask << shift) | (value & mask) << shift
    data[span] = word.to_bytes(last - first + 1, "little")


def _put_address(
    module: ModuleLowering, relocs: dict[int, DataReloc], data: bytearray, offset: int, value: Expr
) -> None:
    address = static_address(value)
    assert address is not None
    base = address.base
    if base is None:
        data[offset : offset + 8] = (address.offset & (1 << 64) - 1).to_bytes(8, "little")
        return
    if isinstance(base, Function):
        symbol = module.function_symbol(base)
    elif isinstance(base, Variable):
        symbol = module.variable_symbol(base)
    else:
        symbol = module.string(base)
    relocs[offset] = DataReloc(offset, symbol.name, address.offset)


def float_bytes(value: float, size: int) -> bytes:
    """A floating constant as it lies in memory."""
    if size == 2:
        return half_bits(value).to_bytes(2, "little")
    return struct.pack("<f" if size == 4 else "<d", value)
