#ifndef _SYS_RESOURCE_H
#define _SYS_RESOURCE_H

#include <hcc/abi.h>
#include <sys/time.h>

#define RUSAGE_SELF 0

struct rusage {
    struct timeval ru_utime;
    struct timeval ru_stime;
    long ru_maxrss;
    long ru_minflt;
    long ru_majflt;
};

/* RUSAGE_SELF only.  All processor time counts as user time, and what is not
   known is 0. */
int getrusage(int who, struct rusage *used) __HCC_LEAF;

#endif
