/* Doubles in registers: iterations of z*z + c over a grid. Argument: rounds. */
#include <stdio.h>
#include <stdlib.h>

#define SIDE 100
#define MOST 200

static int escape(double x, double y) {
    double re = 0.0, im = 0.0;
    int n = 0;
    while (n < MOST) {
        double re2 = re * re, im2 = im * im;
        if (re2 + im2 > 4.0) break;
        im = 2.0 * re * im + y;
        re = re2 - im2 + x;
        n++;
    }
    return n;
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    unsigned total = 0;
    for (int r = 0; r < rounds; r++) {
        double shift = r * 1e-7;
        for (int i = 0; i < SIDE; i++)
            for (int j = 0; j < SIDE; j++)
                total += (unsigned)escape(-2.0 + 3.0 * j / SIDE + shift, -1.5 + 3.0 * i / SIDE);
    }
    printf("%u\n", total);
    return 0;
}
