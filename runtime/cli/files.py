"""Reading the files that commands are given: programs, with the errors users should see."""

from __future__ import annotations

from pathlib import Path

from hcc.isa import fatbinary
from hcc.isa.errors import FormatError
from hcc.isa.fatbinary import Program


def read_file(path: Path) -> bytes:
    """A file's bytes; FormatError if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise FormatError(f"{path}: {error.strerror}") from error


def read_program(path: Path) -> Program:
    """The program in a fat binary."""
    return fatbinary.decode(read_file(path), str(path))
