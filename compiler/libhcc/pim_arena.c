/* The arena of a PIM memory: rows, first fit in a linked list of holes.
 *
 * The list lives in ordinary memory: headers in the rows themselves would be
 * requests to the memory, and would leave no whole row for data.  A block takes the
 * same rows of every channel.
 */
#include <hcc/pim.h>

#define MOST_PIECES 512

struct piece {
    int row;
    int rows;
    int used;
    int next; /* by row; -1 ends the list */
};

static struct piece pieces[MOST_PIECES];
static int first_piece = -1;
static int spare_piece = -1;

static void prepare(void) __HCC_LEAF;

static void prepare(void)
{
    if (first_piece >= 0)
        return;
    for (int i = 1; i < MOST_PIECES; i++)
        pieces[i].next = i + 1 < MOST_PIECES ? i + 1 : -1;
    spare_piece = 1;
    pieces[0] = (struct piece){0, hcc_pim_rows() & ~1, 0, -1};
    first_piece = 0;
}

int hcc_pim_alloc(int rows)
{
    if (rows <= 0 || !hcc_pim_present())
        return -1;
    prepare();
    rows += rows & 1;
    for (int at = first_piece; at >= 0; at = pieces[at].next) {
        struct piece *hole = &pieces[at];
        if (hole->used || hole->rows < rows)
            continue;
        if (hole->rows > rows) {
            int rest = spare_piece;
            if (rest < 0)
                return -1;
            spare_piece = pieces[rest].next;
            pieces[rest] = (struct piece){hole->row + rows, hole->rows - rows, 0, hole->next};
            hole->rows = rows;
            hole->next = rest;
        }
        hole->used = 1;
        return hole->row;
    }
    return -1;
}

void hcc_pim_free(int row)
{
    int before = -1;

    for (int at = first_piece; at >= 0; before = at, at = pieces[at].next) {
        if (pieces[at].row != row || !pieces[at].used)
            continue;
        pieces[at].used = 0;
        if (before < 0 || pieces[before].used)
            before = at;
        for (int next = pieces[before].next; next >= 0 && !pieces[next].used;
             next = pieces[before].next) {
            pieces[before].rows += pieces[next].rows;
            pieces[before].next = pieces[next].next;
            pieces[next].next = spare_piece;
            spare_piece = next;
        }
        return;
    }
}

int hcc_pim_room(void)
{
    int rows = 0;

    if (!hcc_pim_present())
        return 0;
    prepare();
    for (int at = first_piece; at >= 0; at = pieces[at].next)
        rows += pieces[at].used ? 0 : pieces[at].rows;
    return rows;
}
