"""The meaning of every AArch64 instruction that hcc runs: mnemonic to function.

Read `access` first (operands as values), then the tables by subject: integer, control, memory,
float, simd. An instruction that is in none of them is refused.
"""

from __future__ import annotations

from collections.abc import Mapping

from hcc.isa.aarch64 import (
    semantics_control,
    semantics_integer,
    semantics_memory,
)
from hcc.isa.arch import Semantics

SEMANTICS: Mapping[str, Semantics] = (
    semantics_integer.TABLE
    | semantics_control.TABLE
    | semantics_memory.TABLE
)
