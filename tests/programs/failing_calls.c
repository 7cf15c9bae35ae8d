/* Calls that fail, and what works behind them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void)
{
    printf("%d %d\n", malloc(1UL << 45) == NULL, malloc(1UL << 45) == NULL);
    char *block = malloc(5);
    printf("%d %d\n", block != NULL, (int)((size_t)block & 15));
    errno = 0;
    printf("%d ", fdopen(99, "r") == NULL);
    printf("%d\n", errno == EBADF);
    printf("%d ", (int)write(99, block, 5));
    printf("%d\n", errno == EBADF);
    printf("%d ", rmdir("no such folder"));
    printf("%d\n", errno == ENOENT);
    return 0;
}
