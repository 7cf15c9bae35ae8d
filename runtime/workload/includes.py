"""Which files a C source may include: what its program depends on.

Conditions are not evaluated and every folder that could hold a name is tried, so the answer may
hold too much, never too little. A name that macros make up cannot be followed: then all headers
beside the sources and in the include folders count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from hcc.runtime.workload.hashes import ABSENT, FileDigests

_INCLUDE = re.compile(
    rb"^[ \t]*#[ \t]*include(?:_next)?[ \t]*(?:\"([^\"\n]+)\"|<([^>\n]+)>|(\S))", re.MULTILINE
)
_SPLICE = re.compile(rb"\\\r?\n")
_HEADERS = (".h", ".inc", ".def")


def dependencies(
    sources: Iterable[Path], folders: Sequence[Path], digests: FileDigests
) -> dict[str, str]:
    """Digests of the sources and of all they may include, by path."""
    found: dict[str, str] = {}
    pending = list(sources)
    while pending:
        path = pending.pop()
        name = str(path)
        if name in found:
            continue
        found[name] = digests.of_file(path)
        if found[name] != ABSENT:
            pending += _included(path, folders)
    return found


def _included(path: Path, folders: Sequence[Path]) -> list[Path]:
    try:
        text = _SPLICE.sub(b"", path.read_bytes())
    except OSError:
        return []
    found = []
    for quoted, angled, other in _INCLUDE.findall(text):
        if other:
            for folder in (path.parent, *folders):
                found += [p for p in sorted(folder.glob("*")) if p.suffix in _HEADERS]
            continue
        name = (quoted or angled).decode(errors="surrogateescape")
        for folder in (path.parent, *folders):
            if (folder / name).is_file():
                found.append(folder / name)
    return found
