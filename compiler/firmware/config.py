"""Configuration files: LeBug's config.yaml, or the same names in JSON or TOML.

LeBug's file is flat YAML: `NAME: value`, and one list of block names. Just that much of YAML is
read here (scalars, quoted strings, comments, flow and block lists of scalars); anything more is
refused by line, rather than half understood.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from hcc.isa.errors import FormatError, HccError
from hcc.isa.lebug.machine import PARAMETER_NAMES, Machine

MAX_FILE = 1 << 20

# Names of LeBug's files that say nothing about the emulated machine.
_OTHER_NAMES = {"DEVICE_FAM", "FIRM"}


@frozen
class Configuration:
    """A machine, and what else the file says: filter edges and the firmware's name."""

    machine: Machine
    edges: tuple[float, ...] | None = None
    firmware: str | None = None


def read_config(path: str | Path) -> Configuration:
    """The configuration in a .yaml, .json or .toml file."""
    return configuration(parameters_of(path), str(path))


def parameters_of(path: str | Path) -> Mapping[str, object]:
    """The names and values in a .yaml, .json or .toml file, not judged yet."""
    path = Path(path)
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE + 1)
    except OSError as error:
        raise HccError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    if len(data) > MAX_FILE:
        raise FormatError(f"{path}: over {MAX_FILE} bytes: not a configuration")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: not UTF-8 text (byte {error.start})") from None
    return _parse(text, path)


def configuration(given: Mapping[str, object], where: str) -> Configuration:
    """A configuration from names and values; unknown names are refused."""
    for name in given:
        if name not in PARAMETER_NAMES and name not in _OTHER_NAMES and name != "FU_VRF":
            raise HccError(
                f"{where}: unknown parameter '{name[:40]}' (known: {', '.join(PARAMETER_NAMES)}, "
                "FU_VRF)"
            )
    machine = Machine.from_parameters(given, where)
    edges = None
    if "FU_VRF" in given:
        edges = edge_values(given["FU_VRF"], machine, f"{where}: FU_VRF")
    firmware = given.get("FIRM")
    return Configuration(machine, edges, firmware if isinstance(firmware, str) else None)


def edge_values(given: object, machine: Machine, where: str) -> tuple[float, ...]:
    """The filter memory's lower edges from a list of numbers (or "inf", as JSON has no such
    number), flat or by rows; HccError unless there are as many as the machine holds."""
    flat: list[object] = []
    for item in given if isinstance(given, (list, tuple)) else [given]:
        flat.extend(item if isinstance(item, (list, tuple)) else [item])
    edges = []
    for item in flat:
        try:
            if isinstance(item, bool) or not isinstance(item, (int, float, str)):
                raise ValueError
            edge = float(item)
        except (ValueError, OverflowError):
            raise HccError(f"{where}: '{str(item)[:40]}' is not a number") from None
        if edge != edge:
            raise HccError(f"{where}: NaN cannot be an edge")
        edges.append(edge)
    if len(edges) != machine.edge_count:
        raise HccError(
            f"{where}: {len(edges)} edges, the filter memory holds {machine.edge_count} "
            f"(FUVRF_SIZE {machine.fuvrf_size} x M {machine.m})"
        )
    return tuple(edges)


def _parse(text: str, path: Path) -> Mapping[str, object]:
    match path.suffix.lower():
        case ".json":
            try:
                found = json.loads(text)
            except (ValueError, RecursionError) as error:
                raise FormatError(f"{path}: not JSON: {error}") from None
        case ".toml":
            try:
                found = tomllib.loads(text)
            except (ValueError, RecursionError) as error:
                raise FormatError(f"{path}: not TOML: {error}") from None
        case ".yaml" | ".yml":
            return _parse_yaml(text, path)
        case suffix:
            raise FormatError(f"{path}: a configuration is .yaml, .json or .toml, not '{suffix}'")
    if not isinstance(found, dict):
        raise FormatError(f"{path}: a configuration is a table of names and values")
    return found


_ENTRY = re.compile(r"([A-Za-z_]\w*)\s*:(?:\s+(.*))?$")


def _parse_yaml(text: str, path: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    items: list[object] | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        line = _without_comment(raw).rstrip()
        if not line or line in ("---", "..."):
            continue
        if line.lstrip().startswith("- ") and items is not None:
            items.append(_scalar(line.lstrip()[2:].strip(), path, number))
            continue
        entry = _ENTRY.match(line)
        if entry is None or line[0].isspace():
            raise FormatError(f"{path}:{number}: expected 'NAME: value', found '{line[:40]}'")
        name, value = entry.group(1), (entry.group(2) or "").strip()
        if name in found:
            raise FormatError(f"{path}:{number}: '{name}' is given twice")
        items = None
        if value.startswith("["):
            if not value.endswith("]"):
                raise FormatError(f"{path}:{number}: a list in brackets must end on its line")
            parts = [part.strip() for part in value[1:-1].split(",")]
            found[name] = [_scalar(part, path, number) for part in parts if part]
        elif value:
            found[name] = _scalar(value, path, number)
        else:
            items = []
            found[name] = items
    return found


def _without_comment(line: str) -> str:
    quote = ""
    for index, char in enumerate(line):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "#" and (index == 0 or line[index - 1].isspace()):
            return line[:index]
    return line


def _scalar(text: str, path: Path, number: int) -> object:
    if text[:1] in ("'", '"'):
        if len(text) < 2 or text[-1] != text[0]:
            raise FormatError(f"{path}:{number}: unfinished string {text[:40]}")
        return text[1:-1]
    if text[:1] in "{[&*!|>%@`":
        raise FormatError(f"{path}:{number}: only plain names, numbers and lists are read here")
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    return {".inf": "inf", "-.inf": "-inf"}.get(text.lower(), text)
