/* The calls of unistd.h and fcntl.h, and rename: one system call each. */
#include <errno.h>
#include <fcntl.h>
#include <hcc/syscall.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HIGHEST_ERRNO 4095
#define LONGEST_PATH 4096
#define AT_REMOVEDIR 0x200L

long __hcc_result(long raw)
{
    if (raw < 0 && raw >= -HIGHEST_ERRNO) {
        errno = (int)-raw;
        return -1;
    }
    return raw;
}

ssize_t read(int fd, void *to, size_t n)
{
    return __hcc_result(__hcc_syscall(HCC_SYS_READ, (long)fd, (long)to, (long)n));
}

ssize_t write(int fd, const void *from, size_t n)
{
    return __hcc_result(__hcc_syscall(HCC_SYS_WRITE, (long)fd, (long)from, (long)n));
}

/* The folder in HCC_ROOT, if there is one, is the root of the program's files:
   absolute paths are looked up below it.  So a program finds its image at the
   same paths on a machine of its own and as a process among others.  The result
   is path or buffer; NULL and errno if it would be too long. */
static __HCC_LEAF const char *below_root(const char *path, char *buffer)
{
    const char *root = path[0] == '/' ? getenv("HCC_ROOT") : NULL;

    if (root == NULL)
        return path;
    size_t length = strlen(root);
    if (length + strlen(path) >= LONGEST_PATH) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    memcpy(buffer, root, length);
    strcpy(buffer + length, path);
    return buffer;
}

int open(const char *path, int flags, ...)
{
    char buffer[LONGEST_PATH];
    long mode = 0;

    if (flags & O_CREAT) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, int);
        va_end(arguments);
    }
    path = below_root(path, buffer);
    if (path == NULL)
        return -1;
    return (int)__hcc_result(
        __hcc_syscall(HCC_SYS_OPENAT, HCC_AT_FDCWD, (long)path, (long)flags, mode));
}

int creat(const char *path, mode_t mode)
{
    return open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

int close(int fd)
{
    return (int)__hcc_result(__hcc_syscall(HCC_SYS_CLOSE, (long)fd));
}

off_t lseek(int fd, off_t offset, int whence)
{
    return __hcc_result(__hcc_syscall(HCC_SYS_LSEEK, (long)fd, offset, (long)whence));
}

int unlink(const char *path)
{
    char buffer[LONGEST_PATH];

    path = below_root(path, buffer);
    if (path == NULL)
        return -1;
    return (int)__hcc_result(__hcc_syscall(HCC_SYS_UNLINKAT, HCC_AT_FDCWD, (long)path, 0L));
}

int rmdir(const char *path)
{
    char buffer[LONGEST_PATH];

    path = below_root(path, buffer);
    if (path == NULL)
        return -1;
    return (int)__hcc_result(
        __hcc_syscall(HCC_SYS_UNLINKAT, HCC_AT_FDCWD, (long)path, AT_REMOVEDIR));
}

int rename(const char *from, const char *to)
{
    char from_buffer[LONGEST_PATH], to_buffer[LONGEST_PATH];

    from = below_root(from, from_buffer);
    to = below_root(to, to_buffer);
    if (from == NULL || to == NULL)
        return -1;
    return (int)__hcc_result(__hcc_syscall(HCC_SYS_RENAMEAT2, HCC_AT_FDCWD, (long)from,
                                           HCC_AT_FDCWD, (long)to, 0L));
}

pid_t getpid(void)
{
    return (int)__hcc_syscall(HCC_SYS_GETPID);
}
