/* The heap as a process sees it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_addresses(void)
{
    char *base = malloc(1);
    char *blocks[40];

    for (int i = 0; i < 40; i++) {
        blocks[i] = malloc((size_t)(i * 37 % 11) * 300 + 1);
        if (i % 3 == 2) {
            free(blocks[i - 1]);
            blocks[i - 1] = malloc(24);
        }
    }
    for (int i = 0; i < 40; i++)
        printf("%ld ", (long)(blocks[i] - base));
    printf("\n");
}

/* Frees neighbours in two passes; a block of nearly all of them then fits there. */
static void print_whether_merged(void)
{
    char *blocks[40];
    char *guard;

    for (int i = 0; i < 40; i++)
        blocks[i] = malloc(3000);
    guard = malloc(3000);
    for (int i = 0; i < 80; i += 2)
        free(blocks[i % 40 + i / 40]);
    char *large = malloc(39 * 3000);
    printf("%d\n", blocks[0] <= large && large < guard);
}

/* The same with blocks small enough to wait in stacks: they are merged before the heap grows. */
static void print_whether_small_merged(void)
{
    static char *blocks[100000];

    for (int i = 0; i < 100000; i++)
        blocks[i] = malloc(100);
    for (int i = 0; i < 99999; i++)
        free(blocks[i]);
    char *large = malloc(9000000);
    printf("%d\n", large < blocks[99999]);
}

int main(int argc, char **argv)
{
    char *block = malloc(100);
    long local[4] = {0, 0, 0, 0};

    if (argc < 2)
        return 2;
    if (strcmp(argv[1], "addresses") == 0) {
        print_addresses();
    } else if (strcmp(argv[1], "merge") == 0) {
        print_whether_merged();
        print_whether_small_merged();
    } else if (strcmp(argv[1], "double") == 0) {
        free(block);
        free(block);
    } else if (strcmp(argv[1], "inside") == 0) {
        free(block + 16);
    } else {
        char *p = (char *)local;
        free(p + 16 - (unsigned long)p % 16);
    }
    return 0;
}
