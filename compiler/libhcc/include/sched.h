/* Only what programs that include it for their timers need. */
#ifndef _SCHED_H
#define _SCHED_H

#include <sys/types.h>

struct sched_param {
    int sched_priority;
};

#endif
