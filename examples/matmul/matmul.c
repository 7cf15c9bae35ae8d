/* Matrix product C = A B in blocks that stay in the cache, checked against
 * Freivalds' identity A (B x) = C x.  The elements are small integers, so every
 * sum is exact and the results do not depend on the order of addition.
 *
 *     matmul [n]          n x n doubles, default 640
 */
#include <stdio.h>
#include <stdlib.h>

#define BLOCK 64

static double *new_matrix(int n)
{
    double *m = calloc((size_t)n * (size_t)n, sizeof m[0]);

    if (m == NULL) {
        fprintf(stderr, "matmul: not enough memory\n");
        exit(1);
    }
    return m;
}

static void fill(double *m, int n, unsigned seed)
{
    for (int i = 0; i < n * n; i++) {
        seed = seed * 1664525U + 1013904223U;
        m[i] = (double)(int)(seed >> 24) - 128.0;
    }
}

static int end_of_block(int start, int n)
{
    return start + BLOCK < n ? start + BLOCK : n;
}

/* C += A B over rows [i0, i1), inner indices [k0, k1) and columns [j0, j1). */
static void multiply_block(int n, const double *a, const double *b, double *c, int i0, int i1,
                           int k0, int k1, int j0, int j1)
{
    for (int i = i0; i < i1; i++) {
        for (int k = k0; k < k1; k++) {
            double aik = a[i * n + k];
            for (int j = j0; j < j1; j++)
                c[i * n + j] += aik * b[k * n + j];
        }
    }
}

static void multiply(int n, const double *a, const double *b, double *c)
{
    for (int i = 0; i < n; i += BLOCK) {
        for (int k = 0; k < n; k += BLOCK) {
            for (int j = 0; j < n; j += BLOCK)
                multiply_block(n, a, b, c, i, end_of_block(i, n), k, end_of_block(k, n), j,
                               end_of_block(j, n));
        }
    }
}

static void apply(int n, const double *m, const double *x, double *y)
{
    for (int i = 0; i < n; i++) {
        y[i] = 0.0;
        for (int j = 0; j < n; j++)
            y[i] += m[i * n + j] * x[j];
    }
}

/* How many components of A (B x) and C x differ, for x = 1, 2, 3, 1, 2, 3, ... */
static int count_differences(int n, const double *a, const double *b, const double *c)
{
    double *x = malloc(4 * (size_t)n * sizeof x[0]);
    int differences = 0;

    if (x == NULL)
        return n;
    double *bx = x + n;
    double *abx = bx + n;
    double *cx = abx + n;
    for (int i = 0; i < n; i++)
        x[i] = i % 3 + 1;
    apply(n, b, x, bx);
    apply(n, a, bx, abx);
    apply(n, c, x, cx);
    for (int i = 0; i < n; i++)
        differences += abx[i] != cx[i];
    free(x);
    return differences;
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 640;

    if (n < 1 || n > 4096) {
        fprintf(stderr, "matmul: the size must be 1 to 4096\n");
        return 2;
    }
    double *a = new_matrix(n);
    double *b = new_matrix(n);
    double *c = new_matrix(n);
    double trace = 0.0;
    double sum = 0.0;

    fill(a, n, 1);
    fill(b, n, 2);
    multiply(n, a, b, c);
    for (int i = 0; i < n; i++)
        trace += c[i * n + i];
    for (int i = 0; i < n * n; i++)
        sum += c[i];
    int differences = count_differences(n, a, b, c);
    printf("n %d, trace %.0f, sum %.0f, corner %.0f, %d rows wrong\n", n, trace, sum,
           c[n * n - 1], differences);
    free(a);
    free(b);
    free(c);
    return differences == 0 ? 0 : 1;
}
