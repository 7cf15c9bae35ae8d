/* Floating-point numbers from text, correctly rounded.
 *
 * The mirror image of dtoa.c.  The decimal is cut at its point into limbs of
 * nine digits; the integer part is built up in 32-bit words by Horner's rule,
 * and multiplying the fraction by 2^32 pushes its next word out in front.  The
 * first 64 bits and "is anything left" decide the rounding.  Short numbers (at
 * most 2^53, times a power of ten that is itself exact) need one multiplication
 * or division, whose own rounding is the right one.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "number.h"

#define MOST_DIGITS 772   /* beyond 768 only "not zero" can matter */
#define INTEGER_LIMBS 35  /* 309 digits, and one more than any double */
#define INTEGER_WORDS 34
#define FRACTION_LIMBS 124
#define WORDS 4           /* enough for 64 bits wherever the first one is */
#define OVERFLOW_POINT 310
#define UNDERFLOW_POINT (-330)

/* The two formats: bits of precision, and the exponent e of the least
   subnormal's unit 2^e. */
struct binary {
    int precision;
    int least;
    int largest; /* numbers from 2^largest on are infinite */
};
static const struct binary binary32 = {24, -149, 128};
static const struct binary binary64 = {53, -1074, 1024};

struct decimal_text {
    char digits[MOST_DIGITS]; /* without leading zeros */
    int count;
    int more;  /* digits left out are not all 0 */
    long point; /* value = 0.digits x 10^point */
};

/* m * 2^e with the top bit of m set, and `more` telling of bits below, rounded
   to a double that the format can hold. */
static __HCC_LEAF double round_binary(uint64_t m, int e, int more, const struct binary *format)
{
    int dropped = 64 - format->precision;

    if (e + dropped < format->least)
        dropped = format->least - e;
    if (dropped > 64) { /* below half the least */
        errno = ERANGE;
        return 0.0;
    }
    uint64_t kept = dropped == 64 ? 0 : m >> dropped;
    uint64_t rest = m << (64 - dropped);
    int up = rest > DOUBLE_SIGN || (rest == DOUBLE_SIGN && (more || (kept & 1)));
    int inexact = rest != 0 || more;
    kept += (uint64_t)up;
    e += dropped;
    if (e + format->precision >= format->largest &&
        (e + format->precision > format->largest || kept >> format->precision != 0)) {
        errno = ERANGE;
        return __builtin_inf();
    }
    /* A subnormal that lost bits is out of range, unless it rounded up to normal. */
    if (inexact && kept >> (format->precision - 1) == 0)
        errno = ERANGE;
    if (kept == 0)
        return 0.0;
    /* kept * 2^e is a double: its exponent field, by way of the hidden bit. */
    int shift = __builtin_clzll(kept) - 11;
    if (shift >= 0)
        kept <<= shift;
    else
        kept >>= -shift; /* a carry: 2^53 */
    e += DOUBLE_FRACTION_BITS - shift;
    if (e <= -DOUBLE_BIAS)
        return double_of_bits(kept >> (1 - DOUBLE_BIAS - e));
    return double_of_bits(((uint64_t)(e + DOUBLE_BIAS - 1) << DOUBLE_FRACTION_BITS) + kept);
}

/* ---- Decimal ---- */

/* Nine digits from place `at` on, zeros where there are none. */
static __HCC_LEAF uint32_t limb_at(const struct decimal_text *d, long at)
{
    uint32_t limb = 0;

    for (long i = at; i < at + LIMB_DIGITS; i++) {
        limb *= 10;
        if (i >= 0 && i < d->count)
            limb += (uint32_t)(d->digits[i] - '0');
    }
    return limb;
}

/* The integer part in words, least significant first; returns how many. */
static __HCC_LEAF int integer_words(const struct decimal_text *d, uint32_t *words)
{
    int count = 0;
    long limbs = (d->point + LIMB_DIGITS - 1) / LIMB_DIGITS;

    for (long l = limbs; l > 0; l--) {
        uint64_t carry = limb_at(d, d->point - l * LIMB_DIGITS);
        for (int i = 0; i < count; i++) {
            carry += (uint64_t)words[i] * LIMB_BASE;
            words[i] = (uint32_t)carry;
            carry >>= 32;
        }
        if (carry > 0)
            words[count++] = (uint32_t)carry;
    }
    return count;
}

/* Multiplies a fraction (limbs [first, last], most significant first) by 2^32;
   returns what comes out in front. */
static __HCC_LEAF uint32_t next_word(uint32_t *limbs, int *first, int last)
{
    uint64_t carry = 0;

    for (int i = last; i >= 0 && (i >= *first || carry > 0); i--) {
        uint64_t t = ((uint64_t)limbs[i] << 32) + carry;
        limbs[i] = (uint32_t)(t % LIMB_BASE);
        carry = t / LIMB_BASE;
        if (i < *first)
            *first = i;
    }
    return (uint32_t)carry;
}

static __HCC_LEAF double round_decimal(const struct decimal_text *d, const struct binary *format)
{
    uint32_t integer[INTEGER_WORDS];
    uint32_t fraction[FRACTION_LIMBS];
    uint32_t top[WORDS] = {0, 0, 0, 0}; /* the words from the first one not 0 */
    int taken = 0;
    int more = d->more;
    int exponent; /* of the bit above the first word: value < 2^exponent */
    int integers = d->point > 0 ? integer_words(d, integer) : 0;
    int first = d->point < 0 ? (int)(-d->point / LIMB_DIGITS) : 0;
    long start = d->point > 0 ? d->point : 0; /* the digit at which the fraction begins */
    int last = -1;

    if (d->count > start || d->point < 0) {
        long places = d->count - d->point; /* of the fraction */
        last = (int)((places + LIMB_DIGITS - 1) / LIMB_DIGITS) - 1;
    }
    for (int i = 0; i <= last; i++)
        fraction[i] = i < first ? 0 : limb_at(d, d->point + (long)i * LIMB_DIGITS);

    exponent = 32 * integers;
    for (int i = integers - 1; i >= 0; i--) {
        if (taken < WORDS)
            top[taken++] = integer[i];
        else
            more |= integer[i] != 0;
    }
    while (taken < WORDS && last >= 0) {
        uint32_t word = next_word(fraction, &first, last);
        while (last >= 0 && fraction[last] == 0)
            last--;
        if (taken > 0 || word != 0)
            top[taken++] = word;
        else
            exponent -= 32;
    }
    more |= last >= 0;

    int shift = __builtin_clzll(top[0]) - 32;
    uint64_t m = ((uint64_t)top[0] << 32 | top[1]) << shift;
    uint64_t below = (uint64_t)top[2] << 32 | top[3];
    if (shift > 0) {
        m |= below >> (64 - shift);
        below <<= shift;
    }
    return round_binary(m, exponent - shift - 64, more || below != 0, format);
}

/* A number that one correctly rounded operation on doubles gives; false if it
   is not of that kind. */
static __HCC_LEAF int read_short(const struct decimal_text *d, double *value)
{
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    long exponent = d->point - d->count;
    uint64_t m = 0;

    if (d->count > 18 || exponent < -22 || exponent > 22)
        return 0;
    for (int i = 0; i < d->count; i++)
        m = 10 * m + (uint64_t)(d->digits[i] - '0');
    if (m > UINT64_C(1) << 53)
        return 0;
    *value = exponent < 0 ? (double)m / tens[-exponent] : (double)m * tens[exponent];
    return 1;
}

/* An exponent's digits, held well within an int; `end` stays if there are none. */
static __HCC_LEAF long read_exponent(const char *p, const char **end)
{
    long n = 0;
    int negative = *p == '-';

    if (*p == '+' || *p == '-')
        p++;
    if (!isdigit(*p))
        return 0;
    for (; isdigit(*p); p++) {
        if (n < INT_MAX / 20)
            n = 10 * n + (*p - '0');
    }
    *end = p;
    return negative ? -n : n;
}

static __HCC_LEAF double read_decimal(const char *p, const char **end,
                                      const struct binary *format)
{
    struct decimal_text d;
    int point_seen = 0;
    double value;

    d.count = d.more = 0;
    d.point = 0;
    for (;; p++) {
        if (*p == '.' && !point_seen) {
            point_seen = 1;
            continue;
        }
        if (!isdigit(*p))
            break;
        *end = p + 1;
        if (d.count == 0 && *p == '0') {
            d.point -= point_seen;
            continue;
        }
        d.point += !point_seen;
        if (d.count < MOST_DIGITS)
            d.digits[d.count++] = *p;
        else
            d.more |= *p != '0';
    }
    if (p[-1] == '.' && *end == p - 1)
        *end = p; /* a point behind the digits belongs to them */
    if ((*p | 0x20) == 'e')
        d.point += read_exponent(p + 1, end);

    while (d.count > 0 && d.digits[d.count - 1] == '0' && !d.more)
        d.count--;
    if (d.count == 0)
        return 0.0;
    if (d.point > OVERFLOW_POINT) {
        errno = ERANGE;
        return __builtin_inf();
    }
    if (d.point < UNDERFLOW_POINT) {
        errno = ERANGE;
        return 0.0;
    }
    if (format == &binary64 && !d.more && read_short(&d, &value))
        return value;
    return round_decimal(&d, format);
}

/* ---- Hexadecimal, and the rest ---- */

/* p is behind the 0x. */
static __HCC_LEAF double read_hex(const char *p, const char **end, const struct binary *format)
{
    uint64_t m = 0;
    long e = 0;
    int more = 0;
    int point_seen = 0;

    for (;; p++) {
        if (*p == '.' && !point_seen) {
            point_seen = 1;
            continue;
        }
        if (!isxdigit(*p))
            break;
        uint64_t digit = (uint64_t)(isdigit(*p) ? *p - '0' : (*p | 0x20) - 'a' + 10);
        if (m >> 60 == 0) {
            m = m << 4 | digit;
            e -= 4 * point_seen;
        } else {
            more |= digit != 0;
            e += 4 * !point_seen;
        }
    }
    *end = p;
    if ((*p | 0x20) == 'p')
        e += read_exponent(p + 1, end);
    if (m == 0)
        return 0.0;
    int shift = __builtin_clzll(m);
    e -= shift;
    if (e > 2000)
        e = 2000;
    if (e < -2000)
        e = -2000;
    return round_binary(m << shift, (int)e, more, format);
}

/* Whether digits follow, perhaps behind the point. */
static __HCC_LEAF int starts_decimal(const char *p)
{
    return isdigit(p[0]) || (p[0] == '.' && isdigit(p[1]));
}

static __HCC_LEAF int starts_hex(const char *p)
{
    if (p[0] != '0' || (p[1] | 0x20) != 'x')
        return 0;
    return isxdigit(p[2]) || (p[2] == '.' && isxdigit(p[3]));
}

static __HCC_LEAF double read_number(const char *s, char **end_out, const struct binary *format)
{
    const char *p = s;
    const char *end = s;
    double value = 0.0;
    int negative = 0;

    while (isspace((unsigned char)*p))
        p++;
    if (*p == '+' || *p == '-')
        negative = *p++ == '-';
    if (starts_hex(p)) {
        value = read_hex(p + 2, &end, format);
    } else if (starts_decimal(p)) {
        value = read_decimal(p, &end, format);
    } else if (strncasecmp(p, "inf", 3) == 0) {
        value = __builtin_inf();
        end = p + (strncasecmp(p, "infinity", 8) == 0 ? 8 : 3);
    } else if (strncasecmp(p, "nan", 3) == 0) {
        value = __builtin_nan("");
        end = p + 3;
        if (*end == '(') { /* nan(chars): the chars are of no consequence */
            const char *q = end + 1;
            while (isalnum(*q) || *q == '_')
                q++;
            if (*q == ')')
                end = q + 1;
        }
    } else {
        negative = 0; /* a sign alone is no number */
    }
    if (end_out != NULL)
        *end_out = (char *)end;
    return negative ? -value : value;
}

double strtod(const char *restrict s, char **restrict end)
{
    return read_number(s, end, &binary64);
}

float strtof(const char *restrict s, char **restrict end)
{
    return (float)read_number(s, end, &binary32); /* exactly a float already */
}

long double strtold(const char *restrict s, char **restrict end)
{
    return strtod(s, end);
}

double atof(const char *s)
{
    return strtod(s, NULL);
}
