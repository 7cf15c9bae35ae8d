/* Points under every kind of control flow. */
#include <hcc.h>
#include <stdio.h>
#include <stdlib.h>

static int even(unsigned n);
static int odd(unsigned n) { return n == 0 ? 0 : even(n - 1); }
static int even(unsigned n)
{
    migrate_point();
    return n == 0 ? 1 : odd(n - 1);
}

static int early(int n)
{
    if (n == 1)
        return 10;
    migrate_point();
    if (n == 2)
        return 20;
    for (int i = 0;; i++) {
        migrate_point();
        if (i == n)
            return 30 + i;
    }
}

static int choose(int n)
{
    int r = 0;

    switch (n) {
    case 0:
        r += 1;
        migrate_point();
        /* fall through */
    case 1:
        r += 10;
        break;
    case 7:
    case 8:
        migrate_point();
        r += 100;
        break;
    default:
        r = -1;
    }
    migrate_point();
    return r;
}

static int jumps(int n)
{
    int count = 0;

again:
    count++;
    if (count < n) {
        migrate_point();
        goto again;
    }
    if (n & 1)
        goto done;
    count *= 2;
done:
    return count;
}

static int nested(int n)
{
    int total = 0;

    for (int i = 0; i < n; i++) {
        int j = 0;
        while (j < i) {
            int k = 3;
            do {
                total += i * 100 + j * 10 + k;
                if (k == 2)
                    migrate_point();
            } while (--k);
            j++;
            if (total % 5 == 0)
                continue;
            migrate_point();
        }
    }
    return total;
}

static volatile int stop;

static int until_stopped(void)
{
    int rounds = 0;

    while (!stop) {
        rounds++;
        if (rounds == 9)
            stop = 1;
    }
    return rounds;
}

static int (*const table[])(int) = {early, choose, jumps, nested};

static int compare(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    migrate_point();
    return (x > y) - (x < y);
}

static unsigned long long ackermann(unsigned m, unsigned n)
{
    return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

int main(void)
{
    int numbers[] = {5, -3, 9, 0, 2, 2, -8, 7};

    migrate_point();
    printf("%d %d\n", even(10), odd(7));
    for (int i = 0; i < 10; i++) {
        for (int f = 0; f < 4; f++)
            printf("%d ", table[f](i));
        putchar('\n');
    }
    printf("%d\n", until_stopped());
    qsort(numbers, 8, sizeof numbers[0], compare);
    for (int i = 0; i < 8; i++)
        printf("%d ", numbers[i]);
    printf("\n%llu\n", ackermann(2, 3));
    migrate_point();
    return 3;
}
