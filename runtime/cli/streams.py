"""`-` where a command takes a file: standard input or output, as compilers have it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

STREAM = Path("-")


class Source(click.Path):
    """A file to read, given as a `Path`; `-` is standard input."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = super().convert(value, param, ctx)
        return Path("/dev/stdin") if path == STREAM else path


def write_output(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file as one step, or all of it to standard output if that is asked for."""
    from hcc.isa.store import write_atomically

    if path == STREAM:
        sys.stdout.buffer.write(content)
    else:
        write_atomically(path, content, mode)
