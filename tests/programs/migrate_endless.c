/* Loops that count, but by steps that do not lead to their bound: other exits end them. The
   arguments are those of `rounds` below; given none, each goes on for a few rounds. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static volatile int64_t opaque;
static int64_t hide(int64_t value)
{
    opaque = value;
    return opaque;
}

static uint64_t sum;
static int left;

#define ROUND(i) \
    { \
        sum = sum * 31 + (uint64_t)(i); \
        if (--left == 0) \
            break; \
    }

static void rounds(int kind, int most)
{
    static char bytes[64];
    int n = (int)hide(10), zero = (int)hide(0), back = (int)hide(-1), far = (int)hide(1 << 30);
    unsigned none = (unsigned)zero, all = (unsigned)hide(-1);

    left = most;
    switch (kind) {
    case 0: for (int i = 0; i < n; i += zero) ROUND(i) break;
    case 1: for (int i = 0; i <= n; i += back) ROUND(i) break;
    case 2: for (unsigned i = 0; i <= none; i += none) ROUND(i) break;
    case 3: for (unsigned i = (unsigned)n; i > none; i -= none) ROUND(i) break;
    case 4: for (unsigned i = (unsigned)n; i >= 0u; i--) ROUND(i) break;
    case 5: for (int i = 2147483600; i <= 2147483647; i++) ROUND(i) break;
    case 6: for (unsigned i = 4294967200u; i < 4294967295u; i += 2) ROUND(i) break;
    case 7: for (char *p = bytes; p < bytes + 50; p += zero) ROUND(p - bytes) break;
    case 8: for (char *p = bytes + 50; p > bytes; p -= zero) ROUND(p - bytes) break;
    case 9: {
        int i = 0;
        do {
            ROUND(i)
            i += zero;
        } while (i < n);
        break;
    }
    case 10: for (unsigned i = 0; i < all; i += (unsigned)far) ROUND(i) break;
    case 11: for (unsigned i = all - 9; i <= all - 1; i += (unsigned)hide(4)) ROUND(i) break;
    case 12: for (int i = n; i >= zero; i -= back) ROUND(i) break;
    case 13: for (int64_t i = 0; i < n; i += zero) {
        int k;
        for (k = 0; k < (sum & 1 ? n : 2); k++)
            sum += (uint64_t)k;
        ROUND(i)
    }
        break;
    case 14: {
        int i = 0, old;
        do {
            ROUND(i)
            old = i;
            i += zero;
        } while (old < n);
        break;
    }
    case 15: {
        int i = 0;
        for (;;) {
            int next = i + back;
            if (!(next <= n)) break;
            ROUND(i)
            i = next;
        }
        break;
    }
    /* Past the bound when it is first compared: all values of the type come first. */
    case 16: {
        unsigned i = none;
        do ROUND(i) while (++i);
        break;
    }
    case 17: {
        unsigned i = 0;
        do ROUND(i) while (++i);
        break;
    }
    case 18: {
        int64_t i = n;
        do {
            ROUND(i)
            i++;
        } while (i != n);
        break;
    }
    case 19: {
        int i = (int)hide(2147483647);
        do ROUND(i) while ((i = (int)(i + 1u)) < n);
        break;
    }
    case 20: {
        int i = 2147483647;
        do ROUND(i) while ((i = (int)(i + 1u)) < 10);
        break;
    }
    case 21: {
        const char *p = bytes + (unsigned)n;
        do ROUND(p - bytes) while (--p != bytes + n && left > -1);
        break;
    }
    }
    printf("%d: %d %016llx\n", kind, left, (unsigned long long)sum);
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        rounds(atoi(argv[1]), atoi(argv[2]));
        return 0;
    }
    for (int kind = 0; kind < 22; kind++)
        for (int most = 1; most < 50; most += most < 3 ? 1 : 40)
            rounds(kind, most);
    return 0;
}
