"""What the parser's actions share: scopes, the function at hand, reporting, and opening marks.

An action that opens something (a block, a parameter list, a record) returns a `Mark`, which lies
on the parser's stack until the construct is complete. It remembers the state before; should the
construct be given up after a syntax error, `restore` goes back to it.
"""

from __future__ import annotations

from typing import Any, NoReturn

from attrs import define, field

from hcc.compiler.diagnostics import Diagnostic, Diagnostics, Severity
from hcc.compiler.kernelc.positions import SourceFiles
from hcc.compiler.kernelc.scope import Function, Scope, Typedef, Variable, did_you_mean
from hcc.compiler.kernelc.syntax import Case, VlaMark
from hcc.compiler.kernelc.tokens import Token
from hcc.compiler.kernelc.types import ERROR, CType, Member, RecordType

_HEADER_OF_TYPE = {
    **dict.fromkeys(("size_t", "ptrdiff_t", "wchar_t"), "stddef.h"),
    **dict.fromkeys(("FILE", "fpos_t"), "stdio.h"),
    **dict.fromkeys(("bool",), "stdbool.h"),
    **dict.fromkeys(("va_list",), "stdarg.h"),
    **dict.fromkeys(("ssize_t", "off_t", "pid_t"), "sys/types.h"),
    **dict.fromkeys(("time_t", "clock_t"), "time.h"),
    **{f"{u}int{n}_t": "stdint.h" for u in ("", "u") for n in (8, 16, 32, 64, "ptr", "max")},
}
_UNSUPPORTED_TYPES = {
    "jmp_buf": "setjmp and longjmp are",
    "sigjmp_buf": "setjmp and longjmp are",
    "pthread_t": "threads are",
    "pthread_mutex_t": "threads are",
    "thrd_t": "threads are",
}


@define(eq=False)
class SwitchContext:
    """The switch whose body is being read."""

    type: CType
    cases: list[Case] = field(factory=list)
    seen: dict[int, int] = field(factory=dict)


PendingRecord = tuple[RecordType, list[Member], list[int], dict[str, Member]]
"""A record whose members are being read: its type, the members so far, the alignments asked for
them, and which member a name belongs to."""


@define(eq=False)
class State:
    """What an abandoned construct has to be undone to."""

    depth: int
    function: Function | None
    loops: int
    switches: list[SwitchContext]
    vla: VlaMark | None
    records: int


@define(eq=False)
class Mark:
    """The value of an opening rule: the state before it, and what it opened."""

    at: int
    before: State
    value: Any = None
    braces: int = 0


@define(eq=False)
class Definitions:
    """What a translation unit defines, in order."""

    functions: list[Function] = field(factory=list)
    variables: list[Variable] = field(factory=list)
    linked: dict[str, Variable | Function] = field(factory=dict)
    """Everything with linkage, whatever scope it was declared in."""


class Semantics:
    """The base of the actions: state and reporting."""

    def __init__(self, unit: str, files: SourceFiles, diagnostics: Diagnostics) -> None:
        self.unit = unit
        self.files = files
        self.diagnostics = diagnostics
        self.scope = Scope()
        self.definitions = Definitions()
        self.function: Function | None = None
        self.loops = 0
        self.switches: list[SwitchContext] = []
        self.vla: VlaMark | None = None
        self.pending_members: list[PendingRecord] = []
        self.undeclared: set[str] = set()
        self.used_symbols: dict[str, int] = {}

    # ---- reporting ----

    def error(self, at: int, message: str, *notes: Diagnostic) -> None:
        self.diagnostics.error(self.files.span(at), message, *notes)

    def error_on(self, token: Token, message: str, *notes: Diagnostic) -> None:
        """An error with the whole token underlined."""
        self.diagnostics.error(self.files.span(token.lineno, len(token.value)), message, *notes)

    def warning(self, at: int, message: str, *notes: Diagnostic) -> None:
        self.diagnostics.warning(self.files.span(at), message, *notes)

    def note(self, at: int, message: str) -> Diagnostic:
        return Diagnostic(Severity.NOTE, self.files.span(at), message)

    def refuse(self, at: int, feature: str) -> None:
        """Refuse by name what hcc does not do."""
        self.error(at, f"{feature} not supported")

    # ---- opening and undoing ----

    def mark(self, at: int, value: Any = None, braces: int = 0) -> Mark:
        """A mark of the state as it is now, before something is opened."""
        state = State(
            self.scope.depth,
            self.function,
            self.loops,
            list(self.switches),
            self.vla,
            len(self.pending_members),
        )
        return Mark(at, state, value, braces)

    def restore(self, mark: Mark) -> None:
        """Go back to the state before a construct that is given up."""
        before = mark.before
        while self.scope.depth > before.depth:
            self.scope.leave()
        self.function = before.function
        self.loops = before.loops
        self.switches = before.switches
        self.vla = before.vla
        del self.pending_members[before.records :]

    # ---- names ----

    def symbol_for(self, name: str) -> str:
        """A symbol of internal linkage, unique in the program."""
        count = self.used_symbols.get(name, 0)
        self.used_symbols[name] = count + 1
        return f"{name}.{count}.{self.unit}" if count else f"{name}.{self.unit}"

    def unknown_type(self, token: Token) -> None:
        """Report a name used as a type that is none, and let it pass as one from here on."""
        name = token.value
        tag = self.scope.find_tag(name)
        if name in _UNSUPPORTED_TYPES:
            message = f"unknown type name '{name}': {_UNSUPPORTED_TYPES[name]} not supported"
        elif tag is not None:
            message = f"unknown type name '{name}'; did you mean '{tag.kind} {name}'?"
        elif name in _HEADER_OF_TYPE:
            message = (
                f"unknown type name '{name}'; did you forget #include <{_HEADER_OF_TYPE[name]}>?"
            )
        else:
            types = [n for n, e in self.scope.names.items() if isinstance(e, Typedef)]
            message = f"unknown type name '{name}'{did_you_mean(name, types)}"
        self.error_on(token, message)
        self.scope.declare_at_file_scope(name, Typedef(name, ERROR, token.lineno))


# ---- small actions ----


class ListActions(Semantics):
    """The actions that only collect values."""

    def on_nothing(self, *_: object) -> None:
        return None

    def on_none(self) -> None:
        return None

    def on_list_new(self) -> list[Any]:
        return []

    def on_list_first(self, item: Any) -> list[Any]:
        return [item]

    def on_list_add(self, items: list[Any], item: Any) -> list[Any]:
        items.append(item)
        return items

    def on_list_add_third(self, items: list[Any], _comma: Token, item: Any) -> list[Any]:
        items.append(item)
        return items

    def on_second(self, _open: Token, value: Any, _close: Token) -> Any:
        return value


def is_complete_object(type_: CType) -> bool:
    """Whether an object can have the type: its size is known, now or at run time."""
    return (type_.complete and not type_.is_function) or type_.is_error


def record_of(type_: CType) -> RecordType | None:
    return type_ if isinstance(type_, RecordType) else None


def unreachable(what: object) -> NoReturn:
    raise AssertionError(what)
