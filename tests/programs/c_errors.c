/* The words for errors. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CODE(name) printf(#name " %d\n", name);

int main(void)
{
    static const int numbers[] = {-5, 41, 58, 134, 135, 1000, -2147483647 - 1};

    for (int i = -2; i < 140; i++)
        printf("%d %s\n", i, strerror(i));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        errno = numbers[i];
        perror("perror");
        errno = numbers[i];
        perror(i % 2 ? "" : NULL);
    }
    CODE(EILSEQ) CODE(EOVERFLOW) CODE(ENOTSUP) CODE(EOPNOTSUPP) CODE(EPROTO) CODE(ENODATA)
    CODE(EBADMSG) CODE(EADDRINUSE) CODE(ECONNREFUSED) CODE(EINPROGRESS) CODE(EALREADY)
    CODE(ECANCELED) CODE(EOWNERDEAD) CODE(ENOTSOCK) CODE(EDQUOT) CODE(ESTALE) CODE(EHWPOISON)

    void *p = &p, *q = &q;
    int n = -1;
    printf("%d", sscanf("(nil) x", "%p%n", &p, &n));
    printf(" %d %d\n", p == NULL, n);
    printf("%d", sscanf("(NIL)5", "%p%d", &p, &n));
    printf(" %d %d\n", p == NULL, n);
    printf("%d", sscanf("(nix", "%p", &q));
    printf(" %d\n", q == &q);
    printf("%d", sscanf("0x1f,(nil)", "%p,%p", &p, &q));
    printf(" %d\n", p == (void *)0x1f && q == NULL);
    printf("%d", sscanf("(nil)", "%*p%d", &n));
    printf(" %d\n", sscanf("(nil)", "%4p", &p));
    printf("%d\n", sscanf("(", "%p", &p));
    return 0;
}
