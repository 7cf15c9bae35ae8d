/* Double-double arithmetic: a number as hi + lo, |lo| at most half a unit of
 * hi's last place, for the few steps of a function where 53 bits are not
 * enough.
 *
 * All of it rests on two facts of IEEE arithmetic: the rounding error of a sum
 * is itself a double (Knuth's two-sum), and so is that of a product, found from
 * halves of 26 bits (Dekker, Veltkamp).  No fused multiply-add: not every ISA
 * has one, and the results must be the same bits on all.
 */
#ifndef DD_H
#define DD_H

#include <hcc/abi.h>

#include "number.h"

struct dd {
    double hi;
    double lo;
};

static inline __HCC_LEAF struct dd dd_of(double hi, double lo)
{
    struct dd r;

    r.hi = hi;
    r.lo = lo;
    return r;
}

/* a + b exactly. */
static inline __HCC_LEAF struct dd two_sum(double a, double b)
{
    double s = a + b;
    double b_part = s - a;

    return dd_of(s, (a - (s - b_part)) + (b - b_part));
}

/* The same where |a| >= |b| or a is 0. */
static inline __HCC_LEAF struct dd quick_two_sum(double a, double b)
{
    double s = a + b;

    return dd_of(s, b - (s - a));
}

/* x as two halves of at most 26 bits, by clearing the low 27 bits. */
static inline __HCC_LEAF struct dd halves(double x)
{
    double hi = double_of_bits(bits_of_double(x) & ~((UINT64_C(1) << 27) - 1));

    return dd_of(hi, x - hi);
}

/* a * b exactly, where nothing under- or overflows.  The low halves have 27
   bits, so their product may round, below the last place of the error. */
static inline __HCC_LEAF struct dd two_product(double a, double b)
{
    double p = a * b;
    struct dd x = halves(a);
    struct dd y = halves(b);

    return dd_of(p, ((x.hi * y.hi - p) + x.hi * y.lo + x.lo * y.hi) + x.lo * y.lo);
}

static inline __HCC_LEAF struct dd square(double a)
{
    double p = a * a;
    struct dd x = halves(a);

    return dd_of(p, ((x.hi * x.hi - p) + 2.0 * x.hi * x.lo) + x.lo * x.lo);
}

static inline __HCC_LEAF struct dd dd_add(struct dd a, struct dd b)
{
    struct dd s = two_sum(a.hi, b.hi);

    return quick_two_sum(s.hi, s.lo + (a.lo + b.lo));
}

static inline __HCC_LEAF struct dd dd_multiply(struct dd a, struct dd b)
{
    struct dd p = two_product(a.hi, b.hi);

    return quick_two_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

static inline __HCC_LEAF struct dd dd_divide(struct dd a, struct dd b)
{
    double q = a.hi / b.hi;
    struct dd p = two_product(q, b.hi);

    return quick_two_sum(q, (((a.hi - p.hi) - p.lo) + a.lo - q * b.lo) / b.hi);
}

static inline __HCC_LEAF struct dd dd_sqrt(struct dd a)
{
    double s = __builtin_sqrt(a.hi);
    struct dd p = square(s);

    return quick_two_sum(s, (((a.hi - p.hi) - p.lo) + a.lo) / (2.0 * s));
}

/* 2^k for a normal result. */
static inline __HCC_LEAF double power_of_two(int k)
{
    return double_of_bits((uint64_t)(k + DOUBLE_BIAS) << DOUBLE_FRACTION_BITS);
}

/* (hi + lo) 2^k, rounded once even where the result is subnormal; hi in [1/4, 4). */
static inline __HCC_LEAF double dd_scale(double hi, double lo, int k)
{
    double sum = hi + lo;

    if (k > 1020)
        return sum * power_of_two(1020) * power_of_two(k > 1030 ? 10 : k - 1020);
    if (k < -1080)
        return 0.0;
    if (k >= -1020 || sum >= power_of_two(-1022 - k))
        return sum * power_of_two(k / 2) * power_of_two(k - k / 2);
    /* Adding this leaves hi on the grid of the subnormals; lo tells the rest. */
    double grid = 1.5 * power_of_two(52 - 1074 - k);
    double rounded = (grid + hi) - grid;
    rounded += (grid + ((hi - rounded) + lo)) - grid;
    return rounded * power_of_two(k / 2) * power_of_two(k - k / 2);
}

#endif
