/* How a program ends: exit runs the atexit functions and flushes the streams,
 * _Exit does neither, abort flushes (so that what was printed before a failed
 * assertion is seen) and raises SIGABRT.
 */
#include <hcc/syscall.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SIGABRT 6
#define HANDLERS_PER_BLOCK 32

/* Registered functions, newest block first.  The first block needs no heap. */
struct handlers {
    struct handlers *older;
    int count;
    void (*function[HANDLERS_PER_BLOCK])(void);
};

static struct handlers first_block;
static struct handlers *newest = &first_block;

int atexit(void (*function)(void))
{
    if (newest->count == HANDLERS_PER_BLOCK) {
        struct handlers *block = malloc(sizeof *block);
        if (block == NULL)
            return -1;
        block->older = newest;
        block->count = 0;
        newest = block;
    }
    newest->function[newest->count++] = function;
    return 0;
}

void exit(int status)
{
    /* A handler may register another: it runs next. */
    while (newest != NULL) {
        if (newest->count > 0)
            newest->function[--newest->count]();
        else if (newest->older != NULL)
            newest = newest->older;
        else
            break;
    }
    fflush(NULL);
    _Exit(status);
}

void _Exit(int status)
{
    for (;;)
        __hcc_syscall(HCC_SYS_EXIT_GROUP, (long)status);
}

void _exit(int status)
{
    _Exit(status);
}

void abort(void)
{
    fflush(NULL);
    __hcc_syscall(HCC_SYS_KILL, __hcc_syscall(HCC_SYS_GETPID), (long)SIGABRT);
    _Exit(128 + SIGABRT);
}
