/* Ten thousand frames, each with a pointer into the one before; the bottom is a point. */
#include <hcc.h>
#include <stdio.h>

static unsigned descend(unsigned depth, const unsigned *above)
{
    unsigned own = depth * 2654435761u ^ *above;

    if (depth == 0) {
        migrate_point();
        migrate_point();
        return own;
    }
    return descend(depth - 1, &own) * 31 + own;
}

int main(int argc, char **argv)
{
    unsigned top = 1;

    printf("%u\n", descend(argc > 1 ? 10000 : 200, &top));
    return 0;
}
