"""The System V calling convention and DWARF register numbers (x86-64 psABI 1.0, 3.2, 3.6, A.2)."""

from __future__ import annotations

from hcc.isa.arch import CallingConvention, Imm, Insn
from hcc.isa.x86_64.registers import VECTOR

# DWARF numbers the first eight registers in an order of its own; 16 is the return address.
_DWARF_GENERAL = (
    *("rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp"),
    *(f"r{n}" for n in range(8, 16)),
)

CONVENTION = CallingConvention(
    stack_pointer="rsp",
    thread_pointer="fs_base",
    arguments=("rdi", "rsi", "rdx", "rcx", "r8", "r9"),
    result="rax",
    return_addr_register=None,
    syscall_number="rax",
    syscall_arguments=("rdi", "rsi", "rdx", "r10", "r8", "r9"),
    syscall_result="rax",
    stack_map_registers={
        **dict(enumerate(_DWARF_GENERAL)),
        **{17 + n: name for n, name in enumerate(VECTOR)},
    },
)


def call_target(insn: Insn, before: Insn | None) -> int | None:
    """Where a direct call goes."""
    target = insn.operands[0] if insn.mnemonic == "call" else None
    return target.value if isinstance(target, Imm) else None
