// Scopes and name spaces: typedef names shadowed, tags, labels, members, enumerations, storage.
#include <stdio.h>

typedef int T;
typedef struct T { T T; struct T *next; } S;
typedef enum { LOW = -2, ZERO = 2 - 2, HIGH = LOW + 10 } level;
enum color { RED, GREEN = 5, BLUE, };
typedef T (*F)(T), A[3], *P;
typedef unsigned long size;
int x = 1;
static int hidden = 3;

static T f(T T) { T++; return T; }
static int g(int T, int x) { { int x = T; x++; T = x; } return T * x; }
static int params(T a[3], F fn, A b) { return a[0] + fn(a[1]) + b[2] + sizeof a; }
static T local_types(void)
{
    typedef char T;
    struct S { T c[3]; } s = {{1, 2, 3}};
    enum color { RED = 100 };
    { enum { RED = 7 }; s.c[0] = RED; }
    return sizeof(T) + sizeof s + RED + s.c[0];
}
static int label(int x)
{
    typedef int label;
    label y = x;
label:
    if (y++ < 3)
        goto label;
x:
    if (x++ < 2)
        goto x;
    return y * 10 + x;
}
static int for_scope(void)
{
    int i = 5, s = 0;
    for (int i = 0; i < 3; i++)
        s += i;
    for (T T = 2; T; T--)
        s += T;
    T after = i;
    return s * 10 + after;
}
static int counter(void) { static int x; { static int x = 10; x++; } return ++x; }
static unsigned unsigned_T(void) { unsigned T = 4; return T * T; }
struct incomplete;
static struct incomplete *opaque;
struct incomplete { int v; } whole = {5};
extern int declared_later;
int redeclared, redeclared;
extern int redeclared;
int declared_later = 8;
union tagged { int union_member; };
struct both { union tagged tagged; int both; };

int main(void)
{
    S s = {4, 0}, *p = &s;
    struct T t = {s.T, p};
    printf("%d %d\n", t.next->T, f(1));
    printf("%d %d\n", g(2, 5), local_types());
    A array = {1, 2, 3};
    printf("%d\n", params(array, f, array));
    printf("%d %d %d %d %d\n", LOW, ZERO, HIGH, GREEN, BLUE);
    level l = LOW;
    enum color c = BLUE;
    printf("%d %d %zu\n", l < 0, c == 6, sizeof l);
    printf("%d %d\n", label(1), for_scope());
    counter();
    printf("%d %u\n", counter(), unsigned_T());
    int x = x = 9;
    { int x = 20; { extern int x; printf("%d ", x); } printf("%d ", x); }
    printf("%d %d\n", x, hidden);
    opaque = &whole;
    printf("%d %d %d\n", opaque->v, declared_later, redeclared);
    struct both both = {{3}, 4};
    printf("%d %d\n", both.tagged.union_member, both.both);
    P ptr = array;
    const P fixed = array + 1;
    printf("%d %d %d\n", *ptr, *fixed, (T)3.7);
    printf("%zu %zu %zu\n", sizeof(T), sizeof(A), sizeof(F));
    T T = 6;
    printf("%d %d\n", T, (T) + 1);
    {
        typedef double T;
        printf("%g\n", (T)1 / 2);
    }
    size n = sizeof(size);
    printf("%lu\n", n);
    return 0;
}
