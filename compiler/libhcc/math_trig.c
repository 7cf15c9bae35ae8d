/* sin, cos, tan: reduced to |angle| <= pi/4, where a polynomial does it. */
#include <math.h>

#include "reduce.h"
#include "trig.h"

#define QUARTER_PI 0.7853981633974483
#define TINY 7.450580596923828e-09 /* 2^-27: sin x and tan x round to x */

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
        return x;
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
        return x;
    if (!(fabs(x) < HUGE_VAL))
        return x - x;
    struct reduced_angle r = reduce(x);
    struct dd s = sine(r.angle);
    struct dd c = cosine(r.angle);
    if (r.quarters & 1)
        return -dd_divide(c, s).hi;
    return dd_divide(s, c).hi;
}
