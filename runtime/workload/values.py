"""Turning what a file says into the typed value of a key, or into an error at its place."""

from __future__ import annotations

import re
import shlex
from fractions import Fraction
from typing import Any

from hcc.runtime.workload.documents import Value
from hcc.runtime.workload.places import SpecError, nearest
from hcc.runtime.workload.schema import Key, Kind

_YAML_1_1 = {"yes": True, "on": True, "no": False, "off": False}
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}")
_SIZE = re.compile(r"\s*([0-9]{1,18}(?:\.[0-9]{1,18})?)\s*([a-z]*)\s*", re.IGNORECASE)
_LETTERS = "kmgtpe"
_MIB = 1 << 20
_LONGEST_SHOWN = 60
LOG = "uartlog"


def convert(name: str, key: Key, value: Value) -> Any:
    """The value of a key, checked; SpecError at the place of what is wrong."""
    content = value.content
    match key.kind:
        case Kind.STRING | Kind.PATH:
            return _string(name, key, value)
        case Kind.NAME:
            text = _string(name, key, value)
            if not _NAME.fullmatch(text):
                raise SpecError(value.place, f"'{_shortened(text)}' is not {Kind.NAME.value}")
            return text
        case Kind.PATH_OR_NULL:
            return None if content is None else _string(name, key, value)
        case Kind.CHOICE:
            return _choice(name, key, value)
        case Kind.COMMAND:
            text = _string(name, key, value)
            if name in ("command", "run", "guest-init"):
                _no_shell(name, text, value)
            words = _split(text, value)
            if not words:
                raise SpecError(value.place, f"'{name}' names nothing to run")
            return words
        case Kind.WORDS:
            return _words(name, key, value)
        case Kind.PATHS:
            items = content if isinstance(content, tuple) else (value,)
            return tuple(_string(name, key, item) for item in items)
        case Kind.CHOICES:
            return _choices(name, key, value)
        case Kind.PAIRS:
            return _pairs(name, key, value)
        case Kind.BOOL:
            return _bool(name, key, value)
        case Kind.COUNT | Kind.NATURAL:
            low = 1 if key.kind is Kind.COUNT else 0
            if isinstance(content, bool) or not isinstance(content, int) or content < low:
                raise _ill_typed(name, key, value)
            return content
        case Kind.SECONDS | Kind.NUMBER:
            return _number(name, key, value)
        case Kind.SIZE | Kind.MEGABYTES:
            return _size(name, key, value)
        case Kind.STATUS:
            if content == "any":
                return None
            if isinstance(content, bool) or not isinstance(content, int) or not 0 <= content < 256:
                raise _ill_typed(name, key, value)
            return content
        case Kind.STRING_MAP | Kind.PATH_MAP:
            return _string_map(name, key, value)
        case Kind.KERNEL:
            return _kernel(name, key, value)
        case Kind.PATTERNS:
            return _patterns(name, key, value)
    raise AssertionError(f"{name}: {key.kind} is converted elsewhere")


def _ill_typed(name: str, key: Key, value: Value) -> SpecError:
    found = f"'{_shortened(value.text)}'" if value.text else value.kind
    return SpecError(value.place, f"'{name}' takes {key.kind.value}, not {found}")


def _shortened(text: str) -> str:
    """A text as a message can hold it."""
    clean = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
    return clean if len(clean) <= _LONGEST_SHOWN else f"{clean[:_LONGEST_SHOWN]}…"


def _string(name: str, key: Key, value: Value) -> str:
    if not isinstance(value.content, str):
        what = key.kind.value
        raise SpecError(value.place, f"'{name}' takes {what}, not {value.kind}")
    if "\0" in value.content:
        raise SpecError(value.place, f"'{name}': a NUL character cannot be in it")
    return value.content


def _split(text: str, value: Value) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise SpecError(value.place, f"{str(error).lower()} in '{text}'") from error


def _no_shell(name: str, text: str, value: Value) -> None:
    """SpecError for what only a shell would understand."""
    quote = ""
    for before, char in zip(" " + text, text, strict=False):
        if quote:
            quote = "" if char == quote and before != "\\" else quote
        elif char in "\"'" and before != "\\":
            quote = char
        elif char in "|;&<>`\n" and before != "\\":
            what = "a new line" if char == "\n" else f"'{char}'"
            raise SpecError(
                value.place,
                f"'{name}': {what} is for a shell, and the guest has none: say one program and its "
                "arguments (in quotes what is meant as it stands)",
            )


def _scalar_text(name: str, key: Key, value: Value) -> str:
    if value.content is None or isinstance(value.content, tuple | dict):
        raise SpecError(value.place, f"'{name}' takes {key.kind.value}, not {value.kind} in it")
    if "\0" in value.text:
        raise SpecError(value.place, f"'{name}': a NUL character cannot be in it")
    return value.text


def _words(name: str, key: Key, value: Value) -> tuple[str, ...]:
    if isinstance(value.content, tuple):
        return tuple(_scalar_text(name, key, item) for item in value.content)
    if value.content is None or isinstance(value.content, dict):
        raise _ill_typed(name, key, value)
    return _split(value.text, value)


def _choice(name: str, key: Key, value: Value) -> str:
    text = value.content
    if not isinstance(text, str):
        raise _ill_typed(name, key, value)
    if text not in key.choices:
        known = ", ".join(key.choices)
        hint = nearest(text, key.choices)
        raise SpecError(value.place, f"'{name}': no such thing as '{text}' (known: {known}){hint}")
    return text


def _choices(name: str, key: Key, value: Value) -> tuple[str, ...]:
    content = value.content
    if isinstance(content, str):
        words = content.replace(",", " ").split()
        items: tuple[Value, ...] = tuple(Value(word, value.place, word) for word in words)
    elif isinstance(content, tuple):
        items = content
    else:
        raise _ill_typed(name, key, value)
    if not items:
        raise SpecError(value.place, f"'{name}' is empty")
    return tuple(dict.fromkeys(_choice(name, key, item) for item in items))


def _pairs(name: str, key: Key, value: Value) -> tuple[tuple[str, str], ...]:
    if not isinstance(value.content, tuple):
        raise _ill_typed(name, key, value)
    pairs = []
    for item in value.content:
        if not isinstance(item.content, tuple) or len(item.content) != 2:
            raise SpecError(item.place, f"'{name}' takes {key.kind.value}, not {item.kind} in it")
        source, target = (_string(name, key, part) for part in item.content)
        pairs.append((source, target))
    return tuple(pairs)


def _bool(name: str, key: Key, value: Value) -> bool:
    content = value.content
    if isinstance(content, str):
        content = _YAML_1_1.get(content.lower(), content)
    if not isinstance(content, bool):
        raise _ill_typed(name, key, value)
    return content


def _number(name: str, key: Key, value: Value) -> float:
    content = value.content
    low = 0.0
    if isinstance(content, bool) or not isinstance(content, int | float) or not content >= low:
        raise _ill_typed(name, key, value)
    if key.kind is Kind.SECONDS and content == 0:
        raise _ill_typed(name, key, value)
    return float(content)


def _size(name: str, key: Key, value: Value) -> int:
    unit = _MIB if key.kind is Kind.MEGABYTES else 1
    content = value.content
    if isinstance(content, bool) or not isinstance(content, int | float | str):
        raise _ill_typed(name, key, value)
    match = _SIZE.fullmatch(value.text)
    if match is None:
        raise _ill_typed(name, key, value)
    if match[2]:
        scale = _unit(match[2].lower())
        if scale is None:
            raise _ill_typed(name, key, value)
        unit = scale
    size = int(Fraction(match[1]) * unit)
    if key.kind is Kind.MEGABYTES and size < _MIB:
        raise SpecError(value.place, f"'{name}': {value.text} is less than 1 MiB")
    return size


def _unit(text: str) -> int | None:
    """Bytes in a unit: 4GB and 4G are decimal, 4GiB is binary."""
    if text in ("b", "byte", "bytes"):
        return 1
    power = _LETTERS.find(text[0]) + 1
    if not power:
        return None
    return {"": 1000, "b": 1000, "ib": 1024}.get(text[1:], 0) ** power or None


def _string_map(name: str, key: Key, value: Value) -> dict[str, str | None]:
    if not isinstance(value.content, dict):
        raise _ill_typed(name, key, value)
    found: dict[str, str | None] = {}
    for entry, keyed in value.content.items():
        if key.kind is Kind.STRING_MAP and (not entry or "=" in entry or "\0" in entry):
            raise SpecError(keyed.key_place, f"'{name}': '{entry}' cannot be a variable's name")
        if keyed.value.content is None:
            found[entry] = None
        else:
            found[entry] = _scalar_text(name, key, keyed.value)
    return found


def _kernel(name: str, key: Key, value: Value) -> dict[str, str]:
    from hcc.isa.fatbinary import ARCHITECTURES

    if isinstance(value.content, str):
        return dict.fromkeys(ARCHITECTURES, value.content)
    if not isinstance(value.content, dict):
        raise _ill_typed(name, key, value)
    found = {}
    for isa, keyed in value.content.items():
        if isa not in ARCHITECTURES:
            hint = nearest(isa, ARCHITECTURES)
            raise SpecError(keyed.key_place, f"'{name}': no such ISA: '{isa}'{hint}")
        found[isa] = _string(name, key, keyed.value)
    return found


def _patterns(name: str, key: Key, value: Value) -> dict[str, tuple[str, ...]]:
    if isinstance(value.content, dict):
        for file, keyed in value.content.items():
            if file.startswith("/") or ".." in file.split("/"):
                raise SpecError(
                    keyed.key_place, f"'{name}': '{_shortened(file)}' is no file of the results"
                )
        return {
            file: _pattern_list(name, key, keyed.value) for file, keyed in value.content.items()
        }
    return {LOG: _pattern_list(name, key, value)}


def _pattern_list(name: str, key: Key, value: Value) -> tuple[str, ...]:
    items = value.content if isinstance(value.content, tuple) else (value,)
    patterns = []
    for item in items:
        text = _scalar_text(name, key, item)
        try:
            re.compile(text)
        except (re.error, OverflowError, RecursionError) as error:
            message = f"'{name}': '{_shortened(text)}' is no regular expression: {error}"
            raise SpecError(item.place, message) from error
        patterns.append(text)
    return tuple(patterns)
