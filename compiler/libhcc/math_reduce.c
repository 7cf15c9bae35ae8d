/* Reduction of angles by multiples of pi/2, to 100 bits.
 *
 * Up to a million quarter turns pi/2 is taken in four parts, of which the first
 * three have 33 bits each, so that their multiples are exact (Cody and Waite).
 *
 * Beyond, x = m 2^e is multiplied by 2/pi in integers (Payne and Hanek).  Of
 * the bits of 2/pi those that only add whole turns are left out, and as many
 * taken behind them as decide 64 bits even of the angle nearest to a multiple,
 * which no double comes closer to than 2^-62.
 */
#include "reduce.h"

#include "exp.h"
#include "math_tables.h"

#define CODY_WAITE_LIMIT 1600000.0
#define WINDOW 6 /* words of 2/pi: 3 bits of quarters, 189 behind the point */
#define PRODUCT (WINDOW + 2)

static __HCC_LEAF struct reduced_angle reduce_medium(double x)
{
    struct reduced_angle result;
    double n = (x * TWO_OVER_PI + ROUNDER) - ROUNDER;
    struct dd a = two_sum(x - n * HALF_PI_1, -(n * HALF_PI_2));
    struct dd b = two_sum(a.hi, -(n * HALF_PI_3));

    result.angle = quick_two_sum(b.hi, a.lo + b.lo - n * HALF_PI_4);
    result.quarters = (int)n & 3;
    return result;
}

/* The words of 2/pi from bit `first` behind the point on, which may be before it. */
static __HCC_LEAF uint32_t bits_of_two_over_pi(int first)
{
    int word = first >> 5;
    int shift = first & 31;
    uint64_t two = 0;

    if (word >= 0)
        two = (uint64_t)__hcc_two_over_pi[word] << 32;
    if (word + 1 >= 0)
        two |= __hcc_two_over_pi[word + 1];
    return (uint32_t)(two << shift >> 32);
}

/* hi:lo, a fraction of 128 bits below 1/2, as a dd. */
static __HCC_LEAF struct dd fraction_dd(uint64_t hi, uint64_t lo)
{
    int shift = hi != 0 ? __builtin_clzll(hi) : 64;

    if (shift == 64) {
        hi = lo;
        lo = 0;
    } else if (shift > 0) {
        hi = hi << shift | lo >> (64 - shift);
        lo <<= shift;
    }
    double scale = power_of_two(-64 - shift);
    double top = (double)(hi >> 11);
    double rest = (double)((hi & 0x7ff) << 42 | lo >> 22);
    return quick_two_sum(top * 2048.0 * scale, rest * (1.0 / 4398046511104.0) * scale);
}

static __HCC_LEAF struct reduced_angle reduce_large(double x)
{
    uint64_t bits = bits_of_double(x);
    int e = (int)(bits >> DOUBLE_FRACTION_BITS & DOUBLE_EXPONENT) - DOUBLE_BIAS -
            DOUBLE_FRACTION_BITS;
    uint64_t m = (bits & DOUBLE_FRACTION) | DOUBLE_HIDDEN;
    uint32_t product[PRODUCT] = {0, 0, 0, 0, 0, 0, 0, 0}; /* least significant first */
    struct reduced_angle result;

    /* Bit i behind the point of 2/pi weighs 2^-i, times m 2^e: below i = e - 2
       all are multiples of 4.  The window begins there. */
    for (int w = 0; w < WINDOW; w++) {
        uint32_t word = bits_of_two_over_pi(e - 2 + 32 * (WINDOW - 1 - w));
        uint64_t t = (uint64_t)word * (uint32_t)m + product[w];
        product[w] = (uint32_t)t;
        uint64_t carry = t >> 32;
        t = (uint64_t)word * (uint32_t)(m >> 32) + product[w + 1] + carry;
        product[w + 1] = (uint32_t)t;
        product[w + 2] = (uint32_t)(t >> 32);
    }
    /* The window's last bit weighs 2^(2 - 32 WINDOW) in x 2/pi, so the point
       lies two bits below the top of word WINDOW - 1. */
    uint64_t high = (uint64_t)product[WINDOW - 1] << 32 | product[WINDOW - 2];
    uint64_t low = (uint64_t)product[WINDOW - 3] << 32 | product[WINDOW - 4];
    uint64_t lowest = (uint64_t)product[WINDOW - 5] << 32 | product[WINDOW - 6];
    int quarters = (int)(high >> 62);
    high = high << 2 | low >> 62;
    low = low << 2 | lowest >> 62;
    int negative = (int)(high >> 63);
    if (negative) { /* over a half: the next quarter is nearer */
        quarters++;
        high = ~high;
        low = ~low; /* less one in the last of 128 bits */
    }
    result.angle = dd_multiply(fraction_dd(high, low), dd_of(HALF_PI_H, HALF_PI_L));
    if (negative != (int)(bits >> 63))
        result.angle = dd_of(-result.angle.hi, -result.angle.lo);
    result.quarters = (bits >> 63 ? -quarters : quarters) & 3;
    return result;
}

struct reduced_angle __hcc_reduce_angle(double x)
{
    if (x < CODY_WAITE_LIMIT && x > -CODY_WAITE_LIMIT)
        return reduce_medium(x);
    return reduce_large(x);
}
