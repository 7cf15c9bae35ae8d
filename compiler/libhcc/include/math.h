/* Mathematics.  Results are the same bits on every ISA: plain double arithmetic
   in a fixed order.  Errors are stated in docs/libhcc.md.  Neither errno nor
   floating-point exceptions report a domain or range error: the result does. */
#ifndef _MATH_H
#define _MATH_H

#include <hcc/abi.h>

typedef float float_t;
typedef double double_t;

#define HUGE_VAL __builtin_inf()
#define HUGE_VALF ((float)__builtin_inf())
#define HUGE_VALL __builtin_inf()
#define INFINITY ((float)__builtin_inf())
#define NAN ((float)__builtin_nan(""))

#define MATH_ERRNO 1
#define MATH_ERREXCEPT 2
#define math_errhandling 0

#define M_E 2.7182818284590452354
#define M_LOG2E 1.4426950408889634074
#define M_LOG10E 0.43429448190325182765
#define M_LN2 0.69314718055994530942
#define M_LN10 2.30258509299404568402
#define M_PI 3.14159265358979323846
#define M_PI_2 1.57079632679489661923
#define M_PI_4 0.78539816339744830962
#define M_1_PI 0.31830988618379067154
#define M_2_PI 0.63661977236758134308
#define M_2_SQRTPI 1.12837916709551257390
#define M_SQRT2 1.41421356237309504880
#define M_SQRT1_2 0.70710678118654752440

#define FP_NAN 0
#define FP_INFINITE 1
#define FP_ZERO 2
#define FP_SUBNORMAL 3
#define FP_NORMAL 4
#define FP_ILOGB0 (-2147483647 - 1)
#define FP_ILOGBNAN (-2147483647 - 1)

/* A float converts to double without losing its class, except that a subnormal
   becomes normal: only those two ask for the type. */
static inline __HCC_LEAF int __hcc_is_infinite(double x)
{
    if (__builtin_fabs(x) != __builtin_inf())
        return 0;
    return x > 0.0 ? 1 : -1;
}
int __hcc_classify(double x) __HCC_LEAF;
int __hcc_classifyf(float x) __HCC_LEAF;

#define isnan(x) (__builtin_isnan((double)(x)) != 0)
#define isinf(x) __hcc_is_infinite((double)(x))
#define isfinite(x) (__builtin_fabs((double)(x)) < __builtin_inf())
#define signbit(x) (__builtin_signbit((double)(x)) != 0)
#define fpclassify(x) \
    (sizeof(x) == sizeof(float) ? __hcc_classifyf((float)(x)) : __hcc_classify((double)(x)))
#define isnormal(x) (fpclassify(x) == FP_NORMAL)
#define isunordered(x, y) (isnan(x) || isnan(y))
#define isgreater(x, y) ((x) > (y))
#define isgreaterequal(x, y) ((x) >= (y))
#define isless(x, y) ((x) < (y))
#define islessequal(x, y) ((x) <= (y))
#define islessgreater(x, y) ((x) < (y) || (x) > (y))

/* Powers and logarithms (math_exp.c, math_log.c, math_pow.c) */
double exp(double x) __HCC_LEAF;
double exp2(double x) __HCC_LEAF;
double expm1(double x) __HCC_LEAF;
double log(double x) __HCC_LEAF;
double log2(double x) __HCC_LEAF;
double log10(double x) __HCC_LEAF;
double log1p(double x) __HCC_LEAF;
double pow(double x, double y) __HCC_LEAF;

/* Powers and logarithms (math_exp.c, math_log.c, math_pow.c), in single precision */
float expf(float x) __HCC_LEAF;
float exp2f(float x) __HCC_LEAF;
float expm1f(float x) __HCC_LEAF;
float logf(float x) __HCC_LEAF;
float log2f(float x) __HCC_LEAF;
float log10f(float x) __HCC_LEAF;
float log1pf(float x) __HCC_LEAF;
float powf(float x, float y) __HCC_LEAF;

/* Angles (math_trig.c, math_atan.c) */
double sin(double x) __HCC_LEAF;
double cos(double x) __HCC_LEAF;
double tan(double x) __HCC_LEAF;
double asin(double x) __HCC_LEAF;
double acos(double x) __HCC_LEAF;
double atan(double x) __HCC_LEAF;
double atan2(double x, double y) __HCC_LEAF;
void sincos(double x, double *sine, double *cosine) __HCC_LEAF;

/* Angles (math_trig.c, math_atan.c), in single precision */
float sinf(float x) __HCC_LEAF;
float cosf(float x) __HCC_LEAF;
float tanf(float x) __HCC_LEAF;
float asinf(float x) __HCC_LEAF;
float acosf(float x) __HCC_LEAF;
float atanf(float x) __HCC_LEAF;
float atan2f(float x, float y) __HCC_LEAF;
void sincosf(float x, float *sine, float *cosine) __HCC_LEAF;

/* Hyperbolas (math_hyper.c) */
double sinh(double x) __HCC_LEAF;
double cosh(double x) __HCC_LEAF;
double tanh(double x) __HCC_LEAF;
double asinh(double x) __HCC_LEAF;
double acosh(double x) __HCC_LEAF;
double atanh(double x) __HCC_LEAF;

/* Hyperbolas (math_hyper.c), in single precision */
float sinhf(float x) __HCC_LEAF;
float coshf(float x) __HCC_LEAF;
float tanhf(float x) __HCC_LEAF;
float asinhf(float x) __HCC_LEAF;
float acoshf(float x) __HCC_LEAF;
float atanhf(float x) __HCC_LEAF;

/* Roots (math_root.c) */
double sqrt(double x) __HCC_LEAF;
double cbrt(double x) __HCC_LEAF;
double hypot(double x, double y) __HCC_LEAF;

/* Roots (math_root.c), in single precision */
float sqrtf(float x) __HCC_LEAF;
float cbrtf(float x) __HCC_LEAF;
float hypotf(float x, float y) __HCC_LEAF;

/* Error function and gamma (math_erf.c, math_gamma.c) */
double erf(double x) __HCC_LEAF;
double erfc(double x) __HCC_LEAF;
double tgamma(double x) __HCC_LEAF;
double lgamma(double x) __HCC_LEAF;
extern int signgam; /* the sign of gamma, by lgamma */

/* Error function and gamma (math_erf.c, math_gamma.c), in single precision */
float erff(float x) __HCC_LEAF;
float erfcf(float x) __HCC_LEAF;
float tgammaf(float x) __HCC_LEAF;
float lgammaf(float x) __HCC_LEAF;

/* Rounding and remainders (math_round.c, math_rem.c) */
double floor(double x) __HCC_LEAF;
double ceil(double x) __HCC_LEAF;
double trunc(double x) __HCC_LEAF;
double round(double x) __HCC_LEAF;
double rint(double x) __HCC_LEAF;
double nearbyint(double x) __HCC_LEAF;
double fmod(double x, double y) __HCC_LEAF;
double remainder(double x, double y) __HCC_LEAF;
double drem(double x, double y) __HCC_LEAF;
long lrint(double x) __HCC_LEAF;
long lround(double x) __HCC_LEAF;
long long llrint(double x) __HCC_LEAF;
long long llround(double x) __HCC_LEAF;
double remquo(double x, double y, int *quotient) __HCC_LEAF;

/* Rounding and remainders (math_round.c, math_rem.c), in single precision */
float floorf(float x) __HCC_LEAF;
float ceilf(float x) __HCC_LEAF;
float truncf(float x) __HCC_LEAF;
float roundf(float x) __HCC_LEAF;
float rintf(float x) __HCC_LEAF;
float nearbyintf(float x) __HCC_LEAF;
float fmodf(float x, float y) __HCC_LEAF;
float remainderf(float x, float y) __HCC_LEAF;
float dremf(float x, float y) __HCC_LEAF;
long lrintf(float x) __HCC_LEAF;
long lroundf(float x) __HCC_LEAF;
long long llrintf(float x) __HCC_LEAF;
long long llroundf(float x) __HCC_LEAF;
float remquof(float x, float y, int *quotient) __HCC_LEAF;

/* Magnitudes and representation (math_bits.c, math_fma.c) */
double fabs(double x) __HCC_LEAF;
double copysign(double x, double y) __HCC_LEAF;
double fmin(double x, double y) __HCC_LEAF;
double fmax(double x, double y) __HCC_LEAF;
double fdim(double x, double y) __HCC_LEAF;
double nextafter(double x, double y) __HCC_LEAF;
double nexttoward(double x, long double y) __HCC_LEAF;
double logb(double x) __HCC_LEAF;
double significand(double x) __HCC_LEAF;
double frexp(double x, int *exponent) __HCC_LEAF;
double ldexp(double x, int n) __HCC_LEAF;
double scalbn(double x, int n) __HCC_LEAF;
double scalbln(double x, long n) __HCC_LEAF;
double modf(double x, double *whole) __HCC_LEAF;
double fma(double x, double y, double z) __HCC_LEAF;
int ilogb(double x) __HCC_LEAF;
double nan(const char *tag) __HCC_LEAF;

/* Magnitudes and representation (math_bits.c, math_fma.c), in single precision */
float fabsf(float x) __HCC_LEAF;
float copysignf(float x, float y) __HCC_LEAF;
float fminf(float x, float y) __HCC_LEAF;
float fmaxf(float x, float y) __HCC_LEAF;
float fdimf(float x, float y) __HCC_LEAF;
float nextafterf(float x, float y) __HCC_LEAF;
float nexttowardf(float x, long double y) __HCC_LEAF;
float logbf(float x) __HCC_LEAF;
float significandf(float x) __HCC_LEAF;
float frexpf(float x, int *exponent) __HCC_LEAF;
float ldexpf(float x, int n) __HCC_LEAF;
float scalbnf(float x, int n) __HCC_LEAF;
float scalblnf(float x, long n) __HCC_LEAF;
float modff(float x, float *whole) __HCC_LEAF;
float fmaf(float x, float y, float z) __HCC_LEAF;
int ilogbf(float x) __HCC_LEAF;
float nanf(const char *tag) __HCC_LEAF;

/* One instruction each: called only by address. */
#define sqrt(x) __builtin_sqrt(x)
#define sqrtf(x) __builtin_sqrtf(x)
#define fabs(x) __builtin_fabs(x)
#define fabsf(x) __builtin_fabsf(x)
#define copysign(x, y) __builtin_copysign(x, y)

/* long double is double. */
#define expl exp
#define exp2l exp2
#define expm1l expm1
#define logl log
#define log2l log2
#define log10l log10
#define log1pl log1p
#define powl pow
#define sinl sin
#define cosl cos
#define tanl tan
#define asinl asin
#define acosl acos
#define atanl atan
#define atan2l atan2
#define sinhl sinh
#define coshl cosh
#define tanhl tanh
#define asinhl asinh
#define acoshl acosh
#define atanhl atanh
#define sqrtl sqrt
#define cbrtl cbrt
#define hypotl hypot
#define erfl erf
#define erfcl erfc
#define tgammal tgamma
#define lgammal lgamma
#define floorl floor
#define ceill ceil
#define truncl trunc
#define roundl round
#define rintl rint
#define nearbyintl nearbyint
#define fmodl fmod
#define remainderl remainder
#define fabsl fabs
#define copysignl copysign
#define fminl fmin
#define fmaxl fmax
#define fdiml fdim
#define nextafterl nextafter
#define logbl logb
#define lrintl lrint
#define lroundl lround
#define llrintl llrint
#define llroundl llround
#define remquol remquo
#define frexpl frexp
#define ldexpl ldexp
#define scalbnl scalbn
#define scalblnl scalbln
#define modfl modf
#define fmal fma
#define ilogbl ilogb
#define nanl nan
#define sincosl sincos
#define nexttowardl nextafter

#endif
