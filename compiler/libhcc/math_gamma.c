/* The gamma function and its logarithm.
 *
 * On [1, 2) gamma is tabulated, and up to 16 it comes from there by gamma(x +
 * 1) = x gamma(x); beyond, by Stirling's series.  Left of 0 it is reflected:
 * gamma(-x) = -pi / (x sin(pi x) gamma(x)).  All of it to more than 53 bits, so
 * that what is returned is rounded once.
 */
#include <math.h>

#include "exp.h"
#include "log.h"
#include "piece.h"
#include "trig.h"

#define STIRLING_FROM 16.0
#define GAMMA_OVERFLOW 171.7
#define GAMMA_UNDERFLOW (-184.5)
#define LGAMMA_OVERFLOW 2.5e305
#define TINY 2.8e-17 /* gamma(x) = 1/x there */

int signgam;

/* gamma(1 + f), 0 <= f < 1 */
static __HCC_LEAF struct dd gamma_of_fraction(double f)
{
    int i = (int)(f * GAMMA_PIECES);
    double centre = (i + 0.5) / GAMMA_PIECES;

    return piece_value(&__hcc_gamma_pieces[i], f - centre);
}

/* gamma(x) for 2^-54 < x < STIRLING_FROM: products of exact differences. */
static __HCC_LEAF struct dd gamma_small(double x)
{
    if (x < 1.0)
        return dd_divide(gamma_of_fraction(x), dd_of(x, 0.0));
    int n = (int)x;
    struct dd product = gamma_of_fraction(x - n);
    for (int k = 1; k < n; k++)
        product = dd_multiply(product, dd_of(x - k, 0.0));
    return product;
}

/* log gamma(x) for x >= STIRLING_FROM. */
static __HCC_LEAF struct dd log_gamma_stirling(double x)
{
    struct dd sum = log_dd(x);

    sum = dd_multiply(sum, two_sum(x, -0.5));
    sum = dd_add(sum, dd_of(-x, 0.0));
    sum = dd_add(sum, dd_of(HALF_LN_TWO_PI_H, HALF_LN_TWO_PI_L));
    return dd_add(sum, dd_of(poly_stirling(1.0 / (x * x)) / x, 0.0));
}

/* gamma(x) for 0 < x < 190. */
static __HCC_LEAF struct power gamma_power(double x)
{
    struct power result;

    if (x < STIRLING_FROM) {
        struct dd g = gamma_small(x);
        result.hi = g.hi;
        result.lo = g.lo;
        result.exponent = 0;
        if (x < 1.0)
            return result;
        int e = ilogb(g.hi);
        result.hi = g.hi * power_of_two(-e);
        result.lo = g.lo * power_of_two(-e);
        result.exponent = e;
        return result;
    }
    struct dd l = log_gamma_stirling(x);
    return exp_power(l.hi, l.lo);
}

/* |sin(pi x)| for an x that is not whole. */
static __HCC_LEAF struct dd sine_of_pi(double x)
{
    double f = fabs(x - rint(x)); /* exact, at most 1/2 */
    struct dd pi = dd_of(PI_H, PI_L);

    if (f > 0.25)
        return cosine(dd_multiply(pi, dd_of(0.5 - f, 0.0)));
    return sine(dd_multiply(pi, dd_of(f, 0.0)));
}

/* Whether floor(x) is odd: the sign of gamma(x) for x < 0. */
static __HCC_LEAF int floor_is_odd(double x)
{
    double half = 0.5 * floor(x);

    return half != floor(half);
}

double tgamma(double x)
{
    if (x != x || x == HUGE_VAL)
        return x;
    if (fabs(x) < TINY)
        return 1.0 / x; /* infinities for zeros */
    if (x > 0.0)
        return x > GAMMA_OVERFLOW ? HUGE_VAL : power_value(gamma_power(x));
    if (x == floor(x) || x == -HUGE_VAL)
        return NAN;
    double sign = floor_is_odd(x) ? -1.0 : 1.0;
    if (x < GAMMA_UNDERFLOW)
        return sign * 0.0;
    struct power g = gamma_power(-x);
    struct dd product = dd_multiply(sine_of_pi(x), dd_of(-x, 0.0));
    struct dd result = dd_divide(dd_of(PI_H, PI_L), dd_multiply(product, dd_of(g.hi, g.lo)));
    /* sin(pi x) can be as small as 2^-45 here, and 1/x too. */
    int e = ilogb(result.hi);
    return sign * dd_scale(result.hi * power_of_two(-e), result.lo * power_of_two(-e),
                           e - g.exponent);
}

/* log gamma(x) for x > 0, x < LGAMMA_OVERFLOW. */
static __HCC_LEAF struct dd log_gamma_positive(double x)
{
    double first = LGAMMA_FIRST / 16.0;

    if (x >= STIRLING_FROM)
        return log_gamma_stirling(x);
    if (x > 3.0)
        return log_dd_of(gamma_small(x));
    /* Below the table: log gamma(1 + x) - log x. */
    int shifted = x < first;
    int i = (int)(16.0 * x + 0.5) + (shifted ? 16 : 0);
    double u = x - (i - (shifted ? 16 : 0)) / 16.0;
    struct dd result = piece_value(&__hcc_lgamma_pieces[i - LGAMMA_FIRST], u);
    if (shifted) {
        struct dd l = log_dd(x);
        result = dd_add(result, dd_of(-l.hi, -l.lo));
    }
    return result;
}

double lgamma(double x)
{
    signgam = 1;
    if (x != x)
        return x;
    if (x > LGAMMA_OVERFLOW || x == -HUGE_VAL)
        return HUGE_VAL;
    if (x > 0.0)
        return log_gamma_positive(x).hi;
    if (x == floor(x)) {
        signgam = signbit(x) && x == 0.0 ? -1 : 1;
        return HUGE_VAL;
    }
    if (floor_is_odd(x))
        signgam = -1;
    if (x > -TINY)
        return -log(-x);
    /* log(pi / |x sin(pi x)|) - log gamma(-x) */
    struct dd product = dd_multiply(sine_of_pi(x), dd_of(-x, 0.0));
    struct dd l = log_dd_of(dd_divide(dd_of(PI_H, PI_L), product));
    struct dd g = log_gamma_positive(-x);
    return dd_add(l, dd_of(-g.hi, -g.lo)).hi;
}
