"""The meaning of every AArch64 instruction that hcc runs: mnemonic to function.

Read `access` first (operands as values), then the tables by subject: integer, control, memory,
float, simd, shift, permute. An instruction that is in none of them is refused.
"""

from __future__ import annotations

from collections.abc import Mapping

from hcc.isa.aarch64 import (
    semantics_control,
    semantics_float,
    semantics_integer,
    semantics_memory,
    semantics_permute,
    semantics_shift,
    semantics_simd,
)
from hcc.isa.arch import Semantics

SEMANTICS: Mapping[str, Semantics] = (
    semantics_integer.TABLE
    | semantics_control.TABLE
    | semantics_memory.TABLE
    | semantics_float.TABLE
    | semantics_simd.TABLE
    | semantics_shift.TABLE
    | semantics_permute.TABLE
)
