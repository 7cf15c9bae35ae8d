"""What a caller may ask of the front end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

SYSTEM_INCLUDE = Path(__file__).resolve().parent.parent / "libhcc" / "include"


@frozen
class FrontEndOptions:
    """Include folders in order of search, the system headers' folder, and -D definitions."""

    include_dirs: tuple[Path, ...] = ()
    system_include: Path = SYSTEM_INCLUDE
    defines: tuple[tuple[str, str], ...] = ()

    def folders(self) -> Iterator[Path]:
        """Where `#include <...>` looks, in order."""
        yield from self.include_dirs
        yield self.system_include
