/* Half precision: what the compiler calls where an ISA has no instruction.
 *
 *     sign 1 | exponent 5, bias 15 | fraction 10
 *
 * Both roundings are to nearest, ties to even, in integer arithmetic; a NaN
 * stays one, quiet, with the top bits of its payload.
 */
#include <hcc/abi.h>
#include <stdint.h>

#include "number.h"

#define HALF_INFINITY 0x7c00U
#define HALF_QUIET 0x0200U
#define HALF_FRACTION 0x03ffU
#define HALF_FRACTION_BITS 10
#define HALF_BIAS 15

float __hcc_f16_to_f32(uint16_t half) __HCC_LEAF;
uint16_t __hcc_f32_to_f16(float x) __HCC_LEAF;
uint16_t __hcc_f64_to_f16(double x) __HCC_LEAF;

float __hcc_f16_to_f32(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000U) << 16;
    uint32_t rest = half & 0x7fffU;

    if (rest >= HALF_INFINITY) {
        uint32_t quiet = rest > HALF_INFINITY ? HALF_QUIET : 0;
        return float_of_bits(sign | 0x7f800000U | (rest & HALF_FRACTION) << 13 | quiet << 13);
    }
    if (rest < 1U << HALF_FRACTION_BITS) { /* zero or subnormal: rest * 2^-24, exactly */
        float magnitude = (float)rest * 5.9604644775390625e-08F;
        return float_of_bits(sign | bits_of_float(magnitude));
    }
    return float_of_bits(sign | ((rest << 13) + ((127 - HALF_BIAS) << 23)));
}

/* Every float is a double, so one rounding serves both. */
uint16_t __hcc_f32_to_f16(float x)
{
    return __hcc_f64_to_f16((double)x);
}

uint16_t __hcc_f64_to_f16(double x)
{
    uint64_t bits = bits_of_double(x);
    unsigned sign = (unsigned)(bits >> 48) & 0x8000U;
    int exponent = (int)(bits >> DOUBLE_FRACTION_BITS & DOUBLE_EXPONENT);
    uint64_t m = bits & DOUBLE_FRACTION;

    if (exponent == DOUBLE_EXPONENT && m != 0)
        return (uint16_t)(sign | HALF_INFINITY | HALF_QUIET | (unsigned)(m >> 42));
    exponent += HALF_BIAS - DOUBLE_BIAS;
    if (exponent > 30)
        return (uint16_t)(sign | HALF_INFINITY);
    if (exponent < -HALF_FRACTION_BITS) /* less than half the least subnormal */
        return (uint16_t)sign;

    /* m * 2^-dropped is the fraction in units of its last place.  For a normal
       number the hidden bit adds 1 to the exponent field, as does a carry out
       of the rounding. */
    int dropped = DOUBLE_FRACTION_BITS - HALF_FRACTION_BITS;
    unsigned field = 0;
    m |= DOUBLE_HIDDEN;
    if (exponent > 0)
        field = (unsigned)(exponent - 1) << HALF_FRACTION_BITS;
    else
        dropped += 1 - exponent;
    uint64_t half = UINT64_C(1) << (dropped - 1);
    uint64_t kept = m >> dropped;
    uint64_t rest = m & (2 * half - 1);
    kept += rest > half || (rest == half && (kept & 1) != 0);
    return (uint16_t)(sign + field + (unsigned)kept);
}
