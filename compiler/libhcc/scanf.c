/* Formatted input.
 *
 * A field is first collected, character by character as long as what there is
 * can still become what is wanted, then converted by strtol or strtod.  The
 * stream is only looked at one character ahead, so nothing ever has to be put
 * back.  As with glibc, "0x" then is 0 and "1e" is 1, where C would have no
 * match. Left out, as in printf: wide characters and numbered arguments.
 */
#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream.h"

#define LONGEST_NUMBER 1100

/* Where characters come from, and how many of them were taken. */
struct input {
    FILE *file;
    long taken;
};

/* The characters of one number. */
struct field {
    char text[LONGEST_NUMBER + 1];
    int length;
    int room; /* what the width still allows */
};

/* One conversion of the format. */
struct conversion {
    int suppress;
    long width; /* 0: none given */
    int size;   /* of the integer or float, in bytes */
    char letter;
};

static __HCC_LEAF int peek(struct input *in)
{
    FILE *f = in->file;

    return f->get < f->get_end || __hcc_refill(f) ? *f->get : EOF;
}

static __HCC_LEAF void take(struct input *in)
{
    in->file->get++;
    in->taken++;
}

static __HCC_LEAF void skip_space(struct input *in)
{
    while (isspace(peek(in)))
        take(in);
}

/* ---- Numbers ---- */

static __HCC_LEAF void keep(struct input *in, struct field *f)
{
    f->text[f->length++] = (char)peek(in);
    f->room--;
    take(in);
}

/* Keeps the next character if it is one of these letters, in either case. */
static __HCC_LEAF int keep_any(struct input *in, struct field *f, const char *letters)
{
    int c = peek(in);

    if (f->room == 0 || c == EOF || c == '\0' || strchr(letters, tolower(c)) == NULL)
        return 0;
    keep(in, f);
    return 1;
}

static __HCC_LEAF int keep_digits(struct input *in, struct field *f, const char *digits)
{
    int count = 0;

    while (keep_any(in, f, digits))
        count++;
    return count;
}

/* The whole of a word, in either case. */
static __HCC_LEAF int keep_word(struct input *in, struct field *f, const char *word)
{
    for (; *word != '\0'; word++) {
        char letter[2];
        letter[0] = *word;
        letter[1] = '\0';
        if (!keep_any(in, f, letter))
            return 0;
    }
    return 1;
}

static __HCC_LEAF void start_field(struct field *f, long width)
{
    f->length = 0;
    f->room = width > 0 && width < LONGEST_NUMBER ? (int)width : LONGEST_NUMBER;
}

/* An integer; the base 0 means as in C.  False if there is none. */
static __HCC_LEAF int collect_integer(struct input *in, struct field *f, int *base)
{
    static const char digits[] = "0123456789abcdef";
    char allowed[sizeof digits];
    int found = 0;

    keep_any(in, f, "+-");
    if ((*base == 0 || *base == 16) && keep_any(in, f, "0")) {
        found = 1;
        if (keep_any(in, f, "x"))
            *base = 16;
        else if (*base == 0)
            *base = 8;
    }
    if (*base == 0)
        *base = 10;
    memcpy(allowed, digits, (size_t)*base);
    allowed[*base] = '\0';
    found += keep_digits(in, f, allowed);
    f->text[f->length] = '\0';
    return found > 0;
}

static __HCC_LEAF int collect_float(struct input *in, struct field *f)
{
    const char *digits = "0123456789";
    const char *exponent = "e";
    int found = 0;

    keep_any(in, f, "+-");
    if (keep_any(in, f, "i")) {
        found = keep_word(in, f, "nf");
        if (found && keep_any(in, f, "i"))
            found = keep_word(in, f, "nity");
    } else if (keep_any(in, f, "n")) {
        found = keep_word(in, f, "an");
    } else {
        if (keep_any(in, f, "0")) {
            found = 1;
            if (keep_any(in, f, "x")) {
                digits = "0123456789abcdef";
                exponent = "p";
                found = 0;
            }
        }
        found += keep_digits(in, f, digits);
        if (keep_any(in, f, "."))
            found += keep_digits(in, f, digits);
        if (found && keep_any(in, f, exponent)) {
            keep_any(in, f, "+-");
            keep_digits(in, f, "0123456789");
        }
    }
    f->text[f->length] = '\0';
    return found > 0;
}

static __HCC_LEAF void store_integer(void *to, uint64_t value, int size)
{
    switch (size) {
    case 1:
        *(uint8_t *)to = (uint8_t)value;
        break;
    case 2:
        *(uint16_t *)to = (uint16_t)value;
        break;
    case 4:
        *(uint32_t *)to = (uint32_t)value;
        break;
    default:
        *(uint64_t *)to = value;
    }
}

/* What %p prints of a null pointer; false if it is not that. */
static __HCC_LEAF int read_nil(struct input *in, const struct conversion *c, void **to)
{
    struct field f;

    start_field(&f, c->width);
    if (!keep_word(in, &f, "(nil)"))
        return 0;
    if (to != NULL)
        *to = NULL;
    return 1;
}

/* %d %i %u %o %x %p; false if the input does not match. */
static __HCC_LEAF int read_integer(struct input *in, const struct conversion *c, void *to)
{
    struct field f;
    int base = 10;

    if (c->letter == 'i')
        base = 0;
    else if (c->letter == 'o')
        base = 8;
    else if (c->letter == 'x' || c->letter == 'X' || c->letter == 'p')
        base = 16;
    start_field(&f, c->width);
    if (!collect_integer(in, &f, &base))
        return 0;
    if (to != NULL) {
        uint64_t value = c->letter == 'd' || c->letter == 'i'
                             ? (uint64_t)strtol(f.text, NULL, base)
                             : strtoul(f.text, NULL, base);
        store_integer(to, value, c->letter == 'p' ? (int)sizeof(void *) : c->size);
    }
    return 1;
}

static __HCC_LEAF int read_float(struct input *in, const struct conversion *c, void *to)
{
    struct field f;

    start_field(&f, c->width);
    if (!collect_float(in, &f))
        return 0;
    if (to != NULL && c->size == 8)
        *(double *)to = strtod(f.text, NULL);
    else if (to != NULL)
        *(float *)to = strtof(f.text, NULL);
    return 1;
}

/* ---- Text ---- */

/* Which characters a %s or %[ takes. */
struct scan_set {
    unsigned char has[256];
};

static __HCC_LEAF void set_not_space(struct scan_set *set)
{
    for (int c = 0; c < 256; c++)
        set->has[c] = !isspace(c);
}

/* Reads the set behind "%["; returns what follows its "]". */
static __HCC_LEAF const char *read_set(const char *p, struct scan_set *set)
{
    int inside = *p != '^';
    const unsigned char *first;

    if (*p == '^')
        p++;
    memset(set->has, !inside, sizeof set->has);
    first = (const unsigned char *)p;
    for (; *p != '\0' && (*p != ']' || (const unsigned char *)p == first); p++) {
        int low = (unsigned char)*p;
        int high = low;
        if (p[1] == '-' && p[2] != ']' && p[2] != '\0') {
            high = (unsigned char)p[2];
            p += 2;
        }
        for (int c = low; c <= high; c++)
            set->has[c] = (unsigned char)inside;
    }
    return *p == ']' ? p + 1 : p;
}

/* Takes characters of the set; returns how many. */
static __HCC_LEAF long read_text(struct input *in, const struct conversion *c,
                                 const struct scan_set *set, char *to)
{
    long count = 0;

    while (c->width == 0 || count < c->width) {
        int next = peek(in);
        if (next == EOF || !set->has[next])
            break;
        if (to != NULL)
            to[count] = (char)next;
        count++;
        take(in);
    }
    if (to != NULL && count > 0)
        to[count] = '\0';
    return count;
}

/* %c: so many characters, or at the end of the input as many as there are. */
static __HCC_LEAF void read_characters(struct input *in, const struct conversion *c, char *to)
{
    long wanted = c->width > 0 ? c->width : 1;

    for (long i = 0; i < wanted; i++) {
        int next = peek(in);
        if (next == EOF)
            return;
        if (to != NULL)
            to[i] = (char)next;
        take(in);
    }
}

/* ---- The format ---- */

static __HCC_LEAF const char *read_conversion(const char *p, struct conversion *c)
{
    c->suppress = *p == '*';
    p += c->suppress;
    c->width = 0;
    for (; isdigit((unsigned char)*p); p++) {
        if (c->width < INT_MAX / 10)
            c->width = 10 * c->width + (*p - '0');
    }
    c->size = 4;
    switch (*p) {
    case 'h':
        c->size = p[1] == 'h' ? 1 : 2;
        p += p[1] == 'h' ? 2 : 1;
        break;
    case 'l':
        c->size = 8;
        p += p[1] == 'l' ? 2 : 1;
        break;
    case 'q':
    case 'j':
    case 'z':
    case 't':
    case 'L':
        c->size = 8;
        p++;
        break;
    }
    c->letter = *p;
    return *p == '\0' ? p : p + 1;
}

/* One conversion other than %n and %%: 1 it matched, 0 it did not, -1 the input
   was at its end. */
static __HCC_LEAF int convert(struct input *in, const struct conversion *c,
                              struct scan_set *set, void *to)
{
    if (c->letter != 'c' && c->letter != '[')
        skip_space(in);
    if (peek(in) == EOF)
        return -1;
    switch (c->letter) {
    case 'd':
    case 'i':
    case 'u':
    case 'o':
    case 'x':
    case 'X':
        return read_integer(in, c, to);
    case 'p':
        return peek(in) == '(' ? read_nil(in, c, to) : read_integer(in, c, to);
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
    case 'a':
    case 'A':
        return read_float(in, c, to);
    case 'c':
        read_characters(in, c, to);
        return 1;
    case 's':
        set_not_space(set);
        return read_text(in, c, set, to) > 0;
    case '[':
        return read_text(in, c, set, to) > 0;
    default:
        return 0; /* no conversion: nothing matches it */
    }
}

int vfscanf(FILE *restrict file, const char *restrict format, va_list arguments)
{
    struct input in;
    struct scan_set set;
    int assigned = 0;

    in.file = file;
    in.taken = 0;
    while (*format != '\0') {
        struct conversion c;
        if (isspace((unsigned char)*format)) {
            skip_space(&in);
            format++;
            continue;
        }
        if (*format != '%' || format[1] == '%') {
            if (*format == '%') {
                skip_space(&in);
                format++;
            }
            int next = peek(&in);
            if (next != (unsigned char)*format)
                return next == EOF && assigned == 0 ? EOF : assigned;
            take(&in);
            format++;
            continue;
        }
        format = read_conversion(format + 1, &c);
        if (c.letter == '[')
            format = read_set(format, &set);
        void *to = c.suppress ? NULL : va_arg(arguments, void *);
        if (c.letter == 'n') {
            if (to != NULL)
                store_integer(to, (uint64_t)in.taken, c.size);
            continue;
        }
        int result = convert(&in, &c, &set, to);
        if (result < 0)
            return assigned > 0 ? assigned : EOF;
        if (result == 0)
            return assigned;
        assigned += !c.suppress;
    }
    return assigned;
}

int vsscanf(const char *restrict s, const char *restrict format, va_list arguments)
{
    struct __hcc_file string;

    memset(&string, 0, sizeof string);
    string.fd = NO_DESCRIPTOR;
    string.flags = STREAM_READABLE;
    string.get = (unsigned char *)s;
    string.get_end = string.get + strlen(s);
    return vfscanf(&string, format, arguments);
}

int vscanf(const char *restrict format, va_list arguments)
{
    return vfscanf(stdin, format, arguments);
}

int scanf(const char *restrict format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int assigned = vfscanf(stdin, format, arguments);
    va_end(arguments);
    return assigned;
}

int fscanf(FILE *restrict f, const char *restrict format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int assigned = vfscanf(f, format, arguments);
    va_end(arguments);
    return assigned;
}

int sscanf(const char *restrict s, const char *restrict format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int assigned = vsscanf(s, format, arguments);
    va_end(arguments);
    return assigned;
}
