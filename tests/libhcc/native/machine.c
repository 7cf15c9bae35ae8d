/* What the hcc compiler supplies to libhcc, for a libhcc built by another
 * compiler: __hcc_syscall and, for programs, _start.
 *
 * With LIBHCC_HOSTED the library lives inside another program (the tests' own
 * Python): then brk, which that program's C library owns, moves within an array
 * instead, and there is no _start.
 */
#include <hcc/syscall.h>
#include <stdarg.h>

#if defined(__x86_64__)

static long neutral_to_x86(long number)
{
    switch (number) {
    case HCC_SYS_GETCWD: return 79;
    case HCC_SYS_DUP: return 32;
    case HCC_SYS_DUP3: return 292;
    case HCC_SYS_IOCTL: return 16;
    case HCC_SYS_MKDIRAT: return 258;
    case HCC_SYS_UNLINKAT: return 263;
    case HCC_SYS_TRUNCATE: return 76;
    case HCC_SYS_FTRUNCATE: return 77;
    case HCC_SYS_FACCESSAT: return 269;
    case HCC_SYS_CHDIR: return 80;
    case HCC_SYS_FCHMODAT: return 268;
    case HCC_SYS_FSYNC: return 74;
    case HCC_SYS_OPENAT: return 257;
    case HCC_SYS_CLOSE: return 3;
    case HCC_SYS_LSEEK: return 8;
    case HCC_SYS_READ: return 0;
    case HCC_SYS_WRITE: return 1;
    case HCC_SYS_EXIT: return 60;
    case HCC_SYS_EXIT_GROUP: return 231;
    case HCC_SYS_NANOSLEEP: return 35;
    case HCC_SYS_CLOCK_GETTIME: return 228;
    case HCC_SYS_KILL: return 62;
    case HCC_SYS_GETTIMEOFDAY: return 96;
    case HCC_SYS_GETPID: return 39;
    case HCC_SYS_BRK: return 12;
    case HCC_SYS_RENAMEAT2: return 316;
    case HCC_SYS_STATX: return 332;
    }
    return -1;
}

static long kernel_call(long number, long a, long b, long c, long d, long e)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(neutral_to_x86(number)), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return result;
}

#ifndef LIBHCC_HOSTED
__asm__(".globl _start\n"
        "_start:\n"
        "    xor %ebp, %ebp\n"
        "    mov %rsp, %rdi\n"
        "    and $-16, %rsp\n"
        "    call __hcc_start\n");
#endif

#elif defined(__aarch64__)

static long kernel_call(long number, long a, long b, long c, long d, long e)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;

    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
                     : "memory");
    return x0;
}

__asm__(".globl _start\n"
        "_start:\n"
        "    mov x29, #0\n"
        "    mov x0, sp\n"
        "    bl __hcc_start\n");

#elif defined(__riscv)

static long kernel_call(long number, long a, long b, long c, long d, long e)
{
    register long a7 __asm__("a7") = number;
    register long a0 __asm__("a0") = a;
    register long a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c;
    register long a3 __asm__("a3") = d;
    register long a4 __asm__("a4") = e;

    __asm__ volatile("ecall"
                     : "+r"(a0)
                     : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4)
                     : "memory");
    return a0;
}

__asm__(".globl _start\n"
        "_start:\n"
        ".option push\n"
        ".option norelax\n"
        "    la gp, __global_pointer$\n"
        ".option pop\n"
        "    mv a0, sp\n"
        "    call __hcc_start\n");

#endif

#ifdef LIBHCC_HOSTED
#define ARENA (1UL << 30)
static char arena[ARENA] __attribute__((aligned(4096)));
static long arena_break;

/* How far a test lets the heap grow. */
long libhcc_heap_limit = ARENA;

/* start.c wants one; nobody calls it. */
int main(void)
{
    return 0;
}

static long move_break(long wanted)
{
    if (arena_break == 0)
        arena_break = (long)arena + 24; /* not on a page: the library rounds it */
    if (wanted >= arena_break && wanted <= (long)arena + libhcc_heap_limit)
        arena_break = wanted;
    return arena_break;
}
#endif

long __hcc_syscall(long number, ...)
{
    va_list arguments;
    long a, b, c, d, e;

    va_start(arguments, number);
    a = va_arg(arguments, long);
    b = va_arg(arguments, long);
    c = va_arg(arguments, long);
    d = va_arg(arguments, long);
    e = va_arg(arguments, long);
    va_end(arguments);
#ifdef LIBHCC_HOSTED
    if (number == HCC_SYS_BRK)
        return move_break(a);
#endif
    return kernel_call(number, a, b, c, d, e);
}
