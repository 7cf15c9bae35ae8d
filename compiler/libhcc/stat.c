/* What the file system says of a file.
 *
 * The kernel's struct stat differs between the ISAs; what statx writes is the
 * same on all of them, so everything is asked of that.
 */
#include <hcc/syscall.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "path.h"

#define AT_SYMLINK_NOFOLLOW 0x100L
#define AT_EMPTY_PATH 0x1000L
#define STATX_BASIC_STATS 0x7ffL

struct statx_time {
    int64_t seconds;
    uint32_t nanoseconds;
    int32_t spare;
};

struct statx {
    uint32_t known;
    uint32_t block_size;
    uint64_t attributes;
    uint32_t links;
    uint32_t uid;
    uint32_t gid;
    uint16_t mode;
    uint16_t spare;
    uint64_t ino;
    uint64_t size;
    uint64_t blocks;
    uint64_t known_attributes;
    struct statx_time accessed;
    struct statx_time born;
    struct statx_time changed;
    struct statx_time modified;
    uint32_t rdev_major;
    uint32_t rdev_minor;
    uint32_t dev_major;
    uint32_t dev_minor;
    uint64_t spares[14];
};

/* A device's number as glibc makes it. */
static __HCC_LEAF dev_t device(dev_t major, dev_t minor)
{
    return (minor & 0xff) | (major & 0xfff) << 8 | (minor & ~(dev_t)0xff) << 12
           | (major & ~(dev_t)0xfff) << 32;
}

static __HCC_LEAF struct timespec time_of(const struct statx_time *t)
{
    struct timespec result = { t->seconds, t->nanoseconds };

    return result;
}

static __HCC_LEAF int status_of(long folder, const char *path, long flags, struct stat *status)
{
    struct statx x;

    if (__hcc_result(__hcc_syscall(HCC_SYS_STATX, folder, (long)path, flags, STATX_BASIC_STATS,
                                   (long)&x)) < 0)
        return -1;
    memset(status, 0, sizeof *status);
    status->st_dev = device(x.dev_major, x.dev_minor);
    status->st_ino = x.ino;
    status->st_nlink = x.links;
    status->st_mode = x.mode;
    status->st_uid = x.uid;
    status->st_gid = x.gid;
    status->st_rdev = device(x.rdev_major, x.rdev_minor);
    status->st_size = (off_t)x.size;
    status->st_blksize = x.block_size;
    status->st_blocks = (blkcnt_t)x.blocks;
    status->st_atim = time_of(&x.accessed);
    status->st_mtim = time_of(&x.modified);
    status->st_ctim = time_of(&x.changed);
    return 0;
}

int stat(const char *restrict path, struct stat *restrict status)
{
    char buffer[LONGEST_PATH];

    path = __hcc_below_root(path, buffer);
    return path == NULL ? -1 : status_of(HCC_AT_FDCWD, path, 0L, status);
}

int lstat(const char *restrict path, struct stat *restrict status)
{
    char buffer[LONGEST_PATH];

    path = __hcc_below_root(path, buffer);
    return path == NULL ? -1 : status_of(HCC_AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, status);
}

int fstat(int fd, struct stat *status)
{
    return status_of((long)fd, "", AT_EMPTY_PATH, status);
}
