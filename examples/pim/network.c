/* A network of five layers: matrix times vector and ReLU, the sums added by the host.
 *
 *     hcc compile pim/network.c -o network.hcc && hcc run --pim pim/memory.json network.hcc
 *     gcc -O2 -I compiler/libhcc/host examples/pim/network.c -o network && ./network
 *
 * The weights keep every sum exact, so the order in which it is added up is not seen.
 */
#include <hcc.h>
#include <hcc/pim.h>
#include <stdio.h>
#include <stdlib.h>

#define LAYERS 5
#define WIDEST 512

static _Float16 weights[LAYERS][WIDEST * WIDEST];
static _Float16 values[LAYERS + 1][WIDEST];

__pim void layer(int outputs, int inputs, const _Float16 *w, const _Float16 *x, _Float16 *y)
{
    for (int r = 0; r < outputs; r++) {
        float sum = 0;
        for (int c = 0; c < inputs; c++)
            sum += (float)w[r * inputs + c] * (float)x[c];
        y[r] = (_Float16)(sum > 0 ? sum : 0);
    }
}

int main(int argc, char **argv)
{
    int width = argc > 1 ? atoi(argv[1]) : 80;
    unsigned seed = 1;

    if (width < 1 || width > WIDEST) {
        fprintf(stderr, "network: 1 to %d neurons a layer\n", WIDEST);
        return 2;
    }
    for (int i = 0; i < width; i++)
        values[0][i] = (_Float16)(i % 5);
    for (int l = 0; l < LAYERS; l++)
        for (int i = 0; i < width * width; i++) {
            seed = seed * 1664525u + 1013904223u;
            weights[l][i] = (_Float16)(seed >> 16 & 15 ? 0 : (int)(seed >> 20 & 7) - 3) / 2;
        }
    for (int l = 0; l < LAYERS; l++) {
        double sum = 0;
        layer(width, width, weights[l], values[l], values[l + 1]);
        for (int i = 0; i < width; i++) {
            values[l + 1][i] = (_Float16)((int)values[l + 1][i] % 4);
            sum += values[l + 1][i];
        }
        printf("layer %d: %g\n", l + 1, sum);
        migrate_point(); /* between kernels the program may move */
    }
    return 0;
}
