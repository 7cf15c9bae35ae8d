"""The three targets as LLVM knows them, and the few places where their IR differs.

LLVM IR text is the same for all ISAs but for the header, the address of the thread block's fields
and system-call numbers; `llvm_text` leaves marks in those places, which `Target.localise` fills.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import frozen

from hcc.isa import thread_block
from hcc.isa.errors import UnsupportedError
from hcc.isa.linux import GENERIC, X86_64

_FIELDS = {"flag": thread_block.MIGRATION_FLAG, "dsp": thread_block.DATA_STACK_POINTER}
_FIELD_MARK = re.compile(r"^  (%[\w.]+) = @@field (\w+)\n", re.MULTILINE)
_SYSCALL_MARK = re.compile(r"@@syscall (\d+)")


@frozen
class Target:
    """One ISA for LLVM. `segment_addressing`: thread-block fields are reached by address space 257
    (x86's fs) instead of the thread-pointer intrinsic."""

    arch: str
    triple: str
    cpu: str
    features: str
    abi: str
    syscalls: dict[int, int]
    """System-call numbers of this ISA by the neutral (asm-generic) ones."""
    segment_addressing: bool = False

    def localise(self, text: str) -> str:
        """The module's text for this target."""
        text = _FIELD_MARK.sub(self._field, text)
        text = _SYSCALL_MARK.sub(self._syscall, text).replace("@@fieldptr", self.field_pointer)
        return f'target triple = "{self.triple}"\n{text}'

    def _field(self, match: re.Match[str]) -> str:
        name, offset = match[1], _FIELDS[match[2]]
        if self.segment_addressing:
            addr = f"inttoptr (i64 {offset} to ptr addrspace(257))"
            return f"  {name} = getelementptr i8, ptr addrspace(257) {addr}, i64 0\n"
        return (
            f"  {name}.tp = call ptr @llvm.thread.pointer.p0()\n"
            f"  {name} = getelementptr i8, ptr {name}.tp, i64 {offset}\n"
        )

    def _syscall(self, match: re.Match[str]) -> str:
        number = int(match[1])
        if number not in self.syscalls:
            raise UnsupportedError(f"system call {number} has no counterpart on {self.arch}")
        return str(self.syscalls[number])

    @property
    def field_pointer(self) -> str:
        """The type of a pointer to a thread-block field."""
        return "ptr addrspace(257)" if self.segment_addressing else "ptr"


def _neutral(numbers: Mapping[int, str]) -> dict[int, int]:
    """Map the numbers that the IR has, of Linux's generic table, to an ISA's own by the names."""
    own = {name: number for number, name in numbers.items()}
    return {number: own[name] for number, name in GENERIC.items() if name in own}


def target_for(arch: str) -> Target:
    """The target of an ISA by name (x86_64, aarch64, riscv64)."""
    match arch:
        case "x86_64":
            return Target(
                arch, "x86_64-unknown-linux-gnu", "x86-64", "", "", _neutral(X86_64), True
            )
        case "aarch64":
            return Target(
                arch, "aarch64-unknown-linux-gnu", "generic", "+neon", "", _neutral(GENERIC)
            )
        case "riscv64":
            features = "+m,+a,+f,+d,+c,-relax"
            return Target(
                arch, "riscv64-unknown-linux-gnu", "generic-rv64", features, "lp64d",
                _neutral(GENERIC),
            )  # fmt: skip
    raise UnsupportedError(f"no such ISA: '{arch}'")
