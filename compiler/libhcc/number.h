/* Bits of floating-point numbers, and exact conversion to and from decimal. */
#ifndef NUMBER_H
#define NUMBER_H

#include <hcc/abi.h>
#include <stdint.h>

#define DOUBLE_SIGN UINT64_C(0x8000000000000000)
#define DOUBLE_EXPONENT 0x7ff
#define DOUBLE_FRACTION_BITS 52
#define DOUBLE_FRACTION UINT64_C(0x000fffffffffffff)
#define DOUBLE_HIDDEN UINT64_C(0x0010000000000000)
#define DOUBLE_BIAS 1023

static inline __HCC_LEAF uint64_t bits_of_double(double x)
{
    union {
        double value;
        uint64_t bits;
    } pun;

    pun.value = x;
    return pun.bits;
}

static inline __HCC_LEAF double double_of_bits(uint64_t bits)
{
    union {
        double value;
        uint64_t bits;
    } pun;

    pun.bits = bits;
    return pun.value;
}

static inline __HCC_LEAF uint32_t bits_of_float(float x)
{
    union {
        float value;
        uint32_t bits;
    } pun;

    pun.value = x;
    return pun.bits;
}

static inline __HCC_LEAF float float_of_bits(uint32_t bits)
{
    union {
        float value;
        uint32_t bits;
    } pun;

    pun.bits = bits;
    return pun.value;
}

/* Numbers between binary and decimal are carried as digits of base 10^9. */
#define LIMB_DIGITS 9
#define LIMB_BASE UINT32_C(1000000000)

/* A decimal 0.d1 d2 d3 ... x 10^point, without trailing zeros; zero has no
   digits and point 1, as if written 0.  No double has more than 767. */
#define DECIMAL_DIGITS 800
struct decimal {
    int count;
    int point;
    char digits[DECIMAL_DIGITS];
};

/* The decimal value of a finite x >= 0, correctly rounded (ties to even) to
   `digits` significant digits, or to `digits` digits after the point. */
void __hcc_decimal_significant(struct decimal *out, double x, long digits) __HCC_LEAF;
void __hcc_decimal_fixed(struct decimal *out, double x, long digits) __HCC_LEAF;

#endif
