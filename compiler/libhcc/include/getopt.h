#ifndef _GETOPT_H
#define _GETOPT_H

#include <hcc/abi.h>

extern char *optarg;
extern int optind, opterr, optopt;

#define no_argument 0
#define required_argument 1
#define optional_argument 2

struct option {
    const char *name;
    int has_arg;
    int *flag;
    int val;
};

int getopt(int argc, char *const argv[], const char *letters) __HCC_LEAF;
int getopt_long(int argc, char *const argv[], const char *letters, const struct option *options,
                int *index) __HCC_LEAF;
int getopt_long_only(int argc, char *const argv[], const char *letters,
                     const struct option *options, int *index) __HCC_LEAF;

#endif
