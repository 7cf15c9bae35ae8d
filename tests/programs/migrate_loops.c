/* Loops that are strip-mined: every counting form, at its limits, still runs the right rounds. */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>

static uint32_t data[40000];

static uint32_t upward(int n, int step)
{
    uint32_t s = 0;
    for (int i = 0; i < n; i += step)
        s = s * 3 + data[i] + (uint32_t)i;
    return s;
}

static uint32_t downward(int n)
{
    uint32_t s = 0;
    for (int i = n - 1; i >= 0; i--)
        s = s * 5 + data[i];
    return s;
}

static uint32_t unsigned_down(unsigned n)
{
    uint32_t s = 0;
    for (unsigned i = n; i-- > 0;)
        s = s * 7 + data[i];
    return s;
}

static uint32_t not_equal(const uint32_t *p, const uint32_t *end)
{
    uint32_t s = 0;
    for (; p != end; ++p)
        s += *p ^ (s << 1);
    return s;
}

static uint32_t pointers(const uint32_t *p, const uint32_t *end)
{
    uint32_t s = 0;
    while (p < end)
        s += 3 * *p++;
    return s;
}

static uint32_t at_least_once(long n)
{
    uint32_t s = 0;
    long i = 0;
    do {
        s += data[i] * 3u;
        i++;
    } while (i < n);
    return s;
}

static long find(uint32_t wanted, long n)
{
    for (long i = 0; i < n; i++)
        if (data[i] == wanted)
            return i;
    return -1;
}

static uint32_t inclusive(int64_t low, int64_t high)
{
    uint32_t rounds = 0;
    for (int64_t i = low; i <= high; i++)
        rounds++;
    return rounds;
}

static uint32_t near_the_top(void)
{
    uint32_t rounds = 0;
    for (int i = INT_MAX - 30000; i < INT_MAX - 3; i += 3)
        rounds++;
    for (unsigned i = UINT_MAX - 20000; i < UINT_MAX - 1; i++)
        rounds++;
    for (uint8_t i = 0; i < 255; i++)
        rounds++;
    return rounds;
}

int main(void)
{
    for (int i = 0; i < 40000; i++)
        data[i] = (uint32_t)i * 2654435761u >> 7;
    printf("%u %u %u\n", upward(40000, 1), upward(40000, 7), upward(0, 1));
    printf("%u %u %u\n", downward(40000), downward(1), downward(0));
    printf("%u %u\n", unsigned_down(40000), unsigned_down(0));
    printf("%u %u\n", not_equal(data, data + 40000), pointers(data, data + 39999));
    printf("%u %u\n", at_least_once(33333), at_least_once(-5));
    printf("%ld %ld\n", find(data[31234], 40000), find(1, 100));
    printf("%u %u\n", inclusive(-20000, 15000), inclusive(5, 4));
    printf("%u\n", near_the_top());
    return 0;
}
