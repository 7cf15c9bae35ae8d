"""The text front end: firmware text to a compilation.

The text may hold several functions, constants and imports (which are skipped: instructions and
library firmware are known by name). One function is the entry: the one asked for, or the only
one, or the one named like the file. A text that calls instructions outside any function is a
firmware as it stands.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

from hcc.isa.errors import FormatError, HccError
from hcc.isa.lebug.machine import Machine

from . import syntax
from .assemble import Assembler, Compilation
from .diagnostics import FirmwareError
from .evaluate import Interpreter
from .parse import MAX_TEXT, parse_firmware

_LIBRARY_FILE = Path(__file__).parent / "library.py"


def compile_text(
    text: str,
    machine: Machine,
    *,
    file: str = "<firmware>",
    entry: str | None = None,
    arguments: Mapping[str, object] | None = None,
    edges: Sequence[float] | None = None,
) -> Compilation:
    """Compile one function of a firmware text; FirmwareError, with its place, if it cannot be."""
    statements = parse_firmware(text, file)
    assembler = Assembler(machine)
    interpreter = Interpreter(assembler, _library_function)
    interpreter.run(statements, interpreter.module_frame())
    functions = {s.name: s for s in statements if isinstance(s, syntax.Function)}
    if entry is None and assembler.uses:
        if arguments:
            raise FirmwareError(f"{file}: the firmware is not a function and takes no arguments")
        name = PurePath(file).stem
        return assembler.finish(name if name.isidentifier() else "firmware", edges)
    function = _entry(functions, entry, file)
    values = interpreter.entry_arguments(function, arguments or {})
    interpreter.invoke(function, [], values, function.span)
    return assembler.finish(function.name, edges, function.span)


def compile_file(
    path: str | Path,
    machine: Machine,
    *,
    entry: str | None = None,
    arguments: Mapping[str, object] | None = None,
    edges: Sequence[float] | None = None,
) -> Compilation:
    """Compile a firmware file; FormatError if it is not text."""
    return compile_text(
        read_text(path),
        machine,
        file=str(path),
        entry=entry,
        arguments=arguments,
        edges=edges,
    )


def read_text(path: str | Path) -> str:
    """The firmware text in a file."""
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(4 * MAX_TEXT + 1)
    except OSError as error:
        raise HccError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    if len(data) > 4 * MAX_TEXT:
        raise FormatError(f"{path}: over {4 * MAX_TEXT} bytes: not a firmware text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: not UTF-8 text (byte {error.start})") from None


def compile_library(
    name: str,
    machine: Machine,
    *,
    arguments: Mapping[str, object] | None = None,
    edges: Sequence[float] | None = None,
) -> Compilation:
    """Compile a library firmware by name, through the text front end."""
    text = _LIBRARY_FILE.read_text(encoding="utf-8")
    return compile_text(
        text, machine, file="library.py", entry=name, arguments=arguments, edges=edges
    )


def function_names(text: str, file: str = "<firmware>") -> list[str]:
    """The functions a firmware text defines, in order."""
    return [s.name for s in parse_firmware(text, file) if isinstance(s, syntax.Function)]


@functools.cache
def _library() -> dict[str, syntax.Function]:
    text = _LIBRARY_FILE.read_text(encoding="utf-8")
    statements = parse_firmware(text, "library.py")
    return {s.name: s for s in statements if isinstance(s, syntax.Function)}


def _library_function(name: str) -> syntax.Function | None:
    return _library().get(name)


def _entry(
    functions: Mapping[str, syntax.Function], entry: str | None, file: str
) -> syntax.Function:
    listed = ", ".join(functions) or "none"
    if entry is not None:
        if entry not in functions:
            raise FirmwareError(f"{file}: no function '{entry}' (defined: {listed})")
        return functions[entry]
    if not functions:
        raise FirmwareError(f"{file}: no firmware function and no chain")
    if len(functions) == 1:
        return next(iter(functions.values()))
    stem = PurePath(file).stem
    if stem in functions:
        return functions[stem]
    raise FirmwareError(f"{file}: which function is the firmware? (defined: {listed})")
