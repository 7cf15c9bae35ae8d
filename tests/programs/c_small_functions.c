// Small functions, called in loops, through pointers, with addresses of locals.
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct pair { int a, b; };
struct cursor { const char *at; int left; };

static uint64_t step(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}
static int largest(int a, int b) { return a > b ? a : b; }
static int clamp(int x, int low, int high) { return x < low ? low : largest(x, low) > high ? high : x; }
static struct pair swapped(struct pair p) { return (struct pair){p.b, p.a}; }
static void exchange(int *a, int *b) { int t = *a; *a = *b; *b = t; }
static int next(struct cursor *c) { return c->left > 0 ? (c->left--, *c->at++) : -1; }
static double halve(double x) { return x / 2; }
static float mixed(char c, short s, float f) { return c + s * f; }
static _Bool odd(unsigned x) { return x & 1; }
static int early(int x)
{
    if (x < 0)
        return -1;
    if (x == 0)
        return 0;
    return x % 10 == 3 ? 7 : 1;
}
static void nothing(void) {}
static int zero_if_unset(int set, int to)
{
    int x;
    if (set)
        x = to;
    return x;
}
static int self(int n) { return n <= 0 ? 0 : 1 + self(n - 1); }
static int even_depth(int n);
static int odd_depth(int n) { return n == 0 ? 0 : even_depth(n - 1); }
static int even_depth(int n) { return n == 0 ? 1 : odd_depth(n - 1); }
static int a1(int x) { return x + 1; }
static int a2(int x) { return a1(x) * 2; }
static int a3(int x) { return a2(x) - a1(x); }
static int a4(int x) { return a3(x) ^ a2(x); }
static int a5(int x) { return a4(x) + a3(x); }
static int a6(int x) { return a5(x) | 1; }
static int counter;
static int count(void) { return counter++; }
static int both(int a, int b) { return a * 10 + b; }
int shared(int x) { return x * 3; }
static int apply(int (*f)(int), int x) { return f(x); }

int main(void)
{
    uint64_t state = 42;
    uint64_t sum = 0;
    for (int i = 0; i < 5000; i++)
        sum = sum * 31 + step(&state);
    printf("step %llu %llu\n", (unsigned long long)sum, (unsigned long long)state);

    unsigned total = 0;
    for (int i = -50; i < 50; i++)
        total = total * 3 + clamp(i, -20, 30) + early(i);
    printf("clamp %u\n", total);

    struct pair p = {1, 2};
    for (int i = 0; i < 7; i++) {
        p = swapped(p);
        exchange(&p.a, &p.b);
        p.a += i;
        exchange(&p.a, &p.a);
    }
    printf("pair %d %d\n", p.a, p.b);

    const char *text = "a small text";
    struct cursor c = {text, (int)strlen(text)};
    unsigned hash = 0;
    int letter;
    while ((letter = next(&c)) >= 0)
        hash = hash * 33 + letter;
    letter = next(&c);
    printf("cursor %u %d %d\n", hash, c.left, letter);

    double x = 1e300;
    while (x > 1)
        x = halve(x);
    printf("halve %.17g %g\n", x, mixed(-3, 1000, 0.1f));

    unsigned odds = 0;
    for (unsigned i = 0; i < 99; i++)
        odds += odd(i * 7) + !odd(i);
    printf("odd %u\n", odds);
    nothing();
    printf("unset %d", zero_if_unset(1, 9));
    for (int i = 3; i >= 0; i--)
        printf(" %d", zero_if_unset(i & 1, i) * (i & 1));
    printf("\n");
    printf("self %d %d %d\n", self(300), even_depth(101), odd_depth(100));
    printf("deep %d %d %d\n", a6(5), a5(-7), a4(1 << 20));
    int order = both(count(), 0);
    order += both(0, count());
    printf("order %d %d\n", order, counter);
    int (*choice[])(int) = {shared, a1, a6, early};
    for (int i = 0; i < 8; i++)
        printf("%d ", apply(choice[i & 3], i) + shared(i));
    printf("\n");
    int (*volatile same)(int) = shared;
    printf("same %d\n", same == shared && same(2) == shared(2));
    return 0;
}
