/* Made by generate_math.py: change that, not this. */

#ifndef MATH_TABLES_H
#define MATH_TABLES_H

#include <stdint.h>

#define EXP_STEPS_PER_ONE 184.6649652337873
#define EXP_STEP_HI 0.0054152123482253955
#define EXP_STEP_LO (-1.0082281460997769e-13)
#define LN2_HI 0.6931471805598903
#define LN2_LO 5.497923018708371e-14
#define INV_LN2_H 1.4426950408889634
#define INV_LN2_L 2.0355273740931033e-17
#define INV_LN10_H 0.4342944819032518
#define INV_LN10_L 1.098319650216765e-17
#define LOG10_2_H 0.3010299956639812
#define LOG10_2_L (-2.8037281277851704e-18)
#define PI_H 3.141592653589793
#define PI_L 1.2246467991473532e-16
#define HALF_PI_H 1.5707963267948966
#define HALF_PI_L 6.123233995736766e-17
#define LN2_DD_H 0.6931471805599453
#define LN2_DD_L 2.3190468138462996e-17
#define TWO_OVER_SQRT_PI_H 1.1283791670955126
#define TWO_OVER_SQRT_PI_L 1.533545961316588e-17
#define HALF_LN_TWO_PI_H 0.9189385332046728
#define HALF_LN_TWO_PI_L (-3.8782941580672414e-17)
#define HALF_PI_1 1.5707963267341256
#define HALF_PI_2 6.077100506303966e-11
#define HALF_PI_3 2.0222662487111665e-21
#define HALF_PI_4 8.4784276603689e-32
#define TWO_OVER_PI 0.6366197723675814

/* 2^(i/N) as hi + lo. */
#define EXP_BITS 7
#define EXP_STEPS 128
struct exp_entry {
    double hi;
    double lo;
};
extern const struct exp_entry __hcc_exp_table[EXP_STEPS];

/* For z in [0.6875, 1.375), by the leading bits of its representation above
   LOG_OFFSET: 1/c to 10 bits, with c near z, and log(c) as hi + lo. */
#define LOG_BITS 7
#define LOG_STEPS 128
#define LOG_OFFSET UINT64_C(0x3fe6000000000000)
struct log_entry {
    double inverse;
    double hi;
    double lo;
};
extern const struct log_entry __hcc_log_table[LOG_STEPS];

/* atan(i/N) as hi + lo. */
#define ATAN_STEPS 128
struct atan_entry {
    double hi;
    double lo;
};
extern const struct atan_entry __hcc_atan_table[ATAN_STEPS + 1];

/* A function around a centre c: value + u (slope + u (c[0] + u (...))), u = x - c. */
#define PIECE_COEFFICIENTS 9
struct piece {
    double hi;
    double lo;
    double slope_hi;
    double slope_lo;
    double c[PIECE_COEFFICIENTS];
};

/* exp(x^2) erfc(x) in eighths of octaves from 2^ERFCX_FIRST on. */
#define ERFCX_FIRST (-1)
#define ERFCX_OCTAVES 6
#define ERFCX_BITS 3
extern const struct piece __hcc_erfcx_pieces[ERFCX_OCTAVES << ERFCX_BITS];

/* gamma(1 + f) for f in [0, 1): piece i about (i + 1/2)/GAMMA_PIECES. */
#define GAMMA_PIECES 16
extern const struct piece __hcc_gamma_pieces[GAMMA_PIECES];

/* log gamma(x): piece i about (i + LGAMMA_FIRST)/16. */
#define LGAMMA_FIRST 8
#define LGAMMA_PIECES 41
extern const struct piece __hcc_lgamma_pieces[LGAMMA_PIECES];

/* The bits of 2/pi behind the point, most significant word first. */
#define TWO_OVER_PI_WORDS 40
extern const uint32_t __hcc_two_over_pi[TWO_OVER_PI_WORDS];

#endif
