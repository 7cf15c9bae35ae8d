"""What the firmware compiler has to say: errors that stop it, warnings that do not.

Every message names the chain it is about (numbered from 1, as LeBug's emulator numbers them)
or the place in the firmware text, and every warning has a code, so that scripts and the
documentation can refer to it.
"""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from hcc.isa.errors import HccError


@frozen
class Span:
    """A place in firmware text; `text` is the source line, empty where it is not known."""

    file: str
    line: int
    column: int
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def caret(self) -> str:
        """The source line with a caret under the column, or nothing."""
        if not self.text.strip():
            return ""
        shown = self.text.rstrip("\n").replace("\t", " ")[:120]
        margin = " " * len(str(self.line))
        if self.column > len(shown) + 1:
            return f"\n{self.line:>4} | {shown}"
        return f"\n{self.line:>4} | {shown}\n{margin:>4} | {' ' * (self.column - 1)}^"


class FirmwareError(HccError):
    """A firmware that cannot be compiled; `span` is where, if the firmware is text."""

    def __init__(self, message: str, span: Span | None = None) -> None:
        self.message = message
        self.span = span
        super().__init__(f"{span}: {message}{span.caret()}" if span else message)


class Severity(Enum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@frozen
class Diagnostic:
    """One finding of the checks. `chain` is 0 when it is about the whole firmware."""

    severity: Severity
    code: str
    chain: int
    message: str
    span: Span | None = None

    def __str__(self) -> str:
        place = f"{self.span}: " if self.span else ""
        chain = f"chain {self.chain}: " if self.chain else ""
        return f"{place}{self.severity.value}: {chain}{self.message} [{self.code}]"

    def to_json(self) -> dict[str, object]:
        return {
            "severity": self.severity.value,
            "code": self.code,
            "chain": self.chain,
            "message": self.message,
            "place": str(self.span) if self.span else None,
        }
