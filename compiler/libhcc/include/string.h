#ifndef _STRING_H
#define _STRING_H

#include <hcc/abi.h>
#include <stddef.h>
#include <strings.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n) __HCC_LEAF;
void *mempcpy(void *restrict to, const void *restrict from, size_t n) __HCC_LEAF;
void *memccpy(void *restrict to, const void *restrict from, int stop, size_t n) __HCC_LEAF;
void *memmove(void *to, const void *from, size_t n) __HCC_LEAF;
void *memset(void *to, int byte, size_t n) __HCC_LEAF;
int memcmp(const void *a, const void *b, size_t n) __HCC_LEAF;
void *memchr(const void *s, int byte, size_t n) __HCC_LEAF;
void *memrchr(const void *s, int byte, size_t n) __HCC_LEAF;
void *memmem(const void *s, size_t n, const void *needle, size_t needle_n) __HCC_LEAF;

size_t strlen(const char *s) __HCC_LEAF;
size_t strnlen(const char *s, size_t n) __HCC_LEAF;
char *strcpy(char *restrict to, const char *restrict from) __HCC_LEAF;
char *strncpy(char *restrict to, const char *restrict from, size_t n) __HCC_LEAF;
char *stpcpy(char *restrict to, const char *restrict from) __HCC_LEAF;
char *strcat(char *restrict to, const char *restrict from) __HCC_LEAF;
char *strncat(char *restrict to, const char *restrict from, size_t n) __HCC_LEAF;
int strcmp(const char *a, const char *b) __HCC_LEAF;
int strncmp(const char *a, const char *b, size_t n) __HCC_LEAF;
int strcoll(const char *a, const char *b) __HCC_LEAF;
size_t strxfrm(char *restrict to, const char *restrict from, size_t n) __HCC_LEAF;
char *strchr(const char *s, int c) __HCC_LEAF;
char *strchrnul(const char *s, int c) __HCC_LEAF;
char *strrchr(const char *s, int c) __HCC_LEAF;
char *strstr(const char *s, const char *needle) __HCC_LEAF;
char *strcasestr(const char *s, const char *needle) __HCC_LEAF;
size_t strspn(const char *s, const char *accept) __HCC_LEAF;
size_t strcspn(const char *s, const char *reject) __HCC_LEAF;
char *strpbrk(const char *s, const char *accept) __HCC_LEAF;
char *strtok(char *restrict s, const char *restrict separators) __HCC_LEAF;
char *strtok_r(char *restrict s, const char *restrict separators, char **restrict rest) __HCC_LEAF;
char *strsep(char **rest, const char *separators) __HCC_LEAF;
char *strdup(const char *s) __HCC_LEAF;
char *strndup(const char *s, size_t n) __HCC_LEAF;
char *strerror(int number) __HCC_LEAF;

#endif
