/* What a program may ask of hcc beyond C.
 *
 * The same program also builds with any C compiler: with ../host on its include
 * path it finds a header of this name there, in which these calls do nothing.
 * A new call is declared in both.
 */
#ifndef _HCC_H
#define _HCC_H

#include <hcc/abi.h>
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

/* Messages between the nodes of one launch (the jobs of `hcc workload launch`).
   Messages of one node to another arrive in the order they were sent; sending
   does not wait.  hcc_recv waits for the next message from anyone, says by *node
   (if not null) who sent it, and returns its whole length even if only n bytes
   of it were kept.  -1 and errno on failure: EHOSTUNREACH, no such node; EMSGSIZE,
   more than 16 MiB; EPIPE, nobody is left who could send; ENOTCONN, no network. */
int hcc_node(void) __HCC_LEAF;  /* this program's number, from 0; 0 without a network */
int hcc_nodes(void) __HCC_LEAF; /* how many there are */
long hcc_send(int node, const void *from, size_t n) __HCC_LEAF;
long hcc_recv(int *node, void *to, size_t n) __HCC_LEAF;

#endif
