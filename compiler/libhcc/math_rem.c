/* fmod, remainder, remquo: exact, by long division of the mantissas.  The
 * compiler calls fmod and fmodf itself where an ISA's code generator wants
 * them.
 */
#include <math.h>

#include "number.h"

/* A positive finite number as m 2^e. */
struct scaled {
    uint64_t m;
    int e;
};

static __HCC_LEAF struct scaled unpack(double x)
{
    uint64_t bits = bits_of_double(x);
    struct scaled s;

    s.m = bits & DOUBLE_FRACTION;
    s.e = (int)(bits >> DOUBLE_FRACTION_BITS);
    if (s.e == 0)
        s.e = 1;
    else
        s.m |= DOUBLE_HIDDEN;
    return s;
}

static __HCC_LEAF double pack(struct scaled s)
{
    if (s.m == 0)
        return 0.0;
    int shift = __builtin_clzll(s.m) - 11;
    if (shift >= s.e)
        shift = s.e - 1; /* subnormal */
    s.m <<= shift;
    s.e -= shift;
    /* The hidden bit adds 1 to the exponent field; a subnormal has none. */
    return double_of_bits(((uint64_t)(s.e - 1) << DOUBLE_FRACTION_BITS) + s.m);
}

/* x mod y for 0 < y <= x; the quotient's low bits on request. */
static __HCC_LEAF double divide(double x, double y, uint64_t *quotient)
{
    struct scaled a = unpack(x);
    struct scaled b = unpack(y);
    uint64_t q = a.m / b.m;

    a.m %= b.m;
    /* m < 2^53, so eleven bits of the quotient at a time. */
    while (a.e > b.e) {
        int step = a.e - b.e < 11 ? a.e - b.e : 11;
        if (a.m == 0) {
            q = a.e - b.e < 64 ? q << (a.e - b.e) : 0;
            break;
        }
        a.m <<= step;
        q = q << step | a.m / b.m;
        a.m %= b.m;
        a.e -= step;
    }
    a.e = b.e;
    *quotient = q;
    return pack(a);
}

double fmod(double x, double y)
{
    double size = fabs(x);
    double divisor = fabs(y);
    uint64_t quotient;

    if (!(size < HUGE_VAL) || divisor == 0.0 || y != y)
        return x != x || y != y ? x + y : NAN;
    if (size < divisor)
        return x;
    return copysign(divide(size, divisor, &quotient), x);
}

double remquo(double x, double y, int *quotient)
{
    double size = fabs(x);
    double divisor = fabs(y);
    uint64_t q = 0;
    double r = size;

    *quotient = 0;
    if (!(size < HUGE_VAL) || divisor == 0.0 || y != y)
        return x != x || y != y ? x + y : NAN;
    if (size >= divisor)
        r = divide(size, divisor, &q);
    /* r or r - divisor, whichever is smaller; in a tie the quotient is even.
       Compared by differences: twice r might overflow. */
    double over = divisor - r;
    if (r > over || (r == over && (q & 1))) {
        r = r - divisor;
        q++;
    }
    *quotient = (int)(q & 0x7fffffff);
    if (signbit(x) != signbit(y))
        *quotient = -*quotient;
    if (r == 0.0)
        return copysign(0.0, x);
    return signbit(x) ? -r : r;
}

double remainder(double x, double y)
{
    int quotient;

    return remquo(x, y, &quotient);
}

double drem(double x, double y)
{
    return remainder(x, y);
}

float fmodf(float x, float y)
{
    return (float)fmod((double)x, (double)y); /* exactly a float */
}
