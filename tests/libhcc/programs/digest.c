/* Checksums of the bits of every mathematical function's results, and of
   printed and read numbers: one program for all ISAs, which must print the
   same. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POINTS 20000

static uint64_t state = 88172645463325252;

static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Half of them of any size, half of them around 1. */
static double some_number(void)
{
    uint64_t bits = next();
    double x;

    if (bits & 1)
        return (double)(int64_t)bits * 0x1p-60;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint64_t checksum;

static void add(double x)
{
    uint64_t bits = 0x7ff8000000000000; /* every NaN is one */

    if (x == x)
        memcpy(&bits, &x, sizeof bits);
    checksum = (checksum ^ bits) * 1099511628211u;
    checksum ^= checksum >> 29;
}

static void report(const char *name)
{
    printf("%s %016lx\n", name, (unsigned long)checksum);
    checksum = 0;
}

typedef double one(double);
typedef double two(double, double);
typedef float one_single(float);

#define ONE(f) {#f, f}

static const struct {
    const char *name;
    one *function;
} ones[] = {
    ONE(exp), ONE(exp2), ONE(expm1), ONE(log), ONE(log2), ONE(log10), ONE(log1p), ONE(sin),
    ONE(cos), ONE(tan), ONE(asin), ONE(acos), ONE(atan), ONE(sinh), ONE(cosh), ONE(tanh),
    ONE(asinh), ONE(acosh), ONE(atanh), ONE(sqrt), ONE(cbrt), ONE(erf), ONE(erfc), ONE(tgamma),
    ONE(lgamma), ONE(floor), ONE(ceil), ONE(trunc), ONE(round), ONE(rint), ONE(logb),
};

static const struct {
    const char *name;
    two *function;
} twos[] = {
    ONE(pow), ONE(atan2), ONE(hypot), ONE(fmod), ONE(remainder), ONE(fmin), ONE(nextafter),
};

static const struct {
    const char *name;
    one_single *function;
} singles[] = {
    ONE(expf), ONE(logf), ONE(sinf), ONE(cosf), ONE(tanf), ONE(atanf), ONE(sqrtf), ONE(tanhf),
};

static void text(void)
{
    char line[1200];

    for (int i = 0; i < POINTS / 10; i++) {
        double x = some_number();
        if (x != x)
            continue;
        snprintf(line, sizeof line, "%.17g %.3f %.10e %a %ld", x, x, x, x, (long)next());
        for (const char *p = line; *p != '\0'; p++)
            checksum = (checksum ^ (unsigned char)*p) * 1099511628211u;
        add(strtod(line, NULL));
        add((double)strtof(line, NULL));
    }
    report("text");
}

int main(void)
{
    for (size_t f = 0; f < sizeof ones / sizeof ones[0]; f++) {
        for (int i = 0; i < POINTS; i++)
            add(ones[f].function(some_number()));
        report(ones[f].name);
    }
    for (size_t f = 0; f < sizeof twos / sizeof twos[0]; f++) {
        for (int i = 0; i < POINTS; i++) {
            double x = some_number();
            add(twos[f].function(x, some_number()));
        }
        report(twos[f].name);
    }
    for (size_t f = 0; f < sizeof singles / sizeof singles[0]; f++) {
        for (int i = 0; i < POINTS; i++)
            add((double)singles[f].function((float)some_number()));
        report(singles[f].name);
    }
    for (int i = 0; i < POINTS; i++) {
        double x = some_number();
        double y = some_number();
        add(fma(x, y, some_number()));
    }
    report("fma");
    text();
    return 0;
}
