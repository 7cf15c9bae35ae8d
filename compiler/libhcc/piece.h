/* Functions tabulated around centres: the value to twice the precision, and a
 * polynomial in the distance from the centre.
 */
#ifndef PIECE_H
#define PIECE_H

#include "dd.h"
#include "math_tables.h"

/* The function at distance u from the piece's centre. */
static inline __HCC_LEAF struct dd piece_value(const struct piece *p, double u)
{
    double rest = p->c[PIECE_COEFFICIENTS - 1];

    for (int i = PIECE_COEFFICIENTS - 2; i >= 0; i--)
        rest = rest * u + p->c[i];
    struct dd slope = two_product(p->slope_hi, u);
    struct dd sum = two_sum(p->hi, slope.hi);

    return quick_two_sum(sum.hi,
                         sum.lo + (p->lo + (slope.lo + p->slope_lo * u) + u * u * rest));
}

#endif
