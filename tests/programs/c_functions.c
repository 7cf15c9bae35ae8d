// Functions: pointers to them, tables, recursion, many arguments, statics, inline, returns.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int binary(int, int);
typedef binary *binary_ptr;

static int add(int a, int b) { return a + b; }
static int sub(int a, int b) { return a - b; }
static int mul(int a, int b) { return a * b; }
static binary_ptr table[] = {add, &sub, mul};
static binary_ptr choose(char c) { return c == '+' ? add : c == '-' ? sub : *mul; }
static int (*chooser(int n))(int, int) { return table[n]; }
static int fold(binary f, int n, const int *a) { int r = a[0]; for (int i = 1; i < n; i++) r = f(r, a[i]); return r; }
static int many(int a, long b, char c, short d, unsigned e, int f, int g, int h, int i, int j, double k, float l)
{
    return a + b * 2 + c * 3 + d * 4 + e * 5 + f * 6 + g * 7 + h * 8 + i * 9 + j * 10 + (int)(k * 100) + (int)(l * 1000);
}
static int even(int n);
static int odd(int n) { return n == 0 ? 0 : even(n - 1); }
static int even(int n) { return n == 0 ? 1 : odd(n - 1); }
static unsigned ackermann(unsigned m, unsigned n) { return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1)); }
static int count(void) { static int n = 10, step = 2; return n += step++; }
static int *remember(void) { static int kept[3]; kept[1]++; return kept; }
static inline int twice(int x) { return 2 * x; }
inline int thrice(int x) { return 3 * x; }
extern inline int quad(int x) { return 4 * x; }
int thrice(int x);
static void nothing(void) {}
static void early(int *p) { if (*p) { *p = 1; return; } *p = 2; }
static signed char negative(void) { return -3; }
static unsigned char large(int x) { return x; }
static _Bool truth(int x) { return x; }
static short cut(int x) { return x; }
static float to_float(double d) { return d; }
static void swap_strings(const char **a, const char **b) { const char *t = *a; *a = *b; *b = t; }
static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }
struct ops { const char *name; int (*run)(int, int); };
static const struct ops list[] = {{"add", add}, {"sub", sub}, {0}};
int shadow = 1;

int main(int argc, char **argv)
{
    int numbers[] = {7, 3, 9, 1};
    printf("%d %d %d\n", table[0](1, 2), (*table[1])(5, 3), (**table[2])(4, 5));
    printf("%d %d %d\n", choose('+')(3, 4), choose('-')(3, 4), choose('*')(3, 4));
    printf("%d %d\n", chooser(1)(9, 1), fold(mul, 4, numbers));
    printf("%d\n", many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0.11, 0.012f));
    printf("%d %d %u\n", even(10), odd(7), ackermann(2, 3));
    printf("%d %d", count(), 0);
    printf(" %d %d\n", count(), 0);
    *remember() = 5;
    printf("%d", remember()[1]);
    printf(" %d\n", remember()[0]);
    printf("%d %d %d\n", twice(4), thrice(4), quad(4));
    nothing();
    int e = 0;
    early(&e);
    printf("%d", e);
    early(&e);
    printf(" %d\n", e);
    printf("%d %d %d %d %g\n", negative(), large(300), truth(256), cut(100000), to_float(0.1));
    const char *a = "a", *b = "b";
    swap_strings(&a, &b);
    printf("%s%s\n", a, b);
    qsort(numbers, 4, sizeof numbers[0], compare);
    printf("%d %d %d %d\n", numbers[0], numbers[1], numbers[2], numbers[3]);
    char *words[] = {"pear", "apple", "fig"};
    qsort(words, 3, sizeof *words, by_name);
    printf("%s %s %s\n", words[0], words[1], words[2]);
    for (const struct ops *o = list; o->name; o++)
        printf("%s %d\n", o->name, o->run(8, 2));
    printf("%d %d\n", add == table[0], choose('+') != sub);
    int shadow = 2;
    { extern int shadow; printf("%d", shadow); }
    printf(" %d\n", shadow);
    int (*nested)(int (*)(int, int), int, const int *) = fold;
    printf("%d\n", nested(add, 3, numbers));
    printf("%d %s\n", argc, __func__);
    if (argc > 5)
        abort();
    exit(argc + 2);
}
