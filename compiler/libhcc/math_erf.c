/* The error function and its complement.
 *
 * Near 0 erf is a polynomial.  Farther out erfc x = exp(-x^2) g(x), where g
 * falls slowly and is tabulated; x^2 is needed to twice the precision, since
 * its error becomes a relative one of the power.
 */
#include <math.h>

#include "exp.h"
#include "piece.h"

#define TINY 1e-20
#define ERF_SMALL 0.5
#define ERF_ONE 6.0         /* 1 - erf x is below half a unit of 1 */
#define ERFC_UNDERFLOW 27.3 /* erfc x is below half the least double */

/* erf x for |x| < ERF_SMALL, not so small that x^3 underflows. */
static __HCC_LEAF struct dd erf_near_zero(double x)
{
    double z = x * x;
    struct dd line = two_product(x, TWO_OVER_SQRT_PI_H);

    return quick_two_sum(line.hi, line.lo + x * (TWO_OVER_SQRT_PI_L + z * poly_erf(z)));
}

/* erfc x for ERF_SMALL <= x <= ERFC_UNDERFLOW. */
static __HCC_LEAF struct power erfc_power(double x)
{
    uint64_t bits = bits_of_double(x);
    int index = (int)(bits >> (DOUBLE_FRACTION_BITS - ERFCX_BITS)) -
                ((DOUBLE_BIAS + ERFCX_FIRST) << ERFCX_BITS);
    /* The centre has the bits of the piece's number, then a 1. */
    uint64_t below = UINT64_C(1) << (DOUBLE_FRACTION_BITS - ERFCX_BITS);
    double centre = double_of_bits((bits & ~(below - 1)) | below >> 1);
    struct dd g = piece_value(&__hcc_erfcx_pieces[index], x - centre);
    struct dd x2 = square(x);
    struct power e = exp_power(-x2.hi, -x2.lo);
    struct dd product = dd_multiply(dd_of(e.hi, e.lo), g);

    e.hi = product.hi;
    e.lo = product.lo;
    return e;
}

double erf(double x)
{
    double size = fabs(x);

    if (size < TINY) /* rounded once even if subnormal */
        return (x * 64.0 + x * (64.0 * (TWO_OVER_SQRT_PI_H - 1.0))) * (1.0 / 64.0);
    if (size < ERF_SMALL)
        return erf_near_zero(x).hi;
    if (!(size < ERF_ONE))
        return x != x ? x : copysign(1.0, x);
    struct power c = erfc_power(size);
    double scale = power_of_two(c.exponent);
    struct dd difference = quick_two_sum(1.0, -c.hi * scale);
    return copysign(difference.hi + (difference.lo - c.lo * scale), x);
}

double erfc(double x)
{
    double size = fabs(x);

    if (x != x)
        return x;
    if (size < ERF_SMALL) {
        struct dd e = size < TINY ? dd_of(x, 0.0) : erf_near_zero(x);
        struct dd difference = two_sum(1.0, -e.hi);
        return difference.hi + (difference.lo - e.lo);
    }
    if (x < 0.0)
        return size < ERF_ONE ? 2.0 - power_value(erfc_power(size)) : 2.0;
    if (!(size < ERFC_UNDERFLOW))
        return 0.0;
    return power_value(erfc_power(x));
}
