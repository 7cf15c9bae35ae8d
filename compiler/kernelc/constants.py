"""The values of literals: integer, floating, character and string constants (6.4.4, 6.4.5)."""

from __future__ import annotations

import re
import struct

from hcc.compiler.kernelc.types import (
    DOUBLE,
    FLOAT,
    FLOAT16,
    INT,
    LDOUBLE,
    LLONG,
    LONG,
    UINT,
    ULLONG,
    ULONG,
    USHORT,
    CType,
    FloatingType,
    IntegerType,
)

_INTEGER = re.compile(
    r"(0[xX][0-9a-fA-F]+|0[bB][01]+|0[0-7]*|[1-9][0-9]*)([uU]?(?:l|L|ll|LL)?|(?:l|L|ll|LL)[uU])"
)
_FLOATING = re.compile(
    r"(0[xX](?:[0-9a-fA-F]*\.[0-9a-fA-F]+|[0-9a-fA-F]+\.?)[pP][+-]?[0-9]+"
    r"|(?:[0-9]*\.[0-9]+|[0-9]+\.?)(?:[eE][+-]?[0-9]+)?)(f16|F16|[fFlL]?)"
)
_ESCAPE = re.compile(
    r"\\(?:([0-7]{1,3})|x([0-9a-fA-F]+)|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.?))", re.DOTALL
)
_SIMPLE = {
    "n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b",
    "\\": "\\", "'": "'", '"': '"', "?": "?",
}  # fmt: skip
_DECIMAL = {"": (INT, LONG), "L": (LONG,), "LL": (LLONG,)}
_OTHER_BASE = {"": (INT, UINT, LONG, ULONG), "L": (LONG, ULONG), "LL": (LLONG, ULLONG)}
_UNSIGNED = {"": (UINT, ULONG), "L": (ULONG,), "LL": (ULLONG,)}

MAX_LITERAL_DIGITS = 4000


class LiteralError(Exception):
    """A literal is malformed; the text says how."""


def number(text: str) -> tuple[int | float, IntegerType | FloatingType]:
    """The value and type of a preprocessing number."""
    if len(text) > MAX_LITERAL_DIGITS:
        raise LiteralError("number is too long")
    if _INTEGER.fullmatch(text):
        return integer_constant(text)
    match = _FLOATING.fullmatch(text)
    if match is None or match[1] == ".":
        raise LiteralError(f"invalid number '{text}'")
    digits, suffix = match[1], match[2].lower()
    type_ = {"": DOUBLE, "f": FLOAT, "l": LDOUBLE, "f16": FLOAT16}[suffix]
    return _floating(digits, type_), type_


def integer_constant(text: str) -> tuple[int, IntegerType]:
    """The value of an integer constant and the first type of its list that holds it (6.4.4.1)."""
    match = _INTEGER.fullmatch(text)
    if match is None or len(text) > MAX_LITERAL_DIGITS:
        raise LiteralError(f"invalid number '{text}'")
    digits, suffix = match[1], match[2].upper()
    if digits[:2] in ("0x", "0X"):
        value = int(digits, 16)
    elif digits[:2] in ("0b", "0B"):
        value = int(digits, 2)
    else:
        value = int(digits, 8 if digits[0] == "0" else 10)
    length = suffix.replace("U", "")
    if "U" in suffix:
        types: tuple[IntegerType, ...] = _UNSIGNED[length]
    else:
        types = (_DECIMAL if digits[0] != "0" else _OTHER_BASE)[length]
    for type_ in types:
        if value <= type_.high:
            return value, type_
    if value >> 64:
        raise LiteralError(f"integer constant '{text}' is too large for its type")
    return value, ULLONG if length == "LL" else ULONG


def _floating(digits: str, type_: FloatingType) -> float:
    if digits[:2] in ("0x", "0X"):
        try:
            value = float.fromhex(digits)
        except OverflowError:
            value = float("inf")
        exact = None
    else:
        value = float(digits)
        exact = digits
    if type_ is FLOAT or type_ is FLOAT16:
        return _round_literal(value, exact, type_)
    return value


def _round_literal(value: float, digits: str | None, type_: FloatingType) -> float:
    """Round a decimal literal once, not through double: where the double lies in the middle
    between two values of the type, the digits decide."""
    rounded = round_to(value, type_)
    if digits is None or value in (0.0, float("inf")):
        return rounded
    place = rounded if rounded < float("inf") else _BEYOND[type_]
    for other in neighbours(rounded, type_):
        if (place + other) / 2 == value:  # which a double holds exactly
            from fractions import Fraction

            exact = Fraction(digits)
            if exact != value:
                low, high = sorted((rounded, other))
                return low if exact < Fraction(value) else high
    return rounded


_BEYOND = {FLOAT: 2.0**128, FLOAT16: 2.0**16}
"""Where infinity stands in rounding: the value behind the largest, had it one exponent more."""
_FORMAT = {FLOAT: ("<f", "<I"), FLOAT16: ("<e", "<H")}


def neighbours(value: float, type_: FloatingType) -> list[float]:
    """The finite values next to a non-negative one of a small floating type."""
    as_float, as_int = _FORMAT[type_]
    (bits,) = struct.unpack(as_int, struct.pack(as_float, value))
    found = [
        struct.unpack(as_float, struct.pack(as_int, b))[0] for b in (bits - 1, bits + 1) if b >= 0
    ]
    return [f for f in found if f - f == 0]


def round_to(value: float, type_: CType) -> float:
    """A double rounded to a floating type, to nearest even."""
    if type_.unqual is not FLOAT and type_.unqual is not FLOAT16:
        return value
    code = "<f" if type_.unqual is FLOAT else "<e"
    try:
        rounded: float = struct.unpack(code, struct.pack(code, value))[0]
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
    return rounded


def half_bits(value: float) -> int:
    """The bits of a `_Float16`, of a value already rounded to it."""
    (bits,) = struct.unpack("<H", struct.pack("<e", value))
    return int(bits)


# ---- characters and strings ----


def unescape(text: str, wide: bool) -> list[int]:
    """The character values of a literal's inside: bytes, or code points of a wide one."""
    values: list[int] = []
    end = 0
    for match in _ESCAPE.finditer(text):
        values += _plain(text[end : match.start()], wide)
        end = match.end()
        octal, hexadecimal, short, long, simple = match.groups()
        if octal is not None or hexadecimal is not None:
            value = int(octal, 8) if octal is not None else int(hexadecimal, 16)
            if value > (0xFFFFFFFF if wide else 0xFF):
                raise LiteralError("escape sequence out of range")
            values.append(value)
        elif short is not None or long is not None:
            code = int(short or long, 16)
            if code > 0x10FFFF or 0xD800 <= code < 0xE000:
                raise LiteralError(f"'{match[0]}' is not a valid universal character")
            values += _plain(chr(code), wide)
        elif simple in _SIMPLE:
            values.append(ord(_SIMPLE[simple]))
        elif simple == "x":
            raise LiteralError("\\x used with no following hex digits")
        else:
            raise LiteralError(f"unknown escape sequence '\\{simple}'")
    return values + _plain(text[end:], wide)


def _plain(text: str, wide: bool) -> list[int]:
    if wide:
        return [ord(c) & 0xFF if 0xDC80 <= ord(c) <= 0xDCFF else ord(c) for c in text]
    return list(text.encode("utf-8", "surrogateescape"))


def char_constant(text: str) -> tuple[int, IntegerType]:
    """The value of a character constant, an int (or wchar_t: int, char16_t, char32_t)."""
    prefix, inside = text[: text.index("'")], text[text.index("'") + 1 : -1]
    values = unescape(inside, bool(prefix))
    if not values:
        raise LiteralError("empty character constant")
    if prefix:
        return values[-1], {"L": INT, "u": USHORT, "U": UINT}[prefix]
    if len(values) == 1:
        return (values[0] ^ 0x80) - 0x80, INT
    if len(values) > 4:
        raise LiteralError("character constant too long for its type")
    value = 0
    for byte in values:
        value = value << 8 | byte
    return INT.wrap(value), INT
