/* Exact decimal digits of a double.
 *
 * x = m * 2^e splits at the binary point.  The integer part is built up in base
 * 10^9 from its 32-bit words by Horner's rule.  The fraction is a string of
 * 32-bit words behind the point: multiplying it by 10^9 pushes the next nine
 * decimal digits out in front, so digits come from the most significant on and
 * no more are made than are wanted.  Everything is exact, so what remains tells
 * how to round. (strtod.c is the mirror image of this file.)
 */
#include <string.h>

#include "number.h"

#define INTEGER_LIMBS 36   /* 2^1024 has 309 digits */
#define FRACTION_WORDS 34  /* 2^-1074 */

/* The digits still to come. */
struct expansion {
    uint32_t integer[INTEGER_LIMBS]; /* least significant first */
    int integers;
    uint32_t fraction[FRACTION_WORDS]; /* most significant first */
    int first, last;                   /* the words not yet known to be 0 */
};

static __HCC_LEAF void integer_part(struct expansion *x, uint64_t m, int e)
{
    int words = (e + DOUBLE_FRACTION_BITS) / 32 + 1;

    x->integers = 0;
    for (int w = words - 1; w >= 0; w--) {
        int shift = e - 32 * w; /* where bit 0 of m lies in this word */
        uint64_t word;
        if (shift <= -64 || shift >= 32)
            word = 0;
        else
            word = shift >= 0 ? m << shift : m >> -shift;
        uint64_t carry = word & 0xffffffff;
        for (int i = 0; i < x->integers; i++) {
            uint64_t t = ((uint64_t)x->integer[i] << 32) + carry;
            x->integer[i] = (uint32_t)(t % LIMB_BASE);
            carry = t / LIMB_BASE;
        }
        for (; carry > 0; carry /= LIMB_BASE)
            x->integer[x->integers++] = (uint32_t)(carry % LIMB_BASE);
    }
}

/* m / 2^bits, below 1. */
static __HCC_LEAF void fraction_part(struct expansion *x, uint64_t m, int bits)
{
    int words = (bits + 31) / 32;
    int shift = 32 * words - bits;

    memset(x->fraction, 0, (size_t)words * sizeof x->fraction[0]);
    x->last = words - 1;
    x->fraction[words - 1] = (uint32_t)(m << shift);
    if (words > 1)
        x->fraction[words - 2] = (uint32_t)(m << shift >> 32);
    if (words > 2 && shift > 0)
        x->fraction[words - 3] = (uint32_t)(m >> (64 - shift));
    x->first = words > 3 ? words - 3 : 0;
}

static __HCC_LEAF int fraction_left(struct expansion *x)
{
    while (x->first <= x->last && x->fraction[x->last] == 0)
        x->last--;
    return x->first <= x->last;
}

static __HCC_LEAF uint32_t next_fraction_limb(struct expansion *x)
{
    uint64_t carry = 0;

    for (int i = x->last; i >= x->first; i--) {
        uint64_t t = (uint64_t)x->fraction[i] * LIMB_BASE + carry;
        x->fraction[i] = (uint32_t)t;
        carry = t >> 32;
    }
    if (x->first == 0)
        return (uint32_t)carry;
    x->fraction[--x->first] = (uint32_t)carry;
    return 0;
}

/* Appends nine digits; zeros in front of the number only move the point. */
static __HCC_LEAF void append(struct decimal *out, uint32_t limb)
{
    char *to = out->digits + out->count;
    int zeros = 0;

    for (int i = LIMB_DIGITS - 1; i >= 0; i--) {
        to[i] = (char)('0' + limb % 10);
        limb /= 10;
    }
    if (out->count == 0) {
        while (zeros < LIMB_DIGITS && to[zeros] == '0')
            zeros++;
        memmove(to, to + zeros, (size_t)(LIMB_DIGITS - zeros));
        out->point -= zeros;
    }
    out->count += LIMB_DIGITS - zeros;
}

/* Rounds to `keep` digits, which are fewer than there are; `more` says that
   something other than 0 follows those. */
static __HCC_LEAF void round_decimal(struct decimal *out, int keep, int more)
{
    char *digits = out->digits;
    int up;

    for (int i = keep + 1; i < out->count && !more; i++)
        more = digits[i] != '0';
    if (digits[keep] != '5' || more)
        up = digits[keep] >= '5';
    else
        up = keep > 0 && (digits[keep - 1] & 1);
    out->count = keep;
    if (!up)
        return;
    while (out->count > 0 && digits[out->count - 1] == '9')
        out->count--;
    if (out->count > 0) {
        digits[out->count - 1]++;
    } else {
        digits[0] = '1';
        out->count = 1;
        out->point++;
    }
}

/* Digits up to `digits` behind the first one, or behind the point. */
static __HCC_LEAF void expand(struct decimal *out, double value, long digits, int fixed)
{
    struct expansion x;
    uint64_t m = bits_of_double(value) & DOUBLE_FRACTION;
    int e = (int)(bits_of_double(value) >> DOUBLE_FRACTION_BITS);
    long keep;

    if (e == 0)
        e = 1;
    else
        m |= DOUBLE_HIDDEN;
    e -= DOUBLE_BIAS + DOUBLE_FRACTION_BITS;

    x.integers = x.first = 0;
    x.last = -1;
    if (e >= 0) {
        integer_part(&x, m, e);
    } else if (e > -64) {
        integer_part(&x, m >> -e, 0);
        fraction_part(&x, m & ((UINT64_C(1) << -e) - 1), -e);
    } else {
        fraction_part(&x, m, -e);
    }

    out->count = 0;
    out->point = LIMB_DIGITS * x.integers;
    while (x.integers > 0)
        append(out, x.integer[--x.integers]);
    for (;;) {
        keep = fixed ? out->point + digits : digits;
        if (out->count > keep || !fraction_left(&x))
            break;
        if (fixed && keep < 0)
            break; /* all that is to come is less than half a unit */
        append(out, next_fraction_limb(&x));
    }
    if (keep < 0)
        out->count = 0;
    else if (keep < out->count)
        round_decimal(out, (int)keep, fraction_left(&x));
    while (out->count > 0 && out->digits[out->count - 1] == '0')
        out->count--;
    if (out->count == 0)
        out->point = 1;
}

void __hcc_decimal_significant(struct decimal *out, double x, long digits)
{
    expand(out, x, digits, 0);
}

void __hcc_decimal_fixed(struct decimal *out, double x, long digits)
{
    expand(out, x, digits, 1);
}
