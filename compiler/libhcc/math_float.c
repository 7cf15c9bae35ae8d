/* Single precision, by way of double: one function more, half a unit in the
 * last place of a float and a billionth.  What is exact in double is exact
 * here.
 */
#include <math.h>

#define SINGLE(name)              \
    float name##f(float x)        \
    {                             \
        return (float)name(x);    \
    }

#define SINGLE_OF_TWO(name)       \
    float name##f(float x, float y) \
    {                             \
        return (float)name(x, y); \
    }

#define WHOLE_OF_SINGLE(type, name) \
    type name##f(float x)         \
    {                             \
        return name(x);           \
    }

SINGLE(exp)
SINGLE(exp2)
SINGLE(expm1)
SINGLE(log)
SINGLE(log2)
SINGLE(log10)
SINGLE(log1p)
SINGLE_OF_TWO(pow)
SINGLE(sin)
SINGLE(cos)
SINGLE(tan)
SINGLE(asin)
SINGLE(acos)
SINGLE(atan)
SINGLE_OF_TWO(atan2)
SINGLE(sinh)
SINGLE(cosh)
SINGLE(tanh)
SINGLE(asinh)
SINGLE(acosh)
SINGLE(atanh)
SINGLE(cbrt)
SINGLE_OF_TWO(hypot)
SINGLE(erf)
SINGLE(erfc)
SINGLE(tgamma)
SINGLE(lgamma)
SINGLE(floor)
SINGLE(ceil)
SINGLE(trunc)
SINGLE(round)
SINGLE(rint)
SINGLE(nearbyint)
SINGLE_OF_TWO(remainder)
SINGLE_OF_TWO(drem)
SINGLE_OF_TWO(fmin)
SINGLE_OF_TWO(fmax)
SINGLE_OF_TWO(fdim)
SINGLE(logb)
SINGLE(significand)
WHOLE_OF_SINGLE(long, lrint)
WHOLE_OF_SINGLE(long, lround)
WHOLE_OF_SINGLE(long long, llrint)
WHOLE_OF_SINGLE(long long, llround)
WHOLE_OF_SINGLE(int, ilogb)

void sincosf(float x, float *sine, float *cosine)
{
    *sine = sinf(x);
    *cosine = cosf(x);
}

float remquof(float x, float y, int *quotient)
{
    return (float)remquo(x, y, quotient);
}

float frexpf(float x, int *exponent)
{
    return (float)frexp(x, exponent);
}

float scalblnf(float x, long n)
{
    return (float)scalbln(x, n);
}

float scalbnf(float x, int n)
{
    return (float)scalbln(x, n);
}

float ldexpf(float x, int n)
{
    return (float)scalbln(x, n);
}

float modff(float x, float *whole)
{
    double w;
    double rest = modf(x, &w);

    *whole = (float)w;
    return (float)rest;
}

float nexttowardf(float x, long double y)
{
    double target = (double)y;

    if (x != x || target != target)
        return x + (float)target;
    if ((double)x == target)
        return (float)target;
    return nextafterf(x, target > x ? HUGE_VALF : -HUGE_VALF);
}

float nanf(const char *tag)
{
    return (float)nan(tag);
}
