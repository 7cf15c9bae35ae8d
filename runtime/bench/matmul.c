/* Doubles and strides: the product of two matrices, by rows and columns. Argument: rounds. */
#include <stdio.h>
#include <stdlib.h>

#define N 120

static double a[N][N], b[N][N], c[N][N];

static void multiply(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double sum = 0.0;
            for (int k = 0; k < N; k++) sum += a[i][k] * b[k][j];
            c[i][j] = sum;
        }
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    double trace = 0.0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = (i * 3 + j) % 17 / 16.0;
            b[i][j] = (i + j * 5) % 13 / 32.0;
        }
    for (int r = 0; r < rounds; r++) {
        multiply();
        trace += c[r % N][r % N];
        a[r % N][(r * 7) % N] += 0.5;
    }
    printf("%.6f\n", trace);
    return 0;
}
