/* sqrt, cbrt, hypot. */
#include <math.h>

#include "dd.h"
#include "math_poly.h"

double(sqrt)(double x)
{
    return __builtin_sqrt(x);
}

float(sqrtf)(float x)
{
    return __builtin_sqrtf(x);
}

/* x = m 2^(3k) with m in [1, 8): the root of m's head in [1, 2) from a
   polynomial, two steps of Newton's method, and the last rounding from m - t^3
   itself. */
double cbrt(double x)
{
    static const double roots[] = {1.0, 1.2599210498948732, 1.5874010519681994};
    uint64_t bits = bits_of_double(x) & ~DOUBLE_SIGN;
    int subnormal = 0;

    if (x == 0.0 || bits >> DOUBLE_FRACTION_BITS == DOUBLE_EXPONENT)
        return x;
    if (bits < DOUBLE_HIDDEN) {
        bits = bits_of_double(double_of_bits(bits) * 18014398509481984.0); /* 2^54 */
        subnormal = 54;
    }
    /* 3 * 1024 makes it positive, and 54 is a multiple of 3. */
    int exponent = (int)(bits >> DOUBLE_FRACTION_BITS) - DOUBLE_BIAS - subnormal + 3 * 1024;
    int rest = exponent % 3;
    double head = double_of_bits((bits & DOUBLE_FRACTION) | bits_of_double(1.0));
    double t = poly_cbrt(head) * roots[rest];
    double m = head * (double)(1 << rest);
    t = t - (t - m / (t * t)) * (1.0 / 3.0);
    t = t - (t - m / (t * t)) * (1.0 / 3.0);
    struct dd t2 = square(t);
    struct dd t3 = dd_multiply(t2, dd_of(t, 0.0));
    t += ((m - t3.hi) - t3.lo) / (3.0 * t2.hi);
    return copysign(t * power_of_two(exponent / 3 - 1024), x);
}

/* No square of a number between these over- or underflows, nor its error. */
#define SQUARE_LARGEST 1.3407807929942597e+154 /* 2^512 */
#define SQUARE_LEAST 3.0549363634996047e-151   /* 2^-500 */

double hypot(double x, double y)
{
    double large = fabs(x);
    double small = fabs(y);
    int k = 0;

    if (large == HUGE_VAL || small == HUGE_VAL)
        return HUGE_VAL; /* whatever the other, NaN included */
    if (x != x || y != y)
        return x + y;
    if (large < small) {
        large = small;
        small = fabs(x);
    }
    if (small <= large * 5.551115123125783e-17) /* 2^-54: its square is nothing */
        return large;
    if (large > SQUARE_LARGEST || small < SQUARE_LEAST) {
        k = ilogb(large);
        large = scalbn(large, -k);
        small = scalbn(small, -k);
    }
    struct dd root = dd_sqrt(dd_add(square(large), square(small)));
    return k == 0 ? root.hi : dd_scale(root.hi, root.lo, k);
}
