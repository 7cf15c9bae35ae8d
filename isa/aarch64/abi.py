"""Where things are at a call (AAPCS64) and at a Linux system call."""

from __future__ import annotations

from hcc.isa.arch import CallingConvention, Imm, Insn

# DWARF for the Arm 64-bit architecture, table 3: x0 to x30, sp, and v0 to v31 from 64 on.
DWARF_REGISTERS = {
    **{i: f"x{i}" for i in range(31)},
    31: "sp",
    **{64 + i: f"v{i}" for i in range(32)},
}

CONVENTION = CallingConvention(
    stack_pointer="sp",
    thread_pointer="tpidr_el0",
    arguments=tuple(f"x{i}" for i in range(8)),
    result="x0",
    return_addr_register="x30",
    syscall_number="x8",
    syscall_arguments=tuple(f"x{i}" for i in range(6)),
    syscall_result="x0",
    stack_map_registers=DWARF_REGISTERS,
)


def call_target(insn: Insn, before: Insn | None) -> int | None:
    """Where a direct call goes."""
    target = insn.operands[0] if insn.mnemonic == "bl" else None
    return target.value if isinstance(target, Imm) else None
