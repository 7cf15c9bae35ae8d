/* Vectors in memory: y = s x + y, then z = relu(x - y), of any length.
 *
 *     hcc compile pim/axpy.c -o axpy.hcc && hcc run --pim pim/memory.json axpy.hcc 3000
 *     gcc -O2 -I compiler/libhcc/host examples/pim/axpy.c -o axpy && ./axpy 3000
 */
#include <hcc/pim.h>
#include <stdio.h>
#include <stdlib.h>

#define LONGEST 100000

static _Float16 x[LONGEST], y[LONGEST], z[LONGEST];

__pim void axpy(int n, _Float16 s, const _Float16 *x, _Float16 *y)
{
    for (int i = 0; i < n; i++)
        y[i] = s * x[i] + y[i];
}

__pim void excess(int n, const _Float16 *x, const _Float16 *y, _Float16 *z)
{
    for (int i = 0; i < n; i++)
        z[i] = hcc_relu(x[i] - y[i]);
}

static unsigned digest(const _Float16 *values, int n)
{
    unsigned sum = 0;

    for (int i = 0; i < n; i++)
        sum = sum * 31 + (unsigned)(int)(values[i] * 64);
    return sum;
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 1000;

    if (n < 0 || n > LONGEST) {
        fprintf(stderr, "axpy: 0 to %d elements\n", LONGEST);
        return 2;
    }
    for (int i = 0; i < n; i++) {
        x[i] = (_Float16)((i % 97) / 8.0 - 5);
        y[i] = (_Float16)((i % 31) / 4.0 - 3);
    }
    hcc_stats_reset();
    axpy(n, (_Float16)1.5, x, y);
    printf("axpy   %08x\n", digest(y, n));
    excess(n, x, y, z);
    printf("excess %08x\n", digest(z, n));
    return 0;
}
