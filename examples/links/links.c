/* Pointers into the stack, kept everywhere: in structures, on the heap, in
 * globals, in arrays, inside other pointers' bits, as numbers.
 *
 * A tree of calls plays a family.  Every call owns a few locals and hangs them
 * into structures that all other calls can reach; every call then works on the
 * locals of its ancestors, found by each of those ways in turn.  A runtime that
 * moved the stack without keeping such pointers right would give other sums.
 *
 *     links [depth]       default 20; the tree has 2^(depth + 1) - 1 calls
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "hcc.h"

#define DEEPEST 24
#define SIBLINGS 4

/* One call's own data: a local of visit(). */
struct person {
    struct person *parent; /* the caller's local */
    int generation;
    long touched;        /* by descendants */
    long ledger[SIBLINGS]; /* pointed into from elsewhere */
};

/* A node on the heap that knows a local. */
struct note {
    struct note *next;
    long *entry; /* into some person's ledger */
};

/* An XOR-linked list whose nodes are locals: no word of it is an address. */
struct knot {
    uintptr_t links; /* address before ^ address after */
    long value;
};

static struct person *eldest;               /* a global that points to a local */
static struct person *line[DEEPEST + 1];    /* an array of them */
static struct note *notes;
static uintptr_t eldest_as_number;
static struct knot *last_knot;
static long visits;

static void *get(size_t size)
{
    void *p = malloc(size);

    if (p == NULL) {
        fprintf(stderr, "links: not enough memory\n");
        exit(1);
    }
    return p;
}

static void push_note(long *entry)
{
    struct note *n = get(sizeof *n);

    n->next = notes;
    n->entry = entry;
    notes = n;
}

static void pop_note(void)
{
    struct note *n = notes;

    notes = n->next;
    free(n);
}

/* Pays every ancestor, reached by way of the call's own pointer. */
static void pay_parents(struct person *p, long amount)
{
    for (p = p->parent; p != NULL; p = p->parent)
        p->touched += amount;
}

/* Pays the newest ledger entries noted on the heap. */
static void pay_notes(int count)
{
    for (struct note *n = notes; n != NULL && count > 0; n = n->next, count--)
        *n->entry += count;
}

/* Walks the knots from the last to the first and back; both sums must agree. */
static long walk_knots(void)
{
    struct knot *before = NULL;
    struct knot *k = last_knot;
    long there = 0;
    long back = 0;

    while (k != NULL) {
        struct knot *next = (struct knot *)(k->links ^ (uintptr_t)before);
        there += k->value;
        before = k;
        k = next;
    }
    k = before;
    before = NULL;
    while (k != NULL) {
        struct knot *next = (struct knot *)(k->links ^ (uintptr_t)before);
        back += k->value;
        before = k;
        k = next;
    }
    return there == back ? there : -1;
}

static long visit(struct person *parent, int left)
{
    struct person self = {parent, 0, 0, {0, 0, 0, 0}};
    struct knot knot;
    struct knot *tied_before = last_knot;
    long *one_past_end = self.ledger + SIBLINGS;
    long result;

    self.generation = parent == NULL ? 0 : parent->generation + 1;
    line[self.generation] = &self;
    if (parent == NULL) {
        eldest = &self;
        eldest_as_number = (uintptr_t)&self;
    }
    knot.value = self.generation + 1;
    knot.links = (uintptr_t)tied_before;
    if (tied_before != NULL)
        tied_before->links ^= (uintptr_t)&knot;
    last_knot = &knot;
    push_note(&self.ledger[visits % SIBLINGS]);
    visits++;

    pay_parents(&self, 1);
    migrate_point();
    if (left > 0) {
        result = visit(&self, left - 1);
        migrate_point();
        result += visit(&self, left - 1);
    } else {
        pay_notes(SIBLINGS);
        ((struct person *)eldest_as_number)->ledger[0] += walk_knots();
        line[self.generation / 2]->ledger[1] ^= visits;
        eldest->touched++;
        result = 1;
    }

    for (long *entry = self.ledger; entry != one_past_end; entry++)
        result = result * 31 + *entry;
    result += self.touched;
    pop_note();
    last_knot = tied_before;
    if (tied_before != NULL)
        tied_before->links ^= (uintptr_t)&knot;
    return result & 0xffffffffffff;
}

int main(int argc, char **argv)
{
    int depth = argc > 1 ? atoi(argv[1]) : 20;

    if (depth < 0 || depth > DEEPEST) {
        fprintf(stderr, "links: the depth must be 0 to %d\n", DEEPEST);
        return 2;
    }
    long result = visit(NULL, depth);
    printf("depth %d, %ld visits, result %012lx\n", depth, visits, (unsigned long)result);
    if (notes != NULL || last_knot != NULL) {
        printf("something was left behind\n");
        return 1;
    }
    return 0;
}
