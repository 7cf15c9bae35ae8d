/* The assembly of corpus.h for programs that were compiled with CORPUS_NO_ASM. */
#define corpus_syscall corpus_syscall_here
#define corpus_main corpus_main_here
#define memset start_memset
#define memcpy start_memcpy
#define memmove start_memmove
#define strlen start_strlen
#include "corpus.h"
#undef corpus_syscall
#undef corpus_main

extern void corpus_main(void);

long corpus_syscall(long number, long a, long b, long c)
{
    return corpus_syscall_here(number, a, b, c);
}

static void corpus(void)
{
    corpus_main();
}
