"""The architectural state of x86-64 as far as plain C programs see it (SDM vol. 1, 3.4 and 10.2).

General registers come in the order of their encoding numbers, so `GENERAL[n]` is register n of
ModRM and REX. The status flags of RFLAGS are registers of their own: each is set and read alone.
The x87 and MMX state is left out: in hcc long double is double, and SSE2 does the rest.
"""

from __future__ import annotations

from hcc.isa.arch import Register, RegisterFile

GENERAL = (
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
    "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
)  # fmt: skip
VECTOR = tuple(f"xmm{n}" for n in range(16))
STATUS_FLAGS = ("cf", "pf", "af", "zf", "sf", "of")

REGISTERS = RegisterFile(
    (
        *(Register(name, 64) for name in GENERAL),
        *(Register(name, 128) for name in VECTOR),
        *(Register(name, 1, flag=True) for name in STATUS_FLAGS),
        Register("df", 1, flag=True, fixed=0),
        Register("fs_base", 64),
        Register("gs_base", 64, fixed=0),
        Register("mxcsr", 32, fixed=0x1F80),
    )
)
