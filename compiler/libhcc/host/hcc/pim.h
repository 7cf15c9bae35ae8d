/* hcc/pim.h for other C compilers: __pim functions run where they stand.
 *
 *     gcc -std=gnu99 -I compiler/libhcc/host program.c
 */
#ifndef _HCC_PIM_H
#define _HCC_PIM_H

#include <stdlib.h>

#define __pim

static inline _Float16 hcc_relu(_Float16 x)
{
    return x > 0 ? x : 0;
}

static inline int hcc_pim_present(void)
{
    return 0;
}

static inline void hcc_stats_reset(void)
{
}

static inline void hcc_stats_dump(void)
{
}

static inline void hcc_stats_exit(int status)
{
    exit(status);
}

#endif
