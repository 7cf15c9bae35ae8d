"""The `__pim` functions of a C file."""

from __future__ import annotations

from pathlib import Path

from hcc.compiler.diagnostics import Diagnostics
from hcc.compiler.kernelc.analyse import analyse
from hcc.compiler.kernelc.options import FrontEndOptions

from .recognise import PimFunction, Refused, recognise


def pim_functions(path: Path, options: FrontEndOptions) -> list[PimFunction]:
    """The recognised `__pim` functions of a file, in order.

    Raises `CompileError` with what is wrong with the file, and with every `__pim` function that
    cannot run in memory.
    """
    diagnostics = Diagnostics()
    actions = analyse(path, options, path.stem, diagnostics)
    found = []
    for function in actions.definitions.functions:
        if function.pim and function.body is not None:
            try:
                found.append(recognise(function))
            except Refused as error:
                actions.error(error.at or function.at, f"__pim: {error}")
    diagnostics.raise_if_errors()
    return found
