/* All ways to place n queens on an n x n board so that none attacks another, by
 * recursion over rows: one call per queen on the board, so the program is
 * nearly always some calls deep.
 *
 *     queens [n]          default 13
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define LARGEST 16

static int n;
static int column_of[LARGEST]; /* of the queen in each row so far */
static long solutions;
static uint64_t checksum; /* over all solutions, in the order found */

static void record(void)
{
    uint64_t board = 0;

    for (int row = 0; row < n; row++)
        board = board * (uint64_t)n + (uint64_t)column_of[row];
    checksum = (checksum ^ board) * UINT64_C(0x9e3779b97f4a7c15);
    if (solutions++ > 0)
        return;
    for (int row = 0; row < n; row++) {
        for (int column = 0; column < n; column++)
            printf("%c%c", column_of[row] == column ? 'Q' : '.', column + 1 < n ? ' ' : '\n');
    }
}

/* Places queens from `row` on.  A set bit forbids a column: because a queen
   stands in it, or because a diagonal going left or right has come to it. */
static void place(int row, unsigned columns, unsigned left, unsigned right)
{
    if (row == n) {
        record();
        return;
    }
    for (int column = 0; column < n; column++) {
        unsigned here = 1U << column;
        if ((columns | left | right) & here)
            continue;
        column_of[row] = column;
        place(row + 1, columns | here, (left | here) << 1, (right | here) >> 1);
    }
}

int main(int argc, char **argv)
{
    n = argc > 1 ? atoi(argv[1]) : 13;
    if (n < 1 || n > LARGEST) {
        fprintf(stderr, "queens: the board must have 1 to %d rows\n", LARGEST);
        return 2;
    }
    place(0, 0, 0, 0);
    printf("%d queens: %ld solutions, checksum %016llx\n", n, solutions,
           (unsigned long long)checksum);
    return 0;
}
