"""The complete set of actions, and what they need of the parser they run in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hcc.compiler.diagnostics import Diagnostics
from hcc.compiler.kernelc.positions import SourceFiles
from hcc.compiler.kernelc.scope import Function
from hcc.compiler.kernelc.statements import Statements
from hcc.compiler.kernelc.tokens import Token


class Actions(Statements):
    """The semantics of a translation unit.

    `ahead` tells the kind of the next token, `evaluate` the value of a constant expression given
    as tokens, and `from_header` declares a library function as its header does.
    """

    def __init__(self, unit: str, files: SourceFiles, diagnostics: Diagnostics) -> None:
        super().__init__(unit, files, diagnostics)
        self.ahead: Callable[[], str] = lambda: ""
        self.evaluate: Callable[[list[Token]], int | None] = lambda tokens: None
        self.from_header: Callable[[str, str, int], Function | None] = lambda *_: None
        self.declare_va_list()

    def next_kind(self) -> str:
        return self.ahead()

    def evaluate_tokens(self, tokens: list[Token]) -> int | None:
        return self.evaluate(tokens)

    def declare_from_header(self, name: str, header: str, at: int) -> Function | None:
        return self.from_header(name, header, at)

    def action(self, name: str) -> Callable[..., Any]:
        """The action a grammar rule names."""
        found: Callable[..., Any] = getattr(self, f"on_{name}")
        return found
