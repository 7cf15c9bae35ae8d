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
    19: "readv",
    20: "writev",
    24: "sched_yield",
    35: "nanosleep",
    39: "getpid",
    60: "exit",
    62: "kill",
    96: "gettimeofday",
    157: "prctl",
    158: "arch_prctl",
    186: "gettid",
    202: "futex",
    218: "set_tid_address",
    228: "clock_gettime",
    231: "exit_group",
    234: "tgkill",
    257: "openat",
    263: "unlinkat",
    273: "set_robust_list",
    318: "getrandom",
    0x4800: "hcc_migrate",
    0x4801: "hcc_trap",
    0x4802: "hcc_stats",
    0x4803: "hcc_tap",
    0x4804: "hcc_send",
    0x4805: "hcc_recv",
}
