/* The ways to write a __pim function, for comparison with gcc's build of the same file. */
#include <hcc/pim.h>
#include <stddef.h>
#include <stdio.h>

#define N 300
#define M 20

typedef _Float16 half;

static half a[N], b[N];
half c[N], w[M][N], r[M], z[M];

__pim void of_the_file(void)
{
    for (size_t i = 0; i < N; i++)
        c[i] = a[i] * b[i];
}

static __pim void counter_outside(size_t n, const half *restrict x, half *restrict y, const half s)
{
    size_t i;
    for (i = 0; i < n; ++i) {
        half t;
        t = x[i] * s;
        y[i] = t + 1.0f;
    }
}

__pim void sum_in_place(void)
{
    for (int i = 0; i < M; i++) {
        r[i] = 0;
        for (int j = 0; j < N; j++)
            r[i] = r[i] + w[i][j] * a[j];
    }
}

__pim void variable_lengths(int m, int n, half w[m][n], half x[n], half y[m])
{
    for (int i = 0; i < m; i++) {
        float sum = 0.0f;
        for (int j = 0; j < n; j++) {
            sum += w[i][j] * x[j];
        }
        y[i] = hcc_relu(sum);
    }
}

__pim void chain(int n, half *x, half *y)
{
    half t[n];
    for (int i = 0; i < n; i++)
        t[i] = x[i] + x[i];
    for (int i = 0; i < n; i++)
        y[i] = t[i] * x[i];
}

__pim void not_equal(unsigned n, half *x)
{
    for (unsigned i = 0; i != n; i++)
        x[i] *= 2;
}

__pim void two_stores(int n, const half *x, half *y, half *z)
{
    for (int i = 0; i < n; i++) {
        z[i] = x[i] <= 0 ? 0 : x[i];
        y[i] += z[i] - (half)0.5;
    }
}

__pim void sums_outside(int m, int n, half *w, half *x, half *y, half *z)
{
    int i, j;
    float sum;
    for (i = 0; i < m; i++) {
        sum = 0;
        for (j = 0; j < n; j++)
            sum += w[j + n * i] * x[j];
        y[i] = sum;
    }
    for (i = 0; i < m; i++)
        z[i] = y[i] > (half)0 ? y[i] : (half)0;
}

static void show(const char *name, const half *x, int n)
{
    double sum = 0;

    for (int i = 0; i < n; i++)
        sum = sum * 0.5 + (double)x[i];
    printf("%s %g\n", name, sum);
}

int main(void)
{
    for (int i = 0; i < N; i++) {
        a[i] = (half)(i % 5);
        b[i] = (half)(i % 3);
    }
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++)
            w[i][j] = (half)((i * 7 + j) % 4 - 1);
    of_the_file();
    show("of_the_file", c, N);
    counter_outside(N, c, b, (half)1.5);
    show("counter_outside", b, N);
    sum_in_place();
    show("sum_in_place", r, M);
    variable_lengths(M, N, w, a, r);
    show("variable_lengths", r, M);
    chain(N, a, c);
    show("chain", c, N);
    not_equal(N, c);
    show("not_equal", c, N);
    two_stores(N, a, b, c);
    show("two_stores", b, N);
    sums_outside(M, N, &w[0][0], a, r, z);
    show("sums_outside", z, M);
    return 0;
}
