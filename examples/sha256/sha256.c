/* SHA-256 (FIPS 180-4) of files, as sha256sum prints it.
 *
 *     sha256 [-n times] file...
 *
 * With -n each file is read that many times over, as if it were so much longer.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK 64
#define CHUNK 8192

struct sha256 {
    uint32_t state[8];
    uint64_t length; /* in bytes, so far */
    unsigned char block[BLOCK];
};

/* The first 32 bits of the fractions of the cube roots of the first 64 primes. */
static const uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static void compress(uint32_t state[8], const unsigned char block[BLOCK])
{
    uint32_t w[64];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];

    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
               (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    for (int i = 0; i < 64; i++) {
        uint32_t s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
        uint32_t choice = (e & f) ^ (~e & g);
        uint32_t t1 = h + s1 + choice + round_constants[i] + w[i];
        uint32_t s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
        uint32_t majority = (a & b) ^ (a & c) ^ (b & c);
        h = g;
        g = f;
        f = e;
        e = d + t1;
        d = c;
        c = b;
        b = a;
        a = t1 + s0 + majority;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
}

static void start(struct sha256 *s)
{
    /* ... and of the square roots of the first eight. */
    static const uint32_t initial[8] = {
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    };

    memcpy(s->state, initial, sizeof initial);
    s->length = 0;
}

static void update(struct sha256 *s, const unsigned char *data, size_t n)
{
    while (n > 0) {
        size_t filled = s->length % BLOCK;
        size_t part = BLOCK - filled < n ? BLOCK - filled : n;
        memcpy(s->block + filled, data, part);
        s->length += part;
        data += part;
        n -= part;
        if (filled + part == BLOCK)
            compress(s->state, s->block);
    }
}

static void finish(struct sha256 *s, unsigned char digest[32])
{
    static const unsigned char padding[BLOCK] = {0x80};
    uint64_t bits = 8 * s->length;
    unsigned char length[8];

    update(s, padding, 1 + (2 * BLOCK - 9 - s->length % BLOCK) % BLOCK);
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)(bits >> (56 - 8 * i));
    update(s, length, sizeof length);
    for (int i = 0; i < 32; i++)
        digest[i] = (unsigned char)(s->state[i / 4] >> (24 - 8 * (i % 4)));
}

/* False if the file cannot be read. */
static int hash_file(const char *path, int times, unsigned char digest[32])
{
    static unsigned char chunk[CHUNK];
    struct sha256 s;
    int fd = open(path, O_RDONLY);

    if (fd < 0)
        return 0;
    start(&s);
    for (int i = 0; i < times; i++) {
        ssize_t n;
        if (lseek(fd, 0, SEEK_SET) < 0)
            return 0;
        while ((n = read(fd, chunk, CHUNK)) > 0)
            update(&s, chunk, (size_t)n);
        if (n < 0)
            return 0;
    }
    finish(&s, digest);
    return close(fd) == 0;
}

int main(int argc, char **argv)
{
    int times = 1;
    int first = 1;

    if (argc > 2 && strcmp(argv[1], "-n") == 0) {
        times = atoi(argv[2]);
        first = 3;
    }
    if (first >= argc || times < 1) {
        fprintf(stderr, "usage: sha256 [-n times] file...\n");
        return 2;
    }
    for (int i = first; i < argc; i++) {
        unsigned char digest[32];
        if (!hash_file(argv[i], times, digest)) {
            perror(argv[i]);
            return 1;
        }
        for (int k = 0; k < 32; k++)
            printf("%02x", digest[k]);
        printf("  %s\n", argv[i]);
    }
    return 0;
}
