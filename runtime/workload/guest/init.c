/* The first process of a machine that runs one job: starts the program, says how
 * it ended, sends its output files over the console and turns the machine off.
 *
 * /.hcc/job tells what to do, as strings each ended by a NUL:
 *
 *     mark, network device or "", program,
 *     number of arguments, arguments, number of variables, variables,
 *     number of output paths, output paths
 *
 * What this process says stands on lines that begin with the mark, a word made
 * up for this run, which tells it from what the program prints:
 *
 *     <mark> begin              the program's own output follows, byte for byte
 *     <mark> exit N             or "signal N": how it ended
 *     <mark> file SIZE PATH     then SIZE bytes in base64, 57 to a line
 *     <mark> dir PATH
 *     <mark> sum CRC            CRC-32 of the file just sent
 *     <mark> missing PATH       an output that is not there
 *     <mark> off                the end
 */
#include <fcntl.h>
#include <hcc/syscall.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Numbers of Linux's generic table, structures as all three ISAs have them. */
enum { SYS_DUP3 = 24, SYS_IOCTL = 29, SYS_CHDIR = 49, SYS_GETDENTS = 61, SYS_SYNC = 81 };
enum { SYS_REBOOT = 142, SYS_CLONE = 220, SYS_EXECVE = 221, SYS_WAIT4 = 260 };
enum { GET_TERMINAL = 0x5401, SET_TERMINAL = 0x5402, DRAIN = 0x5409 };
enum { SIGCHLD = 17, FD_NETWORK = 3, NOT_A_DIRECTORY = -20 };

#define REBOOT_MAGIC 0xfee1deadL
#define REBOOT_MAGIC_2 672274793L
#define POWER_OFF 0x4321fedcL

#define JOB "/.hcc/job"
#define STDIN "/.hcc/stdin"
#define LONGEST_PATH 4096
#define LINE 57
#define ENTRIES 4096

typedef struct {
    uint32_t input, output, control, local;
    unsigned char line, characters[19];
} Terminal;

typedef struct {
    uint64_t inode, offset;
    uint16_t size;
    unsigned char type;
    char name[];
} Entry;

static char *job, *job_end;
static const char *mark;
static uint32_t crc_table[256];

static void off(void)
{
    printf("%s off\n", mark);
    fflush(stdout);
    __hcc_syscall(SYS_IOCTL, 1L, (long)DRAIN, 1L);
    __hcc_syscall(SYS_SYNC);
    for (;;)
        __hcc_syscall(SYS_REBOOT, REBOOT_MAGIC, REBOOT_MAGIC_2, POWER_OFF, 0L);
}

/* A terminal that passes every byte on as it is. */
static void make_raw(int fd)
{
    Terminal terminal;

    memset(&terminal, 0, sizeof terminal);
    if (__hcc_syscall(SYS_IOCTL, (long)fd, (long)GET_TERMINAL, (long)&terminal) < 0)
        return;
    terminal.input = 0;
    terminal.output = 0;
    terminal.local = 0;
    terminal.characters[6] = 1; /* VMIN: read waits for a byte */
    terminal.characters[5] = 0;
    __hcc_syscall(SYS_IOCTL, (long)fd, (long)SET_TERMINAL, (long)&terminal);
}

static void read_job(void)
{
    FILE *f = fopen(JOB, "rb");
    size_t size = 0, room = 1 << 16;

    mark = "init:";
    if (f == NULL) {
        printf("%s no " JOB "\n", mark);
        off();
    }
    job = malloc(room);
    for (size_t n; (n = fread(job + size, 1, room - size, f)) > 0;) {
        size += n;
        if (size == room)
            job = realloc(job, room *= 2);
    }
    fclose(f);
    job_end = job + size;
}

static char *next(void)
{
    char *text = job;

    if (job >= job_end) {
        printf("%s " JOB " is cut off\n", mark);
        off();
    }
    job += strlen(job) + 1;
    return text;
}

/* The next list, with a null pointer behind it. */
static char **next_list(void)
{
    int count = atoi(next());
    char **list = calloc((size_t)count + 1, sizeof *list);

    for (int i = 0; i < count; i++)
        list[i] = next();
    return list;
}

static void run(const char *program, char **arguments, char **variables, const char *network)
{
    /* A frame (libhcc/message.c) that tells the switch that the line is open: what
       had come before would have been lost. */
    static const int32_t ready[2] = {0, -1};
    int in = open(STDIN, O_RDONLY);

    if (in < 0)
        in = open("/dev/null", O_RDONLY);
    if (in > 0)
        __hcc_syscall(SYS_DUP3, (long)in, 0L, 0L);
    if (*network != '\0') {
        int fd = open(network, O_RDWR);
        make_raw(fd);
        write(fd, ready, sizeof ready);
        if (fd != FD_NETWORK)
            __hcc_syscall(SYS_DUP3, (long)fd, (long)FD_NETWORK, 0L);
    }
    __hcc_syscall(SYS_CHDIR, (long)"/");
    long error = __hcc_syscall(SYS_EXECVE, (long)program, (long)arguments, (long)variables);
    printf("%s: cannot be started: error %ld\n", program, -error);
    fflush(stdout);
    _exit(127);
}

/* The wait status of the process, when it is over; orphans are reaped on the way. */
static int wait_for(long child)
{
    int status = 0;

    while (__hcc_syscall(SYS_WAIT4, -1L, (long)&status, 0L, 0L) != child)
        continue;
    return status;
}

static void make_crc_table(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++)
            c = c & 1 ? c >> 1 ^ 0xedb88320U : c >> 1;
        crc_table[i] = c;
    }
}

static void put_base64(const unsigned char *from, size_t n)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < n; i += 3) {
        uint32_t group = (uint32_t)from[i] << 16;
        if (i + 1 < n)
            group |= (uint32_t)from[i + 1] << 8;
        if (i + 2 < n)
            group |= from[i + 2];
        putchar(digits[group >> 18]);
        putchar(digits[group >> 12 & 63]);
        putchar(i + 1 < n ? digits[group >> 6 & 63] : '=');
        putchar(i + 2 < n ? digits[group & 63] : '=');
    }
    putchar('\n');
}

static void send_file(const char *path, int fd)
{
    unsigned char line[LINE];
    uint32_t crc = 0xffffffffU;
    long size = lseek(fd, 0, SEEK_END);
    FILE *f = fdopen(fd, "rb");

    fseek(f, 0, SEEK_SET);
    printf("%s file %ld %s\n", mark, size, path);
    for (size_t n; (n = fread(line, 1, sizeof line, f)) > 0;) {
        for (size_t i = 0; i < n; i++)
            crc = crc_table[(crc ^ line[i]) & 255] ^ crc >> 8;
        put_base64(line, n);
    }
    printf("%s sum %u\n", mark, crc ^ 0xffffffffU);
    fclose(f);
}

static void send_tree(const char *path);

/* Sends what is in a folder, n bytes of whose entries have been read. */
static void send_entries(const char *path, int fd, char *buffer, long n)
{
    while (n > 0) {
        for (long at = 0; at < n;) {
            Entry *entry = (Entry *)(buffer + at);
            at += entry->size;
            if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0)
                continue;
            char below[LONGEST_PATH];
            snprintf(below, sizeof below, "%s/%s", path, entry->name);
            send_tree(below);
        }
        n = __hcc_syscall(SYS_GETDENTS, (long)fd, (long)buffer, (long)ENTRIES);
    }
}

/* Whether it is a folder is asked of getdents: open's flag for that has another
   number on each ISA. */
static void send_tree(const char *path)
{
    char buffer[ENTRIES];
    int fd = open(path, O_RDONLY);

    if (fd < 0) {
        printf("%s missing %s\n", mark, path);
        return;
    }
    long n = __hcc_syscall(SYS_GETDENTS, (long)fd, (long)buffer, (long)sizeof buffer);
    if (n == NOT_A_DIRECTORY) {
        send_file(path, fd);
        return;
    }
    printf("%s dir %s\n", mark, path);
    send_entries(path, fd, buffer, n);
    close(fd);
}

int main(void)
{
    make_raw(1);
    read_job();
    mark = next();
    const char *network = next(), *program = next();
    char **arguments = next_list(), **variables = next_list(), **outputs = next_list();

    printf("\n%s begin\n", mark);
    fflush(stdout);
    long child = __hcc_syscall(SYS_CLONE, (long)SIGCHLD, 0L, 0L, 0L, 0L);
    if (child == 0)
        run(program, arguments, variables, network);
    int status = wait_for(child);
    if ((status & 127) == 0)
        printf("\n%s exit %d\n", mark, status >> 8 & 255);
    else
        printf("\n%s signal %d\n", mark, status & 127);
    make_crc_table();
    for (char **output = outputs; *output != NULL; output++)
        send_tree(*output);
    off();
}
