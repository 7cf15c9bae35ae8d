"""libhcc as the linker takes it: compiled once for each set of options, then kept in the store.

The library's sources are part of the installation, so are the compiler's; a unit's key is a
digest of both, which makes a stale library impossible.
"""

from __future__ import annotations

import pickle
from functools import cache
from importlib.metadata import version
from pathlib import Path

from hcc.compiler.build import BuildOptions, build_units
from hcc.compiler.link.unit import Unit
from hcc.isa import store

LIBRARY_DIR = Path(__file__).parent / "libhcc"
INCLUDE_DIR = LIBRARY_DIR / "include"
# The library is optimised whatever the user's -O says, as with any toolchain.
OPT_LEVEL = 2


@cache
def installation_digest() -> str:
    """A digest of the compiler and the library, down to the LLVM that generates code."""
    rooms = (Path(__file__).parent, Path(store.__file__).parent)
    files = sorted(
        path
        for room in rooms
        for path in room.rglob("*")
        if path.suffix in (".py", ".c", ".h", ".lark")
    )
    parts = [version("llvmlite").encode(), version("lark").encode(), version("pcpp").encode()]
    for path in files:
        parts += [str(path.relative_to(path.anchor)).encode(), path.read_bytes()]
    return store.digest_of(parts)


def library_units(options: BuildOptions) -> list[Unit]:
    """The units of libhcc for the ISAs and migration points asked for."""
    own = BuildOptions(OPT_LEVEL, options.isas, options.points)
    key = store.digest_of([installation_digest().encode(), repr(own).encode()])
    kept = store.fetch("libhcc", key)
    if kept is not None:
        units: list[Unit] = pickle.loads(kept)
        return units
    from hcc.compiler.kernelc import FrontEndOptions, compile_c

    sources = sorted(LIBRARY_DIR.glob("*.c"))
    modules = [compile_c(path, FrontEndOptions(), f"libhcc.{path.stem}") for path in sources]
    units = build_units(modules, own)
    store.keep("libhcc", key, pickle.dumps(units, protocol=5))
    return units
