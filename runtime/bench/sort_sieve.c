/* Integers: heapsort of random words, and the sieve of Eratosthenes. Argument: rounds. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define WORDS 20000
#define LIMIT 200000

static uint32_t words[WORDS];
static uint8_t composite[LIMIT + 1];

static void sift(uint32_t *heap, int root, int end) {
    uint32_t value = heap[root];
    for (;;) {
        int child = 2 * root + 1;
        if (child >= end) break;
        if (child + 1 < end && heap[child] < heap[child + 1]) child++;
        if (value >= heap[child]) break;
        heap[root] = heap[child];
        root = child;
    }
    heap[root] = value;
}

static void heapsort_words(uint32_t *heap, int count) {
    for (int i = count / 2 - 1; i >= 0; i--) sift(heap, i, count);
    for (int end = count - 1; end > 0; end--) {
        uint32_t top = heap[0];
        heap[0] = heap[end];
        heap[end] = top;
        sift(heap, 0, end);
    }
}

static int count_primes(int limit) {
    int found = 0;
    for (int i = 0; i <= limit; i++) composite[i] = 0;
    for (int i = 2; i <= limit; i++) {
        if (composite[i]) continue;
        found++;
        for (int64_t j = (int64_t)i * i; j <= limit; j += i) composite[j] = 1;
    }
    return found;
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    uint32_t state = 12345, sum = 0;
    for (int r = 0; r < rounds; r++) {
        for (int i = 0; i < WORDS; i++) {
            state = state * 1664525u + 1013904223u;
            words[i] = state ^ state >> 15;
        }
        heapsort_words(words, WORDS);
        for (int i = 1; i < WORDS; i++)
            if (words[i - 1] > words[i]) return 1;
        sum = sum * 31 + words[r % WORDS] + (uint32_t)count_primes(LIMIT - r % 7);
    }
    printf("%u\n", sum);
    return 0;
}
