/* Values of every type, live across migration points: in this frame, in older frames, many. */
#include <hcc.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint64_t seed = 88172645463325252ull;

static uint64_t next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static double real(void) { return (double)(int64_t)next() / 3e17; }

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static uint32_t bits_of_float(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static void widths(void)
{
    int8_t a = (int8_t)next();
    uint8_t b = (uint8_t)next();
    int16_t c = (int16_t)next();
    uint16_t d = (uint16_t)next();
    int32_t e = (int32_t)next();
    uint32_t f = (uint32_t)next();
    int64_t g = (int64_t)next();
    uint64_t h = next();
    _Bool yes = next() & 1, no = !yes;
    float x = (float)real();
    double y = real();

    migrate_point();
    printf("%d %u %d %u %d %u %lld %llu %d %d %a %a\n", a, b, c, d, e, f, (long long)g,
           (unsigned long long)h, yes, no, x, y);
}

static void special_floats(void)
{
    volatile double zero = 0.0;
    double minus_zero = -zero, tiny = 4.9406564584124654e-324, huge = 1e308;
    double infinity = 1.0 / zero, nan = zero / zero;
    float f_tiny = 1.4e-45f, f_minus_zero = -0.0f;
    uint64_t payload_bits = 0x7ff8000012345678ull;
    double payload;

    memcpy(&payload, &payload_bits, sizeof payload);
    migrate_point();
    printf("%llx %llx %a %g\n", (unsigned long long)bits_of(minus_zero),
           (unsigned long long)bits_of(tiny), huge, infinity);
    printf("%d %d %x %x\n", nan != nan, payload != payload, bits_of_float(f_tiny),
           bits_of_float(f_minus_zero));
    printf("%llx\n", (unsigned long long)bits_of(payload));
}

#define REPEAT10(X, n) X(n##0) X(n##1) X(n##2) X(n##3) X(n##4) X(n##5) X(n##6) X(n##7) X(n##8) X(n##9)
#define INTEGER(n) uint64_t i##n = next();
#define MIX_INTEGER(n) hash = hash * 31 + i##n;

static void sixty_integers(void)
{
    REPEAT10(INTEGER, 1) REPEAT10(INTEGER, 2) REPEAT10(INTEGER, 3)
    REPEAT10(INTEGER, 4) REPEAT10(INTEGER, 5) REPEAT10(INTEGER, 6)
    uint64_t hash = 0;

    migrate_point();
    REPEAT10(MIX_INTEGER, 1) REPEAT10(MIX_INTEGER, 2) REPEAT10(MIX_INTEGER, 3)
    migrate_point();
    REPEAT10(MIX_INTEGER, 4) REPEAT10(MIX_INTEGER, 5) REPEAT10(MIX_INTEGER, 6)
    printf("%llx\n", (unsigned long long)hash);
}

#define DOUBLE(n) double d##n = real();
#define MIX_DOUBLE(n) sum = sum * 0.5 + d##n;

static void forty_doubles(void)
{
    REPEAT10(DOUBLE, 1) REPEAT10(DOUBLE, 2) REPEAT10(DOUBLE, 3) REPEAT10(DOUBLE, 4)
    double sum = 0;

    migrate_point();
    REPEAT10(MIX_DOUBLE, 1) REPEAT10(MIX_DOUBLE, 2)
    migrate_point();
    REPEAT10(MIX_DOUBLE, 3) REPEAT10(MIX_DOUBLE, 4)
    printf("%a\n", sum);
}

static double many(int a, double b, long c, float d, short e, double f, char g, long h, int i,
                   double j, long k, float l, int m, double n, long o, double p)
{
    migrate_point();
    return a + b * 2 + c * 3 + d * 4 + e * 5 + f * 6 + g * 7 + h * 8 + i * 9 + j * 10 + k * 11 +
           l * 12 + m * 13 + n * 14 + o * 15 + p * 16;
}

static int counter;
static int add(int x) { return x + counter; }
static int twice(int x)
{
    migrate_point();
    return 2 * x;
}

static int through(int (*f)(int), int *where, int x)
{
    int before = *where;
    migrate_point();
    *where = f(x);
    return before;
}

static unsigned fib(unsigned n)
{
    /* n and the first result live in older frames while the second call runs */
    if (n < 2) {
        migrate_point();
        return n;
    }
    unsigned first = fib(n - 1);
    return first + fib(n - 2);
}

static void phi_swap(void)
{
    int a = 1, b = 2, c = 3;

    for (int i = 0; i < 7; i++) {
        int t = a;
        a = b;
        b = c;
        c = t;
        migrate_point();
    }
    printf("%d %d %d\n", a, b, c);
}

static void no_values(void)
{
    migrate_point();
    puts("no live value");
}

int main(void)
{
    int (*functions[])(int) = {add, twice};

    migrate_point();
    for (int i = 0; i < 4; i++)
        widths();
    special_floats();
    sixty_integers();
    forty_doubles();
    printf("%a\n", many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16));
    counter = 5;
    for (int i = 0; i < 2; i++) {
        int before = through(functions[i], &counter, 20 + i);
        printf("%d %d\n", before, counter);
    }
    printf("%u\n", fib(9));
    phi_swap();
    no_values();
    migrate_point();
    return 7;
}
