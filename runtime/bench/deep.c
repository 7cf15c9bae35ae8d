/* Recurses to a depth and asks for migration points there: what `hcc bench migration` moves. */
#include <hcc.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned descend(unsigned depth, unsigned moves, unsigned *sum)
{
    unsigned own = depth * 2654435761u;

    if (depth == 0) {
        for (unsigned i = 0; i < moves; i++)
            migrate_point();
        return *sum;
    }
    *sum += own;
    return descend(depth - 1, moves, sum) ^ own;
}

int main(int argc, char **argv)
{
    unsigned depth = argc > 1 ? (unsigned)atoi(argv[1]) : 10000;
    unsigned moves = argc > 2 ? (unsigned)atoi(argv[2]) : 6;
    unsigned sum = 0;

    printf("%u\n", descend(depth, moves, &sum));
    return 0;
}
