"""printf against glibc's, conversion by conversion on random flags, widths and values."""

from __future__ import annotations

import ctypes
import math
import random
from typing import Any

import pytest

from tests.libhcc import floats

FLOATS = "eEfFgGaA"
LENGTHS = ["hh", "h", "", "l", "ll", "z", "j", "t"]


def format_with(lib: ctypes.CDLL, size: int, text: bytes, *args: Any) -> tuple[int, bytes]:
    buffer = ctypes.create_string_buffer(b"?" * 3000, 3000)
    length = lib.snprintf(buffer, ctypes.c_size_t(size), text, *args)
    return length, buffer.raw[: max(length, 0) + 2]


def random_prefix(rng: random.Random, flags: str = "-+ #0") -> str:
    chosen = "".join(rng.choice(flags) for _ in range(rng.choice([0, 0, 1, 2])))
    width = rng.choice(["", "", str(rng.randrange(1, 40))])
    precision = rng.choice(["", "", f".{rng.randrange(25)}", ".", f".{rng.randrange(400)}", ".0"])
    return chosen + width + precision


@pytest.mark.parametrize("conversion", FLOATS)
def test_floats_are_exact_like_glibcs(
    conversion: str, ours: ctypes.CDLL, theirs: ctypes.CDLL, rng: random.Random
) -> None:
    for _ in range(2000):
        value = floats.of_any_kind(rng)
        prefix = random_prefix(rng)
        if value != value or (conversion in "gG" and "#" in prefix):
            continue  # glibc prints signs of NaN, and of %#g too few zeros after a carry
        text = f"[%{prefix}{conversion}]".encode()
        arg = ctypes.c_double(value)

        assert format_with(theirs, 3000, text, arg) == format_with(ours, 3000, text, arg), text


@pytest.mark.parametrize("conversion", "diuoxX")
def test_integers(
    conversion: str, ours: ctypes.CDLL, theirs: ctypes.CDLL, rng: random.Random
) -> None:
    for _ in range(2000):
        text = f"[%{random_prefix(rng)}{rng.choice(LENGTHS)}{conversion}]".encode()
        bits = rng.choice([1, 7, 8, 16, 31, 32, 63, 64])
        arg = ctypes.c_ulong(rng.choice([0, 1, 2**63, 2**64 - 1, rng.getrandbits(bits)]))

        assert format_with(theirs, 3000, text, arg) == format_with(ours, 3000, text, arg), text


@pytest.mark.parametrize(
    ("text", "args"),
    [
        (b"%s|%10s|%-10s|%.3s|%.0s|", [b"abcdef"] * 5),
        (b"%c%5c%-5c|", [ctypes.c_int(ord(c)) for c in "xyz"]),
        (b"%p %20p %-20p|", [ctypes.c_void_p(0x1234), None, ctypes.c_void_p(2**40)]),
        (b"%+p % p %#p", [ctypes.c_void_p(0x1234)] * 3),
        (b"%s %.3s %.9s", [None, None, None]),
        (b"%*d|%-*d|%.*f|%*.*f", [5, 42, -6, 42, 2, ctypes.c_double(3.14159), -9, -1,
                                  ctypes.c_double(2.5)]),
        (b"100%% %d%%", [7]),
        (b"%hhd %hhu %hd %hu", [300, 300, 70000, 70000]),
        (b"%y %d", [5]),
        (b"%05d %-05d %+05d % d %.0d|%.0d", [-42, 42, 42, 42, 0, 1]),
        (b"%'d %'08d %'.2f", [1234567, 1234567, ctypes.c_double(1e6)]),
        (b"%#x %#o %#X %#x %#o %#.0o", [255, 8, 255, 0, 0, 0]),
        (b"%05s|%-5c|%5%|", [b"ab", ctypes.c_int(65)]),
        (b"%ld %lld %zu %jd %td", [ctypes.c_long(-1)] * 5),
        (b"%.1000f", [ctypes.c_double(5e-324)]),
        (b"%010.3f %+010.3e %-12g| %012g", [ctypes.c_double(v) for v in (-3.25, 1e9, 7.5, -7.5)]),
        (b"%f %F %5.1f %-8F| %08f", [ctypes.c_double(math.inf)] * 5),
        (b"%#.0f %#.0e %#.0a", [ctypes.c_double(3.0)] * 3),
    ],
)  # fmt: skip
def test_fixed_cases(text: bytes, args: list[Any], ours: ctypes.CDLL, theirs: ctypes.CDLL) -> None:
    assert format_with(theirs, 3000, text, *args) == format_with(ours, 3000, text, *args)


def test_nan_has_no_sign(ours: ctypes.CDLL) -> None:
    for value in (math.nan, -math.nan):
        expected = b"nan NAN   nan\0"
        arg = ctypes.c_double(value)

        assert expected == format_with(ours, 99, b"%f %E %+05g", arg, arg, arg)[1][:14]


def test_alternate_form_keeps_the_zeros_after_a_carry(ours: ctypes.CDLL) -> None:
    assert (11, b"1.00000e+06"[:11]) == (
        11,
        format_with(ours, 99, b"%#g", ctypes.c_double(999999.5))[1][:11],
    )


@pytest.mark.parametrize("size", [0, 1, 2, 5, 11, 12, 13])
def test_what_does_not_fit_is_counted_and_cut(
    size: int, ours: ctypes.CDLL, theirs: ctypes.CDLL
) -> None:
    args = (b"hello", ctypes.c_int(12345))

    assert format_with(theirs, size, b"%s, %d", *args) == format_with(ours, size, b"%s, %d", *args)


def test_stored_length_has_the_type_named(ours: ctypes.CDLL) -> None:
    slots = (ctypes.c_long * 2)(-1, -1)
    second = ctypes.byref(slots, 8)

    format_with(ours, 99, b"abc%hhnd%ne", ctypes.byref(slots), second)

    assert list(slots) == [-256 + 3, -(2**32) + 4]
