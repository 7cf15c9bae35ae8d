"""Machine code that no compiler writes: program entry, the system call, the migration call.

Encodings are grouped by the fields of their classes in the manual (C4.1).
"""

from __future__ import annotations

from hcc.isa.errors import HccError


def _code(*words: int) -> bytes:
    return b"".join(word.to_bytes(4, "little") for word in words)


def _absolute(register: int, value: int) -> tuple[int, int]:
    """movz register, #low16; movk register, #high16, lsl #16."""
    if not 0 <= value < 1 << 32:
        raise HccError(f"start-up address {value:#x} is not below 4 GiB")
    low, high = value & 0xFFFF, value >> 16
    return (
        0b1_10_100101_00_0000000000000000_00000 | low << 5 | register,
        0b1_11_100101_01_0000000000000000_00000 | high << 5 | register,
    )


def start(addr: int, thread: int, entry: int) -> bytes:
    """`_start`: entry(initial stack pointer) with the thread pointer set and the stack aligned.

    The frame and link registers are zero, where unwinding ends. The code does not depend on the
    `addr` it lies at.
    """
    return _code(
        *_absolute(1, thread),  # mov  x1, #thread
        0b1101010100_0_1_1_011_1101_0000_010_00001,  # msr  tpidr_el0, x1
        0b1_00_100010_0_000000000000_11111_00000,  # mov  x0, sp
        0b1_00_100100_1_111100_111011_00000_11111,  # and  sp, x0, #-16
        0b1_10_100101_00_0000000000000000_11101,  # mov  x29, #0
        0b1_10_100101_00_0000000000000000_11110,  # mov  x30, #0
        *_absolute(16, entry),  # mov  x16, #entry
        0b1101011_0001_11111_000000_10000_00000,  # blr  x16
        0b11010100_001_0000000000000001_000_00,  # brk  #1
    )


SYSCALL = _code(
    0b1_01_01010_00_0_00000_000000_11111_01000,  # mov  x8, x0
    0b1_01_01010_00_0_00001_000000_11111_00000,  # mov  x0, x1
    0b1_01_01010_00_0_00010_000000_11111_00001,  # mov  x1, x2
    0b1_01_01010_00_0_00011_000000_11111_00010,  # mov  x2, x3
    0b1_01_01010_00_0_00100_000000_11111_00011,  # mov  x3, x4
    0b1_01_01010_00_0_00101_000000_11111_00100,  # mov  x4, x5
    0b1_01_01010_00_0_00110_000000_11111_00101,  # mov  x5, x6
    0b11010100_000_0000000000000000_000_01,  # svc  #0
    0b1101011_0010_11111_000000_11110_00000,  # ret
)
"""long __hcc_syscall(long number, long a, long b, long c, long d, long e, long f)"""

MIGRATE = _code(
    0b1_10_100101_00_0100100000000000_01000,  # mov  x8, #0x4800
    0b11010100_000_0000000000000000_000_01,  # svc  #0
    0b1101011_0010_11111_000000_11110_00000,  # ret
)
"""void __hcc_migrate(void)"""
