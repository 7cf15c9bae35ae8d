/* float and double: arithmetic, comparisons, conversions to and from every integer, rounding. */
#include "corpus.h"

#define OPS(T, SQRT, ABS, COPY)                                                              \
    static NOINLINE void ops_##T(T a, T b, T c)                                               \
    {                                                                                         \
        emit_f(a + b); emit_f(a - b); emit_f(a * b); emit_f(a / b); emit_f(-a);              \
        emit_f(a * b + c); emit_f(a - b * c); emit_f(-(a * b)); emit_f(ABS(a));              \
        emit_f(COPY(a, b == b ? b : 1)); emit_f(a > b ? a : b); emit_f(a < b ? a : b);                    \
        emit_f(a >= 0 ? SQRT(a) : SQRT(-a)); emit_f(1 / (1 + a * a)); emit_f(ABS(a - b));    \
        emit(a < b); emit(a <= b); emit(a > b); emit(a >= b); emit(a == b); emit(a != b);    \
        emit(a != a); emit(__builtin_isunordered(a, b)); emit(__builtin_islessgreater(a, b)); \
        emit(!(a < b)); emit(!(a <= b)); emit(a < b && b < c); emit(a == 0); emit(a > 0);    \
        if (a < b) emit(1); if (a >= c) emit(2); if (!(a > c)) emit(3); if (a != b) emit(4); \
    }                                                                                         \
    static NOINLINE void round_##T(T a)                                                       \
    {                                                                                         \
        if (a > -100 && a < 100) {                                                            \
            emit((u64)(i8)a); emit((u64)(i16)a); emit((u64)(u8)(a < 0 ? -a : a));             \
            emit((u64)(u16)(a < 0 ? -a : a)); emit((u64)(i32)a); emit((u64)(i64)a);           \
            emit((u32)(a < 0 ? -a : a)); emit((u64)(a < 0 ? -a : a)); emit((u64)(i32)(a * 8)); \
        }                                                                                     \
    }
OPS(float, __builtin_sqrtf, __builtin_fabsf, __builtin_copysignf)
OPS(double, __builtin_sqrt, __builtin_fabs, __builtin_copysign)

static NOINLINE void from_int(u64 a)
{
    emit_f((i8)a); emit_f((u8)a); emit_f((i16)a); emit_f((u16)a); emit_f((i32)a); emit_f((u32)a);
    emit_f((double)(i64)a); emit_f((double)a); emit_f((float)(i8)a); emit_f((float)(u8)a);
    emit_f((float)(i32)a); emit_f((float)(u32)a); emit_f((float)(i64)a); emit_f((float)a);
    emit_f((double)(i32)a / 16); emit_f((float)(i32)a * 0.25f);
}

static NOINLINE double poly(double x)
{
    return ((((1.0 / 120 * x + 1.0 / 24) * x + 1.0 / 6) * x + 0.5) * x + 1) * x + 1;
}
static NOINLINE float newton(float a)
{
    float x = a > 1 ? a : 1;
    for (int i = 0; i < 12; i++) x = 0.5f * (x + a / x);
    return x;
}
static NOINLINE double sum(const double *p, int n)
{
    double s = 0;
    for (int i = 0; i < n; i++) s += p[i] * p[n - 1 - i];
    return s;
}
static NOINLINE void mandelbrot(void)
{
    for (double y = -1; y < 1; y += 0.25)
        for (double x = -2; x < 0.5; x += 0.25) {
            double a = 0, b = 0;
            int n = 0;
            while (n < 50 && a * a + b * b < 4) { double t = a * a - b * b + x; b = 2 * a * b + y; a = t; n++; }
            emit((u64)n);
        }
}
static NOINLINE u64 bits_of(double d) { union { double f; u64 i; } u = {d}; return u.i; }
static NOINLINE float float_of(u32 i) { union { u32 i; float f; } u = {i}; return u.f; }
static NOINLINE double narrow(double a, float b) { return (double)(float)a + (double)b; }

static void corpus(void)
{
    static const double corners[] = {0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 1e-310, -1e-310, 1e308, -1e308, 3.5, 2.5,
                                     1e-40, 16777217.0, 4503599627370497.5, 99.5, -0.75};
    static double p[33];
    double inf = 1e308 * 10, nan = inf - inf;
    for (int i = 0; i < 33; i++) p[i] = (double)(i32)rnd() / 65536;
    for (int i = 0; i < 17; i++) {
        double a = corners[i], b = p[i], c = p[i + 1];
        ops_double(a, b, c); ops_double(b, a, c); ops_double(a, corners[(i + 5) % 17], a); round_double(a); round_double(b / 999);
        ops_float((float)a, (float)b, (float)c); ops_float((float)b, (float)a, (float)b); round_float((float)a); round_float((float)b / 999);
        from_int(rnd()); emit_f(poly(b / 4096)); emit_f(newton((float)(b < 0 ? -b : b)));
        emit(bits_of(a)); emit_f(float_of((u32)rnd() & 0x7f7fffff)); emit_f(narrow(a, (float)b));
    }
    ops_double(nan, 1, 2); ops_double(1, nan, 2); ops_float((float)inf, (float)nan, 2); ops_float((float)inf, (float)-inf, 2);
    from_int(0); from_int(~0ull); from_int(1ull << 63); from_int(0x7fffffffffffffff); from_int(0x8000000000000401);
    emit_f(sum(p, 33));
    mandelbrot();
}
