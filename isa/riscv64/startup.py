"""Machine code that no compiler writes: program entry, the system call, the migration call.

Encodings are grouped as in the manual: funct7|imm, rs2, rs1, funct3, rd, opcode.
"""

from __future__ import annotations

from hcc.isa.errors import HccError


def _code(*words: int) -> bytes:
    return b"".join(word.to_bytes(4, "little") for word in words)


def _absolute(register: int, value: int) -> tuple[int, int]:
    """lui register, %hi(value); addiw register, register, %lo(value): any value below 2^31.

    addiw, not addi: from 0x7ffff800 on lui overflows into the sign, and addiw brings it back.
    """
    if not 0 <= value < 1 << 31:
        raise HccError(f"start-up address {value:#x} is not below 2 GiB")
    upper, lower = (value + 0x800) >> 12 & 0xFFFFF, value & 0xFFF
    return (
        0b00000000000000000000_00000_0110111 | upper << 12 | register << 7,
        0b000000000000_00000_000_00000_0011011 | lower << 20 | register << 15 | register << 7,
    )


def start(addr: int, thread: int, entry: int) -> bytes:
    """`_start`: entry(initial stack pointer) with the thread pointer set and the stack aligned.

    The code does not depend on the `addr` it lies at.
    """
    return _code(
        *_absolute(4, thread),  # li   tp, thread
        *_absolute(5, entry),  # li   t0, entry
        0b000000000000_00010_000_01010_0010011,  # mv   a0, sp
        0b111111110000_00010_111_00010_0010011,  # andi sp, sp, -16
        0b000000000000_00101_000_00001_1100111,  # jalr ra, t0
        0b110000000000_00000_001_00000_1110011,  # unimp
    )


SYSCALL = _code(
    0b000000000000_01010_000_10001_0010011,  # mv   a7, a0
    0b000000000000_01011_000_01010_0010011,  # mv   a0, a1
    0b000000000000_01100_000_01011_0010011,  # mv   a1, a2
    0b000000000000_01101_000_01100_0010011,  # mv   a2, a3
    0b000000000000_01110_000_01101_0010011,  # mv   a3, a4
    0b000000000000_01111_000_01110_0010011,  # mv   a4, a5
    0b000000000000_10000_000_01111_0010011,  # mv   a5, a6
    0b000000000000_00000_000_00000_1110011,  # ecall
    0b000000000000_00001_000_00000_1100111,  # ret
)
"""long __hcc_syscall(long number, long a, long b, long c, long d, long e, long f)"""

MIGRATE = _code(
    0b00000000000000000101_10001_0110111,  # lui  a7, 5
    0b100000000000_10001_000_10001_0011011,  # addiw a7, a7, -0x800: 0x4800
    0b000000000000_00000_000_00000_1110011,  # ecall
    0b000000000000_00001_000_00000_1100111,  # ret
)
"""void __hcc_migrate(void)"""
