"""The bytes and relocations of initialised static objects."""

from __future__ import annotations

import struct
from typing import Protocol

from hcc.compiler.ir.module import DataReloc, Symbol
from hcc.compiler.kernelc.addresses import static_address
from hcc.compiler.kernelc.constants import half_bits
from hcc.compiler.kernelc.scope import Function, Variable
from hcc.compiler.kernelc.syntax import (
    CompoundLiteral,
    Element,
    Expr,
    FloatConst,
    ImageConst,
    Initializer,
    IntConst,
    StringConst,
)
from hcc.compiler.kernelc.types import CType, RecordType


class Symbols(Protocol):
    """What gives out the addresses that initialisers refer to."""

    def function_symbol(self, function: Function) -> Symbol: ...

    def variable_symbol(self, variable: Variable) -> Symbol: ...

    def string(self, literal: StringConst) -> Symbol: ...


def static_data(symbols: Symbols, type_: CType, init: Initializer) -> tuple[bytes, list[DataReloc]]:
    """The bytes and relocations of an initialised static object."""
    data = bytearray(object_size(type_, init))
    relocs: dict[int, DataReloc] = {}
    _fill(symbols, data, relocs, 0, init)
    end = len(data.rstrip(b"\0"))
    if relocs:
        end = max(end, max(relocs) + 8)
    return bytes(data[:end]), [relocs[offset] for offset in sorted(relocs)]


def object_size(type_: CType, init: Initializer | None) -> int:
    """The size of an object: its type's, and what a flexible array member has beyond that."""
    flexible = isinstance(type_, RecordType) and type_.record.has_flexible_array
    if init is None or not flexible:
        return type_.size
    return max(type_.size, *(e.offset + e.type.size for e in init.elements), 0)


def _fill(
    symbols: Symbols,
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
        elif isinstance(value, ImageConst) or (isinstance(value, StringConst) and type_.is_array):
            data[offset : offset + len(value.data)] = value.data
        elif isinstance(value, CompoundLiteral) and type_.is_record:
            assert value.variable.init is not None
            data[offset : offset + type_.size] = bytes(type_.size)
            for inside in [o for o in relocs if offset <= o < offset + type_.size]:
                del relocs[inside]
            _fill(symbols, data, relocs, offset, value.variable.init)
        elif isinstance(value, IntConst):
            size = type_.size
            relocs.pop(offset, None)
            mask = (1 << size * 8) - 1
            data[offset : offset + size] = (value.value & mask).to_bytes(size, "little")
        elif isinstance(value, FloatConst):
            data[offset : offset + type_.size] = float_bytes(value.value, type_.size)
        else:
            _put_address(symbols, relocs, data, offset, value)


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
    symbols: Symbols, relocs: dict[int, DataReloc], data: bytearray, offset: int, value: Expr
) -> None:
    address = static_address(value)
    assert address is not None
    base = address.base
    if base is None:
        data[offset : offset + 8] = (address.offset & (1 << 64) - 1).to_bytes(8, "little")
        return
    if isinstance(base, Function):
        symbol = symbols.function_symbol(base)
    elif isinstance(base, Variable):
        symbol = symbols.variable_symbol(base)
    else:
        symbol = symbols.string(base)
    relocs[offset] = DataReloc(offset, symbol.name, address.offset)


def float_bytes(value: float, size: int) -> bytes:
    """A floating constant as it lies in memory."""
    if size == 2:
        return half_bits(value).to_bytes(2, "little")
    return struct.pack("<f" if size == 4 else "<d", value)
