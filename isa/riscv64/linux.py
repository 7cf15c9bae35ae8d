"""Linux system-call numbers of RISC-V (the kernel's generic table), by generic name.

Numbers from 0x4800 on are hcc's own and the same on every ISA.
"""

from __future__ import annotations

from collections.abc import Mapping

SYSCALLS: Mapping[int, str] = {
    24: "dup3",
    29: "ioctl",
    34: "mkdirat",
    35: "unlinkat",
    40: "mount",
    49: "chdir",
    56: "openat",
    57: "close",
    61: "getdents64",
    62: "lseek",
    63: "read",
    64: "write",
    65: "readv",
    66: "writev",
    78: "readlinkat",
    81: "sync",
    93: "exit",
    94: "exit_group",
    96: "set_tid_address",
    98: "futex",
    99: "set_robust_list",
    101: "nanosleep",
    113: "clock_gettime",
    124: "sched_yield",
    129: "kill",
    131: "tgkill",
    134: "rt_sigaction",
    135: "rt_sigprocmask",
    142: "reboot",
    167: "prctl",
    169: "gettimeofday",
    172: "getpid",
    178: "gettid",
    214: "brk",
    215: "munmap",
    220: "clone",
    221: "execve",
    222: "mmap",
    260: "wait4",
    276: "renameat2",
    278: "getrandom",
    0x4800: "hcc_migrate",
    0x4801: "hcc_trap",
    0x4802: "hcc_stats",
    0x4803: "hcc_tap",
    0x4804: "hcc_send",
    0x4805: "hcc_recv",
    0x4806: "hcc_pim",
}
