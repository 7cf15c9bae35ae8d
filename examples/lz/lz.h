/* LZ77 compression of blocks of memory.
 *
 * The compressed form is a row of groups: a byte of eight flags, lowest first,
 * then for each flag 0 a literal byte and for each flag 1 a match of two or
 * three bytes: 4 bits of length (3 to 17; 15 says another byte follows, up to
 * 18 + 255) and 12 bits of distance.
 */
#ifndef LZ_H
#define LZ_H

#include <stddef.h>

/* The most that n bytes can become. */
#define LZ_BOUND(n) ((n) + (n) / 8 + 16)

size_t lz_compress(const unsigned char *from, size_t n, unsigned char *to);

/* The size of the original, or 0 if the data is damaged or there is no room. */
size_t lz_expand(const unsigned char *from, size_t n, unsigned char *to, size_t room);

#endif
