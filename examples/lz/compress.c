/* The compressor: hash chains over the last 4096 positions, the longest match,
 * and one byte's patience: if the next position has a longer one, that is
 * taken.
 */
#include "lz.h"

#include <stdint.h>
#include <string.h>

#include "window.h"

#define HASH_BITS 13
#define LONGEST_CHAIN 32

struct finder {
    const unsigned char *data;
    size_t n;
    int newest[1 << HASH_BITS]; /* position with this hash, or -1 */
    int older[WINDOW];          /* the one before it, by position mod WINDOW */
};

struct match {
    size_t length; /* 0: none */
    size_t distance;
};

static unsigned hash_at(const unsigned char *p)
{
    uint32_t three = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;

    return three * 2654435761U >> (32 - HASH_BITS);
}

static void remember(struct finder *f, size_t at)
{
    if (at + SHORTEST > f->n)
        return;
    unsigned h = hash_at(f->data + at);
    f->older[at % WINDOW] = f->newest[h];
    f->newest[h] = (int)at;
}

static size_t common_length(const unsigned char *a, const unsigned char *b, size_t most)
{
    size_t n = 0;

    while (n < most && a[n] == b[n])
        n++;
    return n;
}

static struct match find(const struct finder *f, size_t at)
{
    struct match best = {0, 0};
    size_t most = f->n - at < LONGEST ? f->n - at : LONGEST;

    if (most < SHORTEST)
        return best;
    int chain = LONGEST_CHAIN;
    int candidate = f->newest[hash_at(f->data + at)];
    while (candidate >= 0 && at - (size_t)candidate < WINDOW && chain-- > 0) {
        size_t length = common_length(f->data + candidate, f->data + at, most);
        if (length > best.length) {
            best.length = length;
            best.distance = at - (size_t)candidate;
        }
        candidate = f->older[(size_t)candidate % WINDOW];
    }
    if (best.length < SHORTEST)
        best.length = 0;
    return best;
}

/* Where the next item goes, and the flags of its group. */
struct writer {
    unsigned char *to;
    unsigned char *flags;
    int items; /* in the group, 8 when it is full */
};

static void begin_item(struct writer *w, int is_match)
{
    if (w->items == 8) {
        w->flags = w->to++;
        *w->flags = 0;
        w->items = 0;
    }
    *w->flags |= (unsigned char)(is_match << w->items++);
}

static void write_match(struct writer *w, struct match m)
{
    size_t extra = m.length - SHORTEST;
    size_t code = extra < 15 ? extra : 15;

    begin_item(w, 1);
    *w->to++ = (unsigned char)(code << 4 | m.distance >> 8);
    *w->to++ = (unsigned char)m.distance;
    if (code == 15)
        *w->to++ = (unsigned char)(extra - 15);
}

size_t lz_compress(const unsigned char *from, size_t n, unsigned char *to)
{
    static struct finder f;
    struct writer w = {to, NULL, 8};
    struct match next = {0, 0};
    int next_known = 0;
    size_t at = 0;

    f.data = from;
    f.n = n;
    memset(f.newest, -1, sizeof f.newest);
    while (at < n) {
        struct match m = next_known ? next : find(&f, at);
        remember(&f, at);
        next_known = 0;
        if (m.length > 0 && at + 1 < n) {
            next = find(&f, at + 1);
            next_known = next.length > m.length;
        }
        if (m.length == 0 || next_known) {
            begin_item(&w, 0);
            *w.to++ = from[at++];
            continue;
        }
        write_match(&w, m);
        for (size_t i = 1; i < m.length; i++)
            remember(&f, at + i);
        at += m.length;
    }
    return (size_t)(w.to - to);
}
