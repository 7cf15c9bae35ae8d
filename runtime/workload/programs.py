"""A workload's programs: compiled by `hcc compile`, or taken as they are, and cut into slices.

What is run on every level is one fat binary's code. The levels that run on a kernel get the
plain ELF of their ISA (a slice); the digest of each ISA's text is noted here and compared with
what is about to be run, on every level, every time.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from attrs import frozen

import hcc.compiler
import hcc.isa
from hcc.isa.errors import FormatError, HccError
from hcc.isa.store import write_atomically
from hcc.runtime.workload.chain import Workload
from hcc.runtime.workload.graph import Made, Task, TaskFailed
from hcc.runtime.workload.hashes import FileDigests, digest_bytes
from hcc.runtime.workload.includes import dependencies
from hcc.runtime.workload.places import SpecError
from hcc.runtime.workload.workshop import Workshop

HCC = (sys.executable, "-c", "from hcc.runtime.cli import main; main()")
_FLAGS = ("-O", "-I", "-D", "--points")
_SOURCE_SUFFIXES = (".py", ".c", ".h", ".lark")


@frozen
class Program:
    """A program to be made: from sources, or of a fat binary. `name` is what the guest calls it;
    `owner` is the workload in whose folder it is made."""

    owner: str
    name: str
    key: str
    workload: Workload
    sources: tuple[str, ...] = ()
    binary: str | None = None
    flags: tuple[str, ...] = ()
    isas: tuple[str, ...] = ()

    @property
    def called(self) -> set[str]:
        """What a command line may call it: its name, or one of its files' without suffix."""
        files = self.sources if self.binary is None else (self.binary,)
        return {self.name, *(Path(file).stem for file in files)}

    @property
    def task_id(self) -> str:
        return f"program:{self.owner}/{self.name}"


@frozen
class Built:
    """A program that was made, with its files and the digest of each ISA's code."""

    fat: Path
    slices: Mapping[str, Path]
    code: Mapping[str, str]

    @classmethod
    def load(cls, folder: Path, name: str) -> Built:
        """What `make` noted in a folder."""
        content = json.loads((folder / f"{name}.json").read_bytes())
        slices = {isa: folder / f"{name}.{isa}" for isa in content["code"]}
        return cls(folder / f"{name}.hcc", slices, content["code"])


def code_digest_of_fat(content: bytes, isa: str, source: str) -> str:
    """The digest of an ISA's text in a fat binary."""
    from hcc.isa import fatbinary

    program = fatbinary.decode(content, source)
    if isa not in program.isas:
        raise FormatError(f"{source}: has no code for {isa}")
    return digest_bytes(program.text[isa].content)


def code_digest_of_elf(content: bytes, source: str) -> str:
    """The digest of the text of a slice."""
    from hcc.isa import elf

    text = next((s for s in elf.read(content, source).sections if s.name == ".text"), None)
    if text is None:
        raise FormatError(f"{source}: has no .text")
    return digest_bytes(text.content)


@cache
def compiler_versions() -> str:
    """The libraries that the compiler's output depends on, with their versions."""
    return " ".join(f"{name} {version(name)}" for name in ("llvmlite", "lark", "pcpp"))


def compiler_digest(digests: FileDigests) -> str:
    """A digest of everything in the installation that compiled code depends on."""
    parts = [compiler_versions()]
    for room in (hcc.compiler, hcc.isa):
        assert room.__file__ is not None
        root = Path(room.__file__).parent
        for path in sorted(root.rglob("*")):
            if path.suffix in _SOURCE_SUFFIXES:
                parts.append(f"{path.relative_to(root)} {digests.of_file(path)}")
    return digest_bytes("\n".join(parts).encode())


def task(program: Program, after: tuple[str, ...], shop: Workshop) -> Task:
    """The task that makes a program."""
    return Task(
        program.task_id,
        after,
        partial(_inputs, program, shop),
        partial(_make, program, shop),
    )


def _flags(program: Program) -> tuple[list[str], list[Path]]:
    """The flags with the include folders made absolute, and those folders."""
    words, folders = [], []
    place = program.workload.place("flags")
    flags = list(program.flags)
    while flags:
        word = flags.pop(0)
        option = next((f for f in _FLAGS if word.startswith(f)), None)
        if option is None:
            raise SpecError(place, f"'flags': {word} is not one of {', '.join(_FLAGS)}")
        value = word[len(option) :].lstrip("=") if option.startswith("--") else word[2:]
        if not value:
            if not flags:
                raise SpecError(place, f"'flags': {word} needs a value")
            value = flags.pop(0)
        if option == "-I":
            folders.append(program.workload.path("flags", value).absolute())
            value = str(folders[-1])
        words += [option, value]
    return words, folders


def _files(program: Program) -> list[Path]:
    if program.binary is not None:
        return [program.workload.file(program.key, program.binary)]
    return [program.workload.file(program.key, text) for text in program.sources]


def _inputs(program: Program, shop: Workshop, _notes: Mapping[str, Any]) -> dict[str, str]:
    if program.binary is not None:
        path = _files(program)[0]
        return {str(path): shop.digests.of_file(path), "isas": " ".join(program.isas)}
    words, folders = _flags(program)
    found = dependencies(_files(program), folders, shop.digests)
    return {
        **found,
        "the order of sources": " ".join(map(str, _files(program))),
        "flags": shlex.join(words),
        "isas": " ".join(program.isas),
        "the compiler": shop.compiler(),
    }


def _make(program: Program, shop: Workshop) -> Made:
    from hcc.isa import fatbinary

    folder = shop.folders.image(program.owner)
    fat = folder / f"{program.name}.hcc"
    folder.mkdir(parents=True, exist_ok=True)
    if program.binary is not None:
        source = _files(program)[0]
        try:
            content = source.read_bytes()
            decoded = fatbinary.decode(content, str(source))
        except OSError as error:
            raise HccError(f"{source}: {error.strerror}") from error
        except FormatError as error:
            place = program.workload.place(program.key)
            raise SpecError(place, f"'{program.key}': no fat binary: {error}") from error
        write_atomically(fat, content, 0o755)
    else:
        words, _ = _flags(program)
        command = [*HCC, "compile", "-o", str(fat.absolute()), "--isa", ",".join(program.isas)]
        command += [*words, "--", *[str(p.absolute()) for p in _files(program)]]
        status, said = shop.run(program.task_id, command, Path.cwd(), {})
        if status != 0:
            raise TaskFailed(f"{program.task_id}: compiling failed:\n{said.rstrip()}")
        decoded = fatbinary.decode(fat.read_bytes(), str(fat))
    made = [fat]
    for isa in decoded.isas:
        path = folder / f"{program.name}.{isa}"
        write_atomically(path, fatbinary.encode_elf(decoded, isa), 0o755)
        made.append(path)
    code = {isa: digest_bytes(decoded.text[isa].content) for isa in decoded.isas}
    note = folder / f"{program.name}.json"
    write_atomically(note, json.dumps({"code": code}, indent=2).encode() + b"\n")
    return Made((*made, note))
