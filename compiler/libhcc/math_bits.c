/* Numbers taken apart and put together: signs, exponents, neighbours, classes. */
#include <limits.h>
#include <math.h>

#include "number.h"

double(fabs)(double x)
{
    return __builtin_fabs(x);
}

float(fabsf)(float x)
{
    return __builtin_fabsf(x);
}

double(copysign)(double x, double y)
{
    return __builtin_copysign(x, y);
}

float copysignf(float x, float y)
{
    return float_of_bits((bits_of_float(x) & 0x7fffffffU) | (bits_of_float(y) & 0x80000000U));
}

int __hcc_classify(double x)
{
    uint64_t bits = bits_of_double(x) & ~DOUBLE_SIGN;

    if (bits == 0)
        return FP_ZERO;
    if (bits < DOUBLE_HIDDEN)
        return FP_SUBNORMAL;
    if (bits >> DOUBLE_FRACTION_BITS < DOUBLE_EXPONENT)
        return FP_NORMAL;
    return (bits & DOUBLE_FRACTION) == 0 ? FP_INFINITE : FP_NAN;
}

int __hcc_classifyf(float x)
{
    uint32_t bits = bits_of_float(x) & 0x7fffffffU;

    if (bits != 0 && bits < 0x00800000U)
        return FP_SUBNORMAL;
    return __hcc_classify((double)x);
}

double fmin(double x, double y)
{
    if (x != x)
        return y;
    if (y != y)
        return x;
    if (x == y)
        return signbit(x) ? x : y;
    return x < y ? x : y;
}

double fmax(double x, double y)
{
    if (x != x)
        return y;
    if (y != y)
        return x;
    if (x == y)
        return signbit(x) ? y : x;
    return x > y ? x : y;
}

double fdim(double x, double y)
{
    if (x != x || y != y)
        return x + y;
    return x > y ? x - y : 0.0;
}

/* 0, infinities and NaN stay as they are, with exponent 0. */
double frexp(double x, int *exponent)
{
    uint64_t bits = bits_of_double(x);
    int e = (int)(bits >> DOUBLE_FRACTION_BITS & DOUBLE_EXPONENT);

    *exponent = 0;
    if (x == 0.0 || e == DOUBLE_EXPONENT)
        return x;
    if (e == 0) {
        bits = bits_of_double(x * 18014398509481984.0); /* 2^54 */
        e = (int)(bits >> DOUBLE_FRACTION_BITS & DOUBLE_EXPONENT) - 54;
    }
    *exponent = e - (DOUBLE_BIAS - 1);
    return double_of_bits((bits & ~((uint64_t)DOUBLE_EXPONENT << DOUBLE_FRACTION_BITS)) |
                          (uint64_t)(DOUBLE_BIAS - 1) << DOUBLE_FRACTION_BITS);
}

double scalbln(double x, long n)
{
    int e;

    /* Beyond this any number has left the range. */
    if (n > 2200)
        n = 2200;
    if (n < -2200)
        n = -2200;
    x = frexp(x, &e);
    if (x == 0.0 || !(fabs(x) < HUGE_VAL))
        return x;
    e += (int)n;
    if (e > 1024)
        return x * HUGE_VAL;
    if (e == 1024)
        return x * 2.0 * 8.98846567431158e+307; /* 2^1023 */
    if (e < -1080)
        return x * 0.0;
    if (e >= -1021)
        return x * double_of_bits((uint64_t)(e + DOUBLE_BIAS) << DOUBLE_FRACTION_BITS);
    /* Subnormal: the last multiplication is the only one that rounds. */
    return x * double_of_bits((uint64_t)(e + DOUBLE_BIAS + 120) << DOUBLE_FRACTION_BITS) *
           7.52316384526264e-37; /* 2^-120 */
}

double scalbn(double x, int n)
{
    return scalbln(x, n);
}

double ldexp(double x, int n)
{
    return scalbln(x, n);
}

int ilogb(double x)
{
    int e;

    if (x == 0.0)
        return FP_ILOGB0;
    if (!(fabs(x) < HUGE_VAL))
        return x != x ? FP_ILOGBNAN : INT_MAX;
    frexp(x, &e);
    return e - 1;
}

double logb(double x)
{
    if (x == 0.0)
        return -HUGE_VAL;
    if (!(fabs(x) < HUGE_VAL))
        return x * x;
    return ilogb(x);
}

double significand(double x)
{
    int e;
    double m = frexp(x, &e);

    return x == 0.0 || !(fabs(x) < HUGE_VAL) ? x : 2.0 * m;
}

double modf(double x, double *whole)
{
    double w = trunc(x);

    *whole = w;
    return copysign(fabs(x) == HUGE_VAL ? 0.0 : x - w, x);
}

double nextafter(double x, double y)
{
    uint64_t bits = bits_of_double(x);

    if (x != x || y != y)
        return x + y;
    if (x == y)
        return y;
    if (x == 0.0)
        return copysign(double_of_bits(1), y);
    return double_of_bits((y > x) == (x > 0.0) ? bits + 1 : bits - 1);
}

float nextafterf(float x, float y)
{
    uint32_t bits = bits_of_float(x);

    if (x != x || y != y)
        return x + y;
    if (x == y)
        return y;
    if (x == 0.0F)
        return copysignf(float_of_bits(1), y);
    return float_of_bits((y > x) == (x > 0.0F) ? bits + 1 : bits - 1);
}

double nexttoward(double x, long double y)
{
    return nextafter(x, (double)y);
}

double nan(const char *tag)
{
    (void)tag; /* the bits of a NaN are nobody's business */
    return NAN;
}
