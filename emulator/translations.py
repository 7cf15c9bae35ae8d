"""What the interpreter has decoded and translated, kept between runs.

Decoding, building and printing a block takes a hundred times as long as running it, and short
runs do little else. What is kept of a block is the code object of its Python function, which
`marshal` writes in the format of one version of Python; of what was only stepped through, the
decoded instructions. A set belongs to the code of one program on one ISA; its key also covers the
sources that decode and translate, and the version of Python.
"""

from __future__ import annotations

import marshal
import pickle
from collections.abc import Sequence
from functools import cache
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from types import CodeType

from attrs import define, field, frozen

from hcc.isa import store
from hcc.isa.arch import Insn

KIND = "blocks"
MOST = 4096
"""Blocks kept of one program."""
MOST_INSNS = 16384
"""Decoded instructions kept of one program."""


@frozen
class Translation:
    """A translated block: its function's code, the guest PC of each of its lines, and the
    addresses of its instructions."""

    code: CodeType
    line_pcs: list[int]
    addrs: list[int]


@define(eq=False)
class Translations:
    """What is kept of one program's code on one ISA, by address."""

    key: str
    known: dict[int, Translation] = field(factory=dict)
    runs: int = 0
    """Earlier runs that stepped through much code, which was not worth translating yet."""
    _pickled: bytes = b""
    _insns: dict[int, Insn] | None = None
    _changed: bool = False

    @classmethod
    def of(cls, isa: str, code: Sequence[tuple[int, bytes]]) -> Translations:
        """What earlier runs have kept for the code."""
        parts = [isa.encode(), MAGIC_NUMBER, _source_digest(isa)]
        for start, content in code:
            parts += [start.to_bytes(8, "little"), content]
        result = cls(store.digest_of(parts))
        kept = store.fetch(KIND, result.key)
        if kept is not None:
            result.runs, rows, result._pickled = marshal.loads(kept)
            result.known = {start: Translation(*row) for start, *row in rows}
        return result

    def add(self, start: int, translation: Translation) -> None:
        """Keep a translation, unless there are enough."""
        if len(self.known) < MOST:
            self.known[start] = translation
            self._changed = True

    @property
    def insns(self) -> dict[int, Insn]:
        """The decoded instructions; not to be changed."""
        if self._insns is None:
            self._insns = pickle.loads(self._pickled) if self._pickled else {}
        return self._insns

    def add_insn(self, insn: Insn) -> None:
        """Keep a decoded instruction, unless there are enough."""
        if len(self.insns) < MOST_INSNS:
            self.insns[insn.addr] = insn
            self._changed = True

    def save(self, again: bool = False) -> None:
        """Write what has been added; `again` notes one more of the `runs`. Of two runs that end at
        once, one's additions are lost."""
        self.runs += again
        if self._changed or again:
            rows = [(start, t.code, t.line_pcs, t.addrs) for start, t in self.known.items()]
            content = marshal.dumps((self.runs, rows, pickle.dumps(self.insns)))
            store.keep(KIND, self.key, content)
            self._changed = False


@cache
def _source_digest(isa: str) -> bytes:
    """A digest of the sources that decide how blocks are translated."""
    rooms = Path(__file__).parent, Path(store.__file__).parent, Path(store.__file__).parent / isa
    sources = [path for room in rooms for path in sorted(room.glob("*.py"))]
    return store.digest_of(path.read_bytes() for path in sources).encode()
