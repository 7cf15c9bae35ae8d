"""The RISC-V psABI as the runtime needs it: LP64D calls, Linux system calls, DWARF numbers.

RISC-V ELF psABI, "Register Convention" and "DWARF Register Numbers": x0..x31
are 0..31 and f0..f31 are 32..63.
"""

from __future__ import annotations

from hcc.isa.arch import CallingConvention, Imm, Insn, Reg
from hcc.isa.riscv64.registers import F, X

ELF_MACHINE = 243  # EM_RISCV
ELF_FLAGS = 0x5  # EF_RISCV_RVC | EF_RISCV_FLOAT_ABI_DOUBLE

CONVENTION = CallingConvention(
    stack_pointer="x2",
    thread_pointer="x4",
    arguments=X[10:18],
    result="x10",
    return_addr_register="x1",
    syscall_number="x17",
    syscall_arguments=X[10:16],
    syscall_result="x10",
    stack_map_registers=dict(enumerate(X + F)),
)


def call_target(insn: Insn, before: Insn | None) -> int | None:
    """Where a direct call goes: `jal ra` or the pair `auipc ra; jalr ra` (psABI, call sequence)."""
    match insn.mnemonic, insn.operands:
        case "jal", (Reg(name="x1"), Imm(value=target)):
            return target
        case "jalr", (Reg(name="x1"), Reg(name=base), Imm(value=low)):
            match before:
                case Insn(mnemonic="auipc", operands=(Reg(name=name), Imm(value=high))) if (
                    name == base
                ):
                    return before.addr + high + low
    return None
