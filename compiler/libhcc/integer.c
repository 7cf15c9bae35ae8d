/* Integer arithmetic of stdlib.h, inttypes.h and strings.h.  Negation goes by
   unsigned numbers, so that the most negative one stays as it is. */
#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

int abs(int n)
{
    return n < 0 ? (int)(0U - (unsigned)n) : n;
}

long labs(long n)
{
    return n < 0 ? (long)(0UL - (unsigned long)n) : n;
}

long long llabs(long long n)
{
    return n < 0 ? (long long)(0ULL - (unsigned long long)n) : n;
}

intmax_t imaxabs(intmax_t n)
{
    return labs(n);
}

div_t div(int numerator, int denominator)
{
    div_t result;

    result.quot = numerator / denominator;
    result.rem = numerator % denominator;
    return result;
}

ldiv_t ldiv(long numerator, long denominator)
{
    ldiv_t result;

    result.quot = numerator / denominator;
    result.rem = numerator % denominator;
    return result;
}

lldiv_t lldiv(long long numerator, long long denominator)
{
    lldiv_t result;

    result.quot = numerator / denominator;
    result.rem = numerator % denominator;
    return result;
}

imaxdiv_t imaxdiv(intmax_t numerator, intmax_t denominator)
{
    imaxdiv_t result;

    result.quot = numerator / denominator;
    result.rem = numerator % denominator;
    return result;
}

int ffs(int bits)
{
    return bits == 0 ? 0 : __builtin_ctz((unsigned)bits) + 1;
}

int ffsl(long bits)
{
    return bits == 0 ? 0 : __builtin_ctzll((unsigned long)bits) + 1;
}

int ffsll(long long bits)
{
    return ffsl(bits);
}
