"""What one translation unit contributes to a program: code for each ISA, data for all.

Units are what the linker takes and what the cache of the library keeps. Code comes a function at
a time, with its relocations; data is ISA-neutral and has no address yet.
"""

from __future__ import annotations

from attrs import field, frozen

from hcc.compiler.ir.module import Global
from hcc.isa.lines import Row
from hcc.isa.sites import SiteInfo, VirtualFrame


@frozen
class Place:
    """What a relocation refers to: a symbol, or an offset in a section of the same object."""

    symbol: str = ""
    section: str = ""
    offset: int = 0


@frozen
class ObjectReloc:
    """A relocation of an object file: `offset` within its piece, psABI type, target, addend."""

    offset: int
    type: int
    place: Place
    addend: int


TEXT_PREFIX = ".text."
"""Every function's section is named by this and its symbol."""


@frozen
class RawSection:
    """A section of an object with its relocations."""

    name: str
    content: bytes
    align: int
    flags: int
    relocs: tuple[ObjectReloc, ...]


@frozen
class Piece:
    """A run of bytes that is placed as a whole: a function's code or a private constant section."""

    name: str
    content: bytes
    align: int
    relocs: tuple[ObjectReloc, ...]


@frozen
class ObjectRecord:
    """A stack-map record: like `isa.sites.Record`, its return address relative to a function."""

    function: str
    return_offset: int
    size: int
    return_slot: int
    frames: tuple[VirtualFrame, ...]


@frozen
class ObjectCode:
    """The code of a unit for one ISA: functions by symbol, private sections by section name, and
    with -g the source lines of each function."""

    functions: dict[str, Piece]
    local: dict[str, Piece]
    records: tuple[ObjectRecord, ...]
    lines: dict[str, tuple[Row, ...]] = field(factory=dict)


@frozen
class UnitFunction:
    """The ISA-neutral facts about a function."""

    name: str
    id: int
    exported: bool
    result: str
    file: str
    sites: tuple[SiteInfo, ...]
    resumes: str | None
    suspends: bool


@frozen(eq=False)
class Unit:
    """One compiled translation unit. `leaf_uses` are the symbols it took for leaf functions."""

    name: str
    functions: dict[str, UnitFunction]
    globals: dict[str, Global]
    leaf_uses: frozenset[str]
    code: dict[str, ObjectCode]
