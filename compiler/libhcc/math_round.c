/* Rounding to whole numbers.
 *
 * Adding and subtracting 2^52 leaves a whole number, by the rounding of the
 * addition itself; what is left to do is a comparison with the argument.  From
 * 2^52 on all doubles are whole.
 */
#include <math.h>

#include "number.h"

#define WHOLE 4503599627370496.0 /* 2^52 */

/* x >= 0 or NaN rounded to nearest, ties to even. */
static inline __HCC_LEAF double nearest(double size)
{
    return size < WHOLE ? (size + WHOLE) - WHOLE : size;
}

double rint(double x)
{
    return copysign(nearest(fabs(x)), x);
}

double nearbyint(double x)
{
    return rint(x);
}

double floor(double x)
{
    double r = rint(x);

    return r > x ? r - 1.0 : r;
}

double ceil(double x)
{
    double r = rint(x);

    return r < x ? copysign(r + 1.0, x) : r;
}

double trunc(double x)
{
    double size = fabs(x);
    double r = nearest(size);

    return copysign(r > size ? r - 1.0 : r, x);
}

double round(double x)
{
    double size = fabs(x);
    double r = nearest(size);

    /* Ties went to even: those that went down go up. */
    return copysign(size - r == 0.5 ? r + 1.0 : r, x);
}

long lrint(double x)
{
    return (long)rint(x);
}

long lround(double x)
{
    return (long)round(x);
}

long long llrint(double x)
{
    return (long long)rint(x);
}

long long llround(double x)
{
    return (long long)round(x);
}
