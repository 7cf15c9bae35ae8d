"""x86-64 as one record: what `hcc.isa.architecture` returns."""

from __future__ import annotations

from hcc.isa.arch import Arch, late_decoder
from hcc.isa.linux import X86_64
from hcc.isa.x86_64.abi import CONVENTION, call_target
from hcc.isa.x86_64.registers import REGISTERS
from hcc.isa.x86_64.semantics import SEMANTICS

ARCH = Arch(
    name="x86_64",
    elf_machine=62,  # EM_X86_64
    elf_flags=0,
    registers=REGISTERS,
    convention=CONVENTION,
    decode=late_decoder("x86_64"),
    semantics=SEMANTICS,
    max_insn_size=15,  # SDM vol. 2, 2.3.11
    insn_align=1,
    syscalls=X86_64,
    call_target=call_target,
    has_sse_nans=True,
    flags_copy="r11",
)
