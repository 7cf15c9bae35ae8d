#ifndef _UNISTD_H
#define _UNISTD_H

#include <hcc/abi.h>
#include <sys/types.h>

#ifndef SEEK_SET
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
#endif
#define STDIN_FILENO 0
#define STDOUT_FILENO 1
#define STDERR_FILENO 2

extern char **environ;

ssize_t read(int fd, void *to, size_t n) __HCC_LEAF;
ssize_t write(int fd, const void *from, size_t n) __HCC_LEAF;
int close(int fd) __HCC_LEAF;
off_t lseek(int fd, off_t offset, int whence) __HCC_LEAF;
int unlink(const char *path) __HCC_LEAF;
int rmdir(const char *path) __HCC_LEAF;
pid_t getpid(void) __HCC_LEAF;
unsigned sleep(unsigned seconds) __HCC_LEAF;
int usleep(unsigned microseconds) __HCC_LEAF;
void _exit(int status) __HCC_NORETURN __HCC_LEAF;

#endif
