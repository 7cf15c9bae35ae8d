"""Calling `hcc workload` from tests, in this process, and programs to build workloads of."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import textwrap
from functools import cache
from pathlib import Path
from typing import Any

from attrs import frozen

from hcc.compiler.build import BuildOptions
from hcc.compiler.driver import CompileOptions, compile_program
from hcc.compiler.kernelc import FrontEndOptions
from hcc.isa import fatbinary
from hcc.runtime.cli import main

PROGRAMS = {
    "guest": Path(__file__).parent / "programs" / "guest.c",
    "ping": Path(__file__).parents[2] / "examples" / "workloads" / "ping" / "ping.c",
}


@frozen
class Said:
    """A command's exit status, standard output and standard error."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def workload(*args: str | Path) -> Said:
    """Run `hcc workload ARGS`."""
    out, err = io.TextIOWrapper(io.BytesIO()), io.TextIOWrapper(io.BytesIO())
    status = 0
    before = sys.stdout, sys.stderr
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(["workload", *map(str, args)])
        except SystemExit as end:
            status = int(end.code or 0)
    assert (sys.stdout, sys.stderr) == before
    for stream in (out, err):
        stream.flush()
    return Said(status, out.buffer.getvalue().decode(), err.buffer.getvalue().decode())


def write(folder: Path, name: str, text: str) -> Path:
    """A file with a text, whose common indentation goes."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text).lstrip("\n"))
    return path


@cache
def fat(name: str) -> bytes:
    """The fat binary of one of the programs."""
    options = CompileOptions(FrontEndOptions(), BuildOptions())
    return fatbinary.encode(compile_program([PROGRAMS[name]], options))


def put_program(folder: Path, name: str = "guest") -> Path:
    """A fat binary in a folder, for `bin`."""
    path = folder / f"{name}.hcc"
    path.write_bytes(fat(name))
    return path
