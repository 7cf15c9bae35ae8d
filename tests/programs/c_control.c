// Statements: every loop, switch with fall-through, Duff's device, goto, labels, short circuits.
#include <stdio.h>

static int calls;
static int t(int v) { calls = calls * 10 + v; return v; }

static int classify(int c)
{
    switch (c) {
    case 'a': case 'e': case 'i': case 'o': case 'u':
        return 1;
    case '0' ... '9':
        return 2;
    case ' ':
        c = 0;
        /* fall through */
    case '\t':
        c += 5;
        break;
    default:
        if (c < 0)
            return -1;
        c = 9;
    }
    return c;
}

static void duff(char *to, const char *from, int count)
{
    int n = (count + 7) / 8;
    switch (count % 8) {
    case 0: do { *to++ = *from++;
    case 7:      *to++ = *from++;
    case 6:      *to++ = *from++;
    case 5:      *to++ = *from++;
    case 4:      *to++ = *from++;
    case 3:      *to++ = *from++;
    case 2:      *to++ = *from++;
    case 1:      *to++ = *from++;
            } while (--n > 0);
    }
}

static int into_loop(int n)
{
    int sum = 0, i = 3;
    if (n > 5)
        goto middle;
    for (i = 0; i < n; i++) {
        sum += 100;
middle:
        sum += i;
    }
    return sum;
}

static int search(int m[3][3], int want)
{
    int i, j;
    for (i = 0; i < 3; i++)
        for (j = 0; j < 3; j++)
            if (m[i][j] == want)
                goto found;
    return -1;
found:
    return i * 3 + j;
}

static int retry(void)
{
    int tries = 0;
again:
    tries++;
    if (tries < 5)
        goto again;
    return tries;
}

static long long_switch(long v)
{
    switch (v) {
    case 0x100000000L: return 1;
    case -1: return 2;
    case 1L << 40: return 3;
    }
    return 0;
}

static int nested(int a, int b)
{
    int r = 0;
    switch (a) {
    case 1:
        switch (b) {
        case 1: r = 11; break;
        default: r = 19;
        }
        r += 100;
        break;
    case 2:
        while (1) {
            if (b-- > 3)
                continue;
            if (b < 0)
                break;
            switch (b) { case 0: r += 1000; continue; case 1: break; }
            r += b;
        }
    }
    return r;
}

int main(void)
{
    for (const char *s = "a7 \tz"; *s; s++)
        printf("%d ", classify(*s));
    printf("%d\n", classify(-4));
    char out[30] = "";
    duff(out, "abcdefghijklmnopqrstuvwxyz", 19);
    printf("%s\n", out);
    printf("%d %d\n", into_loop(4), into_loop(6));
    int m[3][3] = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}};
    printf("%d %d %d\n", search(m, 6), search(m, 10), retry());
    printf("%ld %ld %ld %ld\n", long_switch(0x100000000L), long_switch(-1), long_switch(1L << 40), long_switch(0));
    printf("%d %d %d\n", nested(1, 1), nested(1, 2), nested(2, 7));
    int i = 0, n = 0;
    while (i < 10) {
        if (++i % 2)
            continue;
        if (i == 8)
            break;
        n += i;
    }
    do {
        n++;
        if (n > 14)
            continue;
    } while (n < 20);
    printf("%d %d\n", i, n);
    for (;;) {
        if (--n < 3)
            break;
    }
    for (int a = 0, b = 10; a < b; a++, b--)
        n += b - a;
    printf("%d\n", n);
    calls = 0;
    int r = t(0) && t(1) || t(2) && t(3);
    printf("%d %d\n", r, calls);
    calls = 0;
    r = (t(1) || t(2)) && !t(0) && (t(3), t(4));
    printf("%d %d\n", r, calls);
    calls = 0;
    r = t(1) ? t(0) ? t(2) : t(3) : t(4);
    printf("%d %d\n", r, calls);
    calls = 0;
    t(0) ?: t(5);
    r = t(6) ?: t(7);
    printf("%d %d\n", r, calls);
    if (t(0)) n = 1; else if (t(0)) n = 2; else if (t(1)) n = 3; else n = 4;
    printf("%d\n", n);
    switch (n) { }
    switch (n) default: n++;
    switch (n) { int hidden; case 4: hidden = 9; n = hidden; }
    printf("%d\n", n);
    if (0) {
dead:
        n = 77;
        goto out;
    }
    if (n == 9)
        goto dead;
out:
    printf("%d\n", n);
    int k = 5;
    while (k --> 0) if (k == 2) break; else n += k;
    printf("%d %d\n", k, n);
    for (int j = 0; j < 3; j++) { int j = 7; n += j; }
    printf("%d\n", n);
    return n & 0x7f;
}
