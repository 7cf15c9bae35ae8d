/* Sine and cosine of a reduced angle, |a| <= pi/4, as value and what it lacks. */
#ifndef TRIG_H
#define TRIG_H

#include "dd.h"
#include "math_poly.h"

/* sin(a.hi + a.lo) = x + x^3 S(x^2) + a.lo cos x */
static inline __HCC_LEAF struct dd sine(struct dd a)
{
    double x = a.hi;
    double z = x * x;

    return quick_two_sum(x, x * z * poly_sin(z) + a.lo * (1.0 - 0.5 * z));
}

/* cos(a.hi + a.lo) = 1 - x^2/2 + x^4 C(x^2) - a.lo sin x; the rounding errors
   of 1 - x^2/2 matter, those of x^2/2 itself are below its weight. */
static inline __HCC_LEAF struct dd cosine(struct dd a)
{
    double x = a.hi;
    struct dd x2 = square(x);
    double z = x2.hi;
    struct dd w = quick_two_sum(1.0, -0.5 * z);

    return quick_two_sum(w.hi, w.lo + (z * z * poly_cos(z) - 0.5 * x2.lo - a.lo * x));
}

#endif
