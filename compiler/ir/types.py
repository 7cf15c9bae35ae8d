"""The types of IR values: integers without sign, two floating-point formats, pointers.

Aggregates exist only in memory, so no IR value has an aggregate type; `_Float16` is an i16 in
registers, with conversions by library calls.
"""

from __future__ import annotations

from enum import Enum


class Type(Enum):
    """The type of an IR value; `bits` is its width, `size` its bytes in memory."""

    VOID = ("void", 0)
    I1 = ("i1", 1)
    I8 = ("i8", 8)
    I16 = ("i16", 16)
    I32 = ("i32", 32)
    I64 = ("i64", 64)
    F32 = ("f32", 32)
    F64 = ("f64", 64)
    PTR = ("ptr", 64)

    def __init__(self, text: str, bits: int) -> None:
        self.text = text
        self.bits = bits
        self.size = (bits + 7) // 8
        self.is_int = text[0] == "i"
        self.is_float = text[0] == "f"

    def __str__(self) -> str:
        return self.text

    __hash__ = object.__hash__  # members are singletons


VOID, I1, I8, I16, I32, I64, F32, F64, PTR = Type
BY_TEXT = {t.text: t for t in Type}
INT_OF_BITS = {t.bits: t for t in Type if t.is_int}
