/* sqrt, cbrt, hypot. */
#include <math.h>

#include "dd.h"
#include "math_poly.h"

double sqrt(double x)
{
    return __builtin_sqrt(x);
}

float sqrtf(float x)
{
    return __builtin_sqrtf(x);
}

/* x = m 2^(3k) with m in [1, 8): the root of m's head in [1, 2) from a polynomial,
   two steps of Newton's method, and the last rounding from m - t^3 itself. */
double cbrt(double x)
{
    static const double roots[] = {1.0, 1.2599210498948732, 1.5874010519681994};
    int exponent;
    double m = frexp(fabs(x), &exponent); /* in [1/2, 1) */

    if (x == 0.0 || !(fabs(x) < HUGE_VAL))
        return x;
    int k = exponent - 1 + 3 * 1024;
    int rest = k % 3;
    k = k / 3 - 1024;
    double t = poly_cbrt(2.0 * m) * roots[rest];
    m = scalbn(m, rest + 1);
    t = t - (t - m / (t * t)) * (1.0 / 3.0);
    t = t - (t - m / (t * t)) * (1.0 / 3.0);
    struct dd square = two_product(t, t);
    struct dd cube = dd_multiply(square, dd_of(t, 0.0));
    t += ((m - cube.hi) - cube.lo) / (3.0 * square.hi);
    return copysign(scalbn(t, k), x);
}

double hypot(double x, double y)
{
    double large = fabs(x);
    double small = fabs(y);

    if (large == HUGE_VAL || small == HUGE_VAL)
        return HUGE_VAL; /* whatever the other, NaN included */
    if (x != x || y != y)
        return x + y;
    if (large < small) {
        large = small;
        small = fabs(x);
    }
    if (small == 0.0)
        return large;
    int k = ilogb(large);
    if (k - ilogb(small) > 60)
        return large + small;
    large = scalbn(large, -k);
    small = scalbn(small, -k);
    struct dd sum = dd_add(two_product(large, large), two_product(small, small));
    struct dd root = dd_sqrt(sum);
    return dd_scale(root.hi, root.lo, k);
}
