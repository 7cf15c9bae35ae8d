/* Integers from text. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

/* What a text begins with: a sign, digits of the base, or nothing of the kind. */
struct number {
    const char *end; /* the text itself if there is no number */
    unsigned long magnitude;
    int negative;
    int overflow;
};

static __HCC_LEAF int digit_value(char c)
{
    if (isdigit(c))
        return c - '0';
    return isalpha(c) ? (c | 0x20) - 'a' + 10 : INT_MAX;
}

static __HCC_LEAF struct number read_integer(const char *s, int base)
{
    struct number n = {s, 0, 0, 0};
    const char *p = s;

    if (base < 0 || base == 1 || base > 36) {
        errno = EINVAL;
        return n;
    }
    while (isspace((unsigned char)*p))
        p++;
    if (*p == '+' || *p == '-')
        n.negative = *p++ == '-';
    if ((base == 0 || base == 16) && p[0] == '0' && (p[1] | 0x20) == 'x' &&
        digit_value(p[2]) < 16) {
        p += 2;
        base = 16;
    }
    if (base == 0)
        base = *p == '0' ? 8 : 10;
    for (; digit_value(*p) < base; p++) {
        unsigned long digit = (unsigned long)digit_value(*p);
        if (n.magnitude > (ULONG_MAX - digit) / (unsigned long)base)
            n.overflow = 1;
        else
            n.magnitude = n.magnitude * (unsigned long)base + digit;
        n.end = p + 1;
    }
    return n;
}

unsigned long strtoul(const char *restrict s, char **restrict end, int base)
{
    struct number n = read_integer(s, base);

    if (end != NULL)
        *end = (char *)n.end;
    if (n.overflow) {
        errno = ERANGE;
        return ULONG_MAX;
    }
    return n.negative ? 0 - n.magnitude : n.magnitude;
}

long strtol(const char *restrict s, char **restrict end, int base)
{
    struct number n = read_integer(s, base);
    unsigned long largest = (unsigned long)LONG_MAX + (unsigned long)n.negative;

    if (end != NULL)
        *end = (char *)n.end;
    if (n.overflow || n.magnitude > largest) {
        errno = ERANGE;
        return n.negative ? LONG_MIN : LONG_MAX;
    }
    return (long)(n.negative ? 0 - n.magnitude : n.magnitude);
}

long long strtoll(const char *restrict s, char **restrict end, int base)
{
    return strtol(s, end, base);
}

unsigned long long strtoull(const char *restrict s, char **restrict end, int base)
{
    return strtoul(s, end, base);
}

intmax_t strtoimax(const char *s, char **end, int base)
{
    return strtol(s, end, base);
}

uintmax_t strtoumax(const char *s, char **end, int base)
{
    return strtoul(s, end, base);
}

int atoi(const char *s)
{
    return (int)strtol(s, NULL, 10);
}

long atol(const char *s)
{
    return strtol(s, NULL, 10);
}

long long atoll(const char *s)
{
    return strtol(s, NULL, 10);
}
