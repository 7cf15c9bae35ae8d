/* Old-style C: definitions without prototypes, implicit int and implicit declarations. */

extern int printf();
static double scale();
int counter;

add(a, b)
{
    return a + b;
}

static double scale(x, n, f)
    int n;
    double x;
    float f;
{
    while (n-- > 0)
        x = x * 2 + f;
    return x;
}

char narrow(c, s, p)
    char c;
    short s;
    char *p;
{
    *p = s;
    return c + 1;
}

int apply(f, list, n)
    int (*f)(), list[], n;
{
    int i, r = 0;
    for (i = 0; i < n; i++)
        r = (*f)(r, list[i]);
    return r;
}

register_me(r)
    register r;
{
    auto k = 3;
    static calls;
    const unsigned int u = 2;
    return r * k + calls++ * u;
}

struct thing { int a[6]; };
int use(t, k) struct thing t; { return t.a[5] + k; }

main(argc, argv)
    char **argv;
{
    int list[4];
    struct thing t;
    char c;
    list[0] = 1; list[1] = 2; list[2] = 3; list[3] = 4;
    t.a[5] = 50;
    printf("%d\n", add(2, 3));
    printf("%g\n", scale(1.5, 3, 0.25f));
    printf("%d\n", narrow(127, 300, &c));
    printf("%d\n", c);
    printf("%d\n", apply(add, list, 4));
    printf("%d %d\n", register_me(5), counter);
    printf("%d\n", register_me(5));
    printf("%d\n", use(t, argc));
    printf("%d\n", later(4));
    return 0;
}

later(n) { return n * 11; }
