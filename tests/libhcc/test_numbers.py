"""Numbers from text: strtod, strtof, strtol, strtoul and scanf against glibc's."""

from __future__ import annotations

import ctypes
import random
from decimal import Decimal, localcontext
from typing import Any

import pytest

from tests.libhcc import floats

ODD_TEXTS = [
    "inf", "-infinity", "infinit", "nan", "nan(12)", "nan(", "", ".", " .5", "0x", "0x.", "0x.8p",
    "1e", "1e+", "1.e5", "1..2", "-.", "-", "+", "0e5", "0.0e-999999999999", "  12abc",
    "1e999999999999", "1e-99999999999", "0x1p-1074", "0x1p-1075", "0x1.8p-1075", "-0", "-0x0",
    "0x0.8p-1074", "4.9e-324", "2.4703282292062327e-324", "2.4703282292062328e-324", "0x1p2000",
    "1.7976931348623158e308", "1.7976931348623159e308", "340282356779733661637539395458142568447",
    "3.4028235677973366e38", "1.401298464324817e-45", "7.006492321624085e-46", "0x.0000001p-9999",
    "7.006492321624086e-46", "0" * 400 + "1", "." + "0" * 400 + "1e400",
    "1" + "0" * 400 + "e-400", "9007199254740993", "9007199254740992.99999999999999999999",
    "2.2250738585072011e-308", "0x1.fffffffffffff8p1023", "0x1.fffffffffffff7p1023",
    "0x1.ffffffp127", "6.5e-320",
]  # fmt: skip


def halfway(rng: random.Random) -> str:
    """Exactly between two doubles, or just above."""
    bits = rng.randrange(0x7FE << 52)
    with localcontext() as context:
        context.prec = 1200
        middle = (Decimal(floats.from_bits(bits)) + Decimal(floats.from_bits(bits + 1))) / 2
        text = format(middle, "f")
    return text + rng.choice(["", "0" * 20 + "1"]) if "." in text else text


def random_text(rng: random.Random) -> str:
    kind = rng.randrange(5)
    sign = rng.choice(["", "-", "+"])
    if kind == 0:
        return f"{floats.any_finite(rng):.{rng.choice([5, 16, 17, 18, 25])}e}"
    if kind == 1:
        return halfway(rng)
    if kind == 2:
        digits = rng.randrange(10 ** rng.randrange(1, 40))
        exponent = rng.choice(["", f"e{rng.randrange(-340, 330)}"])
        return f"{sign}{digits}.{rng.getrandbits(rng.randrange(1, 100))}{exponent}"
    if kind == 3:
        fraction = rng.choice(["", f".{rng.getrandbits(60):x}"])
        exponent = rng.choice(["", f"p{rng.randrange(-1200, 1100)}"])
        return f"{sign}0x{rng.getrandbits(rng.randrange(1, 90)):x}{fraction}{exponent}"
    return rng.choice(ODD_TEXTS)


def convert(lib: ctypes.CDLL, name: str, text: str) -> tuple[Any, int]:
    function = getattr(lib, name)
    function.restype = ctypes.c_float if name == "strtof" else ctypes.c_double
    buffer = ctypes.create_string_buffer(text.encode())
    end = ctypes.c_void_p()
    value = function(buffer, ctypes.byref(end))
    assert end.value is not None
    return floats.bits_of(value) if value == value else "nan", end.value - ctypes.addressof(buffer)


@pytest.mark.parametrize("name", ["strtod", "strtof"])
def test_floats_are_rounded_correctly(
    name: str, ours: ctypes.CDLL, theirs: ctypes.CDLL, rng: random.Random
) -> None:
    for text in [*ODD_TEXTS, *(random_text(rng) for _ in range(4000))]:
        assert convert(theirs, name, text) == convert(ours, name, text), text


@pytest.mark.parametrize(
    ("text", "error"),
    [("1e400", True), ("1e-400", True), ("1", False), ("2.2250738585072011e-308", True),
     ("2.2250738585072014e-308", False), ("5e-324", True), ("0x1p-1074", False), ("inf", False)],
)  # fmt: skip
def test_errno_tells_of_what_is_out_of_range(text: str, error: bool, ours: ctypes.CDLL) -> None:
    errno = ctypes.c_int.in_dll(ours, "__hcc_errno")
    errno.value = 0

    convert(ours, "strtod", text)

    assert (34 if error else 0) == errno.value


@pytest.mark.parametrize("name", ["strtol", "strtoul"])
def test_integers(name: str, ours: ctypes.CDLL, theirs: ctypes.CDLL, rng: random.Random) -> None:
    for lib in (ours, theirs):
        getattr(lib, name).restype = ctypes.c_long if name == "strtol" else ctypes.c_ulong
    for _ in range(4000):
        head = rng.choice(["", "", " ", "\t"]) + rng.choice(["", "-", "+"])
        head += rng.choice(["", "0", "0x", "0X"])
        tail = "".join(rng.choice("0123456789abcxyzZ") for _ in range(rng.randrange(22)))
        buffer = ctypes.create_string_buffer((head + tail).encode())
        base = rng.choice([0, 2, 8, 10, 16, 36])
        ends = ctypes.c_void_p(), ctypes.c_void_p()

        expected = getattr(theirs, name)(buffer, ctypes.byref(ends[0]), base)

        assert expected == getattr(ours, name)(buffer, ctypes.byref(ends[1]), base), (
            head + tail,
            base,
        )
        assert ends[0].value == ends[1].value, (head + tail, base)


SCAN_ITEMS = [
    *("%d", "%i", "%x", "%u", "%o", "%ld", "%lf", "%f", "%g", "%s", "%5s", "%3d", "%c", "%2c"),
    *("%[a-z]", "%[^,]", "%[]x]", "%n", "%*d", "%*s", "%hhd", "%hd", "%lld", " ", ",", "x", "%%"),
    *("%4lf", "%p", "%zu", "%*[0-9]", "%hhn"),
]  # fmt: skip
SCAN_WORDS = [
    *("12", "-7", "0x1f", "077", "+5", "3.25", "1e5", "-.5e-3", "abc", "x", "]x]", "inf", "nan"),
    *("infinity", "%", "  ", "\n", "0x", "1e", "0x1.8p3", "infi", "1e+", "hello", ",", "."),
    *("99999999999999999999", "-99999999999999999999"),
]  # fmt: skip


def scan(lib: ctypes.CDLL, name: str, text: bytes, how: bytes) -> tuple[int, list[bytes]]:
    slots = [ctypes.create_string_buffer(b"\xaa" * 300, 300) for _ in range(5)]
    return getattr(lib, name)(text, how, *slots), [slot.raw for slot in slots]


def test_scanf(ours: ctypes.CDLL, theirs: ctypes.CDLL, rng: random.Random) -> None:
    for _ in range(6000):
        how = rng.choice(["", " "]).join(rng.choices(SCAN_ITEMS, k=rng.randrange(1, 5))).encode()
        text = rng.choice(["", " ", ","]).join(rng.choices(SCAN_WORDS, k=rng.randrange(6))).encode()
        if b"0x." in text:
            continue  # glibc reads 0 where only 0x is there

        expected = scan(theirs, "__isoc99_sscanf", text, how)

        assert expected == scan(ours, "sscanf", text, how), (how, text)
