"""x86-64 as one record: what `hcc.isa.architecture` returns."""

from __future__ import annotations

from hcc.isa.arch import Arch
from hcc.isa.x86_64.abi import CONVENTION, call_target
from hcc.isa.x86_64.decode import MAX_INSN_SIZE, decode
from hcc.isa.x86_64.linux import SYSCALLS
from hcc.isa.x86_64.registers import REGISTERS
from hcc.isa.x86_64.semantics import SEMANTICS

ARCH = Arch(
    name="x86_64",
    elf_machine=62,  # EM_X86_64
    elf_flags=0,
    registers=REGISTERS,
    convention=CONVENTION,
    decode=decode,
    semantics=SEMANTICS,
    max_insn_size=MAX_INSN_SIZE,
    insn_align=1,
    syscalls=SYSCALLS,
    call_target=call_target,
)
