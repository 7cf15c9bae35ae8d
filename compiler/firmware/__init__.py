"""LeBug firmware: two front ends (text and Python) to chains, the checks, the library.

Read `assemble` first (instructions to chains), then `builder` (Python) or `parse`, `evaluate`
and `text` (firmware text), then `checks`. `library` is the firmware itself.
"""

from __future__ import annotations

from hcc.isa.lebug.chain import Firmware
from hcc.isa.lebug.machine import Machine

from .assemble import Compilation, from_program
from .builder import (
    Compiler,
    begin_chain,
    build,
    end_chain,
    m_reduce,
    v_cache,
    v_commit,
    v_mc_load,
    v_mc_save,
    v_reduce,
    vv_add,
    vv_filter,
    vv_max,
    vv_mul,
    vv_sub,
)
from .diagnostics import Diagnostic, FirmwareError, Severity, Span
from .text import compile_file, compile_library, compile_text

# The name LeBug's own scripts use.
compiler = Compiler

__all__ = [
    "Compilation",
    "Compiler",
    "Diagnostic",
    "Firmware",
    "FirmwareError",
    "Machine",
    "Severity",
    "Span",
    "begin_chain",
    "build",
    "compile_file",
    "compile_library",
    "compile_text",
    "compiler",
    "end_chain",
    "from_program",
    "m_reduce",
    "v_cache",
    "v_commit",
    "v_mc_load",
    "v_mc_save",
    "v_reduce",
    "vv_add",
    "vv_filter",
    "vv_max",
    "vv_mul",
    "vv_sub",
]
