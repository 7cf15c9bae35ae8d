/* Frames that copy a structure by string instructions when they are entered again. */
#include <stdio.h>

struct block { unsigned words[27]; };

__attribute__((noinline)) static void mix(struct block *a, const struct block *b)
{
    for (int i = 0; i < 27; i++) a->words[i] += b->words[26 - i] + i;
    if (a->words[0] == 12345) printf("%u\n", a->words[0]);
}

__attribute__((noinline)) static void rounds(struct block *result, int count)
{
    struct block a = {{1}}, b = {{2}};
    for (int i = 0; i < count; i++) {
        mix(&a, &b);
        b = a;
    }
    *result = b;
}

int main(void)
{
    struct block block;
    rounds(&block, 200);
    for (int i = 0; i < 27; i++) printf("%u ", block.words[i]);
    puts("");
    return 0;
}
