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
#define F_OK 0
#define X_OK 1
#define W_OK 2
#define R_OK 4

/* sysconf's names are glibc's. */
enum {
    _SC_ARG_MAX = 0,
    _SC_CLK_TCK = 2,
    _SC_OPEN_MAX = 4,
    _SC_VERSION = 29,
    _SC_PAGESIZE = 30,
    _SC_PAGE_SIZE = 30,
    _SC_LINE_MAX = 43,
    _SC_NPROCESSORS_CONF = 83,
    _SC_NPROCESSORS_ONLN = 84,
    _SC_PHYS_PAGES = 85,
    _SC_AVPHYS_PAGES = 86,
    _SC_HOST_NAME_MAX = 180,
    _SC_LEVEL1_DCACHE_SIZE = 188,
    _SC_LEVEL1_DCACHE_LINESIZE = 190,
};
#define _SC_PAGESIZE _SC_PAGESIZE
#define _SC_CLK_TCK _SC_CLK_TCK
#define _SC_NPROCESSORS_ONLN _SC_NPROCESSORS_ONLN
#define _SC_PHYS_PAGES _SC_PHYS_PAGES

extern char **environ;
extern char *optarg;
extern int optind, opterr, optopt;

long sysconf(int name) __HCC_LEAF;
int getpagesize(void) __HCC_LEAF;
int getopt(int argc, char *const argv[], const char *letters) __HCC_LEAF;

ssize_t read(int fd, void *to, size_t n) __HCC_LEAF;
ssize_t write(int fd, const void *from, size_t n) __HCC_LEAF;
int close(int fd) __HCC_LEAF;
off_t lseek(int fd, off_t offset, int whence) __HCC_LEAF;
int ftruncate(int fd, off_t size) __HCC_LEAF;
int truncate(const char *path, off_t size) __HCC_LEAF;
int fsync(int fd) __HCC_LEAF;
int dup(int fd) __HCC_LEAF;
int dup2(int fd, int wanted) __HCC_LEAF;
int isatty(int fd) __HCC_LEAF;
int access(const char *path, int mode) __HCC_LEAF;
int chdir(const char *path) __HCC_LEAF;
char *getcwd(char *to, size_t size) __HCC_LEAF;
int unlink(const char *path) __HCC_LEAF;
int rmdir(const char *path) __HCC_LEAF;
pid_t getpid(void) __HCC_LEAF;
unsigned sleep(unsigned seconds) __HCC_LEAF;
int usleep(unsigned microseconds) __HCC_LEAF;
void _exit(int status) __HCC_NORETURN __HCC_LEAF;

#endif
