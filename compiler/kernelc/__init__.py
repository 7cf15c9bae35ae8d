"""The kernel C front end: from a C source file to an IR module.

To read it, follow a source through: preprocess.py (with tokens.py, macros.py, conditions.py) gives
tokens, lexer.py (with literal_tables.py) turns them into the parser's, parse.py runs the tables of
grammar.lark, whose actions build the typed tree of syntax.py: semantics.py, conversions.py,
operators.py, initializers.py (with images.py), builtins.py, expressions.py, specifiers.py,
declarators.py, declarations.py, statements.py, each a layer on the one before. types.py, layout.py
and scope.py are what they talk about. Then lower_module.py and its fellows (base, convert,
expressions, calls, initializers, statements, function) make the IR, by the conventions of abi.py.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hcc.compiler.diagnostics import Diagnostics, TooManyErrorsError
from hcc.compiler.garbage import no_collection
from hcc.compiler.ir.module import Module
from hcc.compiler.kernelc.analyse import analyse
from hcc.compiler.kernelc.lower_function import lower_function
from hcc.compiler.kernelc.lower_module import ModuleLowering
from hcc.compiler.kernelc.options import FrontEndOptions

__all__ = ["FrontEndOptions", "compile_c"]

RECURSION_LIMIT = 10_000


def compile_c(
    path: Path, options: FrontEndOptions, unit: str, diagnostics: Diagnostics | None = None
) -> Module:
    """The IR of a C source file.

    `unit` is an identifier unique in the program; symbols of internal linkage end in it. Raises
    `CompileError` with everything that is wrong. Warnings are left in `diagnostics`, if given.
    """
    found = Diagnostics() if diagnostics is None else diagnostics
    with _room_to_work():
        actions = analyse(path, options, unit, found)
        module = Module(unit)
        if any(function.pim for function in actions.definitions.functions):
            from hcc.compiler.pim.placement import place_functions

            module.pim = place_functions(actions)
        with suppress(TooManyErrorsError):
            ModuleLowering(actions, module).run(lower_function)
    found.raise_if_errors()
    return module


@contextmanager
def _room_to_work() -> Iterator[None]:
    """Recursion some thousand levels deep, for programs nested like that; what goes beyond is
    reported where it is found. (Calls between Python functions take no room on the C stack.) And
    no garbage collection: everything that is made here is kept until the end, and looking through
    it again and again doubles the time a large file takes."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, RECURSION_LIMIT))
    try:
        with no_collection():
            yield
    finally:
        sys.setrecursionlimit(limit)
