// Floating-point arithmetic, conversions, comparisons and constants.
#include <stdio.h>
#include <math.h>

static volatile double d0 = 0.0, d1 = 1.0, d3 = 3.0;
static volatile float f1 = 1.0f, f3 = 3.0f;

static double half(double x) { return x / 2; }
static float third(float x) { return x / 3; }
static double mixed(int i, float f, double d, unsigned long u) { return i + f * d - u; }

int main(void)
{
    printf("%.17g %.9g\n", d1 / d3, f1 / f3);
    printf("%.17g\n", f1 / f3 + 0.0);
    printf("%.17g %.17g\n", (double)(float)0.1, 0.1f * 3);
    printf("%a %a\n", 1e300 * 1e-300, 0x1.8p3);
    printf("%g %g %g\n", 1e10, 1.5e-7, 123456789.0);
    printf("%d %d %d\n", (int)3.99, (int)-3.99, (int)1e9f);
    printf("%ld %lu\n", (long)1e18, (unsigned long)1.8e19);
    printf("%d %d\n", (signed char)100.7, (unsigned char)200.5);
    printf("%.1f %.1f\n", (double)0xffffffffu, (double)~0ul);
    printf("%.1f %.1f\n", (float)16777217, (float)0x7fffffffffffffffL);
    printf("%.0f %.0f\n", (double)(1UL << 63), (double)-9007199254740993L);
    printf("%d%d%d%d%d%d\n", d1 < d3, d1 > d3, d1 <= 1, d1 >= 3, d1 == 1, d1 != 1);
    double nan = d0 / d0, inf = d1 / d0;
    printf("%d%d%d%d%d%d\n", nan < nan, nan > nan, nan <= nan, nan >= nan, nan == nan, nan != nan);
    printf("%d %d %d\n", !(nan < 1), !(nan >= 1), nan ? 1 : 0);
    printf("%g %g %d\n", inf, -inf, inf > 1e308);
    printf("%g %g\n", 1 / -inf, -d0);
    printf("%d\n", -d0 == d0);
    printf("%.6f %.6f\n", half(7), third(7));
    printf("%.3f\n", mixed(3, 2.5f, 4.0, 5));
    float acc = 0;
    for (int i = 1; i <= 100; i++)
        acc += 1.0f / i;
    printf("%.9g\n", acc);
    double sum = 0;
    for (int i = 1; i <= 1000; i++)
        sum += 1.0 / ((double)i * i);
    printf("%.17g\n", sum);
    float f = 1;
    f += 1e-8;
    f *= 1.1;
    f -= 1;
    printf("%.9g\n", f);
    f++;
    ++f;
    f--;
    printf("%.9g %.9g\n", f, -f);
    int n = 10;
    n *= 1.25;
    n += 0.9;
    n -= 0.1f;
    printf("%d\n", n);
    printf("%d\n", d1 ? (d0 ? 1 : 2) : 3);
    printf("%.9g %.9g\n", d1 ? 1 : 2.5, f1 > 0 ? 1 : 2.5f);
    printf("%zu %zu %zu %zu\n", sizeof 1.0f, sizeof 1.0, sizeof(1.0f + 1), sizeof(1.0f + 1.0));
    printf("%.9g\n", 16777216.0f + 1.0f);
    printf("%.9g %.9g\n", 3.4e38f * 10, 1e-45f);
    printf("%g %g\n", sqrt(2.0) * sqrt(2.0), fabs(-3.5));
    printf("%g %g\n", copysign(3, -0.0), (double)sqrtf(9));
    printf("%d\n", (int)(0.1 + 0.2 == 0.3) + 2 * (int)(0.1f + 0.2f == 0.3f));
    return 0;
}
