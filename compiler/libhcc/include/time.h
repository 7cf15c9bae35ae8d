#ifndef _TIME_H
#define _TIME_H

#include <hcc/abi.h>
#include <stddef.h>
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

/* A date; local time is UTC. */
struct tm {
    int tm_sec;
    int tm_min;
    int tm_hour;
    int tm_mday;
    int tm_mon;
    int tm_year;
    int tm_wday;
    int tm_yday;
    int tm_isdst;
    long tm_gmtoff;
    const char *tm_zone;
};

/* Clocks (time.c) */
time_t time(time_t *now) __HCC_LEAF;
clock_t clock(void) __HCC_LEAF;
int clock_gettime(clockid_t clock, struct timespec *now) __HCC_LEAF;
double difftime(time_t later, time_t earlier) __HCC_LEAF;
int nanosleep(const struct timespec *request, struct timespec *rest) __HCC_LEAF;

/* Dates (calendar.c) */
struct tm *gmtime(const time_t *when) __HCC_LEAF;
struct tm *gmtime_r(const time_t *restrict when, struct tm *restrict date) __HCC_LEAF;
struct tm *localtime(const time_t *when) __HCC_LEAF;
struct tm *localtime_r(const time_t *restrict when, struct tm *restrict date) __HCC_LEAF;
time_t mktime(struct tm *date) __HCC_LEAF;
time_t timegm(struct tm *date) __HCC_LEAF;
char *asctime(const struct tm *date);
char *asctime_r(const struct tm *restrict date, char *restrict text);
char *ctime(const time_t *when);
char *ctime_r(const time_t *when, char *text);
size_t strftime(char *restrict to, size_t size, const char *restrict format,
                const struct tm *restrict date) __HCC_LEAF;

#endif
