/* The 48-bit linear congruential generators of POSIX: x = (a x + c) mod 2^48. */
#include <hcc/abi.h>
#include <stdint.h>
#include <stdlib.h>

#define MASK48 ((UINT64_C(1) << 48) - 1)
#define DEFAULT_A UINT64_C(0x5deece66d)
#define DEFAULT_C 0xb

static uint64_t current; /* x of the calls without a state of their own */
static uint64_t a = DEFAULT_A;
static uint64_t c = DEFAULT_C;

static __HCC_LEAF uint64_t unpack(const unsigned short words[3])
{
    return (uint64_t)words[2] << 32 | (uint64_t)words[1] << 16 | words[0];
}

static __HCC_LEAF void pack(unsigned short words[3], uint64_t x)
{
    words[0] = (unsigned short)x;
    words[1] = (unsigned short)(x >> 16);
    words[2] = (unsigned short)(x >> 32);
}

static __HCC_LEAF uint64_t advance(uint64_t x)
{
    return (a * x + c) & MASK48;
}

static __HCC_LEAF uint64_t next_of(unsigned short words[3])
{
    uint64_t x = advance(unpack(words));

    pack(words, x);
    return x;
}

static __HCC_LEAF uint64_t next(void)
{
    current = advance(current);
    return current;
}

/* x / 2^48: 48 bits fit a double, so both steps are exact. */
static __HCC_LEAF double to_double(uint64_t x)
{
    return (double)x * (1.0 / 281474976710656.0);
}

double drand48(void)
{
    return to_double(next());
}

double erand48(unsigned short words[3])
{
    return to_double(next_of(words));
}

long lrand48(void)
{
    return (long)(next() >> 17);
}

long nrand48(unsigned short words[3])
{
    return (long)(next_of(words) >> 17);
}

long mrand48(void)
{
    return (int32_t)(uint32_t)(next() >> 16);
}

long jrand48(unsigned short words[3])
{
    return (int32_t)(uint32_t)(next_of(words) >> 16);
}

void srand48(long seed)
{
    current = ((uint64_t)seed << 16 & MASK48) | 0x330e;
    a = DEFAULT_A;
    c = DEFAULT_C;
}

unsigned short *seed48(unsigned short words[3])
{
    static unsigned short before[3];

    pack(before, current);
    current = unpack(words);
    a = DEFAULT_A;
    c = DEFAULT_C;
    return before;
}

void lcong48(unsigned short parameters[7])
{
    current = unpack(parameters);
    a = unpack(parameters + 3);
    c = parameters[6];
}
