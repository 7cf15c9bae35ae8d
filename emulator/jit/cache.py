"""Compiled code kept between runs.

One bundle for each program, ISA and kind of code: the objects of its modules, each with the guest
addresses it has functions for. The key covers everything that the code was made from: the guest's
code and constants, the options, the semantics and the JIT themselves, LLVM and the CPU. A bundle is
written whole, so concurrent runs may lose each other's additions but never see half of one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from attrs import asdict, frozen

from hcc.emulator.jit.options import CodeSpan, Options
from hcc.isa import store

KIND = "jit"


@frozen
class Entry:
    """One module: its object file, and the guest addresses that each function may be entered at,
    the one that gives it its name first.

    Of quick code it is `noted` where condition flags matter, and which of its blocks were `passed`
    in any run; of other code it is noted what it left out.
    """

    functions: tuple[tuple[int, ...], ...]
    content: bytes
    quick: bool = False
    noted: tuple[int, ...] = ()
    passed: tuple[int, ...] = ()

    @property
    def names(self) -> tuple[object, ...]:
        """What tells an entry from others; of two that agree in it, the later one is better."""
        return self.functions, self.quick


@cache
def source_digest(isa: str | None = None) -> bytes:
    """A digest of the sources that decide what code is made: the JIT's and an ISA's."""
    here = Path(__file__).parent
    top = Path(store.__file__).parent
    sources = sorted(here.glob("*.py"))
    if isa is not None:
        sources += sorted(top.glob("*.py")) + sorted((top / isa).glob("*.py"))
    return store.digest_of(path.read_bytes() for path in sources).encode()


@cache
def host_digest() -> bytes:
    """What LLVM and CPU there are, found out without loading LLVM."""
    cpu = set()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name = line.partition(":")[0].strip()
        if name in ("model name", "cpu family", "model", "flags"):
            cpu.add(line)
    found = find_spec("llvmlite")
    assert found is not None
    assert found.origin is not None
    version = Path(found.origin).with_name("_version.py").read_text()
    return f"llvmlite {version} {sorted(cpu)}".encode()


def bundle_key(
    isa: str,
    code: Sequence[tuple[int, bytes]],
    constants: Iterable[tuple[int, bytes]],
    functions: Sequence[tuple[int, int]],
    span: CodeSpan,
    options: Options,
) -> str:
    """The key of a program's bundle."""
    described = json.dumps([isa, asdict(span), asdict(options), [list(f) for f in functions]])
    parts = [source_digest(isa), host_digest(), described.encode()]
    for ranges in (code, constants):
        parts.append(b"ranges")
        for start, content in ranges:
            parts += [start.to_bytes(8, "little"), content]
    return store.digest_of(parts)


def load(key: str) -> list[Entry]:
    """The modules of a bundle; none where there is no bundle, a damaged one or something else."""
    content = store.fetch(KIND, key)
    if content is None:
        return []
    head, _, body = content.partition(b"\n")
    entries, at = [], 0
    try:
        for functions, quick, noted, passed, size in json.loads(head):
            places = tuple(tuple(map(int, function)) for function in functions)
            marks = tuple(map(int, noted)), tuple(map(int, passed))
            entries.append(Entry(places, body[at : at + size], bool(quick), *marks))
            at += size
    except (ValueError, TypeError):
        return []
    return entries if at == len(body) else []


def save(key: str, entries: Sequence[Entry]) -> None:
    """Write a bundle, with what others have put into it meanwhile that is not made anew here."""
    known = {entry.names for entry in entries}
    merged = _needed([*(e for e in load(key) if e.names not in known), *entries])
    rows = [[e.functions, e.quick, e.noted, e.passed, len(e.content)] for e in merged]
    head = json.dumps(rows).encode()
    store.keep(KIND, key, head + b"\n" + b"".join(e.content for e in merged))


def _needed(entries: Sequence[Entry]) -> list[Entry]:
    """The entries without those of which later ones have each function anew."""
    needed: list[Entry] = []
    seen: set[int] = set()
    for entry in reversed(entries):
        starts = set() if entry.quick else {start for start, *_ in entry.functions}
        if entry.quick or starts - seen:
            needed.append(entry)
        seen |= starts
    needed.reverse()
    return needed
