/* The natural logarithm in two parts, for pow and whatever is built on log.
 *
 * x = 2^k z with z in [0.6875, 1.375); a table gives 1/c, of 10 bits, for a c
 * near z.  Then z/c - 1 = r is exact in two doubles (z has 53 bits, 1/c 10, and
 * the leading ones cancel), and log x = k ln2 + log c + log(1 + r).
 */
#ifndef LOG_H
#define LOG_H

#include "dd.h"
#include "math_poly.h"
#include "math_tables.h"

/* x 2^-k in [0.6875, 1.375), and k. */
struct reduced_log {
    double z;
    int k;
    const struct log_entry *entry;
};

/* x positive and finite. */
static inline __HCC_LEAF struct reduced_log log_reduce(double x)
{
    struct reduced_log r;
    uint64_t bits = bits_of_double(x);
    int subnormal = 0;

    if (bits < DOUBLE_HIDDEN) {
        bits = bits_of_double(x * 4503599627370496.0);
        subnormal = 52;
    }
    uint64_t above = bits - LOG_OFFSET;
    int k = (int)((int64_t)above >> DOUBLE_FRACTION_BITS);
    r.z = double_of_bits(bits - ((uint64_t)(int64_t)k << DOUBLE_FRACTION_BITS));
    r.k = k - subnormal;
    r.entry = &__hcc_log_table[above >> (DOUBLE_FRACTION_BITS - LOG_BITS) & (LOG_STEPS - 1)];
    return r;
}

/* log(z + tail) + k ln2 to some 60 bits: enough to be rounded once.  The tail
   is at most a few units of z's last place, or, for z next to 1, any. */
static inline __HCC_LEAF struct dd log_pair_reduced(struct reduced_log x, double tail)
{
    double inverse = x.entry->inverse;
    struct dd z = halves(x.z);
    struct dd r = two_sum(z.hi * inverse - 1.0, z.lo * inverse);
    r = quick_two_sum(r.hi, r.lo + tail * inverse);
    double k = x.k;
    struct dd whole = two_sum(k * LN2_HI + x.entry->hi, r.hi);
    double low = (k * LN2_LO + x.entry->lo) + r.lo;

    return quick_two_sum(whole.hi,
                         whole.lo + (low + r.hi * r.hi * (-0.5 + r.hi * poly_log(r.hi))));
}

static inline __HCC_LEAF struct dd log_pair(double x)
{
    return log_pair_reduced(log_reduce(x), 0.0);
}

/* The same for a positive normal number in two parts. */
static inline __HCC_LEAF struct dd log_pair_of(struct dd a)
{
    struct reduced_log r = log_reduce(a.hi);

    return log_pair_reduced(r, r.k > -1000 && r.k < 1000 ? a.lo * power_of_two(-r.k) : 0.0);
}

/* log(z + tail) + k ln2 to some 67 bits: here r^2/2 counts in two parts. */
static inline __HCC_LEAF struct dd log_dd_reduced(struct reduced_log x, double tail)
{
    double inverse = x.entry->inverse;
    struct dd z = halves(x.z);
    struct dd r = two_sum(z.hi * inverse - 1.0, z.lo * inverse);
    r = quick_two_sum(r.hi, r.lo + tail * inverse);
    struct dd r2 = square(r.hi);
    double k = x.k;
    struct dd whole = two_sum(k * LN2_HI + x.entry->hi, r.hi);
    struct dd sum = quick_two_sum(whole.hi, -0.5 * r2.hi);
    double low = (k * LN2_LO + x.entry->lo) + r.lo - (0.5 * r2.lo + r.hi * r.lo);

    return quick_two_sum(sum.hi,
                         sum.lo + whole.lo + (low + r.hi * r2.hi * poly_log_dd(r.hi)));
}

static inline __HCC_LEAF struct dd log_dd(double x)
{
    return log_dd_reduced(log_reduce(x), 0.0);
}

static inline __HCC_LEAF struct dd log_dd_of(struct dd a)
{
    struct reduced_log r = log_reduce(a.hi);

    return log_dd_reduced(r, r.k > -1000 && r.k < 1000 ? a.lo * power_of_two(-r.k) : 0.0);
}

#endif
