/* Files for a while.
 *
 * A name comes from the clock and a counter, and counts once nothing else had it.
 * The file of tmpfile has no name any more when the program gets it, so it goes
 * with the program however that ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MARKS 6 /* "XXXXXX" */

static uint64_t names_made;

/* Replaces the marks, which end the name; returns where they are, NULL and errno if
   there are none. */
static __HCC_LEAF char *find_marks(char *name)
{
    size_t n = strlen(name);

    if (n < MARKS || strcmp(name + n - MARKS, "XXXXXX") != 0) {
        errno = EINVAL;
        return NULL;
    }
    return name + n - MARKS;
}

static __HCC_LEAF void fill_marks(char *marks)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    struct timespec now = { 0, 0 };

    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t n = ((uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec) / 100;
    n = (n + (uint64_t)getpid() + names_made++ * 7919) * 0x9e3779b97f4a7c15;
    n ^= n >> 32;
    for (int i = 0; i < MARKS; i++) {
        marks[i] = letters[n % (sizeof letters - 1)];
        n /= sizeof letters - 1;
    }
}

int mkstemp(char *name)
{
    char *marks = find_marks(name);

    for (int i = 0; marks != NULL && i < TMP_MAX; i++) {
        fill_marks(marks);
        int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

char *mkdtemp(char *name)
{
    char *marks = find_marks(name);

    for (int i = 0; marks != NULL && i < TMP_MAX; i++) {
        fill_marks(marks);
        if (mkdir(name, 0700) == 0)
            return name;
        if (errno != EEXIST)
            return NULL;
    }
    return NULL;
}

FILE *tmpfile(void)
{
    char name[] = P_tmpdir "/tmpfXXXXXX";
    int fd = mkstemp(name);

    if (fd < 0)
        return NULL;
    unlink(name);
    FILE *f = fdopen(fd, "w+");
    if (f == NULL)
        close(fd);
    return f;
}

char *tmpnam(char *to)
{
    static char own[L_tmpnam];
    char name[] = P_tmpdir "/fileXXXXXX";
    struct stat status;

    for (int i = 0; i < TMP_MAX; i++) {
        fill_marks(name + sizeof name - 1 - MARKS);
        if (lstat(name, &status) != 0)
            return strcpy(to != NULL ? to : own, name);
    }
    return NULL;
}
