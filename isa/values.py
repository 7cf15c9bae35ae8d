"""Types of the values that instruction semantics compute with.

A type is an integer or floating-point element and a number of lanes. Integers carry no sign:
operations do (`udiv`, `sdiv`). One lane is a scalar; more make a vector whose operations apply
lane by lane, as in LLVM.
"""

from __future__ import annotations

from enum import Enum
from functools import cache

from attrs import frozen


class Kind(Enum):
    """What the bits of an element stand for."""

    __hash__ = object.__hash__  # as good as Enum's own, which is a Python function

    INT = "i"
    FLOAT = "f"


@frozen(eq=False)
class Ty:
    """The type of a value: `lanes` elements of `bits` bits each.

    There is one object of each type, so that types are compared by identity.
    """

    kind: Kind
    bits: int
    lanes: int
    is_float: bool
    size_bits: int
    """Bits of the whole value, all lanes together."""
    mask: int
    """All ones, for one lane."""

    @property
    def element(self) -> Ty:
        """The type of one lane."""
        return _type(self.kind, self.bits, 1)

    def with_element(self, element: Ty) -> Ty:
        """The same number of lanes of another element."""
        return _type(element.kind, element.bits, self.lanes)

    def __str__(self) -> str:
        text = f"{self.kind.value}{self.bits}"
        return text if self.lanes == 1 else f"<{self.lanes} x {text}>"


@cache
def _type(kind: Kind, bits: int, lanes: int) -> Ty:
    return Ty(kind, bits, lanes, kind is Kind.FLOAT, bits * lanes, (1 << bits) - 1)


_INTEGERS = [_type(Kind.INT, bits, 1) for bits in range(257)]


def int_type(bits: int) -> Ty:
    """The scalar integer of `bits` bits (1 to 256)."""
    return _INTEGERS[bits]


def float_type(bits: int) -> Ty:
    """The IEEE 754 binary format of 32 or 64 bits."""
    return _type(Kind.FLOAT, bits, 1)


def vec(element: Ty, lanes: int) -> Ty:
    """`lanes` lanes of `element`, lane 0 in the least significant bits."""
    return _type(element.kind, element.bits, lanes)


I1, I8, I16, I32, I64, I128 = (int_type(bits) for bits in (1, 8, 16, 32, 64, 128))
F32, F64 = float_type(32), float_type(64)
