/* fma: x y + z with one rounding, in integers of 256 bits.
 *
 * The product has 106 bits and the addend 53.  Both are laid out with room of
 * at least 64 bits above and below, and the one with the lower exponent is
 * shifted right to the other's.  A bit that falls out is remembered as
 * "something more" in the last place: then the numbers lie so far apart that at
 * most one leading bit can cancel, and that is enough to round.
 */
#include <math.h>

#include "dd.h"

#define WORDS 4

/* A magnitude as 256-bit integer, least significant word first, times 2^e. */
struct wide {
    uint64_t word[WORDS];
    int e;
};

static __HCC_LEAF struct wide wide_zero(int e)
{
    struct wide w = {{0, 0, 0, 0}, 0};

    w.e = e;
    return w;
}

/* m of a finite number, with the exponent of its last place. */
static __HCC_LEAF uint64_t mantissa(double x, int *e)
{
    uint64_t bits = bits_of_double(x);
    uint64_t m = bits & DOUBLE_FRACTION;

    *e = (int)(bits >> DOUBLE_FRACTION_BITS & DOUBLE_EXPONENT);
    if (*e == 0)
        *e = 1;
    else
        m |= DOUBLE_HIDDEN;
    *e -= DOUBLE_BIAS + DOUBLE_FRACTION_BITS;
    return m;
}

/* a b for a, b < 2^53, at the top but one of the words: below 2^(106 + 64). */
static __HCC_LEAF struct wide product(uint64_t a, uint64_t b, int e)
{
    struct wide w = wide_zero(e - 64);
    uint64_t low = (a & 0xffffffff) * (b & 0xffffffff);
    uint64_t cross1 = (a >> 32) * (b & 0xffffffff);
    uint64_t cross2 = (a & 0xffffffff) * (b >> 32);
    uint64_t middle = (low >> 32) + (cross1 & 0xffffffff) + (cross2 & 0xffffffff);

    w.word[1] = middle << 32 | (low & 0xffffffff);
    w.word[2] = (a >> 32) * (b >> 32) + (cross1 >> 32) + (cross2 >> 32) + (middle >> 32);
    return w;
}

/* Shifts right, keeping bits that fall out as a 1 in the last place. */
static __HCC_LEAF void shift_right(struct wide *w, int n)
{
    uint64_t lost = 0;

    w->e += n;
    for (; n >= 64; n -= 64) {
        lost |= w->word[0];
        for (int i = 0; i < WORDS; i++)
            w->word[i] = i + 1 < WORDS ? w->word[i + 1] : 0;
        if (n >= 64 * (WORDS + 1))
            n -= (n / 64 - WORDS) * 64; /* nothing is left by then */
    }
    if (n > 0) {
        lost |= w->word[0] << (64 - n);
        for (int i = 0; i < WORDS; i++)
            w->word[i] = w->word[i] >> n | (i + 1 < WORDS ? w->word[i + 1] << (64 - n) : 0);
    }
    w->word[0] |= lost != 0;
}

static __HCC_LEAF int compare(const struct wide *a, const struct wide *b)
{
    for (int i = WORDS - 1; i >= 0; i--) {
        if (a->word[i] != b->word[i])
            return a->word[i] < b->word[i] ? -1 : 1;
    }
    return 0;
}

static __HCC_LEAF struct wide add(const struct wide *a, const struct wide *b)
{
    struct wide sum = wide_zero(a->e);
    uint64_t carry = 0;

    for (int i = 0; i < WORDS; i++) {
        uint64_t s = a->word[i] + carry;
        carry = s < carry;
        sum.word[i] = s + b->word[i];
        carry += sum.word[i] < s;
    }
    return sum;
}

/* a - b for a >= b */
static __HCC_LEAF struct wide subtract(const struct wide *a, const struct wide *b)
{
    struct wide difference = wide_zero(a->e);
    uint64_t borrow = 0;

    for (int i = 0; i < WORDS; i++) {
        uint64_t d = a->word[i] - borrow;
        borrow = d > a->word[i];
        difference.word[i] = d - b->word[i];
        borrow += difference.word[i] > d;
    }
    return difference;
}

/* Rounds to nearest, ties to even. */
static __HCC_LEAF double round_wide(struct wide w)
{
    int top = WORDS - 1;

    while (w.word[top] == 0)
        top--;
    int bits = 64 * top + 64 - __builtin_clzll(w.word[top]);
    int dropped = bits - 55; /* two bits and the sticky one behind the 53 */
    if (w.e + dropped < -1076)
        dropped = -1076 - w.e;
    if (dropped > 0)
        shift_right(&w, dropped);
    uint64_t m = w.word[0];
    int e = w.e;
    if (dropped > 0) {
        uint64_t kept = m >> 2;
        kept += (m & 3) == 3 || (m & 7) == 6;
        m = kept;
        e += 2;
    }
    return scalbn((double)m, e); /* exact, or infinite */
}

double fma(double x, double y, double z)
{
    int ex, ey, ez;

    if (!(fabs(x) < HUGE_VAL && fabs(y) < HUGE_VAL && fabs(z) < HUGE_VAL))
        return fabs(x) < HUGE_VAL && fabs(y) < HUGE_VAL ? z : x * y + z;
    if (x == 0.0 || y == 0.0)
        return x * y + z;
    if (z == 0.0)
        return x * y;

    uint64_t mx = mantissa(x, &ex);
    uint64_t my = mantissa(y, &ey);
    struct wide p = product(mx, my, ex + ey);
    struct wide a = wide_zero(0);
    int negative_p = signbit(x) != signbit(y);
    int negative_a = signbit(z);
    a.word[2] = mantissa(z, &ez);
    a.e = ez - 128;

    /* Both have room of 64 bits above and at least that below. */
    if (a.e > p.e)
        shift_right(&p, a.e - p.e);
    else
        shift_right(&a, p.e - a.e);
    if (negative_p == negative_a)
        return negative_p ? -round_wide(add(&p, &a)) : round_wide(add(&p, &a));
    int order = compare(&p, &a);
    if (order == 0)
        return 0.0;
    struct wide difference = order > 0 ? subtract(&p, &a) : subtract(&a, &p);
    return (order > 0 ? negative_p : negative_a) ? -round_wide(difference)
                                                 : round_wide(difference);
}

/* The product of two floats is a double; the sum is rounded to odd there, so
   that rounding it again to a float decides rightly. */
float fmaf(float x, float y, float z)
{
    double p = (double)x * y;
    struct dd s = two_sum(p, z);
    uint64_t bits = bits_of_double(s.hi);

    if (s.lo != 0.0 && s.lo == s.lo && (bits & 1) == 0)
        s.hi = double_of_bits((s.lo > 0.0) == (s.hi > 0.0) ? bits + 1 : bits - 1);
    return (float)s.hi;
}
