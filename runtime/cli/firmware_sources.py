"""What the options of `hcc firmware` name: a machine, a firmware, files to read and to write.

A firmware is a text file, a bytecode file, or a name in the library; its machine comes from a
configuration file and `--set`, and, for a library firmware, gets the block order it needs.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hcc.isa.errors import FormatError, HccError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hcc.compiler.firmware import Compilation
    from hcc.compiler.firmware.config import Configuration

MAX_FILE = 1 << 28

# The default M is 4, or N where the vectors are narrower than that.
_NARROW: dict[object, int] = {1: 1, 2: 2, "1": 1, "2": 2}


def machine_options(function: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("-c", "--config", "config", type=click.Path(dir_okay=False),
                     help="Machine parameters: LeBug's config.yaml, or .json or .toml."),
        click.option("--set", "settings", multiple=True, metavar="NAME=VALUE",
                     help="One machine parameter (N, M, TB_SIZE, …); may be repeated."),
        click.option("-a", "--arg", "arguments", multiple=True, metavar="NAME=VALUE",
                     help="One argument of the firmware function; may be repeated."),
        click.option("-e", "--entry", help="The function to compile, where there are several."),
        click.option("--edges", metavar="LIST|FILE",
                     help="Filter edges: numbers with commas, or a .npy or .json file."),
    ):  # fmt: skip
        function = option(function)
    return function


# Reading what the options name


def read_bytes(path: str | Path, limit: int = MAX_FILE) -> bytes:
    try:
        with click.open_file(str(path), "rb") as stream:
            data: bytes = stream.read(limit + 1)
    except OSError as error:
        raise HccError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    if len(data) > limit:
        raise FormatError(f"{path}: over {limit} bytes")
    return data


def read_json(path: str | Path) -> Any:
    try:
        return json.loads(read_bytes(path))
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: not JSON: {error}") from None


def _pairs(items: tuple[str, ...], option: str) -> dict[str, str]:
    found = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not equals or not name:
            raise HccError(f"{option} '{item[:40]}': NAME=VALUE is wanted")
        found[name.strip()] = value.strip()
    return found


def _value(text: str) -> object:
    """An argument's value: an integer, a number, True, False or None, else text."""
    for convert in (lambda t: int(t, 0), float):
        try:
            return convert(text)
        except ValueError:
            continue
    return {"True": True, "False": False, "None": None}.get(text, text)


def read_configuration(
    config: str | None, settings: tuple[str, ...], width: int | None = None
) -> Configuration:
    from hcc.compiler.firmware.config import configuration, parameters_of

    given: dict[str, object] = dict(parameters_of(config)) if config else {}
    for name, text in _pairs(settings, "--set").items():
        given[name] = text.split(",") if name == "BUILDING_BLOCKS" else text
    if width is not None and "N" not in given:
        given["N"] = width
    lanes = given.get("N")
    if "M" not in given and isinstance(lanes, (int, str)) and lanes in _NARROW:
        given["M"] = _NARROW[lanes]
    return configuration(given, config or ("--set" if settings else "the input's width"))


def _edges(text: str | None, configuration: Configuration) -> tuple[float, ...] | None:
    from hcc.compiler.firmware.config import edge_values

    if text is None:
        return configuration.edges
    if text.endswith(".json"):
        return edge_values(read_json(text), configuration.machine, text)
    if text.endswith(".npy"):
        from hcc.emulator.lebug.inputs import read_numbers

        return edge_values(read_numbers(text), configuration.machine, text)
    return edge_values(text.split(","), configuration.machine, "--edges")


def compile_named(
    name: str,
    configuration: Configuration,
    arguments: tuple[str, ...],
    entry: str | None,
    edges: str | None,
) -> Compilation:
    """The firmware a name means: a file of text or bytecode, or one of the library."""
    from attrs import evolve

    from hcc.compiler.firmware import Compilation, compile_file, compile_library
    from hcc.compiler.firmware.catalogue import default_edges, find, suited
    from hcc.isa.lebug import decode

    values = {key: _value(text) for key, text in _pairs(arguments, "--arg").items()}
    given = _edges(edges, configuration)
    if not Path(name).exists():
        if os.sep in name or Path(name).suffix:
            raise HccError(f"{name}: no such file")
        found = find(name)
        machine = suited(found, configuration.machine)
        chosen = given if given is not None else default_edges(found.edges, machine)
        return compile_library(name, machine, arguments=values, edges=chosen)
    data = read_bytes(name)
    if data[:4] == b"HLBC":
        firmware = decode(data, name)
        if edges is not None:
            firmware = evolve(firmware, edges=_edges(edges, evolve(
                configuration, machine=firmware.machine)))  # fmt: skip
        return Compilation(firmware, ())
    return compile_file(name, configuration.machine, entry=entry, arguments=values, edges=given)


def print_guide(vectors: NDArray[np.generic], lanes: NDArray[np.float64], join: int | None) -> None:
    """Input and result as LeBug's guide prints them."""
    import numpy as np

    if join is not None:
        if lanes.size % join:
            raise HccError(f"--join {join}: {lanes.size} values are no whole number of such rows")
        lanes = lanes.reshape(-1, join)
    with np.printoptions(precision=3, suppress=False, threshold=sys.maxsize):
        click.echo("********** Input vectors **********")
        for number, vector in enumerate(vectors):
            click.echo(f"Cycle {number}:\t{vector}")
        click.echo("\n********** Emulation results **********")
        click.echo(str(lanes))
