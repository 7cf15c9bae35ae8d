/* hcc.h for other C compilers: the program runs on this machine and stays here.
 *
 *     gcc -std=gnu99 -I compiler/libhcc/host program.c
 */
#ifndef _HCC_H
#define _HCC_H

#include <errno.h>
#include <stddef.h>

static inline void migrate_point(void)
{
}

enum { HCC_EOF1 = 1, HCC_EOF2 = 2 };

static inline void hcc_tap(unsigned unit, const void *vector, size_t n, unsigned flags)
{
    (void)unit, (void)vector, (void)n, (void)flags;
}

static inline int hcc_node(void)
{
    return 0;
}

static inline int hcc_nodes(void)
{
    return 1;
}

static inline long hcc_send(int node, const void *from, size_t n)
{
    (void)node, (void)from, (void)n;
    errno = ENOTCONN;
    return -1;
}

static inline long hcc_recv(int *node, void *to, size_t n)
{
    (void)node, (void)to, (void)n;
    errno = ENOTCONN;
    return -1;
}

#endif
