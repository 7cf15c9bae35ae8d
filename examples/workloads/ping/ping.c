/* Node 0 sends messages of growing size to the other nodes, which send them back
 * reversed; `ping N` sends N to each. Whoever is not node 0 answers until an empty
 * message tells it to end. */
#include <errno.h>
#include <hcc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 1 << 20, GROWTH = 16 };

static unsigned char message[LARGEST], answer[LARGEST];

static unsigned digest(const unsigned char *from, long n)
{
    unsigned sum = 0;

    for (long i = 0; i < n; i++)
        sum = sum * 31 + from[i];
    return sum;
}

static int ask(int node, int count)
{
    long size = 1;

    for (int i = 0; i < count; i++, size *= GROWTH) {
        int from = -1;
        for (long at = 0; at < size; at++)
            message[at] = (unsigned char)(at * 7 + i + 1);
        if (hcc_send(node, message, (size_t)size) != size) {
            perror("ping: hcc_send");
            return 1;
        }
        long n = hcc_recv(&from, answer, sizeof answer);
        int right = n == size && from == node;
        for (long at = 0; right && at < n; at++)
            right = answer[at] == message[n - 1 - at];
        printf("node %d: %ld bytes %s, %08x\n", node, n, right ? "back" : "WRONG",
            digest(answer, n));
        if (!right)
            return 1;
    }
    return hcc_send(node, message, 0) != 0;
}

static int serve(void)
{
    long served = 0, size;
    int from;

    while ((size = hcc_recv(&from, message, sizeof message)) > 0) {
        for (long at = 0; at < size; at++)
            answer[at] = message[size - 1 - at];
        if (hcc_send(from, answer, (size_t)size) != size)
            break;
        served++;
    }
    printf("node %d: answered %ld, then %s\n", hcc_node(), served,
        size == 0 ? "told to end" : errno == EPIPE ? "nobody was left" : strerror(errno));
    return size != 0;
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 4;

    if (hcc_node() != 0)
        return serve();
    for (int node = 1; node < hcc_nodes(); node++)
        if (ask(node, count) != 0)
            return 1;
    return 0;
}
