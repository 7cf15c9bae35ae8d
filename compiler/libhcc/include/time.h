#ifndef _TIME_H
#define _TIME_H

#include <hcc/abi.h>
#include <sys/types.h>

#define CLOCKS_PER_SEC 1000000L
#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID 3

struct timespec {
    time_t tv_sec;
    long tv_nsec;
};

time_t time(time_t *now) __HCC_LEAF;
clock_t clock(void) __HCC_LEAF;
int clock_gettime(clockid_t clock, struct timespec *now) __HCC_LEAF;
double difftime(time_t later, time_t earlier) __HCC_LEAF;

#endif
