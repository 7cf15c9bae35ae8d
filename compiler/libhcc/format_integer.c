/* printf's d i u o x X p. */
#include <string.h>

#include "format.h"

#define MOST_DIGITS 22 /* 2^64 in octal */

static const char digit_pairs[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
    "8081828384858687888990919293949596979899";

/* The digits of n, from the end backwards; returns where they begin.  0 has none. */
static __HCC_LEAF char *digits_of(uint64_t n, char conversion, char *end)
{
    const char *letters = conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";

    switch (conversion) {
    case 'x':
    case 'X':
    case 'p':
        for (; n > 0; n >>= 4)
            *--end = letters[n & 15];
        return end;
    case 'o':
        for (; n > 0; n >>= 3)
            *--end = (char)('0' + (n & 7));
        return end;
    default:
        for (; n >= 100; n /= 100) {
            end -= 2;
            memcpy(end, digit_pairs + 2 * (n % 100), 2);
        }
        if (n >= 10) {
            end -= 2;
            memcpy(end, digit_pairs + 2 * n, 2);
        } else if (n > 0) {
            *--end = (char)('0' + n);
        }
        return end;
    }
}

void __hcc_format_integer(struct output *out, const struct format *f, uint64_t magnitude,
                          int negative)
{
    char buffer[MOST_DIGITS];
    char prefix[3]; /* sign, 0, x */
    size_t prefix_length = 0;
    char *end = buffer + MOST_DIGITS;
    char *digits = digits_of(magnitude, f->conversion, end);
    long count = end - digits;
    long zeros = (f->precision == NO_PRECISION ? 1 : f->precision) - count;
    int is_signed = f->conversion == 'd' || f->conversion == 'p';
    char sign = is_signed ? format_sign(f, negative) : '\0';

    if (zeros < 0)
        zeros = 0;
    if (sign != '\0')
        prefix[prefix_length++] = sign;
    if (f->conversion == 'o' && (f->flags & FORMAT_ALT) && zeros == 0)
        zeros = 1;
    if (f->conversion == 'p' ||
        ((f->flags & FORMAT_ALT) && magnitude != 0 && (f->conversion | 0x20) == 'x')) {
        prefix[prefix_length++] = '0';
        prefix[prefix_length++] = f->conversion == 'X' ? 'X' : 'x';
    }

    long blanks = f->width - (long)prefix_length - zeros - count;
    if (blanks > 0 && (f->flags & FORMAT_ZERO) && !(f->flags & FORMAT_LEFT) &&
        f->precision == NO_PRECISION) {
        zeros += blanks;
        blanks = 0;
    }
    if (!(f->flags & FORMAT_LEFT))
        __hcc_emit_repeated(out, ' ', blanks);
    __hcc_emit(out, prefix, prefix_length);
    __hcc_emit_repeated(out, '0', zeros);
    __hcc_emit(out, digits, (size_t)count);
    if (f->flags & FORMAT_LEFT)
        __hcc_emit_repeated(out, ' ', blanks);
}
