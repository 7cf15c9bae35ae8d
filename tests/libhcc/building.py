"""Builds libhcc with gcc: as a shared library to call function by function, and into programs.

The hcc compiler is not needed for that. What it would supply (system calls, the entry point) is
in native/machine.c; the library's headers are the only ones seen, as with hcc.
"""

from __future__ import annotations

import atexit
import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LIBHCC = HERE.parent.parent / "compiler" / "libhcc"
MACHINE = HERE / "native" / "machine.c"
INTRINSICS = HERE / "native" / "intrinsics.c"
FLAGS = [
    *("-std=gnu99", "-O2", "-Wall", "-Wextra", "-Werror", "-nostdinc", "-ffreestanding"),
    *("-fno-builtin", "-fno-math-errno", "-ffp-contract=off", "-fno-stack-protector"),
    *("-fno-tree-loop-distribute-patterns", "-isystem", str(LIBHCC / "include")),
]
COMPILERS = {
    "x86_64": "gcc",
    "aarch64": "aarch64-linux-gnu-gcc",
    "riscv64": "riscv64-linux-gnu-gcc",
}


@cache
def scratch() -> Path:
    """A folder that goes when the tests end."""
    folder = tempfile.mkdtemp(prefix="libhcc-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def need(tool: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")


@cache
def objects(arch: str) -> tuple[Path, ...]:
    """The library's object files for one ISA, compiled without a warning."""
    need(COMPILERS[arch])
    folder = scratch() / arch
    folder.mkdir()
    sources = sorted(LIBHCC.glob("*.c"))
    subprocess.run(
        [COMPILERS[arch], *FLAGS, "-fPIC", "-c", *map(str, sources)], cwd=folder, check=True
    )
    return tuple(sorted(folder.glob("*.o")))


@cache
def shared_library() -> ctypes.CDLL:
    """libhcc inside this process, calling nothing but itself; its heap is an array."""
    return ctypes.CDLL(str(shared_object()))


@cache
def shared_object() -> Path:
    """The file of `shared_library`."""
    path = scratch() / "libhcc.so"
    subprocess.run(
        ["gcc", *FLAGS, "-fPIC", "-DLIBHCC_HOSTED", "-shared", "-nostdlib", "-Wl,-Bsymbolic",
         "-o", path, MACHINE, *objects("x86_64")],
        check=True,
    )  # fmt: skip
    return path


@cache
def program(sources: tuple[Path, ...], arch: str = "x86_64") -> Path:
    """A static program with libhcc and nothing else."""
    parts = objects(arch)
    path = scratch() / f"{sources[0].stem}-{arch}"
    subprocess.run(
        [COMPILERS[arch], *FLAGS, "-Wno-unused-result", "-nostdlib", "-static", "-o", path,
         *sources, MACHINE, INTRINSICS, *parts, "-lgcc"],
        check=True,
    )  # fmt: skip
    return path


@cache
def reference(sources: tuple[Path, ...]) -> Path:
    """The same program with the system's C library."""
    need("gcc")
    path = scratch() / f"{sources[0].stem}-reference"
    subprocess.run(
        ["gcc", "-std=gnu99", "-O2", "-Wall", "-Wno-unused-result", "-ffp-contract=off",
         f"-I{LIBHCC / 'host'}", "-o", path, *sources, "-lm"],
        check=True,
    )  # fmt: skip
    return path


def run(
    path: Path, args: Sequence[str] = (), stdin: bytes = b"", cwd: Path | None = None
) -> tuple[bytes, bytes, int]:
    """What a program wrote to stdout and stderr, and how it ended."""
    done = subprocess.run([path, *args], input=stdin, capture_output=True, cwd=cwd, timeout=60)
    return done.stdout, done.stderr, done.returncode
