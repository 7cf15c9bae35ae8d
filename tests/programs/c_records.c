// Structs and unions: members, nesting, by value in calls of every size, copies, anonymous members.
#include <stdio.h>
#include <string.h>
#include <stddef.h>

struct empty_like { char c; };
struct pair { int a, b; };
struct three { char x, y, z; };
struct five { char s[5]; };
struct seven { short a; char b[5]; };
struct eight { long v; };
struct twelve { int a, b, c; };
struct mixed { double d; int i; };
struct floats { float x, y, z; };
struct big { int n; double values[6]; struct pair p; };
union any { int i; float f; double d; char bytes[8]; };
struct node { struct node *next; int value; union any u; struct pair inner[2]; };
struct outer { int kind; union { int number; struct { short lo, hi; }; }; struct { char tag; } named; };

static struct pair make_pair(int a, int b) { struct pair p = {a, b}; return p; }
static struct three make_three(int n) { struct three t = {n, n + 1, n + 2}; return t; }
static struct five make_five(const char *s) { struct five f; memset(&f, 0, sizeof f); strncpy(f.s, s, 5); return f; }
static struct seven make_seven(int n) { return (struct seven){n, {1, 2, 3, 4, n}}; }
static struct twelve make_twelve(int a) { struct twelve t = {a, a * 2, a * 3}; return t; }
static struct mixed make_mixed(double d, int i) { struct mixed m; m.d = d; m.i = i; return m; }
static struct floats make_floats(float x) { struct floats f = {x, x * 2, x * 3}; return f; }
static struct big make_big(int n)
{
    struct big b;
    b.n = n;
    for (int i = 0; i < 6; i++)
        b.values[i] = n + i * 0.5;
    b.p = make_pair(n, -n);
    return b;
}
static int sum_pair(struct pair p) { p.a *= 2; return p.a + p.b; }
static int sum_three(struct three t, char c) { return t.x + t.y * 10 + t.z * 100 + c; }
static int sum_five(struct five f) { return f.s[0] + f.s[4]; }
static int sum_seven(int k, struct seven s) { return k + s.a + s.b[4] * 3 + s.b[0]; }
static int sum_twelve(struct twelve t) { return t.a + t.b + t.c; }
static double sum_mixed(struct mixed m, struct floats f) { return m.d + m.i + f.x + f.y + f.z; }
static double sum_big(struct big b, struct big *same)
{
    double s = b.n + b.p.a + b.p.b;
    for (int i = 0; i < 6; i++)
        s += b.values[i];
    b.n = 99;
    return s + same->n;
}
static union any make_any(int i) { union any u; u.d = 0; u.i = i; return u; }
static int get_any(union any u) { return u.i + u.bytes[1]; }
static struct pair chain(struct pair p) { return p.a > 5 ? p : chain(make_pair(p.a + 1, p.b * 2)); }

int main(void)
{
    printf("%zu %zu %zu %zu %zu\n", sizeof(struct three), sizeof(struct seven), sizeof(struct mixed),
           sizeof(struct node), sizeof(struct outer));
    printf("%zu %zu\n", offsetof(struct node, u), offsetof(struct big, p.b));
    printf("%d\n", sum_pair(make_pair(3, 4)));
    printf("%d\n", sum_three(make_three(1), 5));
    printf("%d\n", sum_five(make_five("hello")));
    printf("%d\n", sum_seven(1000, make_seven(7)));
    printf("%d\n", sum_twelve(make_twelve(5)));
    printf("%.2f\n", sum_mixed(make_mixed(1.5, 2), make_floats(0.25f)));
    struct big b = make_big(3);
    printf("%.2f %d\n", sum_big(b, &b), b.n);
    printf("%d\n", make_big(9).p.b);
    printf("%d %d\n", get_any(make_any(0x0205)), make_twelve(7).c);
    struct pair p = chain(make_pair(1, 1));
    printf("%d %d\n", p.a, p.b);
    struct node n1 = {0, 1, {.f = 1.5f}, {{1, 2}, {3, 4}}}, n2 = n1, *np = &n2;
    n2.next = &n1;
    np->next->value = 42;
    np->inner[1] = make_pair(8, 9);
    printf("%d %d %g %d %d\n", n1.value, np->value, np->u.f, n2.inner[1].b, (*np).next->inner[1].b);
    struct outer o = {1, {.number = 0x30002}, {'t'}};
    o.hi += 1;
    printf("%d %d %d %c\n", o.lo, o.hi, o.number, o.named.tag);
    struct outer *op = &o;
    op->lo = -1;
    printf("%x\n", op->number);
    struct pair array[3] = {{1, 2}, {3, 4}, {5, 6}}, *ap = array;
    array[0] = array[2];
    array[1] = *ap++;
    printf("%d %d %d\n", array[0].a, array[1].b, ap->a);
    struct big copies[2];
    copies[0] = b;
    copies[1] = copies[0];
    copies[1].values[5] += 1;
    printf("%g %g %zu\n", copies[0].values[5], copies[1].values[5], sizeof copies);
    p = (struct pair){10, 20};
    struct pair q = p.a > 5 ? p : make_pair(0, 0);
    printf("%d", (q = make_pair(1, 2), q).b);
    printf(" %d\n", (p = q).a);
    union any u = {.d = 1.0};
    printf("%x %g\n", u.bytes[7], u.d);
    struct three t1 = make_three(7), t2;
    t2 = t1;
    printf("%d%d%d\n", t2.x, t2.y, t2.z);
    return 0;
}
