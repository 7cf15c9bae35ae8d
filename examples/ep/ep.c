/* Random numbers in the manner of the NAS Parallel Benchmark EP: pairs of
 * normal deviates by the polar method, their sums, and how many fall into each
 * square ring.  Batches are independent: each finds its own place in the
 * sequence of random numbers.
 *
 *     ep [m]              2^m pairs, default 24
 *
 * For m = 24 and 25 (classes S and W) NPB states the sums, and they are
 * checked.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../npb/random.h"

#define SEED UINT64_C(271828183)
#define LOG2_BATCH 10
#define BATCH (1 << LOG2_BATCH)
#define RINGS 10
#define TOLERANCE 1e-8

struct tally {
    double sum_x, sum_y;
    long pairs;
    long ring[RINGS];
};

static void run_batch(struct tally *t, uint64_t batch)
{
    uint64_t x = SEED * npb_power(NPB_A, 2 * BATCH * batch) & NPB_MASK;

    for (int i = 0; i < BATCH; i++) {
        double u = 2.0 * npb_random(&x, NPB_A) - 1.0;
        double v = 2.0 * npb_random(&x, NPB_A) - 1.0;
        double square = u * u + v * v;
        if (square > 1.0)
            continue;
        double factor = sqrt(-2.0 * log(square) / square);
        u *= factor;
        v *= factor;
        double farther = fabs(u) > fabs(v) ? fabs(u) : fabs(v);
        t->ring[(int)farther]++;
        t->sum_x += u;
        t->sum_y += v;
        t->pairs++;
    }
}

static int close_to(double value, double stated)
{
    return fabs((value - stated) / stated) <= TOLERANCE;
}

int main(int argc, char **argv)
{
    int m = argc > 1 ? atoi(argv[1]) : 24;
    struct tally t = {0.0, 0.0, 0, {0}};
    int verified = 1;

    if (m < LOG2_BATCH || m > 32) {
        fprintf(stderr, "ep: m must be %d to 32\n", LOG2_BATCH);
        return 2;
    }
    for (uint64_t batch = 0; batch < UINT64_C(1) << (m - LOG2_BATCH); batch++)
        run_batch(&t, batch);
    printf("EP 2^%d pairs, %ld within the circle\n", m, t.pairs);
    printf("sums %.8e %.8e\n", t.sum_x, t.sum_y);
    for (int i = 0; i < RINGS; i++)
        printf("ring %d: %ld\n", i, t.ring[i]);
    if (m == 24)
        verified = close_to(t.sum_x, -3.247834652034740e3) &&
                   close_to(t.sum_y, -6.958407078382297e3);
    if (m == 25)
        verified = close_to(t.sum_x, -2.863319731645753e3) &&
                   close_to(t.sum_y, -6.320053679109499e3);
    if (m == 24 || m == 25)
        printf("%s\n", verified ? "sums as stated by NPB" : "SUMS DIFFER from NPB's");
    return verified ? 0 : 1;
}
