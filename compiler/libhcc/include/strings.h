#ifndef _STRINGS_H
#define _STRINGS_H

#include <hcc/abi.h>
#include <stddef.h>

int strcasecmp(const char *a, const char *b) __HCC_LEAF;
int strncasecmp(const char *a, const char *b, size_t n) __HCC_LEAF;
int bcmp(const void *a, const void *b, size_t n) __HCC_LEAF;
void bcopy(const void *from, void *to, size_t n) __HCC_LEAF;
void bzero(void *to, size_t n) __HCC_LEAF;
char *index(const char *s, int c) __HCC_LEAF;
char *rindex(const char *s, int c) __HCC_LEAF;
int ffs(int bits) __HCC_LEAF;
int ffsl(long bits) __HCC_LEAF;
int ffsll(long long bits) __HCC_LEAF;

#endif
