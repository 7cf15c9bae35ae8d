"""One static relocation, as the linker found it in an object file."""

from __future__ import annotations

from attrs import frozen


@frozen
class Relocation:
    """A place to patch: `offset` in the content, psABI `type`, S = `value`, A = `addend`."""

    offset: int
    type: int
    symbol: str
    value: int
    addend: int
