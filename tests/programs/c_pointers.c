// Pointers: arithmetic, arrays of every rank, pointers to pointers, comparisons, casts.
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int grid[3][4] = {{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12}};
static int cube[2][3][4];
static const char *names[] = {"zero", "one", "two", "three"};
static int *where = &grid[1][2];
static int (*row)[4] = &grid[2];
static char text[] = "hello";
static char *tail = text + 3;
static void *self = &self;
static uintptr_t number = (uintptr_t)&grid[1];

static int total(int a[][4], int rows)
{
    int sum = 0;
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < 4; j++)
            sum += a[i][j];
    return sum;
}

static void swap(int *a, int *b)
{
    int t = *a;
    *a = *b;
    *b = t;
}

static void set(char **p) { *p = "changed"; }
static size_t length(const char *s)
{
    const char *p = s;
    while (*p++)
        ;
    return p - s - 1;
}

int main(void)
{
    printf("%d %d %d %d\n", grid[2][3], *where, (*row)[1], *(*(grid + 1) + 1));
    printf("%d %d\n", where[1], where[-1]);
    printf("%s %s %c\n", names[2], names[3] + 2, *names[1]);
    printf("%s %d %d\n", tail, self == &self, number == (uintptr_t)grid + 16);
    printf("%d %d\n", total(grid, 3), total(grid + 1, 1));
    int *p = grid[0], *q = &grid[2][3];
    printf("%td %d %d %d\n", q - p, p < q, p == &grid[0][0], q <= p);
    printf("%d\n", *p++ + *++p + (*p)++ + ++*p);
    printf("%d %d\n", grid[0][2], (int)(p - grid[0]));
    p += 3;
    p -= 1;
    printf("%d %d\n", *p, p[0] == 0 [p]);
    swap(&grid[0][0], &grid[2][0]);
    printf("%d %d\n", grid[0][0], grid[2][0]);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 4; k++)
                cube[i][j][k] = i * 100 + j * 10 + k;
    int(*plane)[4] = cube[1];
    printf("%d %d %d\n", plane[2][1], (*(cube + 1))[0][3], *(*(*cube + 1) + 2));
    printf("%zu %zu %zu\n", sizeof cube, sizeof cube[0], sizeof cube[0][0]);
    char *s = "start", **ps = &s, ***pps = &ps;
    set(*pps);
    printf("%s %c %zu\n", **pps, *(**pps + 1), length(s));
    unsigned char *bytes = (unsigned char *)&grid[0][1];
    printf("%d %d\n", bytes[0], bytes[1]);
    long v = 0x1122334455667788;
    printf("%x %x\n", *(int *)&v, ((short *)&v)[3]);
    void *anything = &v;
    *(char *)anything = 0x99 - 256;
    printf("%lx\n", v);
    printf("%d %d\n", !p, p && 1);
    p = 0;
    printf("%d %d %d\n", !p, p == NULL, p ? 1 : 2);
    int local[5] = {5, 4, 3, 2, 1};
    int *end = local + 5, sum = 0;
    for (int *it = local; it != end; ++it)
        sum = sum * 10 + *it;
    printf("%d %d\n", sum, local[*local - 1]);
    printf("%d %d\n", &local[4] - local == 4, (char *)end - (char *)local == 20);
    int *table[3] = {local, local + 1, &local[2]};
    printf("%d %d %d\n", *table[1], table[2][-2], **(table + 2));
    const int *const fixed = local;
    printf("%d\n", fixed[3] + *fixed);
    uintptr_t bits = (uintptr_t)local;
    printf("%d\n", *(int *)(bits + 8));
    long steps = 2;
    unsigned char small = 1;
    printf("%d %d %d\n", *(local + steps), local[small], *(&local[4] - small));
    memcpy(local, grid[1], sizeof grid[1]);
    printf("%d %d\n", local[0], local[3]);
    return 0;
}
