"""Types: how they are written, which are compatible, how arithmetic ones convert."""

from __future__ import annotations

import pytest

from hcc.compiler.kernelc.constants import number
from hcc.compiler.kernelc.types import (
    CHAR,
    CONST,
    DOUBLE,
    FLOAT,
    FLOAT16,
    INT,
    LLONG,
    LONG,
    SHORT,
    UCHAR,
    UINT,
    ULLONG,
    ULONG,
    VOID_TYPE,
    ArrayType,
    CType,
    FunctionType,
    compatible,
    composite,
    pointer_to,
    promoted,
    qualified,
    usual_conversion,
)

UNKNOWN = FunctionType(INT, (), False, False)


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        (pointer_to(CHAR), "char *"),
        (pointer_to(qualified(CHAR, CONST)), "const char *"),
        (qualified(pointer_to(CHAR), CONST), "char *const"),
        (ArrayType(ArrayType(DOUBLE, 256), 256), "double[256][256]"),
        (pointer_to(ArrayType(INT, 3)), "int (*)[3]"),
        (ArrayType(pointer_to(INT), None), "int *[]"),
        (FunctionType(INT, (CHAR, pointer_to(VOID_TYPE)), True, True), "int(char, void *, ...)"),
        (pointer_to(FunctionType(VOID_TYPE, (), False, True)), "void (*)(void)"),
        (pointer_to(UNKNOWN), "int (*)()"),
        (FunctionType(pointer_to(ArrayType(INT, 3)), (), False, True), "int (*(void))[3]"),
    ],
)
def test_types_are_written_as_c_writes_them(type_: CType, expected: str) -> None:
    assert expected == str(type_)


def test_compatibility() -> None:
    assert compatible(ArrayType(INT, None), ArrayType(INT, 3))
    assert not compatible(ArrayType(INT, 2), ArrayType(INT, 3))
    assert not compatible(LONG, LLONG)
    assert not compatible(pointer_to(qualified(INT, CONST)), pointer_to(INT))
    assert compatible(UNKNOWN, FunctionType(INT, (INT, DOUBLE), False, True))
    assert not compatible(UNKNOWN, FunctionType(INT, (FLOAT,), False, True))
    assert not compatible(UNKNOWN, FunctionType(INT, (INT,), True, True))


def test_a_composite_type_knows_what_both_know() -> None:
    known = FunctionType(INT, (INT,), False, True)

    assert ArrayType(INT, 3).length == getattr(
        composite(ArrayType(INT, None), ArrayType(INT, 3)), "length", None
    )
    assert composite(UNKNOWN, known) is known


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (CHAR, SHORT, INT), (UCHAR, UCHAR, INT), (INT, UINT, UINT), (UINT, LONG, LONG),
        (LONG, ULONG, ULONG), (ULONG, LLONG, ULLONG), (LONG, LLONG, LLONG), (INT, FLOAT, FLOAT),
        (FLOAT, DOUBLE, DOUBLE), (FLOAT16, FLOAT16, FLOAT16), (FLOAT16, LONG, FLOAT16),
    ],
)  # fmt: skip
def test_the_usual_conversions(a: CType, b: CType, expected: CType) -> None:
    assert expected is usual_conversion(promoted(a), promoted(b))
    assert expected is usual_conversion(promoted(b), promoted(a))


@pytest.mark.parametrize(
    ("text", "value", "type_"),
    [
        ("2147483647", 2147483647, INT), ("2147483648", 2147483648, LONG),
        ("0xFFFFFFFF", 0xFFFFFFFF, UINT), ("037777777777", 0xFFFFFFFF, UINT),
        ("0x8000000000000000", 1 << 63, ULONG), ("1u", 1, UINT), ("1lu", 1, ULONG),
        ("4294967296u", 1 << 32, ULONG), ("1ll", 1, LLONG), ("1ULL", 1, ULLONG),
        ("18446744073709551615", (1 << 64) - 1, ULONG), ("0b101", 5, INT),
        ("1.5f", 1.5, FLOAT), (".5e1", 5.0, DOUBLE), ("0x1.8p1", 3.0, DOUBLE),
        ("1.00000017881393432617187499f", 1.0000001192092896, FLOAT),
        ("1.00000017881393432617187500f", 1.000000238418579, FLOAT),
        ("1.00000017881393432617187501f", 1.000000238418579, FLOAT),
        ("0.1f16", 0.0999755859375, FLOAT16), ("1e39f", float("inf"), FLOAT),
        ("3.4028235677973366e38f", 3.4028234663852886e38, FLOAT),
        ("3.4028235677973367e38f", float("inf"), FLOAT),
        ("65519.999999999999999f16", 65504.0, FLOAT16), ("65520f16", float("inf"), FLOAT16),
    ],
)  # fmt: skip
def test_constants_have_the_first_type_that_holds_them(
    text: str, value: float, type_: CType
) -> None:
    assert (value, type_) == number(text)
