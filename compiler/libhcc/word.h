/* Eight bytes at a time, for memory.c and string.c.
 *
 * An aligned word lies in one page, so reading the whole word a string ends in
 * touches no memory the string's last byte is not next to.  That is no C, but
 * true of every machine with pages, and each file that does it is compiled on
 * its own, where LLVM does not see the object's size.
 */
#ifndef WORD_H
#define WORD_H

#include <hcc/abi.h>
#include <stdint.h>

typedef uint64_t __attribute__((may_alias)) word_t;

#define WORD_MASK (sizeof(word_t) - 1)
#define WORD_ONES UINT64_C(0x0101010101010101)
#define WORD_HIGHS UINT64_C(0x8080808080808080)

/* Whether some byte of w is 0: only a byte that is 0 borrows into its top bit
   without having had it (or follows one that did, and then the answer holds). */
static inline __HCC_LEAF int word_has_zero(word_t w)
{
    return ((w - WORD_ONES) & ~w & WORD_HIGHS) != 0;
}

/* A word at any address.  x86-64 and AArch64 do it in one instruction; on RV64
   LLVM takes the bytes one by one, so what can be aligned goes another way. */
static inline __HCC_LEAF word_t word_at(const unsigned char *p)
{
    word_t w;

    __builtin_memcpy(&w, p, sizeof w);
    return w;
}

static inline __HCC_LEAF void put_word(unsigned char *p, word_t w)
{
    __builtin_memcpy(p, &w, sizeof w);
}

/* Whether two addresses are a whole number of words apart. */
static inline __HCC_LEAF int aligned_alike(const void *p, const void *q)
{
    return (((uintptr_t)p ^ (uintptr_t)q) & WORD_MASK) == 0;
}

#endif
