/* The heap.
 *
 * Memory comes from brk, so every address depends on nothing but the sequence
 * of calls and the first break rounded up to a page: a program sees the same
 * pointers on every ISA, migrated or not.
 *
 *     base                                                  top           limit
 *     | chunk | chunk | ... | chunk |  untouched memory      | not ours yet
 *
 * A chunk is a head word, which holds its size and three flags, and the block
 * the program sees; blocks are 16-byte aligned, so heads lie 8 below.  A free
 * chunk repeats its size in its last word, where the chunk behind finds it
 * (whose flag tells it to look): neighbours that are both free are merged at
 * once.  Free chunks hang in bins by size, eight to each power of two, with a
 * bitmap to find the first bin that holds only large enough ones ("two-level
 * segregated fit", Masmano et al. 2004).  So all calls take constant time.
 *
 * In front of that, small chunks that are freed wait in a stack of their exact
 * size, unmerged, and are handed out again in a few instructions.  When memory
 * runs out they are all merged before the break is moved.
 */
#include <errno.h>
#include <hcc/syscall.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALIGNMENT 16
#define HEAD sizeof(size_t)
#define SMALLEST 32 /* head, two links, size at the end */
#define LARGEST ((size_t)1 << 46)

#define IN_USE 1          /* by the program, or waiting in a stack */
#define BEFORE_IN_USE 2   /* the chunk in front: its last word is its own */
#define WAITING 4         /* in a stack: in use for its neighbours, not for the program */
#define FLAGS 15

#define STACK_LARGEST 1024
#define STACKS (STACK_LARGEST / ALIGNMENT + 1)
#define FIRST_LEVEL 5 /* log2(SMALLEST) */
#define LEVELS 48
#define BINS_PER_LEVEL 8

#define PAGE 4096
#define LEAST_GROWTH ((size_t)128 << 10)

struct chunk {
    size_t head;
    struct chunk *next; /* from here on the block, while the chunk is in use */
    struct chunk *previous;
};

static struct {
    char *base;
    char *top;    /* where untouched memory begins; the chunk in front is in use */
    char *limit;  /* the break */
    char *zeroed; /* memory from here to the limit was never handed out: it is 0 */
    struct chunk *stacks[STACKS];
    uint64_t level_map;
    uint32_t bin_map[LEVELS];
    struct chunk *bins[LEVELS][BINS_PER_LEVEL];
} heap;

static inline __HCC_LEAF size_t size_of(const struct chunk *c)
{
    return c->head & ~(size_t)FLAGS;
}

static inline __HCC_LEAF struct chunk *chunk_at(char *address)
{
    return (struct chunk *)address;
}

static inline __HCC_LEAF struct chunk *chunk_of(void *block)
{
    return (struct chunk *)((char *)block - HEAD);
}

static inline __HCC_LEAF void *block_of(struct chunk *c)
{
    return (char *)c + HEAD;
}

/* The size of the chunk for a block of so many bytes; 0 if there is none. */
static inline __HCC_LEAF size_t chunk_size(size_t bytes)
{
    if (bytes > LARGEST)
        return 0;
    size_t size = (bytes + HEAD + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    return size < SMALLEST ? SMALLEST : size;
}

/* ---- Bins: free chunks, merged with their neighbours ---- */

static inline __HCC_LEAF int level_of(size_t size)
{
    return 63 - __builtin_clzll(size);
}

static inline __HCC_LEAF int bin_in_level(size_t size, int level)
{
    return (int)(size >> (level - 3)) & (BINS_PER_LEVEL - 1);
}

static __HCC_LEAF void bin_insert(struct chunk *c, size_t size)
{
    int level = level_of(size);
    int bin = bin_in_level(size, level);
    struct chunk **list = &heap.bins[level - FIRST_LEVEL][bin];

    c->previous = NULL;
    c->next = *list;
    if (*list != NULL)
        (*list)->previous = c;
    *list = c;
    heap.bin_map[level - FIRST_LEVEL] |= 1U << bin;
    heap.level_map |= UINT64_C(1) << (level - FIRST_LEVEL);
}

static __HCC_LEAF void bin_remove(struct chunk *c)
{
    size_t size = size_of(c);
    int level = level_of(size);
    int bin = bin_in_level(size, level);

    if (c->next != NULL)
        c->next->previous = c->previous;
    if (c->previous != NULL) {
        c->previous->next = c->next;
        return;
    }
    level -= FIRST_LEVEL;
    heap.bins[level][bin] = c->next;
    if (c->next == NULL) {
        heap.bin_map[level] &= ~(1U << bin);
        if (heap.bin_map[level] == 0)
            heap.level_map &= ~(UINT64_C(1) << level);
    }
}

/* A free chunk of at least this size, or null.  Only bins all of whose chunks
   are large enough are looked at, and the first chunk of the bin below. */
static __HCC_LEAF struct chunk *bin_find(size_t size)
{
    int level = level_of(size);
    int bin = bin_in_level(size, level);
    struct chunk *c;

    level -= FIRST_LEVEL;
    c = heap.bins[level][bin];
    if (c != NULL && size_of(c) >= size)
        return c;
    uint32_t bins = heap.bin_map[level] & (UINT32_MAX << bin << 1);
    if (bins == 0) {
        uint64_t levels = heap.level_map & (UINT64_MAX << level << 1);
        if (levels == 0)
            return NULL;
        level = __builtin_ctzll(levels);
        bins = heap.bin_map[level];
    }
    return heap.bins[level][__builtin_ctz(bins)];
}

/* Makes a chunk of memory that belongs to nobody free: merges it with free
   neighbours, and into the untouched memory if it lies at the top. */
static __HCC_LEAF void release(struct chunk *c, size_t size, size_t before_flag)
{
    if (!before_flag) {
        size_t before = *(size_t *)((char *)c - HEAD);
        c = chunk_at((char *)c - before);
        bin_remove(c);
        size += before; /* the chunk in front of a free one is in use */
    }
    char *end = (char *)c + size;
    if (end == heap.top) {
        heap.top = (char *)c;
        return;
    }
    struct chunk *after = chunk_at(end);
    if (!(after->head & IN_USE)) {
        bin_remove(after);
        size += size_of(after);
        end = (char *)c + size;
    } else {
        after->head &= ~(size_t)BEFORE_IN_USE;
    }
    c->head = size | BEFORE_IN_USE;
    *(size_t *)(end - HEAD) = size;
    bin_insert(c, size);
}

/* Cuts a chunk in use down to this size; what is left over is released. */
static __HCC_LEAF void trim(struct chunk *c, size_t size)
{
    size_t rest = size_of(c) - size;

    if (rest < SMALLEST)
        return;
    c->head = size | (c->head & FLAGS);
    release(chunk_at((char *)c + size), rest, BEFORE_IN_USE);
}

static __HCC_LEAF struct chunk *take_from_bin(struct chunk *c, size_t size)
{
    bin_remove(c);
    c->head |= IN_USE;
    chunk_at((char *)c + size_of(c))->head |= BEFORE_IN_USE; /* a free chunk is not at the top */
    trim(c, size);
    return c;
}

/* ---- Stacks: small chunks waiting to be used again ---- */

static __HCC_LEAF void empty_stacks(void)
{
    for (int i = 0; i < STACKS; i++) {
        struct chunk *c = heap.stacks[i];
        heap.stacks[i] = NULL;
        while (c != NULL) {
            struct chunk *next = c->next;
            release(c, size_of(c), c->head & BEFORE_IN_USE);
            c = next;
        }
    }
}

/* ---- The top: untouched memory ---- */

/* Moves the break up by so much, rounded to pages; false if it stays. */
static __HCC_LEAF int move_break(size_t step)
{
    size_t wanted = ((size_t)heap.limit + step + PAGE - 1) & ~(size_t)(PAGE - 1);

    if ((size_t)__hcc_syscall(HCC_SYS_BRK, (long)wanted) != wanted)
        return 0;
    heap.limit = (char *)wanted;
    return 1;
}

static __HCC_LEAF int grow(size_t size)
{
    if (heap.base == NULL) {
        size_t start = (size_t)__hcc_syscall(HCC_SYS_BRK, 0L);
        start = (start + PAGE - 1) & ~(size_t)(PAGE - 1);
        heap.base = heap.limit = (char *)start;
        heap.top = heap.base + HEAD; /* so that blocks are aligned */
        heap.zeroed = heap.top;
    }
    /* In proportion to the heap, so that the number of calls stays small; if
       that is refused, no more than must be. */
    size_t missing = size + HEAD - (size_t)(heap.limit - heap.top);
    size_t step = (size_t)(heap.limit - heap.base) / 8;
    if (step < LEAST_GROWTH)
        step = LEAST_GROWTH;
    if (step < missing)
        step = missing;
    return move_break(step) || move_break(missing);
}

static inline __HCC_LEAF int top_has(size_t size)
{
    return heap.limit - heap.top > (long)size; /* at first, the top lies above */
}

static __HCC_LEAF void advance_top(size_t size)
{
    heap.top += size;
    if (heap.top > heap.zeroed)
        heap.zeroed = heap.top;
}

static __HCC_LEAF struct chunk *take_from_top(size_t size)
{
    struct chunk *c = chunk_at(heap.top);

    advance_top(size);
    c->head = size | IN_USE | BEFORE_IN_USE;
    return c;
}

/* ---- The allocator ---- */

static __HCC_LEAF struct chunk *take(size_t size)
{
    struct chunk *c = bin_find(size);

    if (c != NULL)
        return take_from_bin(c, size);
    if (top_has(size))
        return take_from_top(size);
    empty_stacks();
    c = bin_find(size);
    if (c != NULL)
        return take_from_bin(c, size);
    if (top_has(size) || grow(size))
        return take_from_top(size);
    return NULL;
}

void *malloc(size_t bytes)
{
    size_t size = chunk_size(bytes);
    struct chunk *c = NULL;

    if (size != 0 && size <= STACK_LARGEST) {
        c = heap.stacks[size / ALIGNMENT];
        if (c != NULL) {
            heap.stacks[size / ALIGNMENT] = c->next;
            c->head &= ~(size_t)WAITING;
            return block_of(c);
        }
    }
    if (size != 0)
        c = take(size);
    if (c == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    return block_of(c);
}

/* The chunk of a block the program hands in, which had better be one of ours. */
static __HCC_LEAF struct chunk *checked(void *block)
{
    static const char message[] = "free or realloc: not an allocated block, or freed before\n";
    struct chunk *c = chunk_of(block);

    if (((uintptr_t)block & (ALIGNMENT - 1)) == 0 && (char *)block > heap.base &&
        (char *)block < heap.top && (c->head & (IN_USE | WAITING)) == IN_USE)
        return c;
    write(STDERR_FILENO, message, sizeof message - 1);
    abort();
}

void free(void *block)
{
    if (block == NULL)
        return;
    struct chunk *c = checked(block);
    size_t size = size_of(c);
    if (size <= STACK_LARGEST) {
        c->head |= WAITING;
        c->next = heap.stacks[size / ALIGNMENT];
        heap.stacks[size / ALIGNMENT] = c;
    } else {
        release(c, size, c->head & BEFORE_IN_USE);
    }
}

void cfree(void *block)
{
    free(block);
}

void *calloc(size_t count, size_t size)
{
    char *zeroed = heap.zeroed;

    if (size != 0 && count > SIZE_MAX / size) {
        errno = ENOMEM;
        return NULL;
    }
    size_t bytes = count * size;
    char *block = malloc(bytes);
    if (block != NULL && block < zeroed) {
        size_t dirty = (size_t)(zeroed - block);
        memset(block, 0, dirty < bytes ? dirty : bytes);
    }
    return block;
}

/* Makes a chunk larger where it lies; false where it cannot be. */
static __HCC_LEAF int extend(struct chunk *c, size_t size)
{
    size_t old = size_of(c);
    char *end = (char *)c + old;

    if (end == heap.top) {
        if (!top_has(size - old) && !grow(size - old))
            return 0;
        advance_top(size - old);
        c->head += size - old;
        return 1;
    }
    struct chunk *after = chunk_at(end);
    if ((after->head & IN_USE) || old + size_of(after) < size)
        return 0;
    bin_remove(after);
    c->head += size_of(after);
    chunk_at((char *)c + size_of(c))->head |= BEFORE_IN_USE;
    trim(c, size);
    return 1;
}

void *realloc(void *block, size_t bytes)
{
    if (block == NULL)
        return malloc(bytes);
    if (bytes == 0) {
        free(block);
        return NULL;
    }
    struct chunk *c = checked(block);
    size_t size = chunk_size(bytes);
    size_t old = size_of(c);
    if (size == 0) {
        errno = ENOMEM;
        return NULL;
    }
    if (size <= old) {
        trim(c, size);
        return block;
    }
    if (extend(c, size))
        return block;
    void *moved = malloc(bytes);
    if (moved == NULL)
        return NULL;
    memcpy(moved, block, old - HEAD);
    free(block);
    return moved;
}

void *reallocarray(void *block, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(block, count * size);
}

void *memalign(size_t alignment, size_t bytes)
{
    size_t size = chunk_size(bytes);

    if (alignment <= ALIGNMENT)
        return malloc(bytes);
    if (size == 0 || alignment > LARGEST) {
        errno = ENOMEM;
        return NULL;
    }
    struct chunk *c = take(size + alignment + SMALLEST);
    if (c == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    uintptr_t block = (uintptr_t)block_of(c);
    if ((block & (alignment - 1)) != 0) {
        /* Leave room for a free chunk in front. */
        uintptr_t aligned = (block + SMALLEST + alignment - 1) & ~(uintptr_t)(alignment - 1);
        struct chunk *front = c;
        size_t front_size = aligned - block;
        c = chunk_of((void *)aligned);
        c->head = (size_of(front) - front_size) | IN_USE;
        release(front, front_size, front->head & BEFORE_IN_USE);
    }
    trim(c, size);
    return block_of(c);
}

static __HCC_LEAF int is_power_of_two(size_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    if (!is_power_of_two(alignment)) {
        errno = EINVAL;
        return NULL;
    }
    return memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    int before = errno;

    if (!is_power_of_two(alignment) || alignment % sizeof(void *) != 0)
        return EINVAL;
    void *p = memalign(alignment, size);
    errno = before; /* the answer is the result, not errno */
    if (p == NULL)
        return ENOMEM;
    *block = p;
    return 0;
}

void *valloc(size_t size)
{
    return memalign(PAGE, size);
}

size_t malloc_usable_size(void *block)
{
    return block == NULL ? 0 : size_of(checked(block)) - HEAD;
}
