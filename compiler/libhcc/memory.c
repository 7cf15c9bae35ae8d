/* Blocks of bytes: memcpy, memmove, memset, memcmp and their kin.
 *
 * LLVM calls the first four on its own, so they must be leaves, and the
 * compiler builds this library without turning loops back into calls of them.
 * Where both sides can be aligned together they go by aligned words, which LLVM
 * widens to vectors on the ISAs that have them.
 */
#include <stdint.h>
#include <string.h>

#include "word.h"

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    unsigned char *d = to;
    const unsigned char *s = from;

    if (n >= 16 && aligned_alike(d, s)) {
        for (; ((uintptr_t)d & WORD_MASK) != 0; n--)
            *d++ = *s++;
        word_t *dw = (word_t *)d;
        const word_t *sw = (const word_t *)s;
        size_t words = n / sizeof(word_t);
        for (size_t i = 0; i < words; i++)
            dw[i] = sw[i];
        d += words * sizeof(word_t);
        s += words * sizeof(word_t);
        n -= words * sizeof(word_t);
    }
    for (; n >= sizeof(word_t); n -= sizeof(word_t)) {
        put_word(d, word_at(s));
        d += sizeof(word_t);
        s += sizeof(word_t);
    }
    for (; n > 0; n--)
        *d++ = *s++;
    return to;
}

void *mempcpy(void *restrict to, const void *restrict from, size_t n)
{
    return (char *)memcpy(to, from, n) + n;
}

void *memccpy(void *restrict to, const void *restrict from, int stop, size_t n)
{
    const unsigned char *found = memchr(from, stop, n);

    if (found == NULL) {
        memcpy(to, from, n);
        return NULL;
    }
    return mempcpy(to, from, (size_t)(found + 1 - (const unsigned char *)from));
}

/* Copies from the first byte to the last, for a target that lies before the
   source: each word is read before the one that may overwrite it is written. */
static __HCC_LEAF void copy_forward(unsigned char *d, const unsigned char *s, size_t n)
{
    if (n >= 16 && aligned_alike(d, s)) {
        for (; ((uintptr_t)d & WORD_MASK) != 0; n--)
            *d++ = *s++;
        for (; n >= sizeof(word_t); n -= sizeof(word_t)) {
            *(word_t *)d = *(const word_t *)s;
            d += sizeof(word_t);
            s += sizeof(word_t);
        }
    }
    for (; n >= sizeof(word_t); n -= sizeof(word_t)) {
        put_word(d, word_at(s));
        d += sizeof(word_t);
        s += sizeof(word_t);
    }
    for (; n > 0; n--)
        *d++ = *s++;
}

/* The mirror image, for a target that lies behind the source. */
static __HCC_LEAF void copy_backward(unsigned char *d, const unsigned char *s, size_t n)
{
    if (n >= 16 && aligned_alike(d, s)) {
        while (((uintptr_t)(d + n) & WORD_MASK) != 0) {
            n--;
            d[n] = s[n];
        }
        while (n >= sizeof(word_t)) {
            n -= sizeof(word_t);
            *(word_t *)(d + n) = *(const word_t *)(s + n);
        }
    }
    while (n >= sizeof(word_t)) {
        n -= sizeof(word_t);
        put_word(d + n, word_at(s + n));
    }
    while (n > 0) {
        n--;
        d[n] = s[n];
    }
}

void *memmove(void *to, const void *from, size_t n)
{
    uintptr_t d = (uintptr_t)to;
    uintptr_t s = (uintptr_t)from;

    /* Unsigned differences: below n means the one lies within the other. */
    if (d - s >= n && s - d >= n)
        return memcpy(to, from, n);
    if (d < s)
        copy_forward(to, from, n);
    else
        copy_backward(to, from, n);
    return to;
}

void *memset(void *to, int byte, size_t n)
{
    unsigned char *d = to;

    if (n >= 16) {
        word_t pattern = WORD_ONES * (unsigned char)byte;
        while (((uintptr_t)d & WORD_MASK) != 0) {
            *d++ = (unsigned char)byte;
            n--;
        }
        word_t *dw = (word_t *)d;
        size_t words = n / sizeof(word_t);
        for (size_t i = 0; i < words; i++)
            dw[i] = pattern;
        d += words * sizeof(word_t);
        n -= words * sizeof(word_t);
    }
    for (size_t i = 0; i < n; i++)
        d[i] = (unsigned char)byte;
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *p = a;
    const unsigned char *q = b;

    if (aligned_alike(p, q)) {
        for (; n > 0 && ((uintptr_t)p & WORD_MASK) != 0; n--, p++, q++) {
            if (*p != *q)
                return *p - *q;
        }
        for (; n >= sizeof(word_t); n -= sizeof(word_t)) {
            if (*(const word_t *)p != *(const word_t *)q)
                break;
            p += sizeof(word_t);
            q += sizeof(word_t);
        }
    } else {
        for (; n >= sizeof(word_t) && word_at(p) == word_at(q); n -= sizeof(word_t)) {
            p += sizeof(word_t);
            q += sizeof(word_t);
        }
    }
    /* The word that differs is told byte by byte. */
    for (; n > 0; n--, p++, q++) {
        if (*p != *q)
            return *p - *q;
    }
    return 0;
}

void *memchr(const void *s, int byte, size_t n)
{
    const unsigned char *p = s;
    unsigned char wanted = (unsigned char)byte;

    for (; n > 0 && ((uintptr_t)p & WORD_MASK) != 0; n--, p++) {
        if (*p == wanted)
            return (void *)p;
    }
    word_t pattern = WORD_ONES * wanted;
    for (; n >= sizeof(word_t) && !word_has_zero(*(const word_t *)p ^ pattern);
         n -= sizeof(word_t))
        p += sizeof(word_t);
    for (; n > 0; n--, p++) {
        if (*p == wanted)
            return (void *)p;
    }
    return NULL;
}

void *memrchr(const void *s, int byte, size_t n)
{
    const unsigned char *p = s;

    while (n > 0) {
        n--;
        if (p[n] == (unsigned char)byte)
            return (void *)(p + n);
    }
    return NULL;
}

int bcmp(const void *a, const void *b, size_t n)
{
    return memcmp(a, b, n);
}

void bcopy(const void *from, void *to, size_t n)
{
    memmove(to, from, n);
}

void bzero(void *to, size_t n)
{
    memset(to, 0, n);
}
