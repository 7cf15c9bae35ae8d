/* A small network with an instrumentation unit on the output of every layer.
 *
 *     hcc compile network.c
 *     hcc run a.hcc --lebug 0,1,2=layers.py --lebug-config layers.yaml \
 *         --lebug-output trace.csv --plot trace.png
 *
 * Three dense layers with ReLU see a sequence of images, each a little different
 * from the one before. A layer's output is one frame of vectors for its unit, so
 * layers.py records for each layer and image how the values are distributed, how
 * many are positive, and how much their sum has changed since the image before.
 *
 *     network.c [IMAGES] [dump]      dump prints every layer's output
 */
#include <hcc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LANES = 8, WIDEST = 48, LAYERS = 3, INPUTS = 48 };

static const int widths[LAYERS] = {32, 24, 16};
static float weights[LAYERS][WIDEST][WIDEST];
static float biases[LAYERS][WIDEST];

/* Uniform in [-1, 1): the same numbers with every C library. */
static float uniform(void)
{
    static unsigned state = 2463534242u;

    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return (float)(int)state * 0x1p-31f;
}

static void initialise(void)
{
    int inputs = INPUTS;

    for (int layer = 0; layer < LAYERS; layer++) {
        for (int out = 0; out < widths[layer]; out++) {
            for (int in = 0; in < inputs; in++)
                weights[layer][out][in] = uniform() * 0.5f;
            biases[layer][out] = uniform() * 0.25f;
        }
        inputs = widths[layer];
    }
}

static void dense(int layer, int inputs, const float *from, float *to)
{
    for (int out = 0; out < widths[layer]; out++) {
        float sum = biases[layer][out];

        for (int in = 0; in < inputs; in++)
            sum += weights[layer][out][in] * from[in];
        to[out] = sum > 0 ? sum : 0;
    }
}

/* One frame: the layer's output, LANES values at a time. */
static void observe(int layer, const float *values)
{
    for (int at = 0; at < widths[layer]; at += LANES) {
        int last = at + LANES == widths[layer];

        hcc_tap((unsigned)layer, values + at, LANES, last ? HCC_EOF1 : 0);
    }
}

int main(int argc, char **argv)
{
    int images = argc > 1 ? atoi(argv[1]) : 12;
    int dump = argc > 2 && strcmp(argv[2], "dump") == 0;
    float values[LAYERS + 1][WIDEST];
    float total = 0;

    initialise();
    for (int i = 0; i < INPUTS; i++)
        values[0][i] = uniform();
    for (int image = 0; image < images; image++) {
        int inputs = INPUTS;

        for (int layer = 0; layer < LAYERS; layer++) {
            dense(layer, inputs, values[layer], values[layer + 1]);
            observe(layer, values[layer + 1]);
            inputs = widths[layer];
            for (int i = 0; dump && i < inputs; i++)
                printf("%d %d %a\n", image, layer, (double)values[layer + 1][i]);
        }
        for (int i = 0; i < widths[LAYERS - 1]; i++)
            total += values[LAYERS][i];
        for (int i = 0; i < INPUTS; i++)
            values[0][i] = values[0][i] * 0.9f + uniform() * 0.3f;
    }
    printf("sum of all outputs: %.4f\n", (double)total);
    return 0;
}
