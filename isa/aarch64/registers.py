"""The state of an AArch64 CPU at EL0: general, SIMD and system registers (Arm ARM, B1.2).

The condition flags PSTATE.N, Z, C and V are called nf, zf, cf and vf, to keep them apart from the
vector registers.
"""

from __future__ import annotations

from hcc.isa.arch import Register, RegisterFile

GENERAL = tuple(f"x{i}" for i in range(31))
VECTOR = tuple(f"v{i}" for i in range(32))
FLAGS = ("nf", "zf", "cf", "vf")

REGISTERS = RegisterFile(
    (
        *(Register(name, 64) for name in (*GENERAL, "sp")),
        *(Register(name, 1, flag=True) for name in FLAGS),
        Register("tpidr_el0", 64),
        Register("fpcr", 32, fixed=0),
        Register("fpsr", 32, fixed=0),
        *(Register(name, 128) for name in VECTOR),
    )
)
