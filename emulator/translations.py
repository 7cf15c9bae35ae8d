"""Blocks that the interpreter has translated, kept between runs.

Decoding, building and printing a block takes a hundred times as long as running it, and short
runs do little else. What is kept of a block is the code object of its Python function, which
`marshal` writes in the format of one version of Python. A set belongs to the code of one program on
one ISA; its key also covers the sources that make blocks and the version of Python.
"""

from __future__ import annotations

import marshal
from collections.abc import Sequence
from functools import cache
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from types import CodeType

from attrs import define, field, frozen

from hcc.isa import store

KIND = "blocks"
MOST = 4096
"""Blocks kept of one program."""


@frozen
class Translation:
    """A translated block: its function's code, the guest PC of each of its lines, and the
    addresses of its instructions."""

    code: CodeType
    line_pcs: list[int]
    addrs: list[int]


@define(eq=False)
class Translations:
    """The kept translations of one program's code on one ISA, by address."""

    key: str
    known: dict[int, Translation] = field(factory=dict)
    _added: bool = False

    @classmethod
    def of(cls, isa: str, code: Sequence[tuple[int, bytes]]) -> Translations:
        """What earlier runs have kept for the code."""
        parts = [isa.encode(), MAGIC_NUMBER, _source_digest(isa)]
        for start, content in code:
            parts += [start.to_bytes(8, "little"), content]
        result = cls(store.digest_of(parts))
        kept = store.fetch(KIND, result.key)
        if kept is not None:
            result.known = {start: Translation(*t) for start, *t in marshal.loads(kept)}
        return result

    def add(self, start: int, translation: Translation) -> None:
        """Keep a translation, unless there are enough."""
        if len(self.known) < MOST:
            self.known[start] = translation
            self._added = True

    def save(self) -> None:
        """Write what has been added. Of two runs that end at once, one's additions are lost."""
        if self._added:
            rows = [(start, t.code, t.line_pcs, t.addrs) for start, t in self.known.items()]
            store.keep(KIND, self.key, marshal.dumps(rows))
            self._added = False


@cache
def _source_digest(isa: str) -> bytes:
    """A digest of the sources that decide how blocks are translated."""
    rooms = Path(__file__).parent, Path(store.__file__).parent, Path(store.__file__).parent / isa
    sources = [path for room in rooms for path in sorted(room.glob("*.py"))]
    return store.digest_of(path.read_bytes() for path in sources).encode()
