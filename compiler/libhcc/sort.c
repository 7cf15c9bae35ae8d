/* qsort and bsearch.
 *
 * The sort is a merge sort: stable, as glibc's is, so that a program whose
 * comparison calls different things equal gets the same order from both.  The
 * comparison is the program's own and may migrate.  Without the memory for a
 * second array it sorts by insertion.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SHORT_RUN 6 /* sorted by insertion */

struct sorter {
    size_t size;
    int (*compare)(const void *, const void *);
    char *spare; /* as large as the half of the array, and one element more */
};

static __HCC_LEAF void copy_element(char *to, const char *from, size_t size)
{
    if (size == sizeof(uint64_t))
        __builtin_memcpy(to, from, sizeof(uint64_t));
    else if (size == sizeof(uint32_t))
        __builtin_memcpy(to, from, sizeof(uint32_t));
    else
        memcpy(to, from, size);
}

static void sort_by_insertion(const struct sorter *s, char *base, size_t count)
{
    size_t size = s->size;

    for (size_t i = 1; i < count; i++) {
        char *element = base + i * size;
        char *place = element;
        while (place > base && s->compare(place - size, element) > 0)
            place -= size;
        if (place != element) {
            copy_element(s->spare, element, size);
            memmove(place + size, place, (size_t)(element - place));
            copy_element(place, s->spare, size);
        }
    }
}

static void sort(const struct sorter *s, char *base, size_t count)
{
    size_t size = s->size;
    size_t half = count / 2;
    char *middle = base + half * size;
    char *end = base + count * size;

    if (count <= SHORT_RUN) {
        sort_by_insertion(s, base, count);
        return;
    }
    sort(s, base, half);
    sort(s, middle, count - half);
    if (s->compare(middle - size, middle) <= 0)
        return;

    /* The first half steps aside; what is merged never overtakes the second. */
    memcpy(s->spare, base, half * size);
    const char *left = s->spare;
    const char *left_end = left + half * size;
    const char *right = middle;
    char *to = base;
    while (left < left_end && right < end) {
        if (s->compare(left, right) <= 0) {
            copy_element(to, left, size);
            left += size;
        } else {
            copy_element(to, right, size);
            right += size;
        }
        to += size;
    }
    memcpy(to, left, (size_t)(left_end - left));
}

void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    struct sorter s;

    if (count < 2 || size == 0)
        return;
    s.size = size;
    s.compare = compare;
    s.spare = malloc((count / 2 + 1) * size);
    if (s.spare != NULL) {
        sort(&s, base, count);
        free(s.spare);
        return;
    }
    s.spare = malloc(size);
    if (s.spare == NULL)
        abort(); /* qsort has no way to report it */
    sort_by_insertion(&s, base, count);
    free(s.spare);
}

void *bsearch(const void *key, const void *base, size_t count, size_t size,
              int (*compare)(const void *, const void *))
{
    const char *low = base;

    while (count > 0) {
        const char *middle = low + count / 2 * size;
        int order = compare(key, middle);
        if (order == 0)
            return (void *)middle;
        if (order > 0) {
            low = middle + size;
            count -= count / 2 + 1;
        } else {
            count /= 2;
        }
    }
    return NULL;
}
