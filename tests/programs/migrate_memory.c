/* Pointers to locals everywhere a pointer can be kept, while the program moves. */
#include <hcc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct point {
    int x, y;
};

struct box {
    struct point low, high;
    char name[12];
    double *weight;
};

static int *global_pointer;
static struct box *global_box;

static void bump(int *value, int depth)
{
    if (depth > 0) {
        bump(value, depth - 1);
        return;
    }
    migrate_point();
    *value += 1;
}

static struct box make(int n)
{
    struct box b = {{n, n + 1}, {n + 2, n + 3}, "box", NULL};
    migrate_point();
    b.name[3] = (char)('0' + n);
    return b;
}

static int area(struct box b)
{
    migrate_point();
    b.low.x -= 1; /* its own copy */
    return (b.high.x - b.low.x) * (b.high.y - b.low.y);
}

static struct point swap(struct point p)
{
    struct point q = {p.y, p.x};
    migrate_point();
    return q;
}

static void structs(void)
{
    double weight = 2.5;
    struct box b = make(4), *p = &b;

    b.weight = &weight;
    migrate_point();
    *p->weight *= 2;
    printf("%d %d %s %g %d %d\n", b.low.x, p->high.y, b.name, weight, area(b), b.low.x);
    b.low = swap(b.low);
    printf("%d %d\n", b.low.x, b.low.y);
}

static void arrays(void)
{
    int grid[5][7], *end = &grid[4][7], sum = 0;

    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 7; j++) {
            grid[i][j] = i * j;
            if (j == i)
                migrate_point();
        }
    for (int *p = &grid[0][0]; p != end; p++)
        sum = sum * 3 + *p;
    migrate_point();
    printf("%d %d %d\n", sum, (int)(end - &grid[2][3]), grid[3][5]);
}

static void kept_everywhere(void)
{
    int local = 10, other = 20;
    int *in_array[2] = {&local, &other};
    int **on_heap = malloc(2 * sizeof *on_heap);
    uintptr_t mixed = (uintptr_t)&local ^ (uintptr_t)&other;
    uintptr_t hash = (uintptr_t)&local * 2654435761u;
    struct box b = {{1, 2}, {3, 4}, "kept", NULL};

    on_heap[0] = &other;
    on_heap[1] = &local;
    global_pointer = &local;
    global_box = &b;
    migrate_point();
    *global_pointer += 1;
    *in_array[1] += 2;
    *on_heap[0] += 4;
    *(int *)(mixed ^ (uintptr_t)&other) += 8;
    global_box->high.x += 16;
    bump(&local, 50);
    migrate_point();
    printf("%d %d %d %d %d\n", local, other, b.high.x, hash == (uintptr_t)&local * 2654435761u,
           on_heap[1] == in_array[0]);
    free(on_heap);
}

static void variable_length(int n)
{
    int total = 0;

    for (int i = 1; i <= n; i++) {
        int row[i], twice[2 * i];
        for (int j = 0; j < i; j++) {
            row[j] = i * j;
            twice[2 * j] = row[j];
            twice[2 * j + 1] = -1;
            if (j == 1)
                migrate_point();
        }
        migrate_point();
        for (int j = 0; j < i; j++)
            total += row[j] + twice[2 * j] * twice[2 * j + 1] + (int)sizeof row;
    }
    printf("%d\n", total);
}

static const char *greeting(void) { return "hello"; }

static int calls(void)
{
    static int count;
    migrate_point();
    return ++count;
}

static void identities(void)
{
    const char *first = greeting();
    migrate_point();
    printf("%d %s", first == greeting(), first);
    for (int i = 0; i < 3; i++)
        printf(" %d", calls());
    putchar('\n');
}

struct node {
    struct node *next;
    int *value;
};

static int chain(struct node *list, int depth)
{
    int mine = depth * depth;
    struct node node = {list, &mine};

    if (depth == 0) {
        int sum = 0;
        for (struct node *n = &node; n; n = n->next) {
            sum += *n->value;
            *n->value += 1;
        }
        migrate_point();
        return sum;
    }
    int below = chain(&node, depth - 1);
    return below + mine;
}

int main(void)
{
    structs();
    arrays();
    kept_everywhere();
    variable_length(6);
    identities();
    printf("%d\n", chain(NULL, 12));
    return 0;
}
