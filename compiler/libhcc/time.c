/* Clocks and sleep: time.h, unistd.h, sys/time.h, sys/times.h, sys/resource.h. */
#include <errno.h>
#include <hcc/syscall.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#define TICKS_PER_SECOND 100 /* of times() */

int clock_gettime(clockid_t clock, struct timespec *now)
{
    return (int)__hcc_result(__hcc_syscall(HCC_SYS_CLOCK_GETTIME, (long)clock, (long)now));
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    return (int)__hcc_result(__hcc_syscall(HCC_SYS_GETTIMEOFDAY, (long)now, (long)zone));
}

time_t time(time_t *now)
{
    struct timespec t;

    if (clock_gettime(CLOCK_REALTIME, &t) != 0)
        return -1;
    if (now != NULL)
        *now = t.tv_sec;
    return t.tv_sec;
}

/* The processor time of the program, in microseconds; -1 if it is not known. */
clock_t clock(void)
{
    struct timespec t;

    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) != 0)
        return -1;
    return t.tv_sec * CLOCKS_PER_SEC + t.tv_nsec / (1000000000 / CLOCKS_PER_SEC);
}

int nanosleep(const struct timespec *request, struct timespec *rest)
{
    return (int)__hcc_result(__hcc_syscall(HCC_SYS_NANOSLEEP, (long)request, (long)rest));
}

/* The seconds left of a sleep that a signal ended. */
unsigned sleep(unsigned seconds)
{
    struct timespec t = { seconds, 0 };

    return nanosleep(&t, &t) == 0 ? 0 : (unsigned)t.tv_sec;
}

int usleep(unsigned microseconds)
{
    struct timespec t = { microseconds / 1000000, microseconds % 1000000 * 1000L };

    return nanosleep(&t, NULL);
}

double difftime(time_t later, time_t earlier)
{
    return (double)(later - earlier);
}

clock_t times(struct tms *used)
{
    struct timespec t;

    memset(used, 0, sizeof *used);
    used->tms_utime = clock() / (CLOCKS_PER_SEC / TICKS_PER_SECOND);
    if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
        return -1;
    return t.tv_sec * TICKS_PER_SECOND + t.tv_nsec / (1000000000 / TICKS_PER_SECOND);
}

int getrusage(int who, struct rusage *used)
{
    if (who != RUSAGE_SELF) {
        errno = EINVAL;
        return -1;
    }
    clock_t microseconds = clock();
    memset(used, 0, sizeof *used);
    used->ru_utime.tv_sec = microseconds / CLOCKS_PER_SEC;
    used->ru_utime.tv_usec = microseconds % CLOCKS_PER_SEC;
    return 0;
}
