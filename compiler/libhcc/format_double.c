/* printf's e f g a, and E F G A.
 *
 * The digits are exact, correctly rounded, from dtoa.c; here they are laid out.
 * A number is printed in parts (sign, digits, zeros that no double has digits
 * for, exponent), so no precision is too large for a buffer.  NaN has no sign
 * here: the sign of a NaN made by arithmetic differs between real machines.
 */
#include <string.h>

#include "format.h"
#include "number.h"

#define DEFAULT_PRECISION 6
#define HEX_DIGITS 13 /* the 52 bits of fraction */

/* What goes round the digits: the sign or 0x in front, e+05 behind. */
struct frame {
    char prefix[3];
    int prefix_length;
    char suffix[8];
    int suffix_length;
    long body; /* the length of what is between */
};

static __HCC_LEAF int is_upper(const struct format *f)
{
    return (f->conversion & 0x20) == 0;
}

static __HCC_LEAF void open_frame(struct output *out, const struct format *f,
                                  const struct frame *frame)
{
    long blanks = f->width - frame->prefix_length - frame->body - frame->suffix_length;
    int zeros = (f->flags & FORMAT_ZERO) && !(f->flags & FORMAT_LEFT);

    if (!zeros && !(f->flags & FORMAT_LEFT))
        __hcc_emit_repeated(out, ' ', blanks);
    __hcc_emit(out, frame->prefix, (size_t)frame->prefix_length);
    if (zeros)
        __hcc_emit_repeated(out, '0', blanks);
}

static __HCC_LEAF void close_frame(struct output *out, const struct format *f,
                                   const struct frame *frame)
{
    long blanks = f->width - frame->prefix_length - frame->body - frame->suffix_length;

    __hcc_emit(out, frame->suffix, (size_t)frame->suffix_length);
    if (f->flags & FORMAT_LEFT)
        __hcc_emit_repeated(out, ' ', blanks);
}

/* The exponent, in at least so many digits. */
static __HCC_LEAF void put_exponent(struct frame *frame, char letter, int exponent, int digits)
{
    int magnitude = exponent < 0 ? -exponent : exponent;
    char text[4];
    int n = 0;

    do {
        text[n++] = (char)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude > 0 || n < digits);
    frame->suffix[0] = letter;
    frame->suffix[1] = exponent < 0 ? '-' : '+';
    frame->suffix_length = 2;
    while (n > 0)
        frame->suffix[frame->suffix_length++] = text[--n];
}

/* Digits [from, from + n) of d, which goes on in zeros. */
static __HCC_LEAF void emit_digits(struct output *out, const struct decimal *d, long from, long n)
{
    long there = d->count - from;

    if (there > n)
        there = n;
    if (there > 0)
        __hcc_emit(out, d->digits + from, (size_t)there);
    else
        there = 0;
    __hcc_emit_repeated(out, '0', n - there);
}

static __HCC_LEAF void format_fixed(struct output *out, const struct format *f,
                                    struct frame *frame, const struct decimal *d, long precision)
{
    long integers = d->point > 0 ? d->point : 1;
    long zeros = d->point < 0 ? -d->point : 0; /* between the point and the first digit */
    int point = precision > 0 || (f->flags & FORMAT_ALT);

    if (zeros > precision)
        zeros = precision;
    frame->body = integers + point + precision;
    open_frame(out, f, frame);
    if (d->point > 0)
        emit_digits(out, d, 0, integers);
    else
        __hcc_emit(out, "0", 1);
    __hcc_emit(out, ".", (size_t)point);
    __hcc_emit_repeated(out, '0', zeros);
    emit_digits(out, d, d->point > 0 ? d->point : 0, precision - zeros);
    close_frame(out, f, frame);
}

static __HCC_LEAF void format_scientific(struct output *out, const struct format *f,
                                         struct frame *frame, const struct decimal *d,
                                         long precision)
{
    int point = precision > 0 || (f->flags & FORMAT_ALT);

    put_exponent(frame, is_upper(f) ? 'E' : 'e', d->point - 1, 2);
    frame->body = 1 + point + precision;
    open_frame(out, f, frame);
    emit_digits(out, d, 0, 1);
    __hcc_emit(out, ".", (size_t)point);
    emit_digits(out, d, 1, precision);
    close_frame(out, f, frame);
}

/* %g: the shorter of the two, and no zeros at the end unless asked for. */
static __HCC_LEAF void format_general(struct output *out, const struct format *f,
                                      struct frame *frame, const struct decimal *d,
                                      long precision)
{
    int exponent = d->point - 1;

    if (exponent >= -4 && exponent < precision) {
        long digits = precision - d->point;
        if (!(f->flags & FORMAT_ALT))
            digits = d->count > d->point ? d->count - d->point : 0;
        format_fixed(out, f, frame, d, digits);
    } else {
        long digits = precision - 1;
        if (!(f->flags & FORMAT_ALT))
            digits = d->count > 0 ? d->count - 1 : 0;
        format_scientific(out, f, frame, d, digits);
    }
}

/* %a: the hexadecimal digits of the fraction as they are stored, a 1 before the
   point (0 for zero and subnormals, which then have the least exponent). */
static __HCC_LEAF void format_hex(struct output *out, const struct format *f,
                                  struct frame *frame, double x)
{
    const char *letters = is_upper(f) ? "0123456789ABCDEF" : "0123456789abcdef";
    uint64_t bits = bits_of_double(x);
    uint64_t m = bits & DOUBLE_FRACTION;
    int exponent = (int)(bits >> DOUBLE_FRACTION_BITS);
    long digits = f->precision;
    char text[HEX_DIGITS + 1];

    if (exponent == 0) {
        exponent = m == 0 ? 0 : 1 - DOUBLE_BIAS;
    } else {
        exponent -= DOUBLE_BIAS;
        m |= DOUBLE_HIDDEN;
    }
    if (digits >= 0 && digits < HEX_DIGITS) {
        int dropped = 4 * (HEX_DIGITS - (int)digits);
        uint64_t half = UINT64_C(1) << (dropped - 1);
        uint64_t rest = m & (2 * half - 1);
        m -= rest;
        if (rest > half || (rest == half && (m & (2 * half)) != 0))
            m += 2 * half;
    }
    for (int i = HEX_DIGITS; i >= 0; i--) {
        text[i] = letters[m & 15];
        m >>= 4;
    }
    if (digits < 0) {
        digits = HEX_DIGITS;
        while (digits > 0 && text[digits] == '0')
            digits--;
    }

    int point = digits > 0 || (f->flags & FORMAT_ALT);
    long there = digits < HEX_DIGITS ? digits : HEX_DIGITS;
    frame->prefix[frame->prefix_length++] = '0';
    frame->prefix[frame->prefix_length++] = is_upper(f) ? 'X' : 'x';
    put_exponent(frame, is_upper(f) ? 'P' : 'p', exponent, 1);
    frame->body = 1 + point + digits;
    open_frame(out, f, frame);
    __hcc_emit(out, text, 1);
    __hcc_emit(out, ".", (size_t)point);
    __hcc_emit(out, text + 1, (size_t)there);
    __hcc_emit_repeated(out, '0', digits - there);
    close_frame(out, f, frame);
}

static __HCC_LEAF void format_special(struct output *out, const struct format *f,
                                      struct frame *frame, int is_nan)
{
    struct format plain = *f;

    plain.flags &= ~FORMAT_ZERO;
    frame->body = 3;
    if (is_nan)
        frame->prefix_length = 0;
    open_frame(out, &plain, frame);
    if (is_nan)
        __hcc_emit(out, is_upper(f) ? "NAN" : "nan", 3);
    else
        __hcc_emit(out, is_upper(f) ? "INF" : "inf", 3);
    close_frame(out, &plain, frame);
}

void __hcc_format_double(struct output *out, const struct format *f, double x)
{
    uint64_t bits = bits_of_double(x);
    char sign = format_sign(f, bits >> 63 != 0);
    long precision = f->precision == NO_PRECISION ? DEFAULT_PRECISION : f->precision;
    struct decimal d;
    struct frame frame;

    frame.prefix_length = frame.suffix_length = 0;
    if (sign != '\0')
        frame.prefix[frame.prefix_length++] = sign;
    bits &= ~DOUBLE_SIGN;
    x = double_of_bits(bits);
    if (bits >> DOUBLE_FRACTION_BITS == DOUBLE_EXPONENT) {
        format_special(out, f, &frame, (bits & DOUBLE_FRACTION) != 0);
        return;
    }
    switch (f->conversion) {
    case 'f':
    case 'F':
        __hcc_decimal_fixed(&d, x, precision);
        format_fixed(out, f, &frame, &d, precision);
        break;
    case 'e':
    case 'E':
        __hcc_decimal_significant(&d, x, precision + 1);
        format_scientific(out, f, &frame, &d, precision);
        break;
    case 'g':
    case 'G':
        if (precision == 0)
            precision = 1;
        __hcc_decimal_significant(&d, x, precision);
        format_general(out, f, &frame, &d, precision);
        break;
    default:
        format_hex(out, f, &frame, x);
    }
}
