/* Bit tricks: rotates, byte swaps, counts, bit fields, masks, hashes, checksums. */
#include "corpus.h"

#define ROTL(T, x, n) (T)(((x) << ((n) & (sizeof(T) * 8 - 1))) | ((x) >> (-(n) & (sizeof(T) * 8 - 1))))

struct fields { u32 a : 3, b : 7, c : 22; i32 d : 5, e : 11; u64 f : 40; i64 g : 24; u8 h : 1; };

static NOINLINE u64 counts(u64 a)
{
    u32 b = (u32)a;
    return (u64)__builtin_popcountll(a) + (u64)__builtin_popcount(b) * 3
         + (u64)__builtin_clzll(a | 1) * 5 + (u64)__builtin_clz(b | 1) * 7
         + (u64)__builtin_ctzll(a | 1ull << 63) * 11 + (u64)__builtin_ctz(b | 1u << 31) * 13
         + (u64)__builtin_ffsll((i64)a) * 17 + (u64)__builtin_parityll(a) * 19
         + (u64)__builtin_clrsbll((i64)a) * 23 + (u64)__builtin_clrsb((i32)b) * 29
         + (a ? (u64)__builtin_clzll(a) : 64) * 31 + (b ? (u64)__builtin_ctz(b) : 32) * 37;
}

static NOINLINE u64 swaps(u64 a)
{
    return __builtin_bswap64(a) ^ __builtin_bswap32((u32)a) ^ ((u64)__builtin_bswap16((u16)a) << 40);
}

static NOINLINE u64 rotates(u64 a, u32 n)
{
    u8 b = (u8)a; u16 c = (u16)a; u32 d = (u32)a;
    return ROTL(u64, a, n) + ROTL(u32, d, n) + ROTL(u16, c, n) + ROTL(u8, b, n)
         + ROTL(u64, a, 13) + ROTL(u32, d, 7) + ROTL(u16, c, 5) + ROTL(u8, b, 3);
}

static NOINLINE u64 funnel(u64 a, u64 b, u32 n)
{
    n &= 63;
    return (a << 9 | b >> 55) ^ (n ? a << n | b >> (64 - n) : a) ^ ((u32)a << 4 | (u32)b >> 28);
}

static NOINLINE void set_fields(struct fields *s, u64 a)
{
    s->a = (u32)a & 7; s->b = (u32)(a >> 3) & 127; s->c = (u32)(a >> 10) & 0x3fffff;
    s->d = (i32)(a << 3) >> 27; s->e = (i32)(a << 7) >> 21; s->f = a >> 20 & 0xffffffffffull;
    s->g = (i64)(a << 11) >> 40; s->h ^= 1;
}

static NOINLINE u64 get_fields(const struct fields *s)
{
    return s->a + s->b * 3u + s->c * 5ull + (u64)s->d * 7 + (u64)s->e * 11 + (u64)s->f * 13 + (u64)(i64)s->g * 17 + s->h;
}

static NOINLINE u64 reverse(u64 a)
{
    a = (a >> 1 & 0x5555555555555555) | (a & 0x5555555555555555) << 1;
    a = (a >> 2 & 0x3333333333333333) | (a & 0x3333333333333333) << 2;
    a = (a >> 4 & 0x0f0f0f0f0f0f0f0f) | (a & 0x0f0f0f0f0f0f0f0f) << 4;
    return __builtin_bswap64(a);
}

static NOINLINE u64 single(u64 a, u32 n)
{
    u64 r = a | 1ull << (n & 63);
    r ^= 1ull << ((n + 7) & 63);
    r &= ~(1ull << ((n + 3) & 63));
    u32 s = ((u32)a | 1u << (n & 31)) & ~(1u << ((n + 1) & 31));
    if (a >> (n & 63) & 1) r += 77;
    if ((u32)a & 1u << ((n + 2) & 31)) s += 3;
    if (a & 0x100000000) r += 5;
    if (!(a & 1)) s ^= 0x55;
    if ((i64)a < 0) r += 9;
    return r + s + (a & -a) + (a & (a - 1)) + (a ^ (a - 1));
}

static NOINLINE u32 crc(const u8 *p, int n)
{
    u32 c = ~0u;
    while (n--) {
        c ^= *p++;
        for (int k = 0; k < 8; k++) c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1;
    }
    return ~c;
}

static NOINLINE u32 adler(const u8 *p, int n)
{
    u32 a = 1, b = 0;
    for (int i = 0; i < n; i++) { a = (a + p[i]) % 65521; b = (b + a) % 65521; }
    return b << 16 | a;
}

static NOINLINE u64 fnv(const u8 *p, int n)
{
    u64 h = 14695981039346656037ull;
    for (int i = 0; i < n; i++) h = (h ^ p[i]) * 1099511628211ull;
    return h;
}

static NOINLINE int popcounts(const u32 *p, int n, u64 *q)
{
    int total = 0;
    for (int i = 0; i < n; i++) total += __builtin_popcount(p[i]);
    for (int i = 0; i < n; i++) q[i] = __builtin_bswap64(q[i]) + (u64)__builtin_popcountll(q[i]);
    return total;
}

static void corpus(void)
{
    static struct fields s[3];
    static u8 bytes[256];
    static u32 words[37];
    static u64 longs[37];
    for (int i = 0; i < 256; i++) bytes[i] = (u8)rnd();
    for (int i = 0; i < 37; i++) { words[i] = (u32)rnd(); longs[i] = rnd(); }
    for (int i = 0; i < 40; i++) {
        u64 a = i ? rnd() >> (i % 3 * 20) : 0, b = rnd();
        emit(counts(a)); emit(swaps(a)); emit(rotates(a, (u32)b)); emit(funnel(a, b, (u32)i));
        set_fields(&s[i % 3], a); emit(get_fields(&s[i % 3])); emit(reverse(a)); emit(single(a, (u32)b));
    }
    emit(crc(bytes, 256)); emit(adler(bytes, 256)); emit(fnv(bytes, 256));
    emit((u64)popcounts(words, 37, longs));
    for (int i = 0; i < 37; i++) emit(longs[i]);
}
