/* The decompressor.  Nothing in the data can make it read or write outside the
 * two blocks.
 */
#include "lz.h"

#include "window.h"

size_t lz_expand(const unsigned char *from, size_t n, unsigned char *to, size_t room)
{
    const unsigned char *end = from + n;
    size_t size = 0;
    unsigned flags = 0;
    int items = 0;

    while (from < end) {
        if (items == 0) {
            flags = *from++;
            items = 8;
            continue;
        }
        items--;
        if ((flags & 1) == 0) {
            if (size == room)
                return 0;
            to[size++] = *from++;
        } else {
            if (end - from < 2)
                return 0;
            size_t length = (size_t)(from[0] >> 4) + SHORTEST;
            size_t distance = (size_t)(from[0] & 15) << 8 | from[1];
            from += 2;
            if (length == SHORTEST + 15) {
                if (from == end)
                    return 0;
                length += *from++;
            }
            if (distance == 0 || distance > size || length > room - size)
                return 0;
            for (; length > 0; length--, size++)
                to[size] = to[size - distance]; /* may overlap: a repetition */
        }
        flags >>= 1;
    }
    return size;
}
