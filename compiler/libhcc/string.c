/* Strings: length, comparison, copying and search for one character. */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "word.h"

size_t strlen(const char *s)
{
    const char *p = s;

    for (; ((uintptr_t)p & WORD_MASK) != 0; p++) {
        if (*p == '\0')
            return (size_t)(p - s);
    }
    while (!word_has_zero(*(const word_t *)p))
        p += sizeof(word_t);
    while (*p != '\0')
        p++;
    return (size_t)(p - s);
}

size_t strnlen(const char *s, size_t n)
{
    const char *end = memchr(s, '\0', n);

    return end == NULL ? n : (size_t)(end - s);
}

int strcmp(const char *a, const char *b)
{
    const unsigned char *p = (const unsigned char *)a;
    const unsigned char *q = (const unsigned char *)b;

    if (aligned_alike(p, q)) {
        for (; ((uintptr_t)p & WORD_MASK) != 0; p++, q++) {
            if (*p != *q || *p == 0)
                return *p - *q;
        }
        for (;;) {
            word_t w = *(const word_t *)p;
            if (w != *(const word_t *)q || word_has_zero(w))
                break;
            p += sizeof(word_t);
            q += sizeof(word_t);
        }
    }
    while (*p == *q && *p != 0) {
        p++;
        q++;
    }
    return *p - *q;
}

int strncmp(const char *a, const char *b, size_t n)
{
    const unsigned char *p = (const unsigned char *)a;
    const unsigned char *q = (const unsigned char *)b;

    for (; n > 0; n--, p++, q++) {
        if (*p != *q || *p == 0)
            return *p - *q;
    }
    return 0;
}

int strcoll(const char *a, const char *b)
{
    return strcmp(a, b);
}

size_t strxfrm(char *restrict to, const char *restrict from, size_t n)
{
    size_t length = strlen(from);

    if (length < n)
        memcpy(to, from, length + 1);
    return length;
}

int strcasecmp(const char *a, const char *b)
{
    return strncasecmp(a, b, SIZE_MAX);
}

int strncasecmp(const char *a, const char *b, size_t n)
{
    const unsigned char *p = (const unsigned char *)a;
    const unsigned char *q = (const unsigned char *)b;

    for (; n > 0; n--, p++, q++) {
        int difference = tolower(*p) - tolower(*q);
        if (difference != 0 || *p == 0)
            return difference;
    }
    return 0;
}

char *stpcpy(char *restrict to, const char *restrict from)
{
    size_t n = strlen(from);

    memcpy(to, from, n + 1);
    return to + n;
}

char *strcpy(char *restrict to, const char *restrict from)
{
    return memcpy(to, from, strlen(from) + 1);
}

char *strncpy(char *restrict to, const char *restrict from, size_t n)
{
    size_t length = strnlen(from, n);

    memcpy(to, from, length);
    memset(to + length, '\0', n - length);
    return to;
}

char *strcat(char *restrict to, const char *restrict from)
{
    strcpy(to + strlen(to), from);
    return to;
}

char *strncat(char *restrict to, const char *restrict from, size_t n)
{
    char *end = to + strlen(to);
    size_t length = strnlen(from, n);

    memcpy(end, from, length);
    end[length] = '\0';
    return to;
}

char *strdup(const char *s)
{
    return strndup(s, SIZE_MAX);
}

char *strndup(const char *s, size_t n)
{
    size_t length = n == SIZE_MAX ? strlen(s) : strnlen(s, n);
    char *copy = malloc(length + 1);

    if (copy == NULL)
        return NULL;
    memcpy(copy, s, length);
    copy[length] = '\0';
    return copy;
}

char *strchrnul(const char *s, int c)
{
    char wanted = (char)c;

    for (; ((uintptr_t)s & WORD_MASK) != 0; s++) {
        if (*s == wanted || *s == '\0')
            return (char *)s;
    }
    word_t pattern = WORD_ONES * (unsigned char)wanted;
    for (;;) {
        word_t w = *(const word_t *)s;
        if (word_has_zero(w) || word_has_zero(w ^ pattern))
            break;
        s += sizeof(word_t);
    }
    while (*s != wanted && *s != '\0')
        s++;
    return (char *)s;
}

char *strchr(const char *s, int c)
{
    char *found = strchrnul(s, c);

    return *found == (char)c ? found : NULL;
}

char *strrchr(const char *s, int c)
{
    return memrchr(s, c, strlen(s) + 1);
}

char *index(const char *s, int c)
{
    return strchr(s, c);
}

char *rindex(const char *s, int c)
{
    return strrchr(s, c);
}
