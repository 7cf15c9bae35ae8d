"""AArch64 as one record: what `hcc.isa.architecture` returns."""

from __future__ import annotations

from hcc.isa.aarch64.abi import CONVENTION, call_target
from hcc.isa.aarch64.registers import REGISTERS
from hcc.isa.aarch64.semantics import SEMANTICS
from hcc.isa.arch import Arch, late_decoder
from hcc.isa.linux import GENERIC

ARCH = Arch(
    name="aarch64",
    elf_machine=183,
    elf_flags=0,
    registers=REGISTERS,
    convention=CONVENTION,
    decode=late_decoder("aarch64"),
    semantics=SEMANTICS,
    max_insn_size=4,
    insn_align=4,
    syscalls=GENERIC,
    call_target=call_target,
)
