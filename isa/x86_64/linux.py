"""System-call numbers of Linux on x86-64 (arch/x86/entry/syscalls/syscall_64.tbl) and hcc's own.

hcc's calls have one set of numbers on all ISAs, far above those of Linux.
"""

from __future__ import annotations

from collections.abc import Mapping

SYSCALLS: Mapping[int, str] = {
    0: "read",
    1: "write",
    3: "close",
    8: "lseek",
    9: "mmap",
    11: "munmap",
    12: "brk",
    13: "rt_sigaction",
    14: "rt_sigprocmask",
    16: "ioctl",
    19: "readv",
    20: "writev",
    24: "sched_yield",
    35: "nanosleep",
    39: "getpid",
    56: "clone",
    59: "execve",
    60: "exit",
    61: "wait4",
    62: "kill",
    80: "chdir",
    96: "gettimeofday",
    157: "prctl",
    158: "arch_prctl",
    162: "sync",
    165: "mount",
    169: "reboot",
    186: "gettid",
    202: "futex",
    217: "getdents64",
    218: "set_tid_address",
    228: "clock_gettime",
    231: "exit_group",
    234: "tgkill",
    257: "openat",
    258: "mkdirat",
    263: "unlinkat",
    273: "set_robust_list",
    292: "dup3",
    316: "renameat2",
    318: "getrandom",
    0x4800: "hcc_migrate",
    0x4801: "hcc_trap",
    0x4802: "hcc_stats",
    0x4803: "hcc_tap",
    0x4804: "hcc_send",
    0x4805: "hcc_recv",
    0x4806: "hcc_pim",
}
