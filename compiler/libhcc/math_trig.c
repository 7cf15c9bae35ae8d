/* sin, cos, tan: reduced to |angle| <= pi/4, where a polynomial does it. */
#include <math.h>

#include "math_poly.h"
#include "reduce.h"

#define QUARTER_PI 0.7853981633974483
#define TINY 7.450580596923828e-09 /* 2^-27: x^2 is below half a unit of 1 */

/* sin(a.hi + a.lo) = x + x^3 S(x^2) + a.lo cos x */
static inline __HCC_LEAF struct dd sine(struct dd a)
{
    double x = a.hi;
    double z = x * x;

    return quick_two_sum(x, x * z * poly_sin(z) + a.lo * (1.0 - 0.5 * z));
}

/* cos(a.hi + a.lo) = 1 - x^2/2 + x^4 C(x^2) - a.lo sin x; the rounding errors of
   1 - x^2/2 matter, those of x^2/2 itself are below its weight. */
static inline __HCC_LEAF struct dd cosine(struct dd a)
{
    double x = a.hi;
    struct dd x2 = square(x);
    double z = x2.hi;
    struct dd w = quick_two_sum(1.0, -0.5 * z);

    return quick_two_sum(w.hi, w.lo + (z * z * poly_cos(z) - 0.5 * x2.lo - a.lo * x));
}

static inline __HCC_LEAF struct reduced_angle reduce(double x)
{
    struct reduced_angle r;

    if (fabs(x) <= QUARTER_PI) {
        r.angle = dd_of(x, 0.0);
        r.quarters = 0;
        return r;
    }
    return __hcc_reduce_angle(x);
}

static inline __HCC_LEAF double sine_of_quarter(struct reduced_angle r)
{
    double value = r.quarters & 1 ? cosine(r.angle).hi : sine(r.angle).hi;

    return r.quarters & 2 ? -value : value;
}

double sin(double x)
{
    if (fabs(x) < TINY)
        return x - x * x * x * (1.0 / 6.0);
    if (!(fabs(x) < HUGE_VAL))
        return x - x; /* NaN */
    return sine_of_quarter(reduce(x));
}

double cos(double x)
{
    if (!(fabs(x) < HUGE_VAL))
        return x - x;
    struct reduced_angle r = reduce(x);
    r.quarters++;
    return sine_of_quarter(r);
}

void sincos(double x, double *sine_out, double *cosine_out)
{
    *sine_out = sin(x);
    *cosine_out = cos(x);
}

double tan(double x)
{
    if (fabs(x) < TINY)
        return x + x * x * x * (1.0 / 3.0);
    if (!(fabs(x) < HUGE_VAL))
        return x - x;
    struct reduced_angle r = reduce(x);
    struct dd s = sine(r.angle);
    struct dd c = cosine(r.angle);
    if (r.quarters & 1)
        return -dd_divide(c, s).hi;
    return dd_divide(s, c).hi;
}
