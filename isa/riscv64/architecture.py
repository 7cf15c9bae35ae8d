"""RV64 as one record: what `hcc.isa.architecture` returns."""

from __future__ import annotations

from hcc.isa.arch import Arch, late_decoder
from hcc.isa.linux import GENERIC
from hcc.isa.riscv64.abi import CONVENTION, ELF_FLAGS, ELF_MACHINE, call_target
from hcc.isa.riscv64.registers import REGISTERS
from hcc.isa.riscv64.semantics import SEMANTICS

ARCH = Arch(
    name="riscv64",
    elf_machine=ELF_MACHINE,
    elf_flags=ELF_FLAGS,
    registers=REGISTERS,
    convention=CONVENTION,
    decode=late_decoder("riscv64"),
    semantics=SEMANTICS,
    max_insn_size=4,
    insn_align=2,
    syscalls=GENERIC,
    call_target=call_target,
)
