/* atan, atan2, asin, acos.
 *
 * The arc tangent of a quotient q in [0, 1] is looked up at the nearest i/128
 * and the rest, atan((q - c)/(1 + q c)), is a short polynomial.  A quotient
 * over 1 is turned upside down, and taken from pi/2.
 *
 * The arc sine is a polynomial up to 1/2; beyond, by the half angle, asin x =
 * pi/2 - 2 asin sqrt((1 - x)/2), with the root to twice the precision.
 */
#include <math.h>

#include "dd.h"
#include "exp.h"
#include "math_poly.h"
#include "math_tables.h"

#define ATAN_SMALL 0.0625
#define TINY 7.450580596923828e-09    /* 2^-27: atan x rounds to x */
#define LARGE 1.0715086071862673e+301 /* 2^1000 */
#define SMALL 2.0041683600089728e-292 /* 2^-968 */

/* atan(q.hi + q.lo) for 0 <= q <= 1. */
static __HCC_LEAF struct dd atan_of_quotient(struct dd q)
{
    double x = q.hi;

    if (x < ATAN_SMALL) {
        double z = x * x;
        return quick_two_sum(x, x * z * poly_atan_small(z) + q.lo * (1.0 - z));
    }
    double rounded = x * ATAN_STEPS + ROUNDER;
    double c = (rounded - ROUNDER) / ATAN_STEPS;
    const struct atan_entry *entry = &__hcc_atan_table[(uint32_t)bits_of_double(rounded)];
    double t = ((x - c) + q.lo) / (1.0 + x * c);
    double z = t * t;
    struct dd sum = quick_two_sum(entry->hi, t);

    return quick_two_sum(sum.hi, sum.lo + (entry->lo + t * z * poly_atan(z)));
}

/* pi/2 - a, or pi - a: the constant in two parts. */
static inline __HCC_LEAF struct dd from_constant(double hi, double lo, struct dd a)
{
    struct dd s = two_sum(hi, -a.hi);

    return quick_two_sum(s.hi, s.lo + (lo - a.lo));
}

double atan(double x)
{
    double size = fabs(x);
    struct dd result;

    if (x != x)
        return x;
    if (size < TINY)
        return x;
    if (size <= 1.0) {
        result = atan_of_quotient(dd_of(size, 0.0));
    } else if (size > 1e17) {
        result = dd_of(HALF_PI_H, 0.0);
    } else {
        struct dd q = dd_divide(dd_of(1.0, 0.0), dd_of(size, 0.0));
        result = from_constant(HALF_PI_H, HALF_PI_L, atan_of_quotient(q));
    }
    return x < 0.0 ? -result.hi : result.hi;
}

double atan2(double y, double x)
{
    double ax = fabs(x);
    double ay = fabs(y);
    int left = signbit(x);
    struct dd result;

    if (x != x || y != y)
        return x + y;
    if (ay == 0.0) {
        result = dd_of(left ? PI_H : 0.0, 0.0);
    } else if (ax == HUGE_VAL && ay == HUGE_VAL) {
        result = dd_of(left ? 3.0 * (HALF_PI_H / 2.0) : HALF_PI_H / 2.0, 0.0);
    } else if (ax == 0.0 || ay == HUGE_VAL) {
        result = dd_of(HALF_PI_H, 0.0);
    } else if (ax == HUGE_VAL) {
        result = dd_of(left ? PI_H : 0.0, 0.0);
    } else {
        int steep = ay > ax;
        double above = steep ? ax : ay;
        double below = steep ? ay : ax;
        if (above < below * 8.673617379884035e-19) { /* 2^-60: atan q is q */
            if (!steep && !left)
                return copysign(above / below, y);
            above = 0.0;
        }
        if (below > LARGE || above < SMALL) { /* a product might over- or underflow */
            int k = ilogb(below);
            below = scalbn(below, -k);
            above = scalbn(above, -k);
        }
        result = atan_of_quotient(dd_divide(dd_of(above, 0.0), dd_of(below, 0.0)));
        if (steep)
            result = left ? dd_add(dd_of(HALF_PI_H, HALF_PI_L), result)
                          : from_constant(HALF_PI_H, HALF_PI_L, result);
        else if (left)
            result = from_constant(PI_H, PI_L, result);
    }
    return copysign(result.hi, y);
}

/* asin(sqrt(w)) / 2 of the half angle, for 1/2 < size <= 1: (1 - size)/2 is exact. */
static __HCC_LEAF struct dd asin_of_root(double size)
{
    double w = 0.5 * (1.0 - size);

    if (w == 0.0)
        return dd_of(0.0, 0.0);
    struct dd s = dd_sqrt(dd_of(w, 0.0));
    return quick_two_sum(s.hi, s.lo + s.hi * w * poly_asin(w));
}

double asin(double x)
{
    double size = fabs(x);

    if (size <= 0.5) {
        double z = x * x;
        return x + x * z * poly_asin(z);
    }
    if (!(size <= 1.0))
        return x != x ? x : NAN;
    struct dd half = asin_of_root(size);
    struct dd result = from_constant(HALF_PI_H, HALF_PI_L, dd_of(2.0 * half.hi, 2.0 * half.lo));
    return copysign(result.hi, x);
}

double acos(double x)
{
    double size = fabs(x);

    if (size <= 0.5) {
        double z = x * x;
        struct dd a = quick_two_sum(x, x * z * poly_asin(z));
        return from_constant(HALF_PI_H, HALF_PI_L, a).hi;
    }
    if (!(size <= 1.0))
        return x != x ? x : NAN;
    struct dd half = asin_of_root(size);
    struct dd angle = dd_of(2.0 * half.hi, 2.0 * half.lo);
    return x > 0.0 ? angle.hi : from_constant(PI_H, PI_L, angle).hi;
}
