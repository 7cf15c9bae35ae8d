/* log, log2, log10, log1p. */
#include <math.h>

#include "log.h"

#define NEAR_ONE 0.03125

/* What is no positive finite number has these logarithms, to every base. */
static __HCC_LEAF double log_special(double x)
{
    if (x == 0.0)
        return -HUGE_VAL;
    if (x < 0.0)
        return NAN;
    return x; /* infinity and NaN */
}

double log(double x)
{
    double r = x - 1.0;

    if (fabs(r) < NEAR_ONE)
        return r + r * r * (-0.5 + r * poly_log_near(r));
    if (!(x > 0.0 && x < HUGE_VAL))
        return log_special(x);

    struct reduced_log p = log_reduce(x);
    struct dd z = halves(p.z);
    double k = p.k;
    r = (z.hi * p.entry->inverse - 1.0) + z.lo * p.entry->inverse;
    struct dd sum = quick_two_sum(k * LN2_HI + p.entry->hi, r);
    double low = sum.lo + (k * LN2_LO + p.entry->lo);
    return sum.hi + (low + r * r * (-0.5 + r * poly_log(r)));
}

double log2(double x)
{
    if (!(x > 0.0 && x < HUGE_VAL))
        return log_special(x);
    /* k stays apart, so that powers of two have whole logarithms. */
    struct reduced_log p = log_reduce(x);
    double k = p.k;
    p.k = 0;
    struct dd fraction =
        dd_multiply(log_pair_reduced(p, 0.0), dd_of(INV_LN2_H, INV_LN2_L));
    struct dd sum = two_sum(k, fraction.hi);
    return sum.hi + (sum.lo + fraction.lo);
}

double log10(double x)
{
    if (!(x > 0.0 && x < HUGE_VAL))
        return log_special(x);
    struct dd result = dd_multiply(log_pair(x), dd_of(INV_LN10_H, INV_LN10_L));
    return result.hi + result.lo;
}

double log1p(double x)
{
    if (fabs(x) < NEAR_ONE)
        return x + x * x * (-0.5 + x * poly_log_near(x));
    if (!(x > -1.0 && x < HUGE_VAL))
        return log_special(x == -1.0 ? 0.0 : x);
    struct dd result = log_pair_of(two_sum(1.0, x));
    return result.hi + result.lo;
}
