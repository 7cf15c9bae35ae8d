/* Formatted output: reads the format, takes the arguments, has each value
 * written by format_integer.c or format_double.c.
 *
 * Left out: wide characters (%lc, %ls) and numbered arguments (%1$d).  An
 * unknown conversion is printed as it stands, as glibc does.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "stream.h"

#define FROM_ARGUMENT (-2L)

/* What the length modifiers leave of an integer argument. */
enum length { LENGTH_CHAR, LENGTH_SHORT, LENGTH_INT, LENGTH_LONG };

void __hcc_emit(struct output *out, const char *s, size_t n)
{
    __hcc_put(out->file, s, n);
    out->length += n;
}

void __hcc_emit_repeated(struct output *out, char c, long n)
{
    if (n <= 0)
        return;
    __hcc_put_repeated(out->file, c, (size_t)n);
    out->length += (size_t)n;
}

static __HCC_LEAF void format_text(struct output *out, const struct format *f, const char *s,
                                   size_t n)
{
    long blanks = f->width - (long)n;

    if (!(f->flags & FORMAT_LEFT))
        __hcc_emit_repeated(out, ' ', blanks);
    __hcc_emit(out, s, n);
    if (f->flags & FORMAT_LEFT)
        __hcc_emit_repeated(out, ' ', blanks);
}

static __HCC_LEAF void format_string(struct output *out, const struct format *f, const char *s)
{
    if (s == NULL) /* as glibc: all of it or nothing */
        s = f->precision == NO_PRECISION || f->precision >= 6 ? "(null)" : "";
    format_text(out, f, s,
                f->precision == NO_PRECISION ? strlen(s) : strnlen(s, (size_t)f->precision));
}

static __HCC_LEAF void format_pointer(struct output *out, const struct format *f, void *p)
{
    if (p == NULL)
        format_text(out, f, "(nil)", 5);
    else
        __hcc_format_integer(out, f, (uintptr_t)p, 0);
}

static __HCC_LEAF void format_signed(struct output *out, struct format *f, int64_t value)
{
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    f->conversion = 'd';
    __hcc_format_integer(out, f, magnitude, value < 0);
}

static __HCC_LEAF int64_t narrow_signed(int64_t value, enum length length)
{
    switch (length) {
    case LENGTH_CHAR:
        return (signed char)value;
    case LENGTH_SHORT:
        return (short)value;
    case LENGTH_INT:
        return (int)value;
    default:
        return value;
    }
}

static __HCC_LEAF uint64_t narrow_unsigned(uint64_t value, enum length length)
{
    switch (length) {
    case LENGTH_CHAR:
        return (unsigned char)value;
    case LENGTH_SHORT:
        return (unsigned short)value;
    case LENGTH_INT:
        return (unsigned)value;
    default:
        return value;
    }
}

static __HCC_LEAF const char *read_flags(const char *p, int *flags)
{
    for (;; p++) {
        switch (*p) {
        case '-':
            *flags |= FORMAT_LEFT;
            break;
        case '+':
            *flags |= FORMAT_PLUS;
            break;
        case ' ':
            *flags |= FORMAT_SPACE;
            break;
        case '#':
            *flags |= FORMAT_ALT;
            break;
        case '0':
            *flags |= FORMAT_ZERO;
            break;
        case '\'': /* no grouping in the C locale */
            break;
        default:
            return p;
        }
    }
}

/* A decimal number, held below INT_MAX + 1; none is 0. */
static __HCC_LEAF const char *read_number(const char *p, long *number)
{
    long n = 0;

    for (; *p >= '0' && *p <= '9'; p++) {
        if (n <= INT_MAX)
            n = 10 * n + (*p - '0');
    }
    *number = n;
    return p;
}

static __HCC_LEAF const char *read_length(const char *p, enum length *length)
{
    *length = LENGTH_INT;
    switch (*p) {
    case 'h':
        *length = p[1] == 'h' ? LENGTH_CHAR : LENGTH_SHORT;
        return *length == LENGTH_CHAR ? p + 2 : p + 1;
    case 'l':
        *length = LENGTH_LONG;
        return p[1] == 'l' ? p + 2 : p + 1;
    case 'q':
    case 'j':
    case 'z':
    case 't':
    case 'L': /* long double is double */
        *length = LENGTH_LONG;
        return p + 1;
    default:
        return p;
    }
}

/* Reads one conversion behind its %; a width or precision given as * is left
   for the caller, who has the arguments. */
static __HCC_LEAF const char *read_format(const char *p, struct format *f, enum length *length)
{
    f->flags = 0;
    f->precision = NO_PRECISION;
    p = read_flags(p, &f->flags);
    if (*p == '*') {
        f->width = FROM_ARGUMENT;
        p++;
    } else {
        p = read_number(p, &f->width);
    }
    if (*p == '.') {
        p++;
        if (*p == '*') {
            f->precision = FROM_ARGUMENT;
            p++;
        } else {
            p = read_number(p, &f->precision);
        }
    }
    p = read_length(p, length);
    f->conversion = *p;
    return *p == '\0' ? p : p + 1;
}

/* %n: how much was printed so far, in an integer of the length named. */
static __HCC_LEAF void store_length(void *to, uint64_t n, enum length length)
{
    switch (length) {
    case LENGTH_CHAR:
        *(signed char *)to = (signed char)n;
        break;
    case LENGTH_SHORT:
        *(short *)to = (short)n;
        break;
    case LENGTH_INT:
        *(int *)to = (int)n;
        break;
    default:
        *(long *)to = (long)n;
    }
}

int vfprintf(FILE *restrict file, const char *restrict format, va_list arguments)
{
    struct output out;
    int had_error = file->flags & STREAM_ERROR;

    out.file = file;
    out.length = 0;
    file->flags &= ~STREAM_ERROR;
    while (*format != '\0') {
        const char *percent = strchrnul(format, '%');
        __hcc_emit(&out, format, (size_t)(percent - format));
        if (*percent == '\0')
            break;

        struct format f;
        enum length length;
        format = read_format(percent + 1, &f, &length);
        if (f.width == FROM_ARGUMENT) {
            f.width = va_arg(arguments, int);
            if (f.width < 0) {
                f.flags |= FORMAT_LEFT;
                f.width = -f.width;
            }
        }
        if (f.precision == FROM_ARGUMENT) {
            f.precision = va_arg(arguments, int);
            if (f.precision < 0)
                f.precision = NO_PRECISION;
        }
        if (f.width > INT_MAX || f.precision > INT_MAX) {
            errno = EOVERFLOW;
            return -1;
        }
        switch (f.conversion) {
        case 'd':
        case 'i':
            if (length == LENGTH_LONG)
                format_signed(&out, &f, va_arg(arguments, long));
            else
                format_signed(&out, &f, narrow_signed(va_arg(arguments, int), length));
            break;
        case 'u':
        case 'o':
        case 'x':
        case 'X':
            if (length == LENGTH_LONG)
                __hcc_format_integer(&out, &f, va_arg(arguments, unsigned long), 0);
            else
                __hcc_format_integer(
                    &out, &f, narrow_unsigned(va_arg(arguments, unsigned), length), 0);
            break;
        case 'c': {
            char c = (char)va_arg(arguments, int);
            format_text(&out, &f, &c, 1);
            break;
        }
        case 's':
            format_string(&out, &f, va_arg(arguments, const char *));
            break;
        case 'p':
            format_pointer(&out, &f, va_arg(arguments, void *));
            break;
        case 'n':
            store_length(va_arg(arguments, void *), out.length, length);
            break;
        case 'e':
        case 'E':
        case 'f':
        case 'F':
        case 'g':
        case 'G':
        case 'a':
        case 'A':
            __hcc_format_double(&out, &f, va_arg(arguments, double));
            break;
        case '%':
            __hcc_emit(&out, "%", 1);
            break;
        case '\0': /* the format ends in the middle of a conversion */
            errno = EINVAL;
            return -1;
        default:
            __hcc_emit(&out, percent, (size_t)(format - percent));
        }
    }
    __hcc_settle(file);
    if (file->flags & STREAM_ERROR)
        return -1;
    file->flags |= had_error;
    if (out.length > INT_MAX) {
        errno = EOVERFLOW;
        return -1;
    }
    return (int)out.length;
}

int vsnprintf(char *restrict to, size_t size, const char *restrict format, va_list arguments)
{
    struct __hcc_file string;

    memset(&string, 0, sizeof string);
    string.fd = NO_DESCRIPTOR;
    string.flags = STREAM_WRITABLE;
    string.buffer = string.put = (unsigned char *)to;
    string.put_end = (unsigned char *)to + (size > 0 ? size - 1 : 0);
    int length = vfprintf(&string, format, arguments);
    if (size > 0)
        *string.put = '\0';
    return length;
}

int vsprintf(char *restrict to, const char *restrict format, va_list arguments)
{
    /* No string is longer, and to + INT_MAX stays an address. */
    return vsnprintf(to, (size_t)INT_MAX + 1, format, arguments);
}

int vprintf(const char *restrict format, va_list arguments)
{
    return vfprintf(stdout, format, arguments);
}

int vasprintf(char **restrict to, const char *restrict format, va_list arguments)
{
    va_list again;

    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0)
        return -1;
    *to = malloc((size_t)length + 1);
    if (*to == NULL)
        return -1;
    return vsnprintf(*to, (size_t)length + 1, format, arguments);
}

int printf(const char *restrict format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int length = vfprintf(stdout, format, arguments);
    va_end(arguments);
    return length;
}

int fprintf(FILE *restrict f, const char *restrict format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int length = vfprintf(f, format, arguments);
    va_end(arguments);
    return length;
}

int sprintf(char *restrict to, const char *restrict format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int length = vsprintf(to, format, arguments);
    va_end(arguments);
    return length;
}

int snprintf(char *restrict to, size_t size, const char *restrict format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(to, size, format, arguments);
    va_end(arguments);
    return length;
}

int asprintf(char **restrict to, const char *restrict format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int length = vasprintf(to, format, arguments);
    va_end(arguments);
    return length;
}

int dprintf(int fd, const char *restrict format, ...)
{
    unsigned char buffer[512];
    struct __hcc_file stream;
    va_list arguments;

    memset(&stream, 0, sizeof stream);
    stream.fd = fd;
    stream.flags = STREAM_WRITABLE;
    stream.mode = _IONBF;
    stream.buffer = buffer;
    stream.capacity = sizeof buffer;
    va_start(arguments, format);
    int length = vfprintf(&stream, format, arguments);
    va_end(arguments);
    return length;
}
