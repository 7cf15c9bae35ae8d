/* Compresses a file, expands it again, compares, and prints sizes and
 * checksums.
 *
 *     lz file [times]
 */
#include "lz.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* CRC-32 as in zip and PNG. */
static uint32_t crc32(const unsigned char *data, size_t n)
{
    static uint32_t table[256];
    uint32_t crc = 0xffffffff;

    if (table[1] == 0) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = i;
            for (int bit = 0; bit < 8; bit++)
                c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
            table[i] = c;
        }
    }
    for (size_t i = 0; i < n; i++)
        crc = crc >> 8 ^ table[(crc ^ data[i]) & 255];
    return ~crc;
}

/* The whole file in memory, or NULL. */
static unsigned char *read_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    unsigned char *data = NULL;
    long length;

    if (f == NULL)
        return NULL;
    if (fseek(f, 0, SEEK_END) == 0 && (length = ftell(f)) >= 0) {
        rewind(f);
        data = malloc((size_t)length + 1);
        *size = (size_t)length;
        if (data != NULL && fread(data, 1, *size, f) != *size) {
            free(data);
            data = NULL;
        }
    }
    fclose(f);
    return data;
}

int main(int argc, char **argv)
{
    int times = argc > 2 ? atoi(argv[2]) : 1;
    size_t size = 0;

    if (argc < 2 || times < 1) {
        fprintf(stderr, "usage: lz file [times]\n");
        return 2;
    }
    unsigned char *data = read_file(argv[1], &size);
    if (data == NULL) {
        perror(argv[1]);
        return 1;
    }
    unsigned char *packed = malloc(LZ_BOUND(size));
    unsigned char *again = malloc(size + 1);
    if (packed == NULL || again == NULL) {
        fprintf(stderr, "lz: not enough memory\n");
        return 1;
    }
    size_t packed_size = 0;
    int same = 1;
    for (int i = 0; i < times; i++) {
        packed_size = lz_compress(data, size, packed);
        same &= lz_expand(packed, packed_size, again, size) == size &&
                memcmp(data, again, size) == 0;
    }
    printf("%zu bytes, crc %08x\n", size, (unsigned)crc32(data, size));
    printf("packed to %zu bytes (%.1f %%), crc %08x\n", packed_size,
           100.0 * (double)packed_size / (double)(size > 0 ? size : 1),
           (unsigned)crc32(packed, packed_size));
    printf("%s\n", same ? "expands to the same" : "EXPANDS TO SOMETHING ELSE");
    free(data);
    free(packed);
    free(again);
    return same ? 0 : 1;
}
