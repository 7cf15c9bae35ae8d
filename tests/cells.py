"""Runs one program on every cell: ISA × engine × -O × migrated or not.

The reference is gcc's build of the same source (`reference`); `run` gives what hcc's cell printed
and how it ended, so that a test is one comparison.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from attrs import frozen

from hcc.compiler.build import BuildOptions
from hcc.compiler.driver import CompileOptions, compile_program
from hcc.compiler.kernelc import FrontEndOptions
from hcc.compiler.passes import Points
from hcc.isa import fatbinary
from hcc.isa.fatbinary import ARCHITECTURES, Program
from hcc.runtime.death import Death
from hcc.runtime.external import command_for
from hcc.runtime.migrate import parse_plan
from hcc.runtime.process import Process
from tests.conftest import require

ROOT = Path(__file__).parent.parent
HOST_INCLUDE = ROOT / "compiler" / "libhcc" / "host"
RING = ",".join(ARCHITECTURES)
ENGINES = ("interp", "jit")


@frozen
class Outcome:
    """What a run left: standard output and exit status (128 + signal for a death)."""

    stdout: bytes
    status: int


@cache
def build(sources: tuple[Path, ...], opt_level: int, points: str = "loops") -> Program:
    """The program, through its encoded form; the IR verifier runs after every pass."""
    options = CompileOptions(
        FrontEndOptions(), BuildOptions(opt_level, ARCHITECTURES, Points(points), check=True)
    )
    content = fatbinary.encode(compile_program(list(sources), options))
    return fatbinary.decode(content, "program")


def run(
    program: Program,
    isa: str,
    args: Sequence[str] = (),
    plan: str | None = None,
    seed: int = 0,
    stdin: bytes = b"",
    folder: Path | None = None,
    engine: str = "interp",
) -> Outcome:
    """Run on an emulator's engine, moved by a plan if one is given, with poison."""
    before = Path.cwd()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as feed:
        feed.write(stdin)
        feed.seek(0)
        process = Process(program, isa, ["program", *args], engine=engine, count=False)
        process.personality.files[0].host = feed.fileno()
        process.personality.files[1].host = out.fileno()
        process.personality.files[2].host = out.fileno()
        process.poison = plan is not None
        if plan is not None:
            process.watch_points(parse_plan(plan, program.isas, seed))
        try:
            os.chdir(folder or before)
            result = process.run()
        finally:
            os.chdir(before)
            process.close()
        out.seek(0)
        status = 128 + result.signal if isinstance(result, Death) else result
        return Outcome(out.read(), status)


def run_extracted(
    program: Program,
    isa: str,
    args: Sequence[str] = (),
    stdin: bytes = b"",
    folder: Path | None = None,
) -> Outcome:
    """Run the extracted ELF: natively on x86-64, by qemu-user elsewhere."""
    prefix = [] if isa == "x86_64" else [require(command_for(isa, "qemu")[0])]
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "program"
        path.write_bytes(fatbinary.encode_elf(program, isa))
        path.chmod(0o755)
        return _finished([*prefix, str(path), *args], stdin, folder)


@cache
def _references() -> tempfile.TemporaryDirectory[str]:
    """Where gcc's builds are while the tests run."""
    return tempfile.TemporaryDirectory(prefix="hcc-reference-")


@cache
def build_reference(sources: tuple[Path, ...], flags: tuple[str, ...] = ("-O0",)) -> Path:
    """gcc's build of the sources, with hcc's meaning where C leaves it open."""
    gcc = require("gcc")
    folder = tempfile.mkdtemp(dir=_references().name)
    path = Path(folder) / "program"
    command = [gcc, "-std=gnu99", "-w", *flags, "-fwrapv", "-fno-strict-aliasing"]
    command += ["-ffp-contract=off", "-fexcess-precision=16", f"-I{HOST_INCLUDE}"]
    command += ["-o", str(path), *map(str, sources), "-lm"]
    subprocess.run(command, check=True)
    return path


def reference(
    sources: tuple[Path, ...],
    args: Sequence[str] = (),
    stdin: bytes = b"",
    folder: Path | None = None,
) -> Outcome:
    """What gcc's build prints."""
    return _finished([str(build_reference(sources)), *args], stdin, folder)


def _finished(command: list[str], stdin: bytes, folder: Path | None) -> Outcome:
    done = subprocess.run(
        command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        timeout=300, cwd=folder,
    )  # fmt: skip
    status = 128 - done.returncode if done.returncode < 0 else done.returncode
    return Outcome(done.stdout, status)
