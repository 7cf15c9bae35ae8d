/* Messages between the nodes of one launch.
 *
 * hcc's emulators take the two system calls.  On a real kernel, which does not
 * know them, the launcher leaves a stream open under the number in HCC_NET_FD,
 * and the same frames go through it from here:
 *
 *     int32 length    int32 node    length bytes
 *
 * The node is the receiver's on the way out and the sender's on the way in.  A
 * length below 0 says that nobody is left who could send: a serial line has no end.
 */
#include <errno.h>
#include <hcc.h>
#include <hcc/syscall.h>
#include <stdint.h>
#include <stdlib.h>

#define LONGEST_MESSAGE (16 << 20)
#define PIECE 4096

typedef struct {
    int32_t size;
    int32_t node;
} Header;

static int left_alone;

static __HCC_LEAF int number_of(const char *name, int otherwise)
{
    const char *text = getenv(name);

    return text == NULL ? otherwise : atoi(text);
}

int hcc_node(void)
{
    return number_of("HCC_NODE", 0);
}

int hcc_nodes(void)
{
    return number_of("HCC_NODES", 1);
}

/* Moves all n bytes by one of the two calls; 0, or an errno. */
static __HCC_LEAF int write_all(int fd, const char *from, size_t n)
{
    while (n > 0) {
        long done = __hcc_syscall(HCC_SYS_WRITE, (long)fd, (long)from, (long)n);
        if (done < 0)
            return (int)-done;
        from += done;
        n -= (size_t)done;
    }
    return 0;
}

static __HCC_LEAF int read_all(int fd, char *to, size_t n)
{
    while (n > 0) {
        long done = __hcc_syscall(HCC_SYS_READ, (long)fd, (long)to, (long)n);
        if (done < 0)
            return (int)-done;
        if (done == 0)
            return EPIPE;
        to += done;
        n -= (size_t)done;
    }
    return 0;
}

static __HCC_LEAF int send_frame(int fd, int node, const void *from, size_t n)
{
    Header header = {(int32_t)n, node};
    int problem = write_all(fd, (const char *)&header, sizeof header);

    return problem ? problem : write_all(fd, from, n);
}

/* What does not fit into the buffer is read and dropped. */
static __HCC_LEAF int receive_frame(int fd, Header *header, char *to, size_t n)
{
    char rest[PIECE];
    int problem = left_alone ? EPIPE : read_all(fd, (char *)header, sizeof *header);

    if (problem)
        return problem;
    if (header->size < 0) {
        left_alone = 1;
        return EPIPE;
    }
    size_t size = (size_t)header->size;
    size_t kept = size < n ? size : n;
    problem = read_all(fd, to, kept);
    for (size_t left = size - kept; problem == 0 && left > 0;) {
        size_t piece = left < PIECE ? left : PIECE;
        problem = read_all(fd, rest, piece);
        left -= piece;
    }
    return problem;
}

/* A kernel that does not know the call has no network either. */
static __HCC_LEAF long network_result(long raw)
{
    return __hcc_result(raw == -ENOSYS ? -ENOTCONN : raw);
}

long hcc_send(int node, const void *from, size_t n)
{
    int fd = number_of("HCC_NET_FD", -1);
    int problem;

    if (n > LONGEST_MESSAGE)
        problem = EMSGSIZE;
    else if (node < 0 || node >= hcc_nodes())
        problem = EHOSTUNREACH;
    else if (fd < 0)
        return network_result(__hcc_syscall(HCC_SYS_SEND, (long)node, (long)from, (long)n));
    else
        problem = send_frame(fd, node, from, n);
    if (problem) {
        errno = problem;
        return -1;
    }
    return (long)n;
}

long hcc_recv(int *node, void *to, size_t n)
{
    int fd = number_of("HCC_NET_FD", -1);
    Header header;

    if (fd < 0) {
        int32_t from = 0;
        long size = network_result(__hcc_syscall(HCC_SYS_RECV, (long)&from, (long)to, (long)n));

        if (node != NULL && size >= 0)
            *node = from;
        return size;
    }
    int problem = receive_frame(fd, &header, to, n);
    if (problem) {
        errno = problem;
        return -1;
    }
    if (node != NULL)
        *node = header.node;
    return header.size;
}
