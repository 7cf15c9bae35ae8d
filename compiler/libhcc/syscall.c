/* The calls of unistd.h and fcntl.h: one system call each. */
#include <errno.h>
#include <fcntl.h>
#include <hcc/syscall.h>
#include <stdarg.h>
#include <unistd.h>

#define HIGHEST_ERRNO 4095

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

int open(const char *path, int flags, ...)
{
    long mode = 0;

    if (flags & O_CREAT) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, int);
        va_end(arguments);
    }
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
    return (int)__hcc_result(__hcc_syscall(HCC_SYS_UNLINKAT, HCC_AT_FDCWD, (long)path, 0L));
}

pid_t getpid(void)
{
    return (int)__hcc_syscall(HCC_SYS_GETPID);
}
