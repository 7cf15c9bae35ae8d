/* pow: e^(y log x), with log x to 67 bits, since a product of up to 745 eats ten of them. */
#include <math.h>

#include "exp.h"
#include "log.h"

enum parity { NOT_INTEGER, EVEN, ODD };

static __HCC_LEAF enum parity parity_of(double y)
{
    uint64_t bits = bits_of_double(y) & ~DOUBLE_SIGN;
    int exponent = (int)(bits >> DOUBLE_FRACTION_BITS) - DOUBLE_BIAS;

    if (exponent < 0)
        return bits == 0 ? EVEN : NOT_INTEGER;
    if (exponent > DOUBLE_FRACTION_BITS)
        return EVEN;
    uint64_t m = (bits & DOUBLE_FRACTION) | DOUBLE_HIDDEN;
    int below = DOUBLE_FRACTION_BITS - exponent; /* bits behind the point */
    if ((m & ((UINT64_C(1) << below) - 1)) != 0)
        return NOT_INTEGER;
    return m >> below & 1 ? ODD : EVEN;
}

/* x or y is 0, infinite or NaN (C99, F.9.4.4); magnitude only, x >= 0. */
static __HCC_LEAF double pow_special(double x, double y)
{
    if (x != x || y != y)
        return x + y;
    if (fabs(y) == HUGE_VAL) {
        if (x == 1.0)
            return 1.0;
        return (x > 1.0) == (y > 0.0) ? HUGE_VAL : 0.0;
    }
    return (x > 1.0) == (y > 0.0) ? HUGE_VAL : 0.0; /* x is 0 or infinite */
}

double pow(double x, double y)
{
    double sign = 1.0;

    if (y == 0.0 || x == 1.0)
        return 1.0;
    if (signbit(x)) {
        enum parity parity = parity_of(y);
        if (parity == NOT_INTEGER && x < 0.0 && fabs(y) < HUGE_VAL && x > -HUGE_VAL)
            return NAN;
        if (parity == ODD)
            sign = -1.0;
        x = x != x ? x : -x;
    }
    double size = fabs(y);
    if (!(x > 0.0 && x < HUGE_VAL && size < HUGE_VAL))
        return sign * pow_special(x, y);
    if (x == 1.0)
        return sign;
    if (size > 18446744073709551616.0) /* |y log x| > 2^64 * 2^-54 */
        return (x > 1.0) == (y > 0.0) ? sign * HUGE_VAL : sign * 0.0;
    if (size < 2.710505431213761e-20) /* 2^-65: and then it is below 2^-54 */
        return sign;

    struct dd l = log_dd(x);
    struct dd product = two_product(l.hi, y);
    product = quick_two_sum(product.hi, product.lo + l.lo * y);
    if (product.hi > 710.0)
        return sign * HUGE_VAL;
    if (product.hi < -746.0)
        return sign * 0.0;
    return sign * power_value(exp_power(product.hi, product.lo));
}
