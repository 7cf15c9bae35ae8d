/* Integer sort in the manner of the NAS Parallel Benchmark IS: the rank of
 * every key among bell-shaped random keys, ten times over with two keys changed
 * each time, then a full sort.
 *
 *     is [class]          T (2^11 keys, for interpreters), S (2^16), W (2^20) or A (2^23, default)
 *
 * Classes S, W and A are NPB's own, and some ranks are checked against the
 * values NPB states for them after every iteration.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../npb/random.h"

#define ITERATIONS 10
#define CHECKS 5
#define SEED UINT64_C(314159265)

/* Keys low in order move up as the iterations go, those high in order move down. */
struct problem {
    char name;
    int log2_keys;
    int log2_largest;
    int checks;
    int rising;  /* how many of the checked keys move up */
    int shift_rising, shift_falling;
    int index[CHECKS];
    int rank[CHECKS];
};

static const struct problem problems[] = {
    {'T', 11, 8, 0, 0, 0, 0, {0, 0, 0, 0, 0}, {0, 0, 0, 0, 0}},
    {'S', 16, 11, CHECKS, 3, 0, 0,
     {48427, 17148, 23627, 62548, 4431}, {0, 18, 346, 64917, 65463}},
    {'W', 20, 16, CHECKS, 2, 2, 0,
     {357773, 934767, 875723, 898999, 404505}, {1249, 11698, 1039987, 1043896, 1048018}},
    {'A', 23, 19, CHECKS, 3, 1, 1,
     {2112377, 662041, 5336171, 3642833, 4250760}, {104, 17523, 123928, 8288932, 8388264}},
};

static const struct problem *p;
static int keys;    /* how many */
static int largest; /* keys lie in [0, largest) */
static int *key;
static int *rank; /* rank[k]: how many keys are below k */
static int checks_passed;
static int checks_made;

static void make_keys(void)
{
    uint64_t x = SEED;

    for (int i = 0; i < keys; i++) {
        double sum = npb_random(&x, NPB_A);
        sum += npb_random(&x, NPB_A);
        sum += npb_random(&x, NPB_A);
        sum += npb_random(&x, NPB_A);
        key[i] = (int)(largest / 4 * sum);
    }
}

static void rank_keys(void)
{
    int below = 0;

    memset(rank, 0, (size_t)largest * sizeof rank[0]);
    for (int i = 0; i < keys; i++)
        rank[key[i]]++;
    for (int k = 0; k < largest; k++) {
        int count = rank[k];
        rank[k] = below;
        below += count;
    }
}

static void check_ranks(int iteration)
{
    for (int i = 0; i < p->checks; i++) {
        /* NPB counts the keys up to and including key - 1: those below it. */
        int k = key[p->index[i]];
        int expected = i < p->rising ? p->rank[i] + iteration - p->shift_rising
                                     : p->rank[i] - iteration + p->shift_falling;
        checks_made++;
        if (rank[k] == expected)
            checks_passed++;
        else
            printf("iteration %d: rank of key %d is %d, expected %d\n", iteration, k, rank[k],
                   expected);
    }
}

/* Puts the keys in order by the ranks and looks whether they are. */
static int sort_and_check(void)
{
    int *sorted = malloc((size_t)keys * sizeof sorted[0]);
    int out_of_order = 0;

    if (sorted == NULL)
        return 0;
    for (int i = 0; i < keys; i++)
        sorted[rank[key[i]]++] = key[i];
    for (int i = 1; i < keys; i++)
        out_of_order += sorted[i - 1] > sorted[i];
    printf("smallest %d, median %d, largest %d\n", sorted[0], sorted[keys / 2],
           sorted[keys - 1]);
    free(sorted);
    return out_of_order == 0;
}

int main(int argc, char **argv)
{
    char name = argc > 1 ? argv[1][0] : 'A';

    for (size_t i = 0; i < sizeof problems / sizeof problems[0]; i++) {
        if (problems[i].name == name)
            p = &problems[i];
    }
    if (p == NULL) {
        fprintf(stderr, "is: no class %c; there are T, S, W and A\n", name);
        return 2;
    }
    keys = 1 << p->log2_keys;
    largest = 1 << p->log2_largest;
    key = malloc((size_t)keys * sizeof key[0]);
    rank = malloc((size_t)largest * sizeof rank[0]);
    if (key == NULL || rank == NULL) {
        fprintf(stderr, "is: not enough memory\n");
        return 1;
    }
    make_keys();
    for (int iteration = 1; iteration <= ITERATIONS; iteration++) {
        key[iteration] = iteration;
        key[iteration + ITERATIONS] = largest - iteration;
        rank_keys();
        check_ranks(iteration);
    }
    int sorted = sort_and_check();
    printf("IS class %c: %d keys, %d of %d ranks as stated by NPB, %s\n", name, keys,
           checks_passed, checks_made, sorted ? "sorted" : "NOT SORTED");
    free(key);
    free(rank);
    return sorted && checks_passed == checks_made ? 0 : 1;
}
