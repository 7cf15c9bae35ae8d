/* e^x in pieces, for exp itself and what is built on it.
 *
 * x = k ln2/128 + r, |r| <= ln2/256, so e^x = 2^(k/128) e^r: a table of 128
 * powers and a short polynomial.
 */
#ifndef EXP_H
#define EXP_H

#include "dd.h"
#include "math_poly.h"
#include "math_tables.h"

/* Adding this rounds to an integer, whose low bits are then the sum's own. */
#define ROUNDER 6755399441055744.0 /* 1.5 * 2^52 */

#define EXP_OVERFLOW 709.782712893384
#define EXP_UNDERFLOW (-745.1332191019412)

/* A power as (hi + lo) 2^exponent. */
struct power {
    double hi;
    double lo;
    int exponent;
};

/* 2^(k/128) e^r; k is in the low bits of `rounded`. */
static inline __HCC_LEAF struct power power_from(double rounded, double r)
{
    int k = (int)(uint32_t)bits_of_double(rounded);
    const struct exp_entry *entry = &__hcc_exp_table[k & (EXP_STEPS - 1)];
    double p = r + r * r * (0.5 + r * poly_exp(r));
    struct power result;

    result.hi = entry->hi;
    result.lo = entry->lo + entry->hi * p;
    result.exponent = k >> EXP_BITS;
    return result;
}

/* e^(x + tail), good for one rounding of hi + lo; |x| < 800. */
static inline __HCC_LEAF struct power exp_power(double x, double tail)
{
    double rounded = x * EXP_STEPS_PER_ONE + ROUNDER;
    double k = rounded - ROUNDER;
    double r = (x - k * EXP_STEP_HI) - k * EXP_STEP_LO + tail;

    return power_from(rounded, r);
}

static inline __HCC_LEAF double power_value(struct power p)
{
    if (p.exponent > -1020 && p.exponent < 1024)
        return (p.hi + p.lo) * power_of_two(p.exponent);
    return dd_scale(p.hi, p.lo, p.exponent);
}

/* e^x to some 67 bits; |x| < 800. */
static inline __HCC_LEAF struct power exp_dd(double x)
{
    double rounded = x * EXP_STEPS_PER_ONE + ROUNDER;
    double k = rounded - ROUNDER;
    int index = (int)(uint32_t)bits_of_double(rounded);
    const struct exp_entry *entry = &__hcc_exp_table[index & (EXP_STEPS - 1)];
    struct dd r = two_sum(x - k * EXP_STEP_HI, -(k * EXP_STEP_LO));
    struct dd s = quick_two_sum(1.0, r.hi);
    double low = s.lo + (r.lo + r.hi * r.hi * (0.5 + r.hi * poly_exp(r.hi)));
    struct dd p = two_product(entry->hi, s.hi);
    struct dd sum = quick_two_sum(p.hi, p.lo + (entry->hi * low + entry->lo * s.hi));
    struct power result;

    result.hi = sum.hi;
    result.lo = sum.lo;
    result.exponent = index >> EXP_BITS;
    return result;
}

#endif
