"""The meaning of every RV64GC instruction that hcc runs, by mnemonic."""

from __future__ import annotations

from collections.abc import Mapping

from hcc.isa.arch import Semantics
from hcc.isa.riscv64 import semantics_convert, semantics_float, semantics_integer

SEMANTICS: Mapping[str, Semantics] = {
    **semantics_integer.TABLE,
    **semantics_float.TABLE,
    **semantics_convert.TABLE,
}
