/* Files and folders by name and by descriptor, in a folder of the program's own. */
#include <errno.h>
#include <fcntl.h>
#include <hcc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static void show(const char *what, int result)
{
    printf("%s: %d", what, result);
    if (result < 0)
        printf(" (%s)", strerror(errno));
    putchar('\n');
    migrate_point();
}

static const char *kind(mode_t mode)
{
    if (S_ISREG(mode))
        return "file";
    if (S_ISDIR(mode))
        return "folder";
    if (S_ISCHR(mode))
        return "device";
    if (S_ISFIFO(mode) || S_ISLNK(mode) || S_ISBLK(mode) || S_ISSOCK(mode))
        return "other";
    return "none";
}

static void describe(const char *path)
{
    struct stat s, l;
    int fd = open(path, O_RDONLY);

    memset(&s, 0x55, sizeof s);
    if (stat(path, &s) != 0) {
        printf("%s: %s\n", path, strerror(errno));
        return;
    }
    printf("%s: %s of mode %o, %d links, %ld bytes\n", path, kind(s.st_mode), s.st_mode & 07777,
           (int)s.st_nlink, S_ISDIR(s.st_mode) ? 0L : (long)s.st_size);
    printf("%d %d", fstat(fd, &l), lstat(path, &l));
    printf(" %d", s.st_dev == l.st_dev && s.st_ino == l.st_ino && s.st_mtime == l.st_mtime);
    printf(" %d", (long)(s.st_mtime - time(NULL)) < 2 && s.st_mtim.tv_nsec < 1000000000);
    printf(" %d %d\n", s.st_blksize > 0, s.st_uid == l.st_uid);
    close(fd);
}

static void folders(void)
{
    char here[4096], tight[3];

    show("mkdir", mkdir("sub", 0751));
    show("again", mkdir("sub", 0777));
    show("below nothing", mkdir("none/sub", 0777));
    describe("sub");
    show("chdir", chdir("sub"));
    printf("%s\n", strrchr(getcwd(here, sizeof here), '/'));
    printf("%d", getcwd(tight, sizeof tight) == NULL);
    printf(" %d\n", errno == ERANGE);
    char *made = getcwd(NULL, 0);
    printf("%d\n", strcmp(made, here));
    free(made);
    fclose(fopen("inside", "w"));
    describe("inside");
    describe("../sub/inside");
    show("chdir to a file", chdir("inside"));
    show("chdir to nothing", chdir("none"));
    show("no folder", chdir(""));
    show("up", chdir(".."));
    describe("inside");
    describe("sub/inside");
    show("not empty", rmdir("sub"));
    show("unlink", unlink("sub/inside"));
    show("rmdir", rmdir("sub"));
    describe("sub");
}

static void rights(void)
{
    int fd = creat("f", 0640);

    show("write", (int)write(fd, "0123456789", 10));
    describe("f");
    show("F_OK", access("f", F_OK));
    show("R_OK | W_OK", access("f", R_OK | W_OK));
    show("X_OK", access("f", X_OK));
    show("none", access("none", F_OK));
    show("through a file", access("f/g", F_OK));
    show("bad mode", access("f", 8));
    show("chmod", chmod("f", 0711));
    describe("f");
    show("X_OK", access("f", X_OK));
    show("ftruncate", ftruncate(fd, 4));
    describe("f");
    show("truncate", truncate("f", 7));
    show("truncate nothing", truncate("none", 7));
    describe("f");
    show("negative", ftruncate(fd, -1));
    show("fsync", fsync(fd));
    show("close", close(fd));
    show("isatty", isatty(fd));
    describe("/dev/null");
    describe("");
    show("fstat of nothing", fstat(99, &(struct stat){0}));
}

static void copies(void)
{
    char text[32] = "";
    int fd = open("f", O_RDWR | O_TRUNC);
    int copy = dup(fd);

    show("written", (int)(write(fd, "abc", 3) + write(copy, "def", 3)));
    show("position", (int)lseek(fd, 0, SEEK_CUR));
    show("close", close(fd));
    lseek(copy, 1, SEEK_SET);
    show("read", (int)read(copy, text, sizeof text));
    printf("%s\n", text);
    show("itself", dup2(copy, copy) == copy);
    show("closed", dup2(fd, fd));
    show("closed", dup(fd));
    show("out of range", dup2(copy, -1));

    fflush(stdout);
    int saved = dup(1);
    show("dup2", dup2(copy, 1));
    fflush(stdout);
    migrate_point();
    fputs("into the file\n", stdout);
    fflush(stdout);
    show("and back", dup2(saved, 1) == 1);
    close(saved);
    describe("f");
    lseek(copy, 6, SEEK_SET);
    memset(text, 0, sizeof text);
    show("read", (int)read(copy, text, sizeof text - 1) > 0);
    printf("%s\n", text);
    close(copy);
    show("unlink", unlink("f"));
}

static void temporary(void)
{
    char name[] = "t-XXXXXX", other[] = "t-XXXXXX", wrong[] = "t-XXXXX";
    char line[16], made[L_tmpnam];
    FILE *f = tmpfile();

    fputs("kept for a while\n", f);
    migrate_point();
    rewind(f);
    printf("%s|\n", fgets(line, sizeof line, f));
    show("fclose", fclose(f));
    int fd = mkstemp(name);
    show("different", close(fd) + close(mkstemp(other)) + (strcmp(name, other) != 0));
    show("letters left", strchr(name, 'X') != NULL && strcmp(name, "t-XXXXXX") == 0);
    show("no marks", mkstemp(wrong));
    struct stat s;
    stat(name, &s);
    printf("%o %d\n", s.st_mode, (int)s.st_size);
    show("unlink", unlink(name) + unlink(other));
    printf("%d", tmpnam(made) == made);
    printf(" %d\n", strncmp(made, "/tmp/", 5));
    printf("%d\n", access(made, F_OK));
}

int main(void)
{
    char folder[] = "/tmp/hcc-files-XXXXXX";

    printf("%d\n", mkdtemp(folder) == folder);
    if (chdir(folder) != 0)
        return 1;
    folders();
    rights();
    copies();
    temporary();
    chdir("/");
    show("rmdir", rmdir(folder));
    printf("%ld %ld %d\n", sysconf(_SC_PAGESIZE), sysconf(_SC_CLK_TCK), getpagesize());
    printf("%d", (int)sysconf(-5));
    printf(" %d\n", errno == EINVAL);
    return 0;
}
