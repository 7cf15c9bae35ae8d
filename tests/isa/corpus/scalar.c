/* Integer arithmetic of every width: operators, division by constants, wide products, compares. */
#include "corpus.h"

#define OPS(T)                                                                     \
    static NOINLINE void ops_##T(T a, T b)                                         \
    {                                                                              \
        T nz = (T)(b | 1);                                                         \
        u32 n = (u32)b & (sizeof(T) * 8 - 1);                                      \
        emit((u64)(T)(a + b)); emit((u64)(T)(a - b)); emit((u64)(T)(a * b));       \
        emit((u64)(T)(nz == (T)-1 ? 7 : a / nz)); emit((u64)(T)(nz == (T)-1 ? 7 : a % nz)); \
        emit((u64)(T)(a & b)); emit((u64)(T)(a | ~b)); emit((u64)(T)(a ^ ~b));     \
        emit((u64)(T)(a & ~b)); emit((u64)(T)-a); emit((u64)(T)~a);                \
        emit((u64)(T)(a << n)); emit((u64)(T)(a >> n));                            \
        emit(a < b); emit(a <= b); emit(a == b); emit(a > 5); emit(a >= (T)-3);    \
        emit((u64)(T)(a / 3)); emit((u64)(T)(a % 10)); emit((u64)(T)(a / 7));      \
        emit((u64)(T)(a / 8)); emit((u64)(T)(a % 16)); emit((u64)(T)(a / -5));     \
        emit((u64)(T)(a / 100)); emit((u64)(T)(a % 97));                           \
        emit((u64)(a < b ? a : b)); emit((u64)(a > b ? a : b));                    \
        emit((u64)(T)(a < 0 ? -a : a)); emit((u64)(T)(a == 0 ? b + 1 : a));        \
        emit((u64)(T)(a * 9)); emit((u64)(T)(a * -24)); emit((u64)(T)(b - a * b)); \
        emit((u64)(T)(a + (b << 3))); emit((u64)(T)(a - (b >> 2)));                \
        emit((u64)(T)(a ^ (b << 5))); emit((u64)(T)((a & 0xff0) | (b & 0xf)));     \
        emit((a & 0x40) != 0); emit((a & b) == 0); emit(a + b == 0);               \
        emit(a - b < 0); emit(-a == b); emit((a ^ b) < 0 ? 3 : 4);                 \
    }
OPS(i8) OPS(u8) OPS(i16) OPS(u16) OPS(i32) OPS(u32) OPS(i64) OPS(u64)

static NOINLINE u64 high_u(u64 a, u64 b) { return (u64)((unsigned __int128)a * b >> 64); }
static NOINLINE u64 high_s(i64 a, i64 b) { return (u64)((__int128)a * b >> 64); }
static NOINLINE i64 wide(i32 a, i32 b, i64 c) { return c + (i64)a * b; }
static NOINLINE i64 wide_neg(i32 a, i32 b, i64 c) { return c - (i64)a * b; }
static NOINLINE u64 wide_u(u32 a, u32 b, u64 c) { return c + (u64)a * b; }
static NOINLINE u64 wide_un(u32 a, u32 b, u64 c) { return c - (u64)a * b; }
static NOINLINE i64 minus(i32 a, i32 b) { return -((i64)a * b); }

static NOINLINE void add128(u64 *r, const u64 *a, const u64 *b)
{
    unsigned __int128 x = ((unsigned __int128)a[1] << 64) | a[0];
    unsigned __int128 y = ((unsigned __int128)b[1] << 64) | b[0];
    unsigned __int128 s = x + y, d = x - y, p = x * y;
    r[0] = (u64)s; r[1] = (u64)(s >> 64); r[2] = (u64)d; r[3] = (u64)(d >> 64);
    r[4] = (u64)p; r[5] = (u64)(p >> 64); r[6] = x < y; r[7] = (__int128)x < (__int128)y;
}

static NOINLINE int overflow(i32 a, i32 b, u32 c, u32 d, i64 e, i64 f, u64 g, u64 h)
{
    i32 r; u32 s; i64 t; u64 u; int n = 0;
    n += __builtin_add_overflow(a, b, &r); n ^= r;
    n += __builtin_sub_overflow(a, b, &r); n ^= r;
    n += __builtin_mul_overflow(a, b, &r); n ^= r;
    n += __builtin_add_overflow(c, d, &s); n ^= (int)s;
    n += __builtin_sub_overflow(c, d, &s); n ^= (int)s;
    n += __builtin_mul_overflow(c, d, &s); n ^= (int)s;
    n += __builtin_add_overflow(e, f, &t); n ^= (int)t;
    n += __builtin_sub_overflow(e, f, &t); n ^= (int)t;
    n += __builtin_add_overflow(g, h, &u); n ^= (int)u;
    n += __builtin_mul_overflow(g, h, &u); n ^= (int)u;
    return n;
}

static NOINLINE int choose(i64 a, i64 b, i32 c, i32 d)
{
    int n = 0;
    if (a > b && c < d) n += 1;
    if (a == b || c != d) n += 2;
    if ((u64)a < (u64)b && (u32)c >= (u32)d) n += 4;
    if (a > 3 && a < 100 && b > -100) n += 8;
    n += a < b ? c + 1 : d;
    n ^= c > d ? ~c : d;
    n -= c == d ? -c : d;
    n += (c > 7) - (d < 7);
    return n;
}

static NOINLINE u64 extends(i64 a, i32 b, u8 c, i8 d, u16 e, i16 f, const i32 *p)
{
    return (u64)(a + b) + (u64)(a - d) * 3 + (u64)a + c + (u64)((i64)e << 2) + (u64)(a - ((i64)f << 3))
         + (u64)p[b & 7] + (u64)p[(u32)(b + 1) & 7] + (u64)(a < b) + (u64)(a > c);
}

static void corpus(void)
{
    static const u64 corners[] = {0, 1, 2, 5, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0x7fffffff,
                                  0x80000000, 0xffffffff, 0x7fffffffffffffff,
                                  0x8000000000000000, 0xffffffffffffffff};
    static i32 table[8] = {5, -3, 8, 100000, -7, 0, 3, 9};
    u64 r[8], x[2], y[2];
    for (int i = 0; i < 30; i++) {
        u64 a = i % 3 ? rnd() : corners[i % 15], b = i % 4 ? rnd() : corners[(i * 7) % 15];
        ops_i8((i8)a, (i8)b); ops_u8((u8)a, (u8)b); ops_i16((i16)a, (i16)b); ops_u16((u16)a, (u16)b);
        ops_i32((i32)a, (i32)b); ops_u32((u32)a, (u32)b); ops_i64((i64)a, (i64)b); ops_u64(a, b);
        emit(high_u(a, b)); emit(high_s((i64)a, (i64)b));
        emit((u64)wide((i32)a, (i32)b, (i64)(a ^ b))); emit((u64)wide_neg((i32)a, (i32)b, (i64)(a + b)));
        emit(wide_u((u32)a, (u32)b, a - b)); emit(wide_un((u32)a, (u32)b, a * b));
        emit((u64)minus((i32)a, (i32)b));
        x[0] = a; x[1] = b; y[0] = rnd(); y[1] = rnd();
        add128(r, x, y);
        for (int j = 0; j < 8; j++) emit(r[j]);
        emit((u64)overflow((i32)a, (i32)b, (u32)a, (u32)b, (i64)a, (i64)b, a, b));
        emit((u64)choose((i64)a, (i64)b, (i32)a, (i32)b));
        emit((u64)choose((i64)(a & 63), (i64)(b & 63), (i32)a & 3, (i32)b & 3));
        emit(extends((i64)a, (i32)b, (u8)a, (i8)b, (u16)a, (i16)b, table));
    }
}
