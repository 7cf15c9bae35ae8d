/* One conversion of printf, between its reader (printf.c) and its writers. */
#ifndef FORMAT_H
#define FORMAT_H

#include <hcc/abi.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define FORMAT_LEFT 1  /* - */
#define FORMAT_PLUS 2  /* + */
#define FORMAT_SPACE 4 /* space */
#define FORMAT_ALT 8   /* # */
#define FORMAT_ZERO 16 /* 0 */

#define NO_PRECISION (-1L)

struct format {
    int flags;
    long width;
    long precision;
    char conversion; /* the letter: d, x, G, ... */
};

/* Where the text goes, and how long it would be if all of it fitted. */
struct output {
    FILE *file;
    uint64_t length;
};

/* Text and runs of one character, as they stand (printf.c). */
void __hcc_emit(struct output *out, const char *s, size_t n) __HCC_LEAF;
void __hcc_emit_repeated(struct output *out, char c, long n) __HCC_LEAF;

/* One value by its conversion (format_integer.c, format_double.c). */
void __hcc_format_integer(struct output *out, const struct format *f, uint64_t magnitude,
                          int negative) __HCC_LEAF;
void __hcc_format_double(struct output *out, const struct format *f, double x) __HCC_LEAF;

/* The sign a number is printed with: 0, or one character. */
static inline __HCC_LEAF char format_sign(const struct format *f, int negative)
{
    if (negative)
        return '-';
    if (f->flags & FORMAT_PLUS)
        return '+';
    return f->flags & FORMAT_SPACE ? ' ' : '\0';
}

#endif
