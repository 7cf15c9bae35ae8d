"""libhcc as the linker takes it: compiled once for each set of options, then kept in the store.

The library's sources are part of the installation, so are the compiler's; a unit's key is a
digest of both, which makes a stale library impossible.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from hcc.compiler.build import BuildOptions, build_units
from hcc.compiler.garbage import no_collection
from hcc.compiler.link.unit import Unit
from hcc.isa import store

LIBRARY_DIR = Path(__file__).parent / "libhcc"
INCLUDE_DIR = LIBRARY_DIR / "include"
# The library is optimised whatever the user's -O says, as with any toolchain.
OPT_LEVEL = 2
_PACKAGES = ("llvmlite", "lark", "pcpp")


@cache
def installation_digest() -> str:
    """A digest of the compiler and the library, down to the LLVM that generates code.

    Reading all files takes longer than small programs take to compile, so the digest is kept,
    by a digest of what the file system says of them; its times of change cannot be set back.
    """
    top = Path(__file__).parent.parent
    files = sorted(
        (entry.path, entry.stat())
        for room in (Path(__file__).parent, Path(store.__file__).parent)
        for entry in _files_under(room)
        if entry.name.endswith((".py", ".c", ".h", ".lark"))
    )
    looks = [
        f"{path} {s.st_ino} {s.st_size} {s.st_mtime_ns} {s.st_ctime_ns}".encode()
        for path, s in files + [(path, Path(path).stat()) for path in _packages()]
    ]
    key = store.digest_of(looks)
    known = store.fetch("installation", key)
    if known is not None:
        return known.decode()
    from importlib.metadata import version  # takes a while to import

    parts = [f"{name} {version(name)}".encode() for name in _PACKAGES]
    for path, _ in files:
        parts += [os.path.relpath(path, top).encode(), Path(path).read_bytes()]
    digest = store.digest_of(parts)
    store.keep("installation", key, digest.encode())
    return digest


def _packages() -> list[str]:
    """A file of each package that code is made with; installing another release writes it anew."""
    specs = [find_spec(name) for name in _PACKAGES]
    return [spec.origin for spec in specs if spec is not None and spec.origin is not None]


def _files_under(folder: Path) -> Iterator[os.DirEntry[str]]:
    for entry in os.scandir(folder):
        if entry.is_dir():
            yield from _files_under(Path(entry.path))
        else:
            yield entry


def _unpickled(content: bytes) -> list[Unit]:
    """The units of a stored library; without garbage collection, which finds nothing in them."""
    with no_collection():
        units: list[Unit] = pickle.loads(content)
    return units


Busy = Callable[[str], AbstractContextManager[object]]
"""Goes round work that takes long, and is told what that is."""


def library_units(options: BuildOptions, busy: Busy = nullcontext) -> list[Unit]:
    """The units of libhcc for the ISAs and migration points asked for."""
    own = BuildOptions(OPT_LEVEL, options.isas, options.points)
    key = store.digest_of([installation_digest().encode(), repr(own).encode()])
    kept = store.fetch("libhcc", key)
    if kept is not None:
        return _unpickled(kept)
    from hcc.compiler.kernelc import FrontEndOptions, compile_c

    sources = sorted(LIBRARY_DIR.glob("*.c"))
    with busy(f"compiling the C library for {', '.join(own.isas)}, which is then kept"):
        modules = [compile_c(path, FrontEndOptions(), f"libhcc.{path.stem}") for path in sources]
        units = build_units(modules, own)
    store.keep("libhcc", key, pickle.dumps(units, protocol=5))
    return units
