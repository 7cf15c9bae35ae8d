/* float and double loops that compilers vectorise, and conversions between whole arrays. */
#include "corpus.h"

#define N 45

#define LOOPS(T, SQRT, ABS, COPY)                                                             \
    static T T##_a[N], T##_b[N], T##_c[4 * N];                                                 \
    static NOINLINE void arith_##T(const T *a, const T *b, T *restrict c, int n, T k)          \
    {                                                                                          \
        for (int i = 0; i < n; i++) c[i] = a[i] + b[i];                                        \
        for (int i = 0; i < n; i++) c[i] = c[i] - a[i] * b[i];                                 \
        for (int i = 0; i < n; i++) c[i] += a[i] / b[i];                                       \
        for (int i = 0; i < n; i++) c[i] = c[i] * k + a[i];                                    \
        for (int i = 0; i < n; i++) c[i] = -c[i] - ABS(b[i]);                                  \
        for (int i = 0; i < n; i++) c[i] += SQRT(ABS(a[i]));                                   \
        for (int i = 0; i < n; i++) c[i] = COPY(c[i], b[i]);                                   \
        for (int i = 0; i < n; i++) c[i] += ABS(a[i] - b[i]);                                  \
    }                                                                                          \
    static NOINLINE void pick_##T(const T *a, const T *b, T *restrict c, int n, T k)           \
    {                                                                                          \
        for (int i = 0; i < n; i++) c[i] = a[i] < b[i] ? a[i] : b[i];                          \
        for (int i = 0; i < n; i++) c[i] += a[i] > k ? a[i] : k;                               \
        for (int i = 0; i < n; i++) c[i] += a[i] == b[i] ? k : b[i];                           \
        for (int i = 0; i < n; i++) if (a[i] >= 0) c[i] = b[i] + 1;                            \
        for (int i = 0; i < n; i++) c[i] = a[i] != a[i] ? 0 : c[i];                            \
        for (int i = 0; i < n; i++) c[i] = !(a[i] <= b[i]) ? c[i] * 2 : c[i] + 3;              \
    }                                                                                          \
    static NOINLINE void reduce_##T(const T *a, const T *b, int n)                             \
    {                                                                                          \
        T s = 0, dot = 0, hi = a[0], lo = a[0];                                                \
        int count = 0;                                                                         \
        for (int i = 0; i < n; i++) s += a[i];                                                 \
        for (int i = 0; i < n; i++) dot += a[i] * b[i];                                        \
        for (int i = 0; i < n; i++) hi = a[i] > hi ? a[i] : hi;                                \
        for (int i = 0; i < n; i++) lo = a[i] < lo ? a[i] : lo;                                \
        for (int i = 0; i < n; i++) count += a[i] < b[i];                                      \
        emit_f(s); emit_f(dot); emit_f(hi); emit_f(lo); emit((u64)count);                      \
    }                                                                                          \
    static NOINLINE void strides_##T(const T *a, T *restrict c, int n)                         \
    {                                                                                          \
        for (int i = 0; i < n / 2; i++) {                                                      \
            c[2 * i] = a[2 * i] * a[2 * i] - a[2 * i + 1] * a[2 * i + 1];                      \
            c[2 * i + 1] = 2 * a[2 * i] * a[2 * i + 1];                                        \
        }                                                                                      \
        for (int i = 0; i < n / 3; i++) c[i] += a[3 * i] + a[3 * i + 1] * a[3 * i + 2];        \
        for (int i = 0; i < n; i++) { c[4 * i] = a[i]; c[4 * i + 1] = -a[i]; c[4 * i + 2] = 1; c[4 * i + 3] = a[i] + 1; } \
        for (int i = 0; i < n; i++) c[i] += a[n - 1 - i];                                      \
        for (int i = 0; i < n; i++) c[i] += (T)i;                                              \
    }                                                                                          \
    static NOINLINE void matrix_##T(const T (*a)[6], const T (*b)[6], T (*restrict c)[6])      \
    {                                                                                          \
        for (int i = 0; i < 6; i++)                                                            \
            for (int j = 0; j < 6; j++) {                                                      \
                T s = 0;                                                                       \
                for (int k = 0; k < 6; k++) s += a[i][k] * b[k][j];                            \
                c[i][j] = s;                                                                   \
            }                                                                                  \
    }                                                                                          \
    static void all_##T(void)                                                                  \
    {                                                                                          \
        for (int i = 0; i < N; i++) { T##_a[i] = (T)(i32)rnd() / 65536; T##_b[i] = (T)(i32)rnd() / 1024; } \
        T##_b[3] = T##_a[3];                                                                   \
        reduce_##T(T##_a, T##_b, N);                                                           \
        arith_##T(T##_a, T##_b, T##_c, N, (T)(i32)rnd() / 4096); show(T##_c, N * sizeof(T));   \
        pick_##T(T##_a, T##_b, T##_c, N, (T)(i32)rnd() / 4096); show(T##_c, N * sizeof(T));    \
        strides_##T(T##_a, T##_c, N); show(T##_c, 4 * N * sizeof(T));                          \
        matrix_##T((const T(*)[6])T##_a, (const T(*)[6])T##_b, (T(*)[6])T##_c); show(T##_c, 36 * sizeof(T)); \
    }

static NOINLINE void show(const void *p, unsigned long size)
{
    const u8 *b = p;
    u64 h = 14695981039346656037ull;
    for (unsigned long i = 0; i < size; i++) h = (h ^ b[i]) * 1099511628211ull;
    emit(h);
}

LOOPS(float, __builtin_sqrtf, __builtin_fabsf, __builtin_copysignf)
LOOPS(double, __builtin_sqrt, __builtin_fabs, __builtin_copysign)

#define CONVERT(I, F)                                                                          \
    static NOINLINE void to_##I##_##F(const F *f, I *restrict t, int n) { for (int i = 0; i < n; i++) t[i] = (I)f[i]; } \
    static NOINLINE void from_##I##_##F(const I *f, F *restrict t, int n) { for (int i = 0; i < n; i++) t[i] = (F)f[i]; } \
    static void both_##I##_##F(void)                                                           \
    {                                                                                          \
        static I ints[N]; static F floats[N];                                                  \
        for (int i = 0; i < N; i++) ints[i] = (I)rnd();                                        \
        from_##I##_##F(ints, floats, N); show(floats, sizeof floats);                          \
        for (int i = 0; i < N; i++) floats[i] = (F)(rnd() >> 41) / 65536;                      \
        to_##I##_##F(floats, ints, N); show(ints, sizeof ints);                                \
    }
CONVERT(i8, float) CONVERT(u8, float) CONVERT(i16, float) CONVERT(u16, float) CONVERT(i32, float)
CONVERT(u32, float) CONVERT(i64, float) CONVERT(u64, float) CONVERT(i8, double) CONVERT(u8, double)
CONVERT(i16, double) CONVERT(u16, double) CONVERT(i32, double) CONVERT(u32, double) CONVERT(i64, double)
CONVERT(u64, double) CONVERT(float, double)

static NOINLINE void axpy(double a, const float *x, double *restrict y, int n)
{
    for (int i = 0; i < n; i++) y[i] += a * x[i];
}

static void corpus(void)
{
    for (int round = 0; round < 2; round++) {
        all_float(); all_double();
        both_i8_float(); both_u8_float(); both_i16_float(); both_u16_float(); both_i32_float(); both_u32_float();
        both_i64_float(); both_u64_float(); both_i8_double(); both_u8_double(); both_i16_double(); both_u16_double();
        both_i32_double(); both_u32_double(); both_i64_double(); both_u64_double(); both_float_double();
        axpy(1.5, float_a, double_b, N); show(double_b, sizeof double_b);
    }
}
