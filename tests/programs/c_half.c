// _Float16: rounding at every operation, conversions, arrays, members, arguments and results.
#include <stdio.h>

struct h { _Float16 a, b; char c; };
static _Float16 table[] = {1.0f16, 0.1f16, 65504.0f16, 5.9604645e-8f16, -2.5f16};
static _Float16 g = 3;
static _Float16 add(_Float16 a, _Float16 b) { return a + b; }
static _Float16 mean(const _Float16 *v, int n) { _Float16 s = 0; for (int i = 0; i < n; i++) s += v[i]; return s / n; }

int main(void)
{
    _Float16 a = 1.0f / 3, b = 2049, c = 0.1;
    printf("%.9g %.9g %.9g\n", (double)a, (double)b, (double)c);
    printf("%.9g %.9g\n", (double)(a + c), (double)(a * b));
    printf("%.9g %.9g\n", (double)(a - b), (double)(b / c));
    for (int i = 0; i < 5; i++)
        printf("%.9g ", (double)table[i]);
    printf("\n%.9g %.9g\n", (double)add(a, 2), (double)mean(table, 2));
    _Float16 big = 60000;
    big += big;
    printf("%g %g\n", (double)big, (double)-big);
    printf("%d %d %d\n", a < c, a == a, big > table[2]);
    printf("%d %u %ld\n", (int)table[4], (unsigned)g, (long)b);
    a++;
    printf("%.9g %.9g\n", (double)a, (double)-a);
    float f = a;
    f += c;
    a = f;
    printf("%.9g %.9g\n", f, (double)a);
    int n = 2047;
    a = n;
    a += 2;
    n += c;
    printf("%.9g %d\n", (double)a, n);
    struct h s = {1.5, g, 'x'}, t = s;
    printf("%zu %g %g %c\n", sizeof s, (double)t.a, (double)s.b, t.c);
    unsigned short bits;
    __builtin_memcpy(&bits, &c, 2);
    printf("%04x %zu\n", bits, sizeof(a * 1.0f));
    printf("%d %d\n", a ? 1 : 0, !c);
    return 0;
}
