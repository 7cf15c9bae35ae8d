// Objects of static storage, addresses in initialisers, volatile, const tables, local statics.
#include <stdint.h>
#include <stdio.h>
#include <stddef.h>

struct item { const char *key; int (*run)(int); const struct item *next; double weight; uint8_t code[3]; };
static int twice(int x) { return 2 * x; }
static int neg(int x) { return -x; }
extern const struct item chain[];
const struct item chain[3] = {
    {"first", twice, &chain[1], 0.5, {1, 2, 3}},
    {"second", neg, chain + 2, -1e100, {[2] = 9}},
    {.key = &"xthird"[1], .weight = 1.0 / 3},
};
static int matrix[4][5];
static int *const corners[] = {&matrix[0][0], &matrix[3][4], *matrix + 2, matrix[1]};
static const ptrdiff_t distance = offsetof(struct item, weight) - offsetof(struct item, next);
static char *const ends[2] = {(char *)matrix + sizeof matrix, (char *)&matrix[2][1] - 4};
static uintptr_t as_number = (uintptr_t)&matrix[1][1] + 4;
static void *cyclic[2] = {&cyclic[1], cyclic};
int tentative[3];
int tentative[3];
static float halves[] = {.5f, 1.f / 4, 1e-3f};
static const int table[] = {[0 ... 3] = 1, [8] = 5, 6};
static int64_t wide = -1LL << 33;
static uint16_t narrow = (uint16_t)-2;
static _Bool flag = 0.25;
static char letters[2][3][4] = {{"ab", "cd"}, {{'e'}, "fgh"}};
static struct { int : 4; int a : 6; unsigned long b : 33; } packed_bits = {-17, 0x1ffffffffUL};
static long folded = sizeof(matrix) / sizeof matrix[0] * 3 - (7 & 5) + (1 ? 2 : 0) + !3 + (4 > 3) + ~0 + 'a' % 10;
static double dfold = 1 / 2 + 1 / 2.0 + (int)2.9 + -3e-2;
static int next_id(void) { static int id = 100; static int *self = &id; return ++*self; }
static const char *color(int i) { static const char *const names[] = {"red", "green", "blue"}; return names[i % 3]; }
static int fibonacci(int n)
{
    static int memo[40] = {0, 1};
    return n < 2 || memo[n] ? memo[n] : (memo[n] = fibonacci(n - 1) + fibonacci(n - 2));
}
static volatile int sensor = 3;
static int read_twice(void) { return sensor + sensor; }
volatile struct { int status; char data[4]; } port;

int main(void)
{
    for (const struct item *i = chain; i; i = i->next)
        printf("%s %d %g %d\n", i->key, i->run ? i->run(21) : 0, i->weight, i->code[2]);
    *corners[1] = 7;
    corners[2][0] = 8;
    printf("%d %d %td %td\n", matrix[3][4], matrix[0][2], corners[3] - corners[0], distance);
    printf("%td %td\n", ends[0] - (char *)matrix, ends[1] - (char *)matrix);
    printf("%d %d\n", as_number == (uintptr_t)&matrix[1][2], cyclic[0] == (void *)((void **)cyclic[1] + 1));
    tentative[2] = 4;
    printf("%d %g %g %g\n", tentative[2], halves[0], halves[1], halves[2]);
    printf("%d %d %d %zu\n", table[3], table[4], table[9], sizeof table / sizeof *table);
    printf("%lld %d %d\n", (long long)wide, narrow, flag);
    printf("%s %s %s %d\n", letters[0][1], letters[1][0], letters[1][1], letters[1][2][3]);
    printf("%d %lx\n", packed_bits.a, (unsigned long)packed_bits.b);
    printf("%ld %g\n", folded, dfold);
    next_id();
    printf("%d %s %s\n", next_id(), color(1), color(5));
    printf("%d\n", fibonacci(39));
    printf("%d\n", read_twice());
    port.status = 5;
    port.data[2] = port.status++;
    printf("%d %d\n", port.status, port.data[2]);
    return 0;
}
