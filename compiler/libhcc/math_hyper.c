/* sinh, cosh, tanh and their inverses, by e^x and log x to twice the precision:
 * differences of nearly equal terms then cost nothing.  Near 0, polynomials.
 */
#include <math.h>

#include "exp.h"
#include "log.h"

#define SMALL 0.125
#define TINY 7.450580596923828e-09 /* 2^-27: what is x + O(x^3) rounds to x */
#define HYPER_OVERFLOW 710.4758600739439
#define ONE_TERM 40.0 /* from here on e^-x does not count beside e^x */

/* e^x and e^-x, for |x| below ONE_TERM. */
struct both {
    struct dd up;
    struct dd down;
};

static __HCC_LEAF struct both both_powers(double x)
{
    struct power p = exp_dd(x);
    double scale = power_of_two(p.exponent);
    struct both result;

    result.up = dd_of(p.hi * scale, p.lo * scale);
    result.down = dd_divide(dd_of(1.0, 0.0), result.up);
    return result;
}

double sinh(double x)
{
    double size = fabs(x);

    if (size < TINY)
        return x;
    if (size < SMALL) {
        double z = x * x;
        return x + x * z * poly_sinh(z);
    }
    if (!(size <= HYPER_OVERFLOW))
        return x * HUGE_VAL;
    if (size >= ONE_TERM) {
        struct power p = exp_dd(size);
        return copysign(dd_scale(p.hi, p.lo, p.exponent - 1), x);
    }
    struct both e = both_powers(size);
    struct dd twice = dd_add(e.up, dd_of(-e.down.hi, -e.down.lo));
    return copysign(0.5 * twice.hi, x);
}

double cosh(double x)
{
    double size = fabs(x);

    if (!(size <= HYPER_OVERFLOW))
        return size * HUGE_VAL;
    if (size >= ONE_TERM) {
        struct power p = exp_dd(size);
        return dd_scale(p.hi, p.lo, p.exponent - 1);
    }
    struct both e = both_powers(size);
    return 0.5 * dd_add(e.up, e.down).hi;
}

double tanh(double x)
{
    double size = fabs(x);

    if (size < TINY)
        return x;
    if (size < SMALL) {
        double z = x * x;
        return x + x * z * poly_tanh(z);
    }
    if (!(size < 22.0))
        return x != x ? x : copysign(1.0, x);
    struct dd e = both_powers(2.0 * size).up;
    struct dd result = dd_divide(dd_add(e, dd_of(-1.0, 0.0)), dd_add(e, dd_of(1.0, 0.0)));
    return copysign(result.hi, x);
}

/* log(1 + a): a below 2^-30 in size may lose digits, and is not passed. */
static __HCC_LEAF struct dd log_of_one_plus(struct dd a)
{
    return log_pair_of(dd_add(dd_of(1.0, 0.0), a));
}

double asinh(double x)
{
    double size = fabs(x);

    if (size < TINY)
        return x;
    if (!(size < HUGE_VAL))
        return x;
    struct dd result;
    if (size > 1e9) { /* log 2x */
        result = dd_add(log_pair(size), dd_of(LN2_DD_H, LN2_DD_L));
    } else {
        /* log(1 + x + x^2 / (1 + sqrt(1 + x^2))) */
        struct dd x2 = square(size);
        struct dd root = dd_sqrt(dd_add(dd_of(1.0, 0.0), x2));
        struct dd rest = dd_divide(x2, dd_add(dd_of(1.0, 0.0), root));
        result = log_of_one_plus(dd_add(dd_of(size, 0.0), rest));
    }
    return copysign(result.hi, x);
}

double acosh(double x)
{
    if (!(x >= 1.0))
        return x != x ? x : NAN;
    if (!(x < HUGE_VAL))
        return x;
    if (x > 1e9)
        return dd_add(log_pair(x), dd_of(LN2_DD_H, LN2_DD_L)).hi;
    /* log(1 + t + sqrt(2t + t^2)), t = x - 1, exactly below 2 */
    struct dd t = two_sum(x, -1.0);
    struct dd root = dd_sqrt(dd_add(dd_of(2.0 * t.hi, 2.0 * t.lo), dd_multiply(t, t)));
    if (t.hi == 0.0)
        return 0.0;
    return log_of_one_plus(dd_add(t, root)).hi;
}

double atanh(double x)
{
    double size = fabs(x);

    if (size < TINY)
        return x;
    if (!(size < 1.0)) {
        if (size == 1.0)
            return x * HUGE_VAL;
        return x != x ? x : NAN;
    }
    /* log(1 + 2x/(1 - x)) / 2 */
    struct dd quotient = dd_divide(dd_of(2.0 * size, 0.0), two_sum(1.0, -size));
    return copysign(0.5 * log_of_one_plus(quotient).hi, x);
}
