/* System calls by ISA-neutral number.
 *
 * The numbers are those of Linux's generic table (AArch64 and RISC-V use it as
 * it stands); the compiler maps them to the older x86-64 numbers.  The number
 * must be a constant expression; every further argument is a long.  The result
 * is the kernel's: -errno on failure.
 */
#ifndef _HCC_SYSCALL_H
#define _HCC_SYSCALL_H

#include <hcc/abi.h>

#define HCC_SYS_GETCWD 17
#define HCC_SYS_DUP 23
#define HCC_SYS_DUP3 24
#define HCC_SYS_IOCTL 29
#define HCC_SYS_MKDIRAT 34
#define HCC_SYS_UNLINKAT 35
#define HCC_SYS_TRUNCATE 45
#define HCC_SYS_FTRUNCATE 46
#define HCC_SYS_FACCESSAT 48
#define HCC_SYS_CHDIR 49
#define HCC_SYS_FCHMODAT 53
#define HCC_SYS_OPENAT 56
#define HCC_SYS_CLOSE 57
#define HCC_SYS_LSEEK 62
#define HCC_SYS_READ 63
#define HCC_SYS_WRITE 64
#define HCC_SYS_FSYNC 82
#define HCC_SYS_EXIT 93
#define HCC_SYS_EXIT_GROUP 94
#define HCC_SYS_NANOSLEEP 101
#define HCC_SYS_CLOCK_GETTIME 113
#define HCC_SYS_KILL 129
#define HCC_SYS_GETTIMEOFDAY 169
#define HCC_SYS_GETPID 172
#define HCC_SYS_BRK 214
#define HCC_SYS_RENAMEAT2 276
#define HCC_SYS_STATX 291

/* hcc's own, the same on every ISA; a real kernel answers -ENOSYS. */
#define HCC_SYS_TRAP 0x4801
#define HCC_SYS_STATS 0x4802
#define HCC_SYS_TAP 0x4803
#define HCC_SYS_SEND 0x4804
#define HCC_SYS_RECV 0x4805
#define HCC_SYS_PIM 0x4806

#define HCC_AT_FDCWD (-100L)

long __hcc_syscall(long number, ...) __HCC_LEAF;

/* Turns a raw result into C's convention: -1 and errno on failure. */
long __hcc_result(long raw) __HCC_LEAF;

#endif
