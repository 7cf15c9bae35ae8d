"""What names mean: variables, functions, typedefs, enumeration constants and tags, by scope.

There is one table of what is visible now and a log of what each open scope hides; leaving a scope
undoes its log. So the parser's question (is this identifier a typedef name here?) is one look-up.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from attrs import define, field

from hcc.compiler.kernelc.types import CType, FunctionType, IntegerType, RecordType

if TYPE_CHECKING:
    from hcc.compiler.kernelc.syntax import Expr, Goto, Initializer, Label, Stmt, VlaMark


@define(eq=False, repr=False)
class Variable:
    """An object. With static storage it has a `symbol` in the IR, else a `slot` while its
    function is lowered."""

    name: str
    type: CType
    at: int
    static: bool = False
    linkage: str = ""
    """`external`, `internal`, or empty."""
    symbol: str = ""
    defined: bool = False
    tentative: bool = False
    init: Initializer | None = None
    is_param: bool = False
    is_register: bool = False
    align: int = 0
    used: bool = False
    reads_itself: bool = False
    """Whether its initialiser refers to it."""
    vla: VlaMark | None = None
    slot: Any = None
    bound: Expr | None = None
    """The variable length of a parameter declared as an array."""


@define(eq=False, repr=False)
class Body:
    """What a function definition adds to its declaration."""

    params: list[Variable]
    statement: Stmt | None = None
    labels: dict[str, Label] = field(factory=dict)
    gotos: list[Goto] = field(factory=list)
    end: int = 0


@define(eq=False, repr=False)
class Function:
    """A function, declared or defined."""

    name: str
    type: FunctionType
    at: int
    linkage: str = "external"
    symbol: str = ""
    leaf: bool = False
    pim: bool = False
    """`__pim`: its loops are for processing in memory; see compiler/pim."""
    noreturn: bool = False
    noinline: bool = False
    inline: bool = False
    extern_inline: bool = False
    implicit: bool = False
    from_header: bool = False
    body: Body | None = None
    used: bool = False


@define(eq=False, repr=False)
class Typedef:
    name: str
    type: CType
    at: int


@define(eq=False, repr=False)
class EnumConstant:
    name: str
    type: IntegerType
    at: int
    value: int


Entity = Variable | Function | Typedef | EnumConstant
Tag = RecordType | IntegerType


@define(eq=False, repr=False)
class TagEntry:
    """A struct, union or enum tag: its kind as written, its type and where it was declared."""

    kind: str
    type: Tag
    at: int
    complete: bool = False


@define(eq=False, repr=False)
class _Level:
    """What one open scope declared, and what each name meant before."""

    names: dict[str, Entity | None] = field(factory=dict)
    tags: dict[str, TagEntry | None] = field(factory=dict)


@define(eq=False, repr=False)
class Scope:
    """The names visible now."""

    names: dict[str, Entity] = field(factory=dict)
    tags: dict[str, TagEntry] = field(factory=dict)
    levels: list[_Level] = field(factory=lambda: [_Level()])

    @property
    def depth(self) -> int:
        """0 at file scope."""
        return len(self.levels) - 1

    def enter(self) -> None:
        self.levels.append(_Level())

    def leave(self) -> _Level:
        """Close the innermost scope; what it declared can be opened again with `reenter`."""
        level = self.levels.pop()
        declared = _Level()
        for name, before in level.names.items():
            declared.names[name] = self.names[name]
            if before is None:
                del self.names[name]
            else:
                self.names[name] = before
        for name, tag_before in level.tags.items():
            declared.tags[name] = self.tags[name]
            if tag_before is None:
                del self.tags[name]
            else:
                self.tags[name] = tag_before
        return declared

    def reenter(self, level: _Level) -> None:
        """Open a scope with the names of one that was left: a prototype's, for the body."""
        self.enter()
        for name, entity in level.names.items():
            assert entity is not None
            self.declare(name, entity)
        for name, tag in level.tags.items():
            assert tag is not None
            self.declare_tag(name, tag)

    def find(self, name: str) -> Entity | None:
        """What a name means here."""
        return self.names.get(name)

    def find_here(self, name: str) -> Entity | None:
        """What a name was declared as in the innermost scope itself."""
        if self.depth == 0:
            return self.find(name)
        return self.names[name] if name in self.levels[-1].names else None

    def find_tag(self, name: str) -> TagEntry | None:
        return self.tags.get(name)

    def find_tag_here(self, name: str) -> TagEntry | None:
        return self.tags[name] if name in self.levels[-1].tags else None

    def declare(self, name: str, entity: Entity) -> None:
        """Make a name mean this from here on, in the innermost scope."""
        log = self.levels[-1].names
        if name not in log:
            log[name] = self.names.get(name)
        self.names[name] = entity

    def declare_tag(self, name: str, tag: TagEntry) -> None:
        log = self.levels[-1].tags
        if name not in log:
            log[name] = self.tags.get(name)
        self.tags[name] = tag

    def declare_at_file_scope(self, name: str, entity: Entity) -> None:
        """Declare a name outside of everything, seen wherever nothing hides it."""
        for level in self.levels[1:]:
            if name in level.names:
                level.names[name] = level.names[name] or entity
                break
        else:
            self.names[name] = entity
        self.levels[0].names.setdefault(name, None)


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """A hint for a misspelt name, or nothing: `; did you mean 'x'?`."""
    from difflib import get_close_matches  # only needed where something is wrong

    if len(name) < 3:
        return ""
    close = get_close_matches(name, [c for c in candidates if c != name], n=1, cutoff=0.75)
    return f"; did you mean '{close[0]}'?" if close else ""
