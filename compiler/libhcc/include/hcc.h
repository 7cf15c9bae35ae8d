/* What a program may ask of hcc beyond C.
 *
 * The same program also builds with any C compiler: with ../host on its include
 * path it finds a header of this name there, in which these calls do nothing.
 * A new call is declared in both.
 */
#ifndef _HCC_H
#define _HCC_H

#include <stddef.h>

/* Migration: here, and at the points the compiler chose itself, the program may
   be moved to another ISA.  An intrinsic of the compiler. */
void migrate_point(void);

/* Instrumentation: send the n elements of vector to an instrumentation unit
   (`hcc run --lebug`).  Flags are HCC_EOF1 and HCC_EOF2: the vector ends a frame.
   The elements are double, float, _Float16 or integers of any size; their type
   is taken from the pointer. */
enum { HCC_EOF1 = 1, HCC_EOF2 = 2 };

#define hcc_tap(unit, vector, n, flags) \
    __hcc_tap((unit), (vector), (n), ((flags) & 3) | __HCC_ELEMENT(vector) << 2)

/* The numbers are those of the unit's interface, which has no bits for others. */
#define __HCC_ELEMENT(vector) \
    _Generic(*(vector), double: 0, long double: 0, float: 1, _Float16: 2, \
        signed char: 3, char: 3, unsigned char: 4, _Bool: 4, \
        short: 5, unsigned short: 6, int: 7, unsigned: 8, \
        long: 9, long long: 9, unsigned long: 10, unsigned long long: 10)

void __hcc_tap(unsigned unit, const void *vector, size_t n, unsigned flags);

#endif
