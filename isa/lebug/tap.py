"""How a program hands values to the unit: element types and frame flags of `hcc_tap`.

`hcc_tap(unit, vector, n, flags)` in kernel C sends n elements from guest memory. The low two
bits of flags are the frame signals, the next four say what an element is, so that the call
carries everything the device needs and the device none of the program's types.
"""

from __future__ import annotations

from enum import IntEnum

EOF1 = 1
EOF2 = 2
FRAME_MASK = 3
TYPE_SHIFT = 2
TYPE_MASK = 15


class ElementType(IntEnum):
    """What one element in guest memory is; the value is the field in `flags`."""

    F64 = 0
    F32 = 1
    F16 = 2
    I8 = 3
    U8 = 4
    I16 = 5
    U16 = 6
    I32 = 7
    U32 = 8
    I64 = 9
    U64 = 10

    @property
    def dtype(self) -> str:
        """The numpy type of one element, little-endian as all our guests are."""
        return _DTYPES[self]

    @property
    def size(self) -> int:
        return int(self.dtype[-1])


_DTYPES: dict[ElementType, str] = {
    ElementType.F64: "<f8",
    ElementType.F32: "<f4",
    ElementType.F16: "<f2",
    ElementType.I8: "<i1",
    ElementType.U8: "<u1",
    ElementType.I16: "<i2",
    ElementType.U16: "<u2",
    ElementType.I32: "<i4",
    ElementType.U32: "<u4",
    ElementType.I64: "<i8",
    ElementType.U64: "<u8",
}


def pack_flags(kind: ElementType, eof1: bool = False, eof2: bool = False) -> int:
    """The `flags` argument of hcc_tap."""
    return EOF1 * eof1 | EOF2 * eof2 | int(kind) << TYPE_SHIFT
