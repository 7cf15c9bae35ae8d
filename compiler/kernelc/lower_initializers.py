"""Lowering of initialisers: stores for locals, bytes and relocations for static objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hcc.compiler.ir.construct import int_const
from hcc.compiler.ir.ops import Op
from hcc.compiler.ir.types import I64, VOID
from hcc.compiler.kernelc.addresses import static_address
from hcc.compiler.kernelc.lower_base import Place
from hcc.compiler.kernelc.lower_calls import CallLowering
from hcc.compiler.kernelc.scope import Variable
from hcc.compiler.kernelc.syntax import (
    Element,
    Expr,
    FloatConst,
    Initializer,
    IntConst,
    StringConst,
)
from hcc.compiler.kernelc.types import VOLATILE, CType, all_quals

if TYPE_CHECKING:
    pass

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
        mostly = len(constant) >= TEMPLATE_ELEMENTS and len(constant) * 2 >= len(elements)
        volatile = all_quals(type_) & VOLATILE
        if mostly and not volatile and not all(_is_zero(e.value) for e in constant):
            self._from_template(place, type_, elements, constant)
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
    ) -> None:
        """Copy the constant elements from a read-only object, then store the others."""
        template = self.module.template(type_, Initializer(constant))
        size = int_const(I64, type_.size)
        align = min(type_.align, 16)
        self.cursor.emit(Op.MEMCPY, VOID, (self.address(place), template, size), align)
        for element in elements:
            if not _is_constant(element.value):
                self._store_element(place, element)

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
