// Variable-length arrays: sizes, pointers to them, parameters, loops, leaving their scope, alloca.
#include <alloca.h>
#include <stdio.h>
#include <string.h>

static void fill(int n, int m, double a[n][m])
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++)
            a[i][j] = i * 10 + j;
}

static double trace(int n, double (*a)[n])
{
    double s = 0;
    for (int i = 0; i < n; i++)
        s += a[i][i];
    return s;
}

static double view(void *flat, int n3, int n2, int n1)
{
    double(*a)[n2][n1] = (double(*)[n2][n1])flat;
    a[n3 - 1][n2 - 1][n1 - 1] = 7;
    return a[1][2][3] + sizeof a[0] + (&a[1][0][0] - &a[0][0][0]);
}

static int evaluations;
static int size(int n) { evaluations++; return n; }

static int leave(int n)
{
    int total = 0;
    for (int i = 1; i <= n; i++) {
        int a[i * 100];
        a[i] = i;
        if (i % 3 == 0)
            continue;
        if (i == 8)
            break;
        total += a[i] + sizeof a / sizeof *a;
    }
    return total;
}

static int jump(int n)
{
    int count = 0;
again:;
    int a[n];
    a[n - 1] = count;
    count++;
    if (count < 50)
        goto again;
    {
        char b[n * 2];
        memset(b, 1, sizeof b);
        if (n > 3)
            goto out;
        count += b[1];
    }
out:
    return count + a[n - 1];
}

static int recursive(int n)
{
    int a[n + 1];
    a[n] = n;
    return n == 0 ? 0 : recursive(n - 1) + a[n];
}

static int sum(int n, int a[static n]) { int s = 0; while (n--) s += a[n]; return s; }

int main(void)
{
    int n = 4, m = 5;
    double a[n][m];
    fill(n, m, a);
    printf("%g %zu %zu\n", a[3][4], sizeof a, sizeof a[0]);
    double sq[n][n];
    fill(n, n, sq);
    printf("%g %g\n", trace(n, sq), *(*(sq + 2) + 1));
    double flat[60] = {0};
    printf("%g", view(flat, 3, 4, 5));
    printf(" %g\n", flat[59]);
    int b[size(3)], k = sizeof(int[size(2)]);
    n = 9;
    printf("%zu %d %d\n", sizeof b, k, evaluations);
    typedef int row[n];
    n = 2;
    row r, *rp = &r;
    r[8] = 5;
    printf("%zu %d %td\n", sizeof(row), (*rp)[8], (char *)(rp + 1) - (char *)rp);
    printf("%d %d %d\n", leave(10), jump(3), jump(4));
    printf("%d\n", recursive(50));
    for (int i = 0; i < 100; i++) {
        int big[10000 + i];
        big[i] = i;
        n += big[i];
    }
    printf("%d\n", n);
    char *p = alloca(100);
    strcpy(p, "on the stack");
    printf("%s\n", p);
    int cells[3] = {1, 2, 3};
    printf("%d\n", sum(3, cells));
    int(*walker)[m] = (int(*)[m])cells;
    walker++;
    printf("%td\n", (int *)walker - cells);
    int q[m], *end = &q[m];
    for (int *it = q; it < end; it++)
        *it = it - q;
    printf("%d\n", sum(m, q));
    switch (m) {
    case 5: {
        short inner[m][2];
        inner[4][1] = 3;
        printf("%d %zu\n", inner[4][1], sizeof inner);
        break;
    }
    }
    return 0;
}
