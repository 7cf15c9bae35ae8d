// Variadic functions: every argument type, va_copy, lists passed on, small structs.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct pair { int a, b; };
struct tri { double x; char c; };

static long sum(const char *types, ...)
{
    va_list ap;
    long total = 0;
    va_start(ap, types);
    for (; *types; types++)
        switch (*types) {
        case 'i': total += va_arg(ap, int); break;
        case 'u': total += va_arg(ap, unsigned); break;
        case 'l': total += va_arg(ap, long); break;
        case 'd': total += (long)va_arg(ap, double); break;
        case 's': total += strlen(va_arg(ap, char *)); break;
        case 'p': total += va_arg(ap, struct pair).b; break;
        case 't': { struct tri t = va_arg(ap, struct tri); total += t.x * t.c; break; }
        case 'f': total += va_arg(ap, int (*)(int))(5); break;
        }
    va_end(ap);
    return total;
}

static int vtwice(int n, va_list ap)
{
    va_list again;
    int s = 0;
    va_copy(again, ap);
    for (int i = 0; i < n; i++)
        s += va_arg(ap, int);
    for (int i = 0; i < n; i++)
        s += va_arg(again, int) * 100;
    va_end(again);
    return s;
}

static int twice(int n, ...)
{
    va_list ap;
    va_start(ap, n);
    int r = vtwice(n, ap);
    va_end(ap);
    return r;
}

static int square(int x) { return x * x; }

static void log_line(const char *format, ...)
{
    char buffer[200];
    va_list ap;
    va_start(ap, format);
    vsnprintf(buffer, sizeof buffer, format, ap);
    va_end(ap);
    printf("[%s]\n", buffer);
}

static struct pair pick(int which, ...)
{
    struct pair p = {0, 0};
    va_list ap;
    va_start(ap, which);
    while (which-- > 0)
        p = va_arg(ap, struct pair);
    va_end(ap);
    return p;
}

int main(void)
{
    signed char c = -5;
    unsigned short h = 65535;
    float f = 2.75f;
    _Bool b = 1;
    struct pair p = {1, 20};
    struct tri t = {1.5, 4};
    printf("%ld\n", sum("iiiuldds", 1, c, h, 4000000000u, 1L << 40, 3.5, f, "four"));
    printf("%ld\n", sum("pitpif", p, 3, t, p, b, square));
    printf("%ld\n", sum(""));
    printf("%d\n", twice(3, 1, 2, 3));
    log_line("%d %s %c %5.2f %lld %x", -3, "text", 'q', 2.0 / 3, 1LL << 50, 255);
    log_line("none");
    printf("%d\n", pick(2, p, (struct pair){7, 8}).b);
    int (*fn)(int, ...) = twice;
    printf("%d %d\n", fn(2, 10, 20), (*fn)(1, 5));
    printf("%d %d %d %d %d %d %d %d %d %d %d %d\n", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, sprintf((char[20]){0}, "%d%g", 12, 1.5));
    printf("%g %g %g %g %g %g %g %g %g %g\n", 1., 2., 3., 4., 5., 6., 7., 8., 9., 10.);
    return 0;
}
