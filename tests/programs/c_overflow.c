/* GNU's arithmetic that tells whether its result fits, over all integer types and their ends. */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>

static uint64_t hash;
static unsigned lost;

static void note(int overflow, uint64_t result)
{
    lost += overflow;
    hash = (hash ^ result ^ (uint64_t)overflow << 63) * 0x100000001B3;
}

static const uint64_t ends[] = {
    0, 3, 0x7FFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFF80,
    0xB504F333,
};
#define COUNT (int)(sizeof ends / sizeof *ends)

#define CASE(A, B, R) do { \
    R r; \
    int over = __builtin_add_overflow((A)ends[i], (B)ends[j], &r); \
    note(over, (uint64_t)r); \
    over = __builtin_sub_overflow((A)ends[i], (B)ends[j], &r); \
    note(over, (uint64_t)r); \
    over = __builtin_mul_overflow((A)ends[i], (B)ends[j], &r); \
    note(over, (uint64_t)r); \
} while (0)
#define RESULTS(A, B) \
    CASE(A, B, int16_t); CASE(A, B, unsigned); CASE(A, B, int64_t); CASE(A, B, uint64_t)
#define PAIRS(A) \
    for (int i = 0; i < COUNT; i++) \
        for (int j = 0; j < COUNT; j++) { \
            RESULTS(A, uint8_t); RESULTS(A, int); RESULTS(A, int64_t); RESULTS(A, uint64_t); \
        } \
    printf("%s %u %016llx\n", #A, lost, (unsigned long long)hash)

static size_t area(size_t width, size_t height)
{
    size_t size;
    return __builtin_mul_overflow(width, height, &size) ? 0 : size;
}

int main(void)
{
    PAIRS(int8_t);
    PAIRS(unsigned);
    PAIRS(int64_t);
    int sum = 7;
    printf("%d ", __builtin_add_overflow(INT_MAX, 1, &sum));
    printf("%d %zu %zu\n", sum, area(3, 4), area(SIZE_MAX, 2));
    return 0;
}
