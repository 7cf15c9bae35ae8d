"""From a source file to the typed syntax tree of its functions: all but the lowering."""

from __future__ import annotations

from pathlib import Path

from hcc.compiler.diagnostics import Diagnostics, Span, TooManyErrorsError
from hcc.compiler.kernelc.actions import Actions
from hcc.compiler.kernelc.lexer import convert
from hcc.compiler.kernelc.macros import FatalError
from hcc.compiler.kernelc.options import FrontEndOptions
from hcc.compiler.kernelc.parse import Parser, SyntaxFault, UnexpectedEnd
from hcc.compiler.kernelc.positions import SourceFiles
from hcc.compiler.kernelc.preprocess import Preprocessor
from hcc.compiler.kernelc.scope import Function
from hcc.compiler.kernelc.syntax import IntConst
from hcc.compiler.kernelc.tables import load_tables
from hcc.compiler.kernelc.tokens import Token


def analyse(path: Path, options: FrontEndOptions, unit: str, diagnostics: Diagnostics) -> Actions:
    """The meaning of a source file. Raises `CompileError` if it has errors."""
    files = SourceFiles()
    actions = Actions(unit, files, diagnostics)
    try:
        tokens = Preprocessor(options, files, diagnostics).run(path)
        _parse(tokens, actions, options)
        actions.finish_unit()
    except (FatalError, TooManyErrorsError, UnexpectedEnd):
        pass
    except RecursionError:
        diagnostics.error(Span(str(path), 1), "the program is nested too deeply")
    diagnostics.raise_if_errors()
    return actions


def _parse(tokens: list[Token], actions: Actions, options: FrontEndOptions) -> None:
    parser = Parser(load_tables(), actions)

    def evaluate(tokens: list[Token]) -> int | None:
        try:
            expr = parser.parse(convert(tokens, actions.error), "conditional", strict=True)
        except SyntaxFault:
            return None
        return expr.value if isinstance(expr, IntConst) else None

    def from_header(name: str, header: str, at: int) -> Function | None:
        return _function_of_header(name, header, at, options, actions)

    actions.ahead = parser.next_kind
    actions.evaluate = evaluate
    actions.from_header = from_header
    parser.parse(convert(tokens, actions.error), "translation_unit")


def _function_of_header(
    name: str, header: str, at: int, options: FrontEndOptions, actions: Actions
) -> Function | None:
    """A function as a header of the system declares it, for one that was called undeclared."""
    known = actions.definitions.linked.get(name)
    if known is not None:
        return known if isinstance(known, Function) else None
    diagnostics = Diagnostics()
    files = SourceFiles()
    inner = Actions("header", files, diagnostics)
    plain = FrontEndOptions(system_include=options.system_include)
    try:
        tokens = Preprocessor(plain, files, diagnostics).run(options.system_include / header)
        _parse(tokens, inner, plain)
    except (FatalError, TooManyErrorsError, UnexpectedEnd):
        return None
    found = inner.scope.find(name)
    if not isinstance(found, Function) or diagnostics.error_count:
        return None
    found.at = at
    found.used = True
    actions.definitions.linked[name] = found
    return found
