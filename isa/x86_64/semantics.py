"""The meaning of every instruction of x86-64 that hcc runs, by mnemonic.

Read operands.py first (operands, flags, conditions), then the subjects merged here.
"""

from __future__ import annotations

from collections.abc import Mapping

from hcc.isa.arch import Semantics
from hcc.isa.x86_64 import (
    semantics_bits,
    semantics_control,
    semantics_float,
    semantics_integer,
    semantics_simd,
)

SEMANTICS: Mapping[str, Semantics] = {
    **semantics_integer.TABLE,
    **semantics_bits.TABLE,
    **semantics_control.TABLE,
    **semantics_float.TABLE,
    **semantics_simd.TABLE,
}
