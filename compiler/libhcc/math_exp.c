/* exp, exp2, expm1. */
#include <math.h>

#include "exp.h"

double exp(double x)
{
    if (!(x <= EXP_OVERFLOW && x >= EXP_UNDERFLOW)) { /* or NaN */
        if (x != x)
            return x;
        return x > 0.0 ? HUGE_VAL : 0.0;
    }
    return power_value(exp_power(x, 0.0));
}

double exp2(double x)
{
    if (!(x < 1024.0 && x > -1075.0)) {
        if (x != x)
            return x;
        return x > 0.0 ? HUGE_VAL : 0.0;
    }
    double rounded = x * EXP_STEPS + ROUNDER;
    double k = rounded - ROUNDER;
    return power_value(power_from(rounded, (x - k / EXP_STEPS) * LN2_DD_H));
}

double expm1(double x)
{
    if (fabs(x) < 5e-17)
        return x; /* -0 stays -0 */
    if (fabs(x) < 0.125)
        return x + x * x * (0.5 + x * poly_expm1(x));
    if (!(x <= EXP_OVERFLOW && x >= -40.0)) {
        if (x != x)
            return x;
        return x > 0.0 ? HUGE_VAL : -1.0;
    }
    struct power p = exp_dd(x);
    if (p.exponent > 60)
        return dd_scale(p.hi, p.lo, p.exponent);
    double scale = power_of_two(p.exponent);
    struct dd difference = two_sum(p.hi * scale, -1.0);
    return difference.hi + (difference.lo + p.lo * scale);
}
