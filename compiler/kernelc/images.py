"""Images: the bytes of a static object whose initialiser is numbers alone, made in one go.

The general way (initializers.py) makes an element of every number, with its offset and type; for a
table of thousands that is most of the work. Here the numbers, as nested lists, go straight into
bytes: an array of integers by one `struct.pack`, a record, bit-fields included, as one large
integer that its members are shifted into.

Only initialisers whose braces follow the type exactly are taken. What leaves braces out, has too
many items, designators, strings, addresses or anything else that asks for more than a conversion
of numbers has no image, and the general way gives the result or the complaint.
"""

from __future__ import annotations

import struct
from typing import Any

from hcc.compiler.kernelc.constants import round_to
from hcc.compiler.kernelc.conversions import round_to_once
from hcc.compiler.kernelc.static_data import float_bytes
from hcc.compiler.kernelc.syntax import FloatConst, ImageConst, InitList, IntConst
from hcc.compiler.kernelc.types import (
    DOUBLE,
    ArrayType,
    CType,
    FloatingType,
    IntegerType,
    Member,
    PointerType,
    Record,
    RecordType,
)

MAX_INITIALISED_SIZE = 1 << 28
_CODES = {1: "b", 2: "h", 4: "i", 8: "q"}
_Plan = list[tuple[int, int, Member]]


class _NoImage(Exception):
    """The initialiser is more than numbers in the braces of the type."""


def image_of(type_: CType, braces: InitList) -> ImageConst | None:
    """The bytes of an array or record, which may end before it does: the rest is zero. Its type
    is the completed one. None if the general way must be gone."""
    if not (type_.is_array or type_.is_record):
        return None
    images = _Images()
    try:
        rows = braces.numbers.rows if braces.numbers is not None else _rows(braces)
        data = images.image(type_, rows)
    except _NoImage:
        return None
    if isinstance(type_, ArrayType) and type_.length is None:
        type_ = ArrayType(type_.element, len(rows))
    return ImageConst(type_, braces.at, data)


def _rows(braces: InitList) -> list[Any]:
    """The numbers of an initialiser as nested lists."""
    rows: list[Any] = []
    for item in braces.items:
        value = item.value
        if item.designators:
            raise _NoImage
        if isinstance(value, InitList):
            rows.append(_rows(value))
        elif isinstance(value, (IntConst, FloatConst)) and value.type.is_arithmetic:
            rows.append(value.value)
        else:
            raise _NoImage
    return rows


class _Images:
    """Makes the images of one object's parts."""

    def __init__(self) -> None:
        self._plans: dict[int, _Plan] = {}

    def image(self, type_: CType, rows: Any) -> bytes:
        """The bytes of an array or record; those at the end may be missing."""
        if rows.__class__ is not list:
            raise _NoImage
        if isinstance(type_, ArrayType):
            return self._array(type_, rows)
        assert isinstance(type_, RecordType)
        return self._record(type_.record, rows)

    def _array(self, type_: ArrayType, rows: list[Any]) -> bytes:
        element, length = type_.element.unqual, type_.length
        size = element.size
        if length is not None and len(rows) > length:
            raise _NoImage
        if (len(rows) - 1) * max(size, 1) > MAX_INITIALISED_SIZE:
            raise _NoImage
        if element.is_array or element.is_record:
            return b"".join([self.image(element, row).ljust(size, b"\0") for row in rows])
        if isinstance(element, IntegerType) and not element.is_bool:
            code = _CODES[size]
            code = code if element.signed else code.upper()
        else:
            code = "d" if element is DOUBLE else ""
        if code:
            try:
                return struct.pack(f"<{len(rows)}{code}", *rows)
            except (struct.error, OverflowError):
                pass  # a number too large, to be wrapped, or no number
        return b"".join([_scalar(element, row).to_bytes(size, "little") for row in rows])

    def _record(self, record: Record, rows: list[Any]) -> bytes:
        plan = self._plans.get(id(record))
        if plan is None:
            plan = self._plans[id(record)] = _plan(record)
        if len(rows) > len(plan):
            raise _NoImage
        value = 0
        for (shift, mask, member), row in zip(plan, rows, strict=False):
            if mask and row.__class__ is int:
                value |= (row & mask) << shift
                continue
            type_ = member.type
            if isinstance(type_, ArrayType) and type_.length is None:
                raise _NoImage  # a flexible array member, whose elements make the object larger
            if type_.is_array or type_.is_record:
                part = int.from_bytes(self.image(type_, row), "little")
            else:
                part = _scalar(type_, row)
            value |= part << shift
        return value.to_bytes(record.size, "little")


def _plan(record: Record) -> _Plan:
    """For each member the bit at which it starts, and the mask of those that just take the bits of
    an integer. Of a union only the first can be meant."""
    if not record.complete:
        raise _NoImage
    plan = []
    for member in record.members[:1] if record.is_union else record.members:
        type_, width = member.type.unqual, member.width
        mask = 0
        if isinstance(type_, IntegerType) and not type_.is_bool:
            mask = (1 << (type_.bits if width is None else width)) - 1
        plan.append((member.offset * 8 if width is None else member.bit, mask, member))
    return plan


def _scalar(type_: CType, value: Any) -> int:
    """The bits of a number converted to a scalar type."""
    type_ = type_.unqual
    if value.__class__ is int:
        if isinstance(type_, IntegerType):
            return int(value != 0) if type_.is_bool else value & (1 << type_.bits) - 1
        if isinstance(type_, PointerType) and value == 0:
            return 0
        if isinstance(type_, FloatingType):
            return int.from_bytes(float_bytes(round_to_once(value, type_), type_.size), "little")
    elif value.__class__ is float and isinstance(type_, FloatingType):
        return int.from_bytes(float_bytes(round_to(value, type_), type_.size), "little")
    raise _NoImage
