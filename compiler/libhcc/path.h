/* Where the program's files are, for the files that open or name them. */
#ifndef PATH_H
#define PATH_H

#include <hcc/abi.h>

#define LONGEST_PATH 4096

/* The path to give the kernel: path or buffer, which has LONGEST_PATH bytes; NULL
   and errno if it would be too long. */
const char *__hcc_below_root(const char *path, char *buffer) __HCC_LEAF;

#endif
