/* Strings: sets of characters, tokens and substrings. */
#include <stdint.h>
#include <string.h>

/* A set of bytes as 256 bits. */
struct byte_set {
    uint64_t bits[4];
};

static __HCC_LEAF void set_from(struct byte_set *set, const char *members)
{
    set->bits[0] = set->bits[1] = set->bits[2] = set->bits[3] = 0;
    for (const unsigned char *p = (const unsigned char *)members; *p != 0; p++)
        set->bits[*p >> 6] |= UINT64_C(1) << (*p & 63);
}

static __HCC_LEAF int set_has(const struct byte_set *set, unsigned char c)
{
    return (int)(set->bits[c >> 6] >> (c & 63) & 1);
}

size_t strspn(const char *s, const char *accept)
{
    struct byte_set set;
    size_t n = 0;

    set_from(&set, accept);
    while (set_has(&set, (unsigned char)s[n])) /* the end is in no set */
        n++;
    return n;
}

size_t strcspn(const char *s, const char *reject)
{
    struct byte_set set;
    size_t n = 0;

    set_from(&set, reject);
    while (s[n] != '\0' && !set_has(&set, (unsigned char)s[n]))
        n++;
    return n;
}

char *strpbrk(const char *s, const char *accept)
{
    s += strcspn(s, accept);
    return *s == '\0' ? NULL : (char *)s;
}

char *strtok_r(char *restrict s, const char *restrict separators, char **restrict rest)
{
    if (s == NULL)
        s = *rest;
    if (s == NULL)
        return NULL;
    s += strspn(s, separators);
    if (*s == '\0') {
        *rest = NULL;
        return NULL;
    }
    char *end = s + strcspn(s, separators);
    if (*end == '\0') {
        *rest = NULL;
    } else {
        *end = '\0';
        *rest = end + 1;
    }
    return s;
}

char *strtok(char *restrict s, const char *restrict separators)
{
    static char *rest;

    return strtok_r(s, separators, &rest);
}

char *strsep(char **rest, const char *separators)
{
    char *s = *rest;

    if (s == NULL)
        return NULL;
    char *end = s + strcspn(s, separators);
    if (*end == '\0') {
        *rest = NULL;
    } else {
        *end = '\0';
        *rest = end + 1;
    }
    return s;
}

/* Substring search by Horspool's method: on a mismatch move on by the distance
 * of the window's last byte from the end of the needle.  Distances are kept in
 * a byte each: one over 255 is shortened, which is slower but not wrong.  A
 * needle of one byte or a short text is not worth the table.
 */
static __HCC_LEAF const unsigned char *find(const unsigned char *s, size_t n,
                                            const unsigned char *needle, size_t m)
{
    unsigned char skip[256];
    unsigned char longest = m > 255 ? 255 : (unsigned char)m;

    if (m == 0)
        return s;
    if (m == 1)
        return memchr(s, needle[0], n);
    if (n < m)
        return NULL;
    if (n < 64) {
        for (size_t i = 0; i + m <= n; i++) {
            if (s[i] == needle[0] && memcmp(s + i, needle, m) == 0)
                return s + i;
        }
        return NULL;
    }
    memset(skip, longest, sizeof skip);
    for (size_t i = 0; i + 1 < m; i++) {
        size_t distance = m - 1 - i;
        skip[needle[i]] = distance > 255 ? 255 : (unsigned char)distance;
    }
    for (size_t i = 0; i + m <= n; i += skip[s[i + m - 1]]) {
        if (s[i + m - 1] == needle[m - 1] && memcmp(s + i, needle, m - 1) == 0)
            return s + i;
    }
    return NULL;
}

char *strstr(const char *s, const char *needle)
{
    size_t m = strlen(needle);

    if (m == 0)
        return (char *)s;
    /* A text without the first character needs no second pass. */
    s = strchr(s, needle[0]);
    if (s == NULL)
        return NULL;
    return (char *)find((const unsigned char *)s, strlen(s), (const unsigned char *)needle, m);
}

char *strcasestr(const char *s, const char *needle)
{
    size_t m = strlen(needle);

    for (;; s++) {
        if (strncasecmp(s, needle, m) == 0)
            return (char *)s;
        if (*s == '\0')
            return NULL;
    }
}

void *memmem(const void *s, size_t n, const void *needle, size_t needle_n)
{
    return (void *)find(s, n, needle, needle_n);
}
