/* The calls that name a file or folder: one system call each.
 *
 * The folder in HCC_ROOT, if there is one, is the root of the program's files:
 * absolute paths are looked up below it.  So a program finds its image at the
 * same paths on a machine of its own and as a process among others.
 */
#include <errno.h>
#include <fcntl.h>
#include <hcc/syscall.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "path.h"

#define AT_REMOVEDIR 0x200L

/* The root as found by fix_root, once somebody asked for the working folder. */
static char fixed_root[LONGEST_PATH];

const char *__hcc_below_root(const char *path, char *buffer)
{
    if (path[0] != '/')
        return path;
    const char *root = fixed_root[0] != '\0' ? fixed_root : getenv("HCC_ROOT");
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

static __HCC_LEAF long working_folder(char *to)
{
    long n = __hcc_result(__hcc_syscall(HCC_SYS_GETCWD, (long)to, (long)LONGEST_PATH));

    if (n >= 0 && to[0] != '/') { /* it is not below the kernel's root */
        errno = ENOENT;
        return -1;
    }
    return n;
}

/* Finds the root's own absolute path, while a relative HCC_ROOT still leads to it:
   by going there and back.  False and errno if that fails. */
static __HCC_LEAF int fix_root(void)
{
    char here[LONGEST_PATH];
    const char *root = getenv("HCC_ROOT");

    if (root == NULL || *root == '\0' || fixed_root[0] != '\0')
        return 1;
    if (working_folder(here) < 0)
        return 0;
    if (__hcc_result(__hcc_syscall(HCC_SYS_CHDIR, (long)root)) < 0)
        return 0;
    long found = working_folder(fixed_root);
    if (__hcc_result(__hcc_syscall(HCC_SYS_CHDIR, (long)here)) < 0)
        return 0;
    return found >= 0;
}

int chdir(const char *path)
{
    char buffer[LONGEST_PATH];

    if (!fix_root())
        return -1;
    path = __hcc_below_root(path, buffer);
    if (path == NULL)
        return -1;
    return (int)__hcc_result(__hcc_syscall(HCC_SYS_CHDIR, (long)path));
}

char *getcwd(char *to, size_t size)
{
    char here[LONGEST_PATH];
    const char *shown = here;

    if (to != NULL && size == 0) {
        errno = EINVAL;
        return NULL;
    }
    if (!fix_root() || working_folder(here) < 0)
        return NULL;
    size_t root = strlen(fixed_root);
    if (root > 1) {
        if (strncmp(here, fixed_root, root) != 0 || (here[root] != '\0' && here[root] != '/')) {
            errno = ENOENT; /* as for a process outside of its root */
            return NULL;
        }
        shown = here[root] == '\0' ? "/" : here + root;
    }
    size_t needed = strlen(shown) + 1;
    if (size != 0 && size < needed) {
        errno = ERANGE;
        return NULL;
    }
    if (to == NULL)
        to = malloc(size != 0 ? size : needed);
    if (to != NULL)
        memcpy(to, shown, needed);
    return to;
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
    path = __hcc_below_root(path, buffer);
    if (path == NULL)
        return -1;
    return (int)__hcc_result(
        __hcc_syscall(HCC_SYS_OPENAT, HCC_AT_FDCWD, (long)path, (long)flags, mode));
}

int creat(const char *path, mode_t mode)
{
    return open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

int unlink(const char *path)
{
    char buffer[LONGEST_PATH];

    path = __hcc_below_root(path, buffer);
    if (path == NULL)
        return -1;
    return (int)__hcc_result(__hcc_syscall(HCC_SYS_UNLINKAT, HCC_AT_FDCWD, (long)path, 0L));
}

int rmdir(const char *path)
{
    char buffer[LONGEST_PATH];

    path = __hcc_below_root(path, buffer);
    if (path == NULL)
        return -1;
    return (int)__hcc_result(
        __hcc_syscall(HCC_SYS_UNLINKAT, HCC_AT_FDCWD, (long)path, AT_REMOVEDIR));
}

int mkdir(const char *path, mode_t mode)
{
    char buffer[LONGEST_PATH];

    path = __hcc_below_root(path, buffer);
    if (path == NULL)
        return -1;
    return (int)__hcc_result(
        __hcc_syscall(HCC_SYS_MKDIRAT, HCC_AT_FDCWD, (long)path, (long)mode));
}

int chmod(const char *path, mode_t mode)
{
    char buffer[LONGEST_PATH];

    path = __hcc_below_root(path, buffer);
    if (path == NULL)
        return -1;
    return (int)__hcc_result(
        __hcc_syscall(HCC_SYS_FCHMODAT, HCC_AT_FDCWD, (long)path, (long)mode));
}

int access(const char *path, int mode)
{
    char buffer[LONGEST_PATH];

    path = __hcc_below_root(path, buffer);
    if (path == NULL)
        return -1;
    return (int)__hcc_result(
        __hcc_syscall(HCC_SYS_FACCESSAT, HCC_AT_FDCWD, (long)path, (long)mode));
}

int truncate(const char *path, off_t size)
{
    char buffer[LONGEST_PATH];

    path = __hcc_below_root(path, buffer);
    if (path == NULL)
        return -1;
    return (int)__hcc_result(__hcc_syscall(HCC_SYS_TRUNCATE, (long)path, size));
}

int rename(const char *from, const char *to)
{
    char from_buffer[LONGEST_PATH], to_buffer[LONGEST_PATH];

    from = __hcc_below_root(from, from_buffer);
    to = __hcc_below_root(to, to_buffer);
    if (from == NULL || to == NULL)
        return -1;
    return (int)__hcc_result(__hcc_syscall(HCC_SYS_RENAMEAT2, HCC_AT_FDCWD, (long)from,
                                           HCC_AT_FDCWD, (long)to, 0L));
}
