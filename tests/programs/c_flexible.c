/* Initialised flexible array members, of static objects; large structs through "..."; array
   parameters whose bounds do something. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct numbers {
    int n;
    short of[];
};
struct text {
    const char *name;
    char c;
    char of[];
};
struct pair {
    int a, b;
};
struct pairs {
    long n;
    struct pair of[];
};
struct links {
    int n;
    const void *to[];
};

static int first[3] = {1, 2, 3};
struct numbers braces = {3, {10, 20, 30}};
struct numbers designated = {.of = {[4] = 5, 6}, .n = 6};
struct numbers elided = {2, 7, 8};
struct numbers none = {5};
static const struct text string = {"name", 'c', "flexible"};
struct text letters = {"letters", 'd', {'a', 'b', [5] = 'c'}};
static struct pairs pairs = {2, {{1, 2}, {.b = 4, .a = 3}}};
static struct pairs single = {1, .of[1].b = 9};
struct links links = {3, {first, &braces, "end"}};
int behind = 77;

static void show_static(void)
{
    static struct numbers local = {2, {40, 50}};

    printf("%d %d %d\n", local.n, local.of[0]++, local.of[1]);
}

struct large {
    double d[3];
    int i;
    char c;
};
struct odd {
    char c[17];
};
struct empty {
};
struct small {
    short s[3];
};
union both {
    long l[5];
    char c;
};

static double sum(int n, ...)
{
    va_list list, again;
    double total = 0;

    va_start(list, n);
    va_copy(again, list);
    for (int i = 0; i < n; i++) {
        struct large l = va_arg(list, struct large);
        total += l.d[0] + l.d[1] * l.d[2] + l.i - l.c;
        total += va_arg(list, struct odd).c[16];
        total += va_arg(list, int);
        total += va_arg(list, struct small).s[2];
        total += (double)va_arg(list, union both).l[4];
        total += va_arg(list, double);
        (void)va_arg(list, struct empty);
    }
    total += va_arg(list, int);
    va_end(list);
    printf("%g", va_arg(again, struct large).d[2]);
    printf(" %d\n", va_arg(again, struct odd).c[16]);
    va_end(again);
    return total;
}

static struct large made(int k)
{
    struct large l = {{k, k + 0.5, 2}, k * k, (char)k};

    return l;
}

static double nested(int n, ...)
{
    va_list list;

    va_start(list, n);
    struct large a = va_arg(list, struct large);
    double inner = va_arg(list, double);
    struct large b = va_arg(list, struct large);
    va_end(list);
    return a.d[0] * 100 + inner + b.i;
}

static int calls;
static int count(int n)
{
    calls = calls * 10 + n;
    return n;
}

static int bounded(int n, int a[n++])
{
    return a == NULL ? n : n + a[0];
}

static int called(int a[count(1)], int b[static count(2)], int c[const count(3)])
{
    return a[0] + b[0] + c[0];
}

static int inner(int (*d)[count(4)])
{
    return (int)(sizeof *d / sizeof **d);
}

int only_declared(int n, int a[n++]);

int main(void)
{
    printf("%d %d %d %d\n", (int)sizeof braces, braces.n, braces.of[0], braces.of[2]);
    printf("%d %d %d %d\n", designated.n, designated.of[0], designated.of[4], designated.of[5]);
    printf("%d %d %d\n", elided.of[0], elided.of[1], none.n);
    printf("%s %c %s %d\n", string.name, string.c, string.of, (int)sizeof string);
    printf("%s %s %c\n", letters.name, letters.of, letters.of[5]);
    printf("%d %d %d\n", pairs.of[0].b, pairs.of[1].a, pairs.of[1].b);
    printf("%d %d %d\n", single.of[0].a, single.of[1].a, single.of[1].b);
    printf("%d %d %s\n", ((const int *)links.to[0])[1], links.to[1] == &braces,
           (const char *)links.to[2]);
    show_static();
    show_static();
    braces.of[2] = 31;
    printf("%d %d\n", braces.of[2], behind);

    struct odd odd = {"0123456789abcdefg"};
    struct small small = {{1, 2, 3}};
    union both both = {{1, 2, 3, 4, 5}};
    struct empty empty;
    printf("%g\n", sum(2, made(3), odd, 1, small, both, 0.25, empty, made(4), odd, 2, small, both,
                       0.5, empty, 1000));
    printf("%g\n", nested(1, made(2), nested(1, made(5), 1.0, made(6)), made(7)));

    int array[4] = {5, 6, 7, 8};
    printf("%d %d\n", bounded(3, array), bounded(4, NULL));
    printf("%d", called(array, array + 1, array + 2));
    printf(" %d", inner(NULL));
    printf(" %d\n", calls);
    return 0;
}
