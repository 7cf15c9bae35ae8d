/* Reduction of an angle to the quarter turn nearest 0. */
#ifndef REDUCE_H
#define REDUCE_H

#include "dd.h"

/* x = quarters * pi/2 + angle, |angle| <= pi/4 (and a little); quarters mod 4. */
struct reduced_angle {
    struct dd angle;
    int quarters;
};

/* x finite. */
struct reduced_angle __hcc_reduce_angle(double x) __HCC_LEAF;

#endif
