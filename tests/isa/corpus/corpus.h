/* What every program of the corpus shares: start-up, output, exit; no libc, every ISA of hcc.
 *
 * A program defines `static void corpus(void)` and reports with emit(value); one line of hex for
 * each.  It must give the same lines on every machine, so it keeps to what C defines (and to
 * two's complement: it is compiled with -fwrapv).
 */
#ifndef CORPUS_H
#define CORPUS_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char i8;
typedef short i16;
typedef int i32;
typedef long long i64;

#define NOINLINE __attribute__((noinline))

/* Code generators without an assembler define CORPUS_NO_ASM and link start.c beside the program. */
#ifdef CORPUS_NO_ASM
#define CORPUS_STATIC
long corpus_syscall(long number, long a, long b, long c);
#else
#define CORPUS_STATIC static
static long corpus_syscall(long number, long a, long b, long c)
{
#if defined(__x86_64__)
    long r;
    __asm__ volatile("syscall" : "=a"(r) : "a"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return r;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
#else
    register long a7 __asm__("a7") = number;
    register long a0 __asm__("a0") = a;
    register long a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2) : "memory");
    return a0;
#endif
}
#endif

#if defined(__x86_64__)
#define CORPUS_WRITE 1
#define CORPUS_EXIT 60
#else
#define CORPUS_WRITE 64
#define CORPUS_EXIT 93
#endif

static char corpus_buffer[4096];
static unsigned long corpus_used;

static void corpus_flush(void)
{
    corpus_syscall(CORPUS_WRITE, 1, (long)corpus_buffer, (long)corpus_used);
    corpus_used = 0;
}

static NOINLINE void emit(u64 value)
{
    if (corpus_used + 17 > sizeof corpus_buffer)
        corpus_flush();
    for (int shift = 60; shift >= 0; shift -= 4)
        corpus_buffer[corpus_used++] = "0123456789abcdef"[value >> shift & 15];
    corpus_buffer[corpus_used++] = '\n';
}

static NOINLINE void emit_f(double value)
{
    union { double f; u64 i; } bits = {value};
    emit(value == value ? bits.i : 0x7ff8000000000000ull);
}

/* A value the compiler knows nothing about. */
static u64 corpus_seed = 0x9e3779b97f4a7c15ull;

static NOINLINE u64 rnd(void)
{
    corpus_seed ^= corpus_seed << 13;
    corpus_seed ^= corpus_seed >> 7;
    corpus_seed ^= corpus_seed << 17;
    return corpus_seed;
}

static void corpus(void);

__attribute__((used)) CORPUS_STATIC void corpus_main(void)
{
    corpus();
    corpus_flush();
    corpus_syscall(CORPUS_EXIT, 0, 0, 0);
}

#if defined(CORPUS_NO_ASM)
#elif defined(__x86_64__)
__asm__(".globl _start\n_start: xor %ebp, %ebp\n and $-16, %rsp\n call corpus_main\n hlt\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start: bl corpus_main\n brk #1\n");
#else
__asm__(".globl _start\n_start: .option push\n.option norelax\n"
        "la gp, __global_pointer$\n.option pop\n call corpus_main\n ebreak\n");
#endif

/* Compilers call these on their own. */
#if defined(__clang__)
#define CORPUS_NO_IDIOM
#else
#define CORPUS_NO_IDIOM __attribute__((optimize("no-tree-loop-distribute-patterns")))
#endif

#ifdef __clang__
#pragma clang optimize off
#endif
__attribute__((used)) CORPUS_NO_IDIOM void *memset(void *to, int byte, unsigned long size)
{
    u8 *t = to;
    while (size--)
        *t++ = (u8)byte;
    return to;
}

__attribute__((used)) CORPUS_NO_IDIOM void *memcpy(void *restrict to, const void *restrict from,
                                                   unsigned long size)
{
    u8 *t = to;
    const u8 *f = from;
    while (size--)
        *t++ = *f++;
    return to;
}

__attribute__((used)) CORPUS_NO_IDIOM void *memmove(void *to, const void *from, unsigned long size)
{
    u8 *t = to;
    const u8 *f = from;
    if (t < f)
        while (size--)
            *t++ = *f++;
    else
        while (size--)
            t[size] = f[size];
    return to;
}

__attribute__((used)) CORPUS_NO_IDIOM unsigned long strlen(const char *s)
{
    unsigned long n = 0;
    while (s[n])
        n++;
    return n;
}
#ifdef __clang__
#pragma clang optimize on
#endif

#endif
