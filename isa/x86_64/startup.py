"""The few pieces of machine code that no C compiler writes: start-up and system calls.

They are so short that an assembler would be more to read than the bytes; each line below is one
instruction, its fields grouped as in the SDM: prefixes, REX, opcode, ModRM, SIB and
displacement, immediate.
"""

from __future__ import annotations

import struct

from hcc.isa.errors import HccError

_ARCH_SET_FS = 0x1002


def start(addr: int, thread: int, entry: int) -> bytes:
    """The `_start` stub for `addr`: thread pointer, aligned stack, `entry(initial_sp)`, trap.

    At entry of a process rsp points to argc and has no caller (psABI 3.4.1). The stub is
    position-independent, so `addr` does not matter here; `entry` may be anywhere below 4 GiB.
    """
    if not 0 <= thread < 1 << 31:
        raise HccError(f"thread area at {thread:#x} is not below 2 GiB")
    if not 0 <= entry < 1 << 32:
        raise HccError(f"entry point at {entry:#x} is not below 4 GiB")
    return b"".join(
        (
            b"\x48\x89\xe3",  # mov rbx, rsp
            b"\xbf" + struct.pack("<I", _ARCH_SET_FS),  # mov edi, ARCH_SET_FS
            b"\xbe" + struct.pack("<I", thread),  # mov esi, thread
            b"\xb8" + struct.pack("<I", 158),  # mov eax, arch_prctl
            b"\x0f\x05",  # syscall
            b"\x48\x89\xdf",  # mov rdi, rbx
            b"\x31\xed",  # xor ebp, ebp: the outermost frame
            b"\x48\x83\xe4\xf0",  # and rsp, -16
            b"\xb8" + struct.pack("<I", entry),  # mov eax, entry
            b"\xff\xd0",  # call rax
            b"\x0f\x0b",  # ud2
        )
    )


# long __hcc_syscall(long number, long a, long b, long c, long d, long e, long f)
SYSCALL = b"".join(
    (
        b"\x48\x89\xf8",  # mov rax, rdi
        b"\x48\x89\xf7",  # mov rdi, rsi
        b"\x48\x89\xd6",  # mov rsi, rdx
        b"\x48\x89\xca",  # mov rdx, rcx
        b"\x4d\x89\xc2",  # mov r10, r8
        b"\x4d\x89\xc8",  # mov r8, r9
        b"\x4c\x8b\x4c\x24\x08",  # mov r9, [rsp + 8]
        b"\x0f\x05",  # syscall
        b"\xc3",  # ret
    )
)

# void __hcc_migrate(void): a system call changes rax, rcx and r11 only, which no callee keeps.
MIGRATE = b"".join(
    (
        b"\xb8" + struct.pack("<I", 0x4800),  # mov eax, hcc_migrate
        b"\x0f\x05",  # syscall
        b"\xc3",  # ret
    )
)
