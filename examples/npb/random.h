/* The random numbers of the NAS Parallel Benchmarks: x = a x mod 2^46, as
 * doubles x / 2^46 in (0, 1).  The benchmarks are defined by this sequence, and
 * 2^46 divides 2^64, so unsigned arithmetic gives it exactly.
 */
#ifndef NPB_RANDOM_H
#define NPB_RANDOM_H

#include <stdint.h>

#define NPB_A UINT64_C(1220703125) /* 5^13 */
#define NPB_MASK ((UINT64_C(1) << 46) - 1)

static inline double npb_random(uint64_t *x, uint64_t a)
{
    *x = *x * a & NPB_MASK;
    return (double)(int64_t)*x * (1.0 / 70368744177664.0);
}

/* a^n mod 2^46: the multiplier that goes n numbers on at once. */
static inline uint64_t npb_power(uint64_t a, uint64_t n)
{
    uint64_t result = 1;

    for (; n > 0; n >>= 1) {
        if (n & 1)
            result = result * a & NPB_MASK;
        a = a * a & NPB_MASK;
    }
    return result;
}

#endif
