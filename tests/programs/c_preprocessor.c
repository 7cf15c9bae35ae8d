// The preprocessor: macros of every form, conditions, stringising, pasting, predefined names.
#include <stdio.h>
#include <string.h>

#define EMPTY
#define ONE 1
#define TWO (ONE + ONE)
#define ADD(a, b) ((a) + (b))
#define STR(x) #x
#define XSTR(x) STR(x)
#define CAT(a, b) a##b
#define XCAT(a, b) CAT(a, b)
#define SHOW(...) printf(__VA_ARGS__)
#define LOG(f, ...) printf("<" f ">\n", ##__VA_ARGS__)
#define FIRST(x, ...) x
#define REST(x, ...) __VA_ARGS__
#define SELF SELF_ + 1
#define SWAP(t, a, b) do { t tmp = (a); (a) = (b); (b) = tmp; } while (0)
#define MULTI(a, \
              b) \
    a - \
    b
#define CALL(f) f(2, 3)
#define OBJ ADD
#define LIST X(alpha) X(beta) X(gamma)
#define X(n) n,
enum { LIST count };
#undef X
#define X(n) #n,
static const char *names[] = {LIST};
#undef X
#define F(x) x F2
#define F2(y) * y

#if defined(ONE) && !defined(THREE) && TWO == 2
#define RIGHT 1
#elif 1
#error not here
#else
#define RIGHT 0
#endif
#ifdef THREE
#if 1
#error nested in a skipped group
#endif
#endif
#ifndef RIGHT
#define RIGHT 2
#endif
#if (2 + 3 * 4 - 1) / 13 == 1 && (1 ? 2 : 3) == 2 && ~0 == -1 && 'a' == 97 && 1 << 3 > 7
#define MATH ok
#endif
#if 0
this isn't "code
#endif
#if __STDC_VERSION__ >= 199901L && UNKNOWN == 0 && -1 < 0u == 0
#define VERSION yes
#endif
#pragma unknown thing

static int SELF_ = 4;

int main(void)
{
    int a = 1, b = 2;
    printf("%d %d %d\n", ONE, TWO * TWO, ADD(a, b) * 2);
    printf("%s %s %s\n", STR(TWO), XSTR(TWO), STR(a  +   "b\n" '"'));
    printf("%d %d\n", CAT(1, 2), XCAT(TW, O));
    SHOW("%d %s\n", a, "x");
    LOG("none");
    LOG("%d", 5);
    LOG("%d %s", 6, STR(EMPTY));
    printf("%d %d\n", FIRST(7, 8, 9), CALL(ADD) + (REST(7, 8, 9)));
    printf("%d\n", SELF);
    SWAP(int, a, b);
    printf("%d %d\n", a, b);
    printf("%d\n", MULTI(10, 3));
    printf("%d %d\n", CALL(ADD), OBJ(4, 5));
    printf("%d %s %s\n", count, names[0], names[2]);
    printf("%d\n", F(3)(4));
    printf("%d %s %s\n", RIGHT, XSTR(MATH), XSTR(VERSION));
    printf("%d %d\n", __LINE__, strlen(__FILE__) > 5);
    printf("%s\n", "joined " "from " STR(parts) "\x41" "B");
    printf("%d\n", EMPTY ADD(EMPTY 1 EMPTY, 2));
#line 1000
    printf("%d\n", __LINE__);
    printf("%d%s\n", ADD(
        1,
        2), /* a comment
        over lines */ "!"); // and another \
    continued
    printf("%s\n", "a\
b");
    int spl\
it = 3;
    printf("%d\n", split);
#define KEPT 1
#pragma push_macro("KEPT")
#undef KEPT
#define KEPT 2
#pragma push_macro("NEVER")
#define NEVER
    printf("%d ", KEPT);
#pragma pop_macro("KEPT")
#pragma pop_macro("KEPT")
#pragma pop_macro("NEVER")
#ifdef NEVER
    puts("NEVER");
#endif
    printf("%d\n", KEPT);
    return 0;
}
