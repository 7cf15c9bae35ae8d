/* Integer loops that compilers vectorise: each element type and operation, reductions, strides. */
#include "corpus.h"

#define N 45

#define LOOPS(T, W)                                                                            \
    static T T##_a[N], T##_b[N], T##_c[4 * N];                                                 \
    static W T##_w[N];                                                                         \
    static NOINLINE void arith_##T(const T *a, const T *b, T *restrict c, int n, T k)          \
    {                                                                                          \
        for (int i = 0; i < n; i++) c[i] = (T)(a[i] + b[i]);                                   \
        for (int i = 0; i < n; i++) c[i] = (T)(c[i] - a[i] * b[i]);                            \
        for (int i = 0; i < n; i++) c[i] ^= (T)(a[i] * k);                                     \
        for (int i = 0; i < n; i++) c[i] = (T)((c[i] & a[i]) | (~b[i] & k));                   \
        for (int i = 0; i < n; i++) c[i] = (T)(c[i] + (a[i] << 3) - (b[i] >> 2));              \
        for (int i = 0; i < n; i++) c[i] = (T)(-c[i] ^ ~a[i]);                                 \
    }                                                                                          \
    static NOINLINE void pick_##T(const T *a, const T *b, T *restrict c, int n, T k)           \
    {                                                                                          \
        for (int i = 0; i < n; i++) c[i] = a[i] < b[i] ? a[i] : b[i];                          \
        for (int i = 0; i < n; i++) c[i] = (T)(c[i] + (a[i] > k ? a[i] : k));                  \
        for (int i = 0; i < n; i++) c[i] = (T)(c[i] + (a[i] == b[i] ? k : b[i]));              \
        for (int i = 0; i < n; i++) c[i] = (T)(c[i] ^ (T)(a[i] < 0 ? -a[i] : a[i]));           \
        for (int i = 0; i < n; i++) if (a[i] >= 9) c[i] = (T)(b[i] + 1);                       \
        for (int i = 0; i < n; i++) c[i] = (T)(c[i] + (a[i] > b[i] ? a[i] - b[i] : b[i] - a[i])); \
        for (int i = 0; i < n; i++) c[i] = (T)(c[i] + ((a[i] & 4) ? 3 : 7));                   \
        for (int i = 0; i < n; i++) c[i] = (T)(c[i] / 7 + c[i] / 8 + c[i] % 10);               \
    }                                                                                          \
    static NOINLINE void shift_##T(const T *a, const T *b, T *restrict c, int n, int k)        \
    {                                                                                          \
        k &= sizeof(T) * 8 - 1;                                                                \
        for (int i = 0; i < n; i++) c[i] = (T)(a[i] << k);                                     \
        for (int i = 0; i < n; i++) c[i] = (T)(c[i] + (b[i] >> k));                            \
        for (int i = 0; i < n; i++) c[i] = (T)(c[i] ^ (a[i] << (b[i] & (T)(sizeof(T) * 8 - 1)))); \
        for (int i = 0; i < n; i++) c[i] = (T)(c[i] ^ (a[i] >> (b[i] & (T)(sizeof(T) * 8 - 1)))); \
    }                                                                                          \
    static NOINLINE void reduce_##T(const T *a, const T *b, int n)                             \
    {                                                                                          \
        T s = 0, x = 0, lo = a[0], hi = a[0], all = (T)-1, any = 0, p = 1;                     \
        W w = 0, d = 0, dot = 0;                                                               \
        int count = 0, where = -1;                                                             \
        for (int i = 0; i < n; i++) s = (T)(s + a[i]);                                         \
        for (int i = 0; i < n; i++) x ^= a[i];                                                 \
        for (int i = 0; i < n; i++) lo = a[i] < lo ? a[i] : lo;                                \
        for (int i = 0; i < n; i++) hi = a[i] > hi ? a[i] : hi;                                \
        for (int i = 0; i < n; i++) { all &= a[i]; any |= b[i]; }                              \
        for (int i = 0; i < n; i++) p = (T)(p * (a[i] | 1));                                   \
        for (int i = 0; i < n; i++) w += a[i];                                                 \
        for (int i = 0; i < n; i++) d += (W)(a[i] > b[i] ? a[i] - b[i] : b[i] - a[i]);         \
        for (int i = 0; i < n; i++) dot += (W)a[i] * (W)b[i];                                  \
        for (int i = 0; i < n; i++) count += a[i] > b[i];                                      \
        for (int i = 0; i < n; i++) if (a[i] == b[7]) { where = i; break; }                    \
        emit((u64)s); emit((u64)x); emit((u64)lo); emit((u64)hi); emit((u64)all); emit((u64)any); \
        emit((u64)p); emit((u64)w); emit((u64)d); emit((u64)dot); emit((u64)count); emit((u64)where); \
    }                                                                                          \
    static NOINLINE void widen_##T(const T *a, const T *b, W *restrict w, int n, W k)          \
    {                                                                                          \
        for (int i = 0; i < n; i++) w[i] = (W)((W)a[i] + (W)b[i]);                             \
        for (int i = 0; i < n; i++) w[i] = (W)(w[i] + (W)a[i] * (W)b[i]);                      \
        for (int i = 0; i < n; i++) w[i] = (W)(w[i] - (W)((W)a[i] - (W)b[i]));                 \
        for (int i = 0; i < n; i++) w[i] = (W)(w[i] ^ ((W)a[i] << 3));                         \
        for (int i = 0; i < n; i++) w[i] = (W)(w[i] + (W)a[i] * k);                            \
    }                                                                                          \
    static NOINLINE void narrow_##T(const W *w, T *restrict c, int n)                          \
    {                                                                                          \
        for (int i = 0; i < n; i++) c[i] = (T)w[i];                                            \
        for (int i = 0; i < n; i++) c[i] = (T)(c[i] + (T)(w[i] >> 5));                         \
        for (int i = 0; i < n; i++) c[i] = (T)(c[i] ^ (T)((w[i] + 4) >> 3));                   \
        for (int i = 0; i < n; i++) c[i] = (T)(c[i] + (w[i] > 100 ? 100 : w[i] < 5 ? 5 : w[i])); \
    }                                                                                          \
    static NOINLINE void strides_##T(const T *a, T *restrict c, int n)                         \
    {                                                                                          \
        for (int i = 0; i < n / 2; i++) c[i] = (T)(a[2 * i] + a[2 * i + 1]);                   \
        for (int i = 0; i < n / 3; i++) c[i] = (T)(c[i] + a[3 * i] - a[3 * i + 1] * a[3 * i + 2]); \
        for (int i = 0; i < n / 4; i++)                                                        \
            c[i] = (T)(c[i] ^ (a[4 * i] + a[4 * i + 1] + a[4 * i + 2] - a[4 * i + 3]));        \
        for (int i = 0; i < n; i++) { c[2 * i] = a[i]; c[2 * i + 1] = (T)(a[i] + 1); }         \
        for (int i = 0; i < n; i++) { c[3 * i] ^= a[i]; c[3 * i + 1] = (T)~a[i]; c[3 * i + 2] = 3; } \
        for (int i = 0; i < n; i++) {                                                          \
            c[4 * i] = (T)(a[i] + 1); c[4 * i + 1] = (T)(a[i] - 1);                            \
            c[4 * i + 2] = (T)(a[i] ^ 5); c[4 * i + 3] = a[i];                                 \
        }                                                                                      \
        for (int i = 0; i < n; i++) c[i] = (T)(c[i] + a[n - 1 - i]);                           \
        for (int i = 0; i < n; i++) c[i] = (T)(c[i] + i * 3);                                  \
    }                                                                                          \
    static void all_##T(void)                                                                  \
    {                                                                                          \
        for (int i = 0; i < N; i++) { T##_a[i] = (T)rnd(); T##_b[i] = (T)rnd(); T##_w[i] = (W)rnd(); } \
        T##_b[3] = T##_a[3]; T##_b[7] = T##_a[30];                                             \
        reduce_##T(T##_a, T##_b, N);                                                           \
        arith_##T(T##_a, T##_b, T##_c, N, (T)rnd()); show(T##_c, N * sizeof(T));               \
        pick_##T(T##_a, T##_b, T##_c, N, (T)rnd()); show(T##_c, N * sizeof(T));                \
        shift_##T(T##_a, T##_b, T##_c, N, (int)rnd()); show(T##_c, N * sizeof(T));             \
        narrow_##T(T##_w, T##_c, N); show(T##_c, N * sizeof(T));                               \
        widen_##T(T##_a, T##_b, T##_w, N, (W)rnd()); show(T##_w, N * sizeof(W));               \
        strides_##T(T##_a, T##_c, N); show(T##_c, 4 * N * sizeof(T));                          \
    }

static NOINLINE void show(const void *p, unsigned long size)
{
    const u8 *b = p;
    u64 h = 14695981039346656037ull;
    for (unsigned long i = 0; i < size; i++) h = (h ^ b[i]) * 1099511628211ull;
    emit(h);
}

LOOPS(i8, i16) LOOPS(u8, u16) LOOPS(i16, i32) LOOPS(u16, u32) LOOPS(i32, i64) LOOPS(u32, u64)
LOOPS(i64, i64) LOOPS(u64, u64)

static NOINLINE u64 bytes_to_long(const u8 *a, const i8 *b, int n)
{
    u64 s = 0; i64 t = 0; i32 u = 0;
    for (int i = 0; i < n; i++) s += a[i];
    for (int i = 0; i < n; i++) t += b[i];
    for (int i = 0; i < n; i++) u += a[i] * b[i];
    for (int i = 0; i < n; i++) u += b[i] * b[i];
    return s * 31 + (u64)t * 17 + (u64)u;
}

#define CLAMP(x, lo, hi) ((x) < (lo) ? (lo) : (x) > (hi) ? (hi) : (x))
static NOINLINE void saturate(u8 *a, const u8 *b, i16 *c, const i16 *d, const i32 *w, int n)
{
    for (int i = 0; i < n; i++) a[i] = (u8)CLAMP(a[i] + b[i], 0, 255);
    for (int i = 0; i < n; i++) a[i] = (u8)CLAMP(a[i] - b[i], 0, 255);
    for (int i = 0; i < n; i++) c[i] = (i16)CLAMP(c[i] + d[i], -32768, 32767);
    for (int i = 0; i < n; i++) c[i] = (i16)CLAMP(w[i], -32768, 32767);
    for (int i = 0; i < n; i++) a[i] = (u8)CLAMP(w[i] >> 4, 0, 255);
    for (int i = 0; i < n; i++) a[i] = (u8)((a[i] + b[i] + 1) >> 1);
    for (int i = 0; i < n; i++) c[i] = (i16)((c[i] * d[i] + 0x4000) >> 15);
}

static NOINLINE void images(u8 *rgb, const u8 *gray, u32 *argb, int n)
{
    for (int i = 0; i < n; i++) { rgb[3 * i] = gray[i]; rgb[3 * i + 1] = gray[i] / 2; rgb[3 * i + 2] = (u8)(255 - gray[i]); }
    for (int i = 0; i < n; i++) argb[i] = 0xff000000u | (u32)rgb[3 * i] << 16 | (u32)rgb[3 * i + 1] << 8 | rgb[3 * i + 2];
    for (int i = 0; i < n; i++) argb[i] = __builtin_bswap32(argb[i]) ^ (argb[i] << 7 | argb[i] >> 25);
}

static NOINLINE void matrix(const i32 a[8][8], const i32 b[8][8], i32 c[8][8])
{
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 8; j++) {
            i32 s = 0;
            for (int k = 0; k < 8; k++) s += a[i][k] * b[k][j];
            c[i][j] = s;
        }
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < i; j++) { i32 t = c[i][j]; c[i][j] = c[j][i]; c[j][i] = t; }
}

static void corpus(void)
{
    static u8 a[64], b[64], rgb[192]; static i16 c[64], d[64]; static i32 w[64]; static u32 argb[64];
    static i32 m[3][8][8];
    for (int round = 0; round < 2; round++) {
        all_i8(); all_u8(); all_i16(); all_u16(); all_i32(); all_u32(); all_i64(); all_u64();
        for (int i = 0; i < 64; i++) { a[i] = (u8)rnd(); b[i] = (u8)rnd(); c[i] = (i16)rnd(); d[i] = (i16)rnd(); w[i] = (i32)rnd() >> (i & 15); }
        emit(bytes_to_long(a, (const i8 *)b, 61));
        saturate(a, b, c, d, w, 59); show(a, 64); show(c, 128);
        images(rgb, a, argb, 43); show(rgb, 192); show(argb, 256);
        for (int i = 0; i < 64; i++) { m[0][i / 8][i % 8] = w[i]; m[1][i / 8][i % 8] = c[i]; }
        matrix(m[0], m[1], m[2]); show(m[2], 256);
    }
}
