"""Diagnostics of the front ends: what is wrong, where, with the source line and a caret.

A front end reports into a `Diagnostics` collector and goes on, so that one run shows several
errors. When it is done it calls `raise_if_errors`, which turns the collected errors into one
`CompileError`; the command line prints its text as it stands and exits with 2. Warnings stay in
the collector, whose `render` prints them the same way.

The form is the one C programmers' tools already parse:

    matmul.c:12:15: error: subscript of a value that is neither array nor pointer ('double')
       12 |   s += A[i][j][k] * B[k][j];
          |               ^
    matmul.c:3:8: note: 'A' is declared here as 'double[256][256]'
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from attrs import define, field, frozen

from hcc.isa.errors import HccError

MAX_ERRORS = 20
"""After so many errors a run stops: what follows is rarely news."""


class Severity(Enum):
    """How bad a diagnostic is; the value is the word that is printed."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@frozen
class Span:
    """A place in a source file: line and column counted from 1, `length` columns underlined."""

    file: str
    line: int
    column: int = 0
    length: int = 1

    def __str__(self) -> str:
        text = f"{self.file}:{self.line}"
        return f"{text}:{self.column}" if self.column else text


@frozen
class Diagnostic:
    """One message about one place, with the notes that belong to it."""

    severity: Severity
    span: Span
    message: str
    notes: tuple[Diagnostic, ...] = ()

    def headline(self) -> str:
        """The first line: place, severity and message."""
        return f"{self.span}: {self.severity.value}: {self.message}"


class CompileError(HccError):
    """All diagnostics of a run that found errors; its text is ready to print."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...], text: str) -> None:
        super().__init__(text)
        self.diagnostics = diagnostics

    @property
    def errors(self) -> list[Diagnostic]:
        """The errors alone, in the order in which they were found."""
        return [d for d in self.diagnostics if d.severity is Severity.ERROR]


class TooManyErrorsError(Exception):
    """Raised by the collector to leave the front end after `MAX_ERRORS` errors."""


@define
class Diagnostics:
    """Collects the diagnostics of one run and knows the text of the files they point into."""

    found: list[Diagnostic] = field(factory=list)
    error_count: int = 0
    _sources: dict[str, list[str]] = field(factory=dict)
    _seen: set[tuple[Span, str]] = field(factory=set)

    def add_source(self, file: str, text: str) -> None:
        """Remember the text of a file, so that it need not be read again to show a line."""
        self._sources[file] = text.split("\n")

    def report(
        self, severity: Severity, span: Span, message: str, notes: tuple[Diagnostic, ...] = ()
    ) -> None:
        """Add a diagnostic, unless the same was said of the same place before."""
        if (span, message) in self._seen:
            return
        self._seen.add((span, message))
        self.found.append(Diagnostic(severity, span, message, notes))
        if severity is Severity.ERROR:
            self.error_count += 1
            if self.error_count >= MAX_ERRORS:
                raise TooManyErrorsError

    def error(self, span: Span, message: str, *notes: Diagnostic) -> None:
        self.report(Severity.ERROR, span, message, notes)

    def warning(self, span: Span, message: str, *notes: Diagnostic) -> None:
        self.report(Severity.WARNING, span, message, notes)

    def raise_if_errors(self) -> None:
        """Raise `CompileError` with everything found, if any of it is an error."""
        if self.error_count:
            raise CompileError(tuple(self.in_order()), self.render())

    def in_order(self) -> list[Diagnostic]:
        """Everything found, in the order of the source: a front end's stages report in turn, each
        for the whole file."""
        files: dict[str, int] = {}
        for diagnostic in self.found:
            files.setdefault(diagnostic.span.file, len(files))
        return sorted(self.found, key=lambda d: (files[d.span.file], d.span.line, d.span.column))

    def render(self) -> str:
        """All diagnostics as text, without a newline at the end."""
        lines: list[str] = []
        for diagnostic in self.in_order():
            lines.append(diagnostic.headline())
            lines += self._excerpt(diagnostic.span)
            lines += [note.headline() for note in diagnostic.notes]
        if self.error_count >= MAX_ERRORS:
            lines.append(f"stopped after {MAX_ERRORS} errors")
        return "\n".join(lines)

    def _excerpt(self, span: Span) -> list[str]:
        """The source line and the caret under it; nothing if the line is not to be had."""
        text = self._line(span.file, span.line)
        if text is None or not span.column:
            return []
        before = text[: span.column - 1]
        blank = "".join(c if c == "\t" else " " for c in before).ljust(span.column - 1)
        length = max(1, min(span.length, len(text) - span.column + 1))
        return [f"{span.line:5} | {text}", f"      | {blank}^{'~' * (length - 1)}"]

    def _line(self, file: str, line: int) -> str | None:
        if file not in self._sources:
            try:
                text = Path(file).read_text(encoding="utf-8", errors="replace")
            except OSError:
                text = ""
            self.add_source(file, text)
        lines = self._sources[file]
        if not 1 <= line <= len(lines):
            return None
        printable = lines[line - 1].rstrip("\r").encode("utf-8", "replace").decode()
        return printable if printable.strip() else None
