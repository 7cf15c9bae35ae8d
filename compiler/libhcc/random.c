/* rand and random: glibc's sequences, so that a program's numbers are the same
 * whichever library it was built with.
 *
 * The generator is an additive feedback x[i] = x[i-3] + x[i-31] over 32-bit
 * words, whose top 31 bits come out.  The 31 words are seeded by the "minimal
 * standard" generator x = 16807 x mod 2^31-1, and the first 310 results are
 * thrown away.
 */
#include <hcc/abi.h>
#include <stdint.h>
#include <stdlib.h>

#define WORDS 31
#define TAP 3
#define DISCARDED 310

/* The state as srand(1) leaves it is made at the first call. */
static uint32_t state[WORDS];
static int seeded;
static int oldest; /* x[i-31], to be replaced by x[i] */

static __HCC_LEAF uint32_t step(void)
{
    int tap = oldest + WORDS - TAP;
    uint32_t word = state[oldest] + state[tap < WORDS ? tap : tap - WORDS];

    state[oldest] = word;
    oldest = oldest + 1 == WORDS ? 0 : oldest + 1;
    return word >> 1;
}

void srandom(unsigned seed)
{
    int32_t word = seed == 0 ? 1 : (int32_t)seed;

    for (int i = 0; i < WORDS; i++) {
        state[i] = (uint32_t)word;
        int64_t next = (int64_t)word * 16807 % 2147483647;
        word = (int32_t)(next < 0 ? next + 2147483647 : next);
    }
    oldest = TAP; /* the first three words seeded are the newest */
    seeded = 1;
    for (int i = 0; i < DISCARDED; i++)
        step();
}

long random(void)
{
    if (!seeded)
        srandom(1);
    return step();
}

void srand(unsigned seed)
{
    srandom(seed);
}

int rand(void)
{
    return (int)random();
}

/* Three steps of a linear congruential generator, 11 + 10 + 10 bits of them. */
int rand_r(unsigned *seed)
{
    uint32_t x = *seed;
    uint32_t result;

    x = x * 1103515245 + 12345;
    result = x >> 16 & 0x7ff;
    x = x * 1103515245 + 12345;
    result = result << 10 ^ (x >> 16 & 0x3ff);
    x = x * 1103515245 + 12345;
    result = result << 10 ^ (x >> 16 & 0x3ff);
    *seed = x;
    return (int)result;
}
