"""The state of an RV64GC hart that user programs see (RISC-V unprivileged ISA, chapters 2 and 11).

`x0` is in the file to keep numbers and places equal; it is always zero and no semantics touches
it. The floating-point registers are 64 bits wide and hold a single NaN-boxed (12.2).
"""

from __future__ import annotations

from hcc.isa.arch import Register, RegisterFile

X = tuple(f"x{i}" for i in range(32))
F = tuple(f"f{i}" for i in range(32))

REGISTERS = RegisterFile(
    (
        Register("x0", 64, fixed=0),
        *(Register(name, 64) for name in X[1:] + F),
        Register("fcsr", 32, fixed=0),
    ),
)
