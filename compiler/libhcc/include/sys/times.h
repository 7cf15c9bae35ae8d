#ifndef _SYS_TIMES_H
#define _SYS_TIMES_H

#include <hcc/abi.h>
#include <sys/types.h>

struct tms {
    clock_t tms_utime;
    clock_t tms_stime;
    clock_t tms_cutime;
    clock_t tms_cstime;
};

/* In hundredths of a second.  All processor time counts as user time. */
clock_t times(struct tms *used) __HCC_LEAF;

#endif
