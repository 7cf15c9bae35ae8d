/* hcc.h for other C compilers: the program runs on this machine and stays here.
 *
 *     gcc -std=gnu99 -I compiler/libhcc/host program.c
 */
#ifndef _HCC_H
#define _HCC_H

#include <stddef.h>

static inline void migrate_point(void)
{
}

enum { HCC_EOF1 = 1, HCC_EOF2 = 2 };

static inline void hcc_tap(unsigned unit, const void *vector, size_t n, unsigned flags)
{
    (void)unit, (void)vector, (void)n, (void)flags;
}

#endif
