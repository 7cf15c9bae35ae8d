/* hcc.h for other C compilers: the program runs on this machine and stays here.
 *
 *     gcc -std=gnu99 -I compiler/libhcc/host program.c
 */
#ifndef _HCC_H
#define _HCC_H

static inline void migrate_point(void)
{
}

#endif
