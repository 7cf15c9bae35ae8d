"""C's types with their layout: LP64 on every ISA, char signed, long double the same as double.

A type is an object; qualified versions of a type are separate objects that know their
unqualified one (`unqual`), and derived types are kept on the type they derive from. So most
questions of sameness are answered by `is`; `compatible` settles the rest (C99 6.2.7).

Records are the exception to "a type is a value": a struct may be declared before it is complete
and be qualified meanwhile, so its members live in a `Record` that all versions share. Layout
follows the System V ABI, which the three ISAs' psABIs agree with for everything C has
(bit-fields included).
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from attrs import define, field

from hcc.compiler.ir.types import F32, F64, I8, I16, I32, I64, PTR, VOID, Type

if TYPE_CHECKING:
    from hcc.compiler.kernelc.syntax import Expr

CONST, VOLATILE, RESTRICT = 1, 2, 4
QUALIFIER_NAMES = ((CONST, "const"), (VOLATILE, "volatile"), (RESTRICT, "restrict"))


class CType:
    """What all types have: size and alignment in bytes, the IR type of a scalar's values."""

    size: int = 0
    align: int = 1
    ir: Type = VOID
    quals: int = 0

    is_void = is_error = is_bool = False
    is_integer = is_floating = is_arithmetic = is_scalar = False
    is_pointer = is_array = is_function = is_record = False

    def __init__(self) -> None:
        self.unqual: CType = self
        self._qualified: dict[int, CType] = {}
        self._pointer: PointerType | None = None

    @property
    def complete(self) -> bool:
        return True

    @property
    def variably_modified(self) -> bool:
        return False

    def __str__(self) -> str:
        return declare(self, "")


class VoidType(CType):
    is_void = True

    @property
    def complete(self) -> bool:
        return False


class ErrorType(CType):
    """The type of what was already complained about; everything may be done with it."""

    is_error = is_scalar = True
    size = 4
    align = 4
    ir = I32


class IntegerType(CType):
    """An integer type; `enum` names the enumeration it belongs to."""

    is_integer = is_arithmetic = is_scalar = True

    def __init__(self, name: str, size: int, signed: bool, rank: int, enum: str = "") -> None:
        super().__init__()
        self.name = name
        self.size = self.align = size
        self.bits = 1 if name == "_Bool" else size * 8
        self.signed = signed
        self.rank = rank
        self.enum = enum
        self.forward = False
        """An enumeration that is only named so far."""
        self.is_bool = name == "_Bool"
        self.ir = {1: I8, 2: I16, 4: I32, 8: I64}[size]

    @property
    def complete(self) -> bool:
        return not self.forward

    def define(self, base: IntegerType) -> None:
        """Give an enumeration named before, and its qualified versions, the size it has."""
        for version in (self, *self._qualified.values()):
            assert isinstance(version, IntegerType)
            version.size = version.align = base.size
            version.bits, version.signed = base.bits, base.signed
            version.rank, version.ir = base.rank, base.ir
            version.forward = False

    @property
    def low(self) -> int:
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        return (1 << (self.bits - self.signed)) - 1

    def wrap(self, value: int) -> int:
        """The value of this type that is congruent to `value`."""
        bits = self.bits
        value &= (1 << bits) - 1
        if self.signed and value >> (bits - 1):
            value -= 1 << bits
        return value


class FloatingType(CType):
    """A real floating type. `_Float16` values are their bits, an i16."""

    is_floating = is_arithmetic = is_scalar = True

    def __init__(self, name: str, size: int, rank: int, ir: Type) -> None:
        super().__init__()
        self.name = name
        self.size = self.align = size
        self.rank = rank
        self.ir = ir


class PointerType(CType):
    is_pointer = is_scalar = True
    size = align = 8
    ir = PTR

    def __init__(self, target: CType) -> None:
        super().__init__()
        self.target = target

    @property
    def variably_modified(self) -> bool:
        return self.target.variably_modified


class ArrayType(CType):
    """An array: `length` is None when unknown; a variable length has its expression in `vla`."""

    is_array = True

    def __init__(self, element: CType, length: int | None, vla: Expr | None = None) -> None:
        super().__init__()
        self.element = element
        self.length = length
        self.vla = vla
        self.align = element.align
        self.size = element.size * (length or 0)
        self.is_vla = vla is not None or (element.is_array and element.variably_modified)
        self.quals = 0

    @property
    def complete(self) -> bool:
        return self.length is not None or self.vla is not None

    @property
    def variably_modified(self) -> bool:
        return self.is_vla or self.element.variably_modified


class FunctionType(CType):
    """A function; without `prototyped` nothing is known of the parameters."""

    is_function = True

    def __init__(
        self, result: CType, params: tuple[CType, ...], variadic: bool, prototyped: bool
    ) -> None:
        super().__init__()
        self.result = result
        self.params = params
        self.variadic = variadic
        self.prototyped = prototyped


@define(eq=False)
class Member:
    """A member of a record: `offset` in bytes; a bit-field has `width` and the `bit` at which it
    starts, counted from the record's first byte."""

    name: str
    type: CType
    offset: int = 0
    width: int | None = None
    bit: int = 0
    at: int = 0
    packed: bool = False


@define(eq=False)
class Record:
    """The definition behind a struct or union type."""

    is_union: bool
    tag: str
    at: int = 0
    members: list[Member] = field(factory=list)
    by_name: dict[str, tuple[Member, ...]] = field(factory=dict)
    size: int = 0
    align: int = 1
    complete: bool = False
    being_defined: bool = False
    packed: bool = False
    has_const: bool = False
    has_flexible_array: bool = False

    def find(self, name: str) -> tuple[Member, ...]:
        """The path of members that leads to a name, through anonymous records."""
        return self.by_name.get(name, ())


class RecordType(CType):
    is_record = True

    def __init__(self, record: Record) -> None:
        super().__init__()
        self.record = record

    @property
    def complete(self) -> bool:
        return self.record.complete

    @property
    def size(self) -> int:  # type: ignore[override]
        return self.record.size

    @property
    def align(self) -> int:  # type: ignore[override]
        return self.record.align

    def __str__(self) -> str:
        return declare(self, "")


VOID_TYPE = VoidType()
ERROR = ErrorType()
BOOL = IntegerType("_Bool", 1, False, 0)
CHAR = IntegerType("char", 1, True, 1)
SCHAR = IntegerType("signed char", 1, True, 1)
UCHAR = IntegerType("unsigned char", 1, False, 1)
SHORT = IntegerType("short", 2, True, 2)
USHORT = IntegerType("unsigned short", 2, False, 2)
INT = IntegerType("int", 4, True, 3)
UINT = IntegerType("unsigned int", 4, False, 3)
LONG = IntegerType("long", 8, True, 4)
ULONG = IntegerType("unsigned long", 8, False, 4)
LLONG = IntegerType("long long", 8, True, 5)
ULLONG = IntegerType("unsigned long long", 8, False, 5)
FLOAT16 = FloatingType("_Float16", 2, 0, I16)
FLOAT = FloatingType("float", 4, 1, F32)
DOUBLE = FloatingType("double", 8, 2, F64)
LDOUBLE = FloatingType("long double", 8, 3, F64)

UNSIGNED = {CHAR: UCHAR, SCHAR: UCHAR, SHORT: USHORT, INT: UINT, LONG: ULONG, LLONG: ULLONG}


def pointer_to(target: CType) -> PointerType:
    pointer = target._pointer
    if pointer is None:
        pointer = target._pointer = PointerType(target)
    return pointer


def qualified(type_: CType, quals: int) -> CType:
    """The type with qualifiers added; those of an array go to its elements."""
    quals |= type_.quals
    if (quals == type_.quals and not type_.is_array) or type_.is_function:
        return type_
    if isinstance(type_, ArrayType):
        element = qualified(type_.element, quals)
        if element is type_.element:
            return type_
        made = copy.copy(type_)
        made.element = element
        made.unqual = made
        made._qualified, made._pointer = {}, None
        return made
    base = type_.unqual
    version = base._qualified.get(quals)
    if version is None:
        version = copy.copy(base)
        version.quals = quals
        version._pointer = None
        base._qualified[quals] = version
    return version


def all_quals(type_: CType) -> int:
    """The qualifiers of an object, those of an array's elements included."""
    while isinstance(type_, ArrayType):
        type_ = type_.element
    return type_.quals


CHAR_POINTER = pointer_to(CHAR)
CONST_CHAR_POINTER = pointer_to(qualified(CHAR, CONST))
VOID_POINTER = pointer_to(VOID_TYPE)
CONST_VOID_POINTER = pointer_to(qualified(VOID_TYPE, CONST))


# ---- sameness ----


def compatible(a: CType, b: CType) -> bool:
    """Whether two types are compatible (6.2.7), qualifiers included."""
    if a is b or a.is_error or b.is_error:
        return True
    if a.quals != b.quals and not a.is_array:
        return False
    a, b = a.unqual, b.unqual
    if a is b:
        return True
    match a, b:
        case PointerType(), PointerType():
            return compatible(a.target, b.target)
        case ArrayType(), ArrayType():
            known = a.length is not None and b.length is not None
            same = not known or a.length == b.length or a.is_vla or b.is_vla
            return same and compatible(a.element, b.element)
        case FunctionType(), FunctionType():
            return _compatible_functions(a, b)
        case IntegerType(), IntegerType() if a.enum or b.enum:
            return not (a.enum and b.enum) and (a.size, a.signed) == (b.size, b.signed)
        case RecordType(), RecordType():
            return a.record is b.record
    return False


def _compatible_functions(a: FunctionType, b: FunctionType) -> bool:
    if not compatible(a.result.unqual, b.result.unqual):
        return False
    if a.prototyped and b.prototyped:
        if a.variadic != b.variadic or len(a.params) != len(b.params):
            return False
        return _all_compatible(a.params, b.params)
    known = a if a.prototyped else b
    if known.variadic or not known.prototyped:
        return not known.prototyped
    return _all_compatible(known.params, tuple(promoted_argument(p) for p in known.params))


def _all_compatible(first: tuple[CType, ...], second: tuple[CType, ...]) -> bool:
    pairs = zip(first, second, strict=True)
    while (pair := next(pairs, None)) is not None:  # no all(): that would nest on the C stack
        if not compatible(pair[0].unqual, pair[1].unqual):
            return False
    return True


def composite(a: CType, b: CType) -> CType:
    """The type that says what both say (6.2.7p3), for compatible types."""
    match a, b:
        case ArrayType(), ArrayType():
            element = composite(a.element, b.element)
            pick = a if a.length is not None or (a.vla is not None and b.length is None) else b
            if element is pick.element:
                return pick
            return ArrayType(element, pick.length, pick.vla)
        case FunctionType(), FunctionType():
            if not b.prototyped:
                return a
            if not a.prototyped:
                return b
            params = tuple(composite(p, q) for p, q in zip(a.params, b.params, strict=True))
            return FunctionType(composite(a.result, b.result), params, a.variadic, True)
        case PointerType(), PointerType() if a.quals == b.quals:
            return qualified(pointer_to(composite(a.target, b.target)), a.quals)
    return a


# ---- conversions between arithmetic types ----


def promoted(type_: CType, width: int | None = None) -> CType:
    """The integer promotions (6.3.1.1); `width` is a bit-field's."""
    type_ = type_.unqual
    if not isinstance(type_, IntegerType):
        return type_
    if width is not None and width <= 32:
        return INT if width < 32 or type_.signed else UINT
    if type_.rank < INT.rank:
        return INT
    if type_.enum:
        return {(4, True): INT, (4, False): UINT, (8, True): LONG}.get(
            (type_.size, type_.signed), ULONG
        )
    return type_


def promoted_argument(type_: CType) -> CType:
    """The default argument promotions (6.5.2.2p6)."""
    type_ = type_.unqual
    return DOUBLE if type_ is FLOAT else promoted(type_)


def usual_conversion(a: CType, b: CType) -> CType:
    """The common type of two promoted arithmetic types (6.3.1.8)."""
    if a is b:
        return a
    if isinstance(a, FloatingType):
        return b if isinstance(b, FloatingType) and b.rank > a.rank else a
    if isinstance(b, FloatingType):
        return b
    assert isinstance(a, IntegerType) and isinstance(b, IntegerType)
    if a.rank < b.rank:
        a, b = b, a
    if a.signed == b.signed or not a.signed:
        return a
    if b.rank == a.rank:
        return b
    return a if a.size > b.size else UNSIGNED[a]


# ---- words ----


def declare(type_: CType, name: str) -> str:
    """The type as C writes it, around a name (which may be empty)."""
    prefix = " ".join(word for bit, word in QUALIFIER_NAMES if type_.quals & bit)
    match type_:
        case PointerType():
            inner = f"*{prefix}{' ' if prefix and name else ''}{name}"
            if type_.target.is_array or type_.target.is_function:
                inner = f"({inner})"
            return declare(type_.target, inner)
        case ArrayType():
            length = "*" if type_.vla is not None else "" if type_.length is None else type_.length
            return declare(type_.element, f"{name}[{length}]")
        case FunctionType():
            params = [str(p) for p in type_.params] + ["..."] * type_.variadic
            inside = ", ".join(params) or ("void" if type_.prototyped else "")
            return declare(type_.result, f"{name}({inside})")
        case RecordType():
            kind = "union" if type_.record.is_union else "struct"
            word = f"{kind} {type_.record.tag or '<anonymous>'}"
        case IntegerType() | FloatingType():
            word = type_.name
        case VoidType():
            word = "void"
        case _:
            word = "<error>"
    text = f"{prefix} {word}" if prefix else word
    if not name:
        return text
    return f"{text}{name}" if name.startswith(("[", "(")) and name[:2] != "(*" else f"{text} {name}"
