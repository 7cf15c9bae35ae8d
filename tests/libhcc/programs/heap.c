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

int main(int argc, char **argv)
{
    char *block = malloc(100);
    long local[4] = {0, 0, 0, 0};

    if (argc < 2)
        return 2;
    if (strcmp(argv[1], "addresses") == 0) {
        print_addresses();
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
