/* What there is of everything: one answer for all ISAs and engines, so that a
   program that moves is right about where it has come to. */
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#define PAGE 4096
#define TICKS_PER_SECOND 100

long sysconf(int name)
{
    switch (name) {
    case _SC_ARG_MAX:
        return 2097152;
    case _SC_CLK_TCK:
        return TICKS_PER_SECOND;
    case _SC_OPEN_MAX:
        return 1024;
    case _SC_PAGESIZE:
        return PAGE;
    case _SC_LINE_MAX:
        return 2048;
    case _SC_NPROCESSORS_CONF:
    case _SC_NPROCESSORS_ONLN:
        return 1;
    case _SC_VERSION:
        return 200809L;
    case _SC_HOST_NAME_MAX:
        return 64;
    case _SC_LEVEL1_DCACHE_SIZE:
    case _SC_LEVEL1_DCACHE_LINESIZE:
        return 0; /* not known */
    }
    errno = EINVAL;
    return -1;
}

int getpagesize(void)
{
    return PAGE;
}
