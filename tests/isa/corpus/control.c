/* Control flow: switches of each shape, recursion, indirect calls, many arguments, varargs, sorts. */
#include "corpus.h"

static NOINLINE i64 dense(int k, i64 a)
{
    switch (k) {
    case 0: return a + 1; case 1: return a * 3; case 2: return a - 9; case 3: return a ^ 0x55;
    case 4: return a << 2; case 5: return a >> 3; case 6: return -a; case 7: return ~a;
    case 8: return a * a; case 9: return a & 0xff; case 10: return a | 0xf0; default: return 0;
    }
}

static NOINLINE int sparse(u32 k)
{
    switch (k) {
    case 3: return 1; case 100: return 2; case 1000: case 1001: return 3; case 70000: return 4;
    case 0x80000000: return 5; case 0xffffffff: return 6; default: return (int)k;
    }
}

static NOINLINE int vowel(char c)
{
    switch (c) { case 'a': case 'e': case 'i': case 'o': case 'u': return 1; default: return 0; }
}

static NOINLINE int lookup(int k)
{
    switch (k) {
    case 1: return 17; case 2: return -5; case 3: return 1000; case 4: return 7; case 5: return 12;
    default: return 99;
    }
}

static NOINLINE u64 fib(u32 n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
static NOINLINE u32 gcd(u32 a, u32 b) { return b ? gcd(b, a % b) : a; }
static NOINLINE u32 ackermann(u32 m, u32 n)
{
    return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}
static NOINLINE int odd(int n);
static NOINLINE int even(int n) { return n ? odd(n - 1) : 1; }
static NOINLINE int odd(int n) { return n ? even(n - 1) : 0; }

static NOINLINE i64 many(i8 a, i16 b, i32 c, i64 d, u8 e, u16 f, u32 g, u64 h, i8 i, i16 j, i32 k,
                         double l, float m, i64 n)
{
    return a + b * 2 + c * 3ll + d * 5 + e * 7 + f * 11 + g * 13ll + (i64)h * 17 + i * 19 + j * 23
         + k * 29ll + (i64)l * 31 + (i64)m * 37 + n * 41;
}

static NOINLINE i64 sum(int n, ...)
{
    __builtin_va_list list;
    i64 s = 0;
    __builtin_va_start(list, n);
    for (int i = 0; i < n; i++) {
        switch (i % 3) {
        case 0: s += __builtin_va_arg(list, int); break;
        case 1: s += __builtin_va_arg(list, i64); break;
        case 2: s += (i64)__builtin_va_arg(list, double); break;
        }
    }
    __builtin_va_end(list);
    return s;
}

static i64 f0(i64 a) { return a + 3; }
static i64 f1(i64 a) { return a * 7; }
static i64 f2(i64 a) { return a ^ (a >> 3); }
static i64 (*volatile table[])(i64) = {f0, f1, f2, f1};

static int less(const void *a, const void *b) { return *(const i32 *)a < *(const i32 *)b; }

static NOINLINE void sort(void *base, u64 n, u64 size, int (*lt)(const void *, const void *))
{
    u8 *p = base, swap[64];
    for (u64 i = 1; i < n; i++)
        for (u64 j = i; j && lt(p + j * size, p + (j - 1) * size); j--) {
            __builtin_memcpy(swap, p + j * size, size);
            __builtin_memcpy(p + j * size, p + (j - 1) * size, size);
            __builtin_memcpy(p + (j - 1) * size, swap, size);
        }
}

static NOINLINE void quick(i64 *a, int lo, int hi)
{
    while (lo < hi) {
        i64 pivot = a[(lo + hi) / 2];
        int i = lo, j = hi;
        while (i <= j) {
            while (a[i] < pivot) i++;
            while (a[j] > pivot) j--;
            if (i <= j) { i64 t = a[i]; a[i++] = a[j]; a[j--] = t; }
        }
        if (j - lo < hi - i) { quick(a, lo, j); lo = i; } else { quick(a, i, hi); hi = j; }
    }
}

static NOINLINE int sieve(void)
{
    static u8 composite[2000];
    int count = 0;
    for (int i = 2; i < 2000; i++) {
        if (composite[i]) continue;
        count++;
        for (int j = i * i; j < 2000; j += i) composite[j] = 1;
    }
    return count;
}

static NOINLINE int queens(int n, u32 cols, u32 left, u32 right)
{
    u32 all = (1u << n) - 1, free = all & ~(cols | left | right);
    int found = 0;
    if (cols == all) return 1;
    while (free) {
        u32 bit = free & -free;
        free ^= bit;
        found += queens(n, cols | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    return found;
}

static NOINLINE u64 vla(int n)
{
    u32 a[n];
    for (int i = 0; i < n; i++) a[i] = (u32)i * 2654435761u;
    u64 s = 0;
    for (int i = n; i--;) s = s * 31 + a[i];
    return s;
}

static NOINLINE u64 collatz(u64 n)
{
    u64 steps = 0;
    do { n = n & 1 ? 3 * n + 1 : n / 2; steps++; } while (n != 1);
    return steps;
}

static void corpus(void)
{
    static i32 a[50];
    static i64 b[80];
    for (int i = -1; i < 12; i++) emit((u64)dense(i, (i64)rnd()));
    for (int i = 0; i < 8; i++) emit((u64)sparse((u32[]){3, 100, 1000, 1001, 70000, 0x80000000, ~0u, 8}[i]));
    for (int i = 'a'; i < 'z'; i += 2) emit((u64)vowel((char)i));
    for (int i = 0; i < 7; i++) emit((u64)lookup(i));
    emit(fib(15)); emit(gcd(123456, 7890)); emit(ackermann(2, 6)); emit((u64)even(101));
    emit((u64)many(1, -2, 3, -4, 5, 6, 7, 8, -9, 10, -11, 12.5, 13.5f, 14));
    emit((u64)sum(9, 1, 2ll, 3.5, -4, 5ll, 6.0, 7, -8ll, 9.25));
    for (int i = 0; i < 8; i++) emit((u64)table[i & 3]((i64)rnd()));
    for (int i = 0; i < 50; i++) a[i] = (i32)rnd();
    sort(a, 50, sizeof a[0], less);
    for (int i = 0; i < 50; i++) emit((u64)a[i]);
    for (int i = 0; i < 80; i++) b[i] = (i64)rnd();
    quick(b, 0, 79);
    for (int i = 0; i < 80; i++) emit((u64)b[i]);
    emit((u64)sieve()); emit((u64)queens(6, 0, 0, 0)); emit(vla(23)); emit(collatz(27));
}
