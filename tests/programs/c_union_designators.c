// Designators that go on inside the union member at hand keep it; another member undoes it.
#include <stdio.h>

union word {
    int whole;
    struct { short low, high; } half;
    struct { short a, b; };
    double wide;
};
struct nested {
    int before;
    union word words[2];
    union {
        struct {
            char p, q;
            union { char r; struct { char t, v; }; };
        };
        long all;
    };
};

static union word fixed[] = {
    { .half.low = 1, .half.high = 2 },
    { .a = 3, .b = 4 },
    { .wide = 1e300, .half.high = 5 },
    { .a = 1, .half.high = 7 },
    [4].half.low = 8, [4].half.high = 9, [4].whole = 1,
    [5] = { 3, .half.low = 2 },
};
static struct nested outer = {
    .words[1].half.high = 3, .words[1].half.low = 4, .p = 1, .q = 2, .t = 5, .v = 6,
};

static void show(const struct nested *n)
{
    printf("%d %d %d %d %d", n->before, n->words[0].a, n->words[0].b, n->words[1].half.low,
           n->words[1].half.high);
    printf(" %d %d %d %d\n", n->p, n->q, n->t, n->v);
}

int main(void)
{
    struct nested local = {
        1, { [0] = { .a = 1, .b = 2 }, { .half = { 5 }, .half.high = 6 } },
        .q = 9, .all = 70000, .p = 3, .v = 2,
    };

    for (int i = 0; i < 6; i++)
        printf("%d %d %x\n", fixed[i].half.low, fixed[i].half.high, fixed[i].whole);
    show(&outer);
    show(&local);
    return 0;
}
