"""Reading YAML and JSON into values that know where they stand.

Both are read as YAML 1.2, which JSON is a part of, down to the graph of nodes; the nodes' marks
give line and column for every message. A tab may indent JSON, as JSON allows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import evolve, frozen
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from hcc.isa.errors import FormatError
from hcc.isa.numerals import whole
from hcc.runtime.workload.places import Place, SpecError

_DEEPEST = 50
_MOST_DIGITS = 1000
_WORDS = {"true": True, "false": False}


@frozen
class Value:
    """A scalar (str, int, float, bool or None), a tuple of values, or a dict of entries by key.

    `text` is a scalar as it was written.
    """

    content: Any
    place: Place
    text: str = ""

    @property
    def kind(self) -> str:
        """What it is, in words."""
        match self.content:
            case None:
                return "null"
            case bool():
                return "a truth value"
            case int():
                return "an integer"
            case float():
                return "a number"
            case str():
                return "a string"
            case tuple():
                return "a list"
        return "a map"


@frozen
class KeyedValue:
    """The value of a key in a map, and where the key stands."""

    key_place: Place
    value: Value


def load(path: Path, name: str | None = None) -> Value:
    """The document in a file; messages call the file `name`. SpecError for what is no document."""
    name = name or str(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FormatError(f"{name}: {error.strerror}") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig")
        place = _place_at(before, len(before), name)
        raise SpecError(place, "not text in UTF-8") from error
    if path.suffix == ".json":
        text = text.replace("\t", " ")
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(name, mark.line + 1, mark.column + 1) if mark else Place(name)
        problem = _one_line(error.problem or str(error)).removeprefix("but ")
        raise SpecError(place, problem) from error
    except ReaderError as error:
        place = _place_at(text, error.position, name)
        raise SpecError(place, f"a control character, U+{ord(text[error.position]):04X}") from error
    except YAMLError as error:
        raise SpecError(Place(name), _one_line(str(error))) from error
    except RecursionError as error:
        raise SpecError(Place(name), "nested too deeply") from error
    if node is None:
        raise SpecError(Place(name), "the file is empty")
    return _value(node, name, 0)


def _place_at(text: str, position: int, name: str) -> Place:
    before = text[:position]
    return Place(name, before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1)


def _one_line(text: str) -> str:
    return " ".join(text.split()).rstrip(".")


def _value(node: Any, name: str, depth: int) -> Value:
    place = Place(name, node.start_mark.line + 1, node.start_mark.column + 1)
    if depth > _DEEPEST:
        raise SpecError(place, "nested too deeply")
    if isinstance(node, SequenceNode):
        return Value(tuple(_value(item, name, depth + 1) for item in node.value), place)
    if isinstance(node, MappingNode):
        return Value(_entries(node, name, depth), place)
    assert isinstance(node, ScalarNode)
    if any("\ud800" <= char <= "\udfff" for char in node.value):
        raise SpecError(place, "half a surrogate pair is no character")
    return Value(_scalar(node, place), place, node.value)


def _entries(node: Any, name: str, depth: int) -> dict[str, KeyedValue]:
    entries: dict[str, KeyedValue] = {}
    for key_node, value_node in node.value:
        key = _value(key_node, name, depth + 1)
        if isinstance(key.content, tuple | dict) or key.content is None:
            raise SpecError(key.place, f"a key is a string, not {key.kind}")
        text = key_node.value
        if text in entries:
            before = entries[text].key_place
            raise SpecError(
                key.place, f"'{text}' is given twice, first in line {before.line}"
            )
        value = _value(value_node, name, depth + 1)
        if value.content is None and not value.text:
            value = evolve(value, place=key.place)  # nothing stands nowhere
        entries[text] = KeyedValue(key.place, value)
    return entries


def _scalar(node: Any, place: Place) -> str | int | float | bool | None:
    text: str = node.value
    if len(text) > _MOST_DIGITS:
        return text
    match str(node.tag).rpartition(":")[2]:
        case "null":
            return None
        case "bool":
            return _WORDS.get(text.lower(), text)
        case "int":
            try:
                return int(text.replace("_", ""), 0)
            except ValueError:  # 007 and the like
                number = whole(text)
                return text if number is None else number
        case "float":
            try:
                return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
            except ValueError:
                return text
        case "str" | "timestamp":
            return text
        case "merge":
            raise SpecError(place, "'<<' is not supported: a 'base' is what one inherits from")
    raise SpecError(place, f"the tag {node.tag} means nothing here")
