/* Bytes: CRC-32 (ISO 3309) of a buffer by a table of 256 words. Argument: rounds. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define SIZE 1000000

static uint32_t table[256];
static uint8_t buffer[SIZE];

static void make_table(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t word = i;
        for (int bit = 0; bit < 8; bit++) word = word & 1 ? word >> 1 ^ 0xEDB88320u : word >> 1;
        table[i] = word;
    }
}

static uint32_t crc32(uint32_t crc, const uint8_t *bytes, int size) {
    crc = ~crc;
    for (int i = 0; i < size; i++) crc = table[(crc ^ bytes[i]) & 255] ^ crc >> 8;
    return ~crc;
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    uint32_t crc = 0;
    make_table();
    for (int i = 0; i < SIZE; i++) buffer[i] = (uint8_t)(i * 7 + (i >> 8));
    for (int r = 0; r < rounds; r++) crc = crc32(crc, buffer, SIZE);
    printf("%08x\n", crc);
    return 0;
}
