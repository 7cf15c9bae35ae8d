#ifndef _STDLIB_H
#define _STDLIB_H

#include <alloca.h>
#include <hcc/abi.h>
#include <stddef.h>

#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1
#define RAND_MAX 2147483647
#define MB_CUR_MAX 1

typedef struct {
    int quot;
    int rem;
} div_t;
typedef struct {
    long quot;
    long rem;
} ldiv_t;
typedef struct {
    long long quot;
    long long rem;
} lldiv_t;

/* Memory (malloc.c) */
void *malloc(size_t size) __HCC_LEAF;
void *calloc(size_t count, size_t size) __HCC_LEAF;
void *realloc(void *block, size_t size) __HCC_LEAF;
void *reallocarray(void *block, size_t count, size_t size) __HCC_LEAF;
void free(void *block) __HCC_LEAF;
void cfree(void *block) __HCC_LEAF;
int posix_memalign(void **block, size_t alignment, size_t size) __HCC_LEAF;
void *aligned_alloc(size_t alignment, size_t size) __HCC_LEAF;
void *memalign(size_t alignment, size_t size) __HCC_LEAF;
void *valloc(size_t size) __HCC_LEAF;
size_t malloc_usable_size(void *block) __HCC_LEAF;

/* The process (exit.c, start.c) */
void exit(int status) __HCC_NORETURN;
void _Exit(int status) __HCC_NORETURN __HCC_LEAF;
void abort(void) __HCC_NORETURN __HCC_LEAF;
int atexit(void (*function)(void)) __HCC_LEAF;
char *getenv(const char *name) __HCC_LEAF;

/* Files for a while (temporary.c) */
int mkstemp(char *name) __HCC_LEAF;
char *mkdtemp(char *name) __HCC_LEAF;

/* Numbers from text (strtol.c, strtod.c) */
int atoi(const char *s) __HCC_LEAF;
long atol(const char *s) __HCC_LEAF;
long long atoll(const char *s) __HCC_LEAF;
double atof(const char *s) __HCC_LEAF;
long strtol(const char *restrict s, char **restrict end, int base) __HCC_LEAF;
unsigned long strtoul(const char *restrict s, char **restrict end, int base) __HCC_LEAF;
long long strtoll(const char *restrict s, char **restrict end, int base) __HCC_LEAF;
unsigned long long strtoull(const char *restrict s, char **restrict end, int base) __HCC_LEAF;
float strtof(const char *restrict s, char **restrict end) __HCC_LEAF;
double strtod(const char *restrict s, char **restrict end) __HCC_LEAF;
long double strtold(const char *restrict s, char **restrict end) __HCC_LEAF;

/* Arithmetic (integer.c) */
int abs(int n) __HCC_LEAF;
long labs(long n) __HCC_LEAF;
long long llabs(long long n) __HCC_LEAF;
div_t div(int numerator, int denominator) __HCC_LEAF;
ldiv_t ldiv(long numerator, long denominator) __HCC_LEAF;
lldiv_t lldiv(long long numerator, long long denominator) __HCC_LEAF;

/* Pseudo-random numbers: the sequences of glibc (random.c, drand48.c) */
int rand(void) __HCC_LEAF;
void srand(unsigned seed) __HCC_LEAF;
int rand_r(unsigned *seed) __HCC_LEAF;
long random(void) __HCC_LEAF;
void srandom(unsigned seed) __HCC_LEAF;
double drand48(void) __HCC_LEAF;
double erand48(unsigned short state[3]) __HCC_LEAF;
long lrand48(void) __HCC_LEAF;
long nrand48(unsigned short state[3]) __HCC_LEAF;
long mrand48(void) __HCC_LEAF;
long jrand48(unsigned short state[3]) __HCC_LEAF;
void srand48(long seed) __HCC_LEAF;
unsigned short *seed48(unsigned short state[3]) __HCC_LEAF;
void lcong48(unsigned short parameters[7]) __HCC_LEAF;

/* Sorting and searching (sort.c): the comparison may migrate. */
void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *));
void *bsearch(const void *key, const void *base, size_t count, size_t size,
              int (*compare)(const void *, const void *));

#endif
