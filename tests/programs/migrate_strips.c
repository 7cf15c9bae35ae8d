/* Loops that are strip-mined by a bound: steps known at run time only, up and down, too long for a
   strip, and of no use; and loops around inner loops that few rounds run. Signed arithmetic stays
   in range, so that gcc means the same. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint8_t marks[60001];

/* What the compiler cannot see through. */
static volatile int64_t opaque;
static int64_t hide(int64_t value) {
    opaque = value;
    return opaque;
}

static uint64_t up(int64_t from, int64_t to, int64_t step) {
    uint64_t sum = 0;
    for (int64_t i = from; i < to; i += step) sum = sum * 3 + (uint64_t)i;
    return sum;
}

static uint64_t up_to(int from, int to, int step) {
    uint64_t sum = 0;
    for (int64_t i = from; i <= to; i += step) sum = sum * 5 + (uint64_t)i;
    return sum;
}

static uint64_t down(unsigned from, unsigned to, unsigned step) {
    uint64_t sum = 0;
    for (unsigned i = from; i > to; i -= step) {
        sum = sum * 7 + i;
        if (i < step) break;
    }
    return sum;
}

static uint64_t along(const uint8_t *at, const uint8_t *end, int stride) {
    uint64_t sum = 0;
    while (at < end) {
        sum = sum * 31 + *at;
        at += stride;
    }
    return sum;
}

/* The step changes nothing: only the second exit ends the loop. */
static unsigned stuck(unsigned bound, unsigned step, unsigned most) {
    unsigned rounds = 0;
    for (unsigned i = 0; i < bound; i += step)
        if (++rounds == most) break;
    return rounds;
}

/* Steps whose strips do not fit into the type. */
static unsigned leaps(unsigned bound) {
    unsigned rounds = 0;
    for (unsigned i = 0; i < bound; i += 1u << 30) rounds = rounds * 3 + i % 7 + 1;
    for (unsigned i = bound; i > 5; i -= 1u << 29) {
        rounds += i % 11;
        if (i < 1u << 29) break;
    }
    return rounds;
}

static unsigned leaps_around(unsigned bound, unsigned most) {
    unsigned sum = 0;
    for (unsigned i = 0; i < bound; i += 1u << 25)
        for (unsigned k = 0; k < 6; k++) sum = sum * 3 + i + k;
    for (unsigned i = 0; i < bound; i += 1u << 26)
        if (i >> 26 & 1)
            for (unsigned k = i; k < i + most; k++) sum = sum * 5 + k;
    return sum;
}

static int sieve(int limit) {
    int found = 0;
    memset(marks, 0, sizeof marks);
    for (int i = 2; i <= limit; i++) {
        if (marks[i]) continue;
        found++;
        for (int64_t j = (int64_t)i * i; j <= limit; j += i) marks[j] = 1;
    }
    return found;
}

/* Short inner loops in each round, and a long one in some, left in the middle. */
static unsigned mixed(unsigned count, unsigned rare) {
    unsigned sum = 1;
    for (unsigned i = 0; i != count; i++) {
        for (int k = 0; k < 4; k++) sum = sum * 33 + i;
        if (sum % rare == 0) {
            for (unsigned j = i; j < count; j++) {
                sum += j * j;
                if (sum % 1000 == 3) break;
            }
            if (sum % 5000 == 17) return sum;
        }
    }
    return sum;
}

int main(void) {
    static const int64_t steps[] = {1, 2, 3, 17, 1000, 1 << 20, INT64_C(1) << 40};
    for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++) {
        int64_t s = hide(steps[i]);
        printf("%llu ", (unsigned long long)up(-9000, 9000, s));
        printf("%llu\n", (unsigned long long)up(INT64_MIN + 7, INT64_MIN + 5007, s));
    }
    for (int s = 1; s < 6; s += 2) {
        printf("%llu ", (unsigned long long)up_to(-5, INT32_MAX, (int)hide(1 << (20 + s))));
        printf("%llu ", (unsigned long long)up_to(100, 8000, (int)hide(s)));
        printf("%llu\n", (unsigned long long)down(20000, 3, (unsigned)hide(s)));
    }
    for (int i = 0; i < 60001; i++) marks[i] = (uint8_t)(i * 37 >> 3);
    for (int stride = 1; stride < 5000; stride = stride * 5 + 1)
        printf("%llu\n", (unsigned long long)along(marks, marks + 60001, (int)hide(stride)));
    printf("%u %u\n", stuck(10, (unsigned)hide(0), 9000), stuck(10, (unsigned)hide(-1), 5000));
    printf("%u %u %u\n", leaps(0xC0000000u), leaps(0x80000001u), leaps((unsigned)hide(12)));
    printf("%u\n", leaps_around(0xF0000000u, 70));
    printf("%d %d %d\n", sieve(3000), sieve((int)hide(500)), sieve(1));
    printf("%u %u\n", mixed(30000, (unsigned)hide(997)), mixed(900, (unsigned)hide(13)));
    return 0;
}
