/* open() takes the values of Linux's generic table, which every ISA shares for
   these flags. */
#ifndef _FCNTL_H
#define _FCNTL_H

#include <hcc/abi.h>
#include <sys/types.h>

#define O_RDONLY 0
#define O_WRONLY 1
#define O_RDWR 2
#define O_ACCMODE 3
#define O_CREAT 0100
#define O_EXCL 0200
#define O_TRUNC 01000
#define O_APPEND 02000

int open(const char *path, int flags, ...) __HCC_LEAF;
int creat(const char *path, mode_t mode) __HCC_LEAF;

#endif
