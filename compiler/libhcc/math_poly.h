/* Made by generate_math.py: change that, not this. */

#ifndef MATH_POLY_H
#define MATH_POLY_H

#include <hcc/abi.h>

/* (sin x / x - 1) / z, z = x^2,
   on [0.0, 0.61697]: within 9.3e-18. */
static inline __HCC_LEAF double poly_sin(double x)
{
    double s = x * x;
    double even = ((-7.586685070091267e-13 * s - 2.5052106231157904e-08) * s -
        0.0001984126984126506) * s - 0.16666666666666666;
    double odd = (1.605853141458901e-10 * s + 2.7557319219335453e-06) * s + 0.008333333333333331;
    return even + x * odd;
}

/* (cos x - 1 + z/2) / z^2, z = x^2,
   on [0.0, 0.61697]: within 2.3e-18. */
static inline __HCC_LEAF double poly_cos(double x)
{
    double s = x * x;
    double even = (2.0876146024689747e-09 * s + 2.4801587298763433e-05) * s +
        0.041666666666666664;
    double odd = (-1.1382614868556325e-11 * s - 2.7557317270560326e-07) * s -
        0.0013888888888887395;
    return even + x * odd;
}

/* (exp r - 1 - r - r^2/2) / r^3,
   on [-0.0027103, 0.0027103]: within 1.3e-15. */
static inline __HCC_LEAF double poly_exp(double x)
{
    return ((0.0013888890710764214 * x + 0.00833333479083362) * x + 0.0416666666666665) * x +
        0.16666666666666533;
}

/* (exp x - 1 - x - x^2/2) / x^3,
   on [-0.125, 0.125]: within 9.6e-18. */
static inline __HCC_LEAF double poly_expm1(double x)
{
    double s = x * x;
    double even = (((2.5057754773193227e-08 * s + 2.7557318562276576e-06) * s +
        0.00019841269841298562) * s + 0.008333333333333333) * s + 0.16666666666666666;
    double odd = ((2.7564659654102525e-07 * s + 2.4801586441345773e-05) * s +
        0.0013888888888926227) * s + 0.041666666666666664;
    return even + x * odd;
}

/* (log(1 + r) - r + r^2/2) / r^3,
   on [-0.0079, 0.0079]: within 8.7e-16. */
static inline __HCC_LEAF double poly_log(double x)
{
    double s = x * x;
    double even = (0.14286754512137131 * s + 0.19999999975654403) * s + 0.3333333333333342;
    double odd = (-0.12500936204776536 * s - 0.166666666447556) * s - 0.2500000000000008;
    return even + x * odd;
}

/* (log(1 + r) - r + r^2/2) / r^3,
   on [-0.0079, 0.0079]: within 1.9e-17. */
static inline __HCC_LEAF double poly_log_dd(double x)
{
    double s = x * x;
    double even = ((0.11112245920783508 * s + 0.14285714241448622) * s + 0.20000000000000553) * s
        + 0.3333333333333333;
    double odd = ((-0.10001040243180692 * s - 0.12499999959423092) * s - 0.16666666666667174) * s
        - 0.25;
    return even + x * odd;
}

/* (log(1 + r) - r + r^2/2) / r^3,
   on [-0.03125, 0.03125]: within 1.9e-17. */
static inline __HCC_LEAF double poly_log_near(double x)
{
    double s = x * x;
    double even = (((0.09109714997657062 * s + 0.11111095034565259) * s + 0.1428571429132244) * s
        + 0.19999999999999316) * s + 0.3333333333333333;
    double odd = (((-0.08350796192117321 * s - 0.09999985071518398) * s - 0.12500000005207673) *
        s - 0.1666666666666603) * s - 0.25;
    return even + x * odd;
}

/* (sinh x / x - 1) / z, z = x^2,
   on [0.0, 0.015625]: within 9.3e-18. */
static inline __HCC_LEAF double poly_sinh(double x)
{
    double s = x * x;
    double even = (2.505838220796111e-08 * s + 0.0001984126984131771) * s + 0.16666666666666666;
    double odd = 2.755731836620367e-06 * s + 0.008333333333333333;
    return even + x * odd;
}

/* (tanh x / x - 1) / z, z = x^2,
   on [0.0, 0.015625]: within 1.9e-17. */
static inline __HCC_LEAF double poly_tanh(double x)
{
    double s = x * x;
    double even = ((-0.0014239969035219852 * s - 0.008863228290024993) * s -
        0.053968253968151046) * s - 0.3333333333333333;
    double odd = (0.0035914470237015917 * s + 0.021869488496608067) * s + 0.13333333333333322;
    return even + x * odd;
}

/* (atan t / t - 1) / z, z = t^2,
   on [0.0, 1.5875e-5]: within 1.9e-17. */
static inline __HCC_LEAF double poly_atan(double x)
{
    return (-0.14285449702178157 * x + 0.19999999998424883) * x - 0.3333333333333333;
}

/* (atan x / x - 1) / z, z = x^2,
   on [0.0, 0.0039062]: within 1.9e-17. */
static inline __HCC_LEAF double poly_atan_small(double x)
{
    double s = x * x;
    double even = ((-0.06586837653125309 * s - 0.09090907953029097) * s - 0.14285714285713275) *
        s - 0.3333333333333333;
    double odd = (0.07691879960545 * s + 0.11111111109556412) * s + 0.2;
    return even + x * odd;
}

/* (asin x / x - 1) / z, z = x^2,
   on [0.0, 0.2501]: within 9.3e-18. */
static inline __HCC_LEAF double poly_asin(double x)
{
    double s = x * x;
    double even = (((((-0.019277545928584557 * s + 0.0030350071727267623) * s +
        0.00962140274734483) * s + 0.013963775787848137) * s + 0.022372157435623815) * s +
        0.04464285714255019) * s + 0.16666666666666666;
    double odd = (((((0.02963502626354855 * s + 0.019579201619744684) * s + 0.009322101501082774)
        * s + 0.011566511821890942) * s + 0.017352816768546473) * s + 0.030381944475693704) * s +
        0.07500000000000119;
    return even + x * odd;
}

/* (erf x / x - 2/sqrt(pi)) / z, z = x^2,
   on [0.0, 0.25]: within 9.7e-17. */
static inline __HCC_LEAF double poly_erf(double x)
{
    double s = x * x;
    double even = ((-1.4863710204655132e-05 * s - 0.0008548311874375727) * s -
        0.02686617064213282) * s - 0.3761263890318375;
    double odd = ((1.4910186224329937e-06 * s + 0.00012054033933386649) * s +
        0.005223977529323107) * s + 0.1128379167095156;
    return even + x * odd;
}

/* (log gamma x - (x - 1/2) log x + x - log(2 pi)/2) x, z = 1/x^2,
   on [0.0, 0.0039062]: within 4.6e-18. */
static inline __HCC_LEAF double poly_stirling(double x)
{
    double s = x * x;
    double even = (0.000841434907676478 * s + 0.0007936507930694143) * s + 0.08333333333333333;
    double odd = (-0.0018448555823211462 * s - 0.0005952374585425511) * s - 0.002777777777777583;
    return even + x * odd;
}

/* the cube root of x,
   on [1.0, 2.0]: within 1.3e-5. */
static inline __HCC_LEAF double poly_cbrt(double x)
{
    double s = x * x;
    double even = (-0.010102212336338642 * s - 0.2939541180848237) * s + 0.5092481335492415;
    double odd = 0.08307903547963541 * s + 0.7117423866025924;
    return even + x * odd;
}

#endif
