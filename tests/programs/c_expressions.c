// Expressions in unusual places: record values, compound assignment across types, steps, choices.
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct vec { double x, y; };
struct arr { int v[3]; int n; };
struct nest { struct arr a; struct vec b; char tag[5]; };
union num { int i; unsigned char b[4]; struct { unsigned lo : 16, hi : 16; } h; };
enum state { IDLE = -1, RUN, DONE = 300 };

static int calls;
static struct arr make(int n) { calls++; return (struct arr){{n, n + 1, n + 2}, n}; }
static struct vec add(struct vec a, struct vec b) { return (struct vec){a.x + b.x, a.y + b.y}; }
static struct nest build(struct arr a, struct vec b) { struct nest r = {a, b, "nest"}; r.a.v[0] *= 2; return r; }
static int total(struct arr a) { int s = 0; for (int i = 0; i < 3; i++) s += a.v[i]; return s; }
static struct arr *ptr(struct arr *p) { calls++; return p; }
static struct vec walk(int depth, struct vec v) { return depth ? walk(depth - 1, add(v, (struct vec){depth, 1})) : v; }
static const char *name(enum state s) { switch (s) { case IDLE: return "idle"; case RUN: return "run"; case DONE: return "done"; } return "?"; }
static int kind(unsigned char c) { switch (c) { case 0: return 1; case 255: return 2; case -1: return 3; case 256: return 4; } return 5; }
static int sign(long v) { return v > 0 ? 1 : v < 0 ? -1 : 0; }
static void *choose(int c, int *p) { return c ? p : NULL; }

int main(void)
{
    printf("%d %d %d\n", make(3).v[1], make(4).n, *make(5).v);
    printf("%d %g\n", build(make(6), (struct vec){1, 2}).a.v[0], build(make(6), (struct vec){1, 2}).b.y);
    printf("%s %zu\n", build(make(1), (struct vec){0, 0}).tag, sizeof make(1).v);
    struct arr a = make(1), b = make(10), c;
    printf("%d %d\n", (calls > 3 ? a : b).v[2], (calls > 300 ? a : b).v[2]);
    c = (calls++, b);
    printf("%d %d\n", total(c), total(calls & 1 ? a : make(7)));
    (*ptr(&a)).v[1] = ptr(&b)->v[2] = 99;
    printf("%d %d\n", a.v[1], b.v[2]);
    a = b = c;
    printf("%d %d", a.v[2], total(a));
    printf(" %d\n", (a = make(2)).n);
    struct vec v = walk(4, (struct vec){0, 0});
    printf("%g %g\n", v.x, v.y);
    struct nest grid[2][2];
    memset(grid, 0, sizeof grid);
    grid[1][0] = build(a, v);
    grid[1][1].a = grid[1][0].a;
    grid[0][1].b.x = grid[1][0].b.x += 0.5;
    printf("%d %g %g\n", grid[1][1].a.v[0], grid[0][1].b.x, grid[1][0].b.x);
    union num u = {.h = {.hi = 0x1234, .lo = 0x5678}};
    u.b[0]++;
    u.h.hi--;
    printf("%x\n", u.i);

    signed char sc = 100;
    unsigned short us = 60000;
    int i = 7;
    unsigned ui = 4000000000u;
    long l = -5;
    float f = 1.5f;
    double d = 2.5;
    uint8_t u8 = 200;
    sc += 100;
    us *= us;
    i *= 2.5;
    ui += l;
    l /= 2u;
    f -= d;
    d *= i;
    u8 <<= 1;
    u8 |= 0x101;
    printf("%d %d %d %u %ld %g %g %d\n", sc, us, i, ui, l, f, d, u8);
    sc = us = i = -1;
    printf("%d %d %d\n", sc, us, i);
    i = sc = 300;
    printf("%d %d\n", i, sc);
    us += 1L << 16;
    us -= 1.5;
    i ^= us;
    i %= 1000;
    i >>= 1;
    l <<= 3;
    l &= ~0xfL;
    printf("%d %d %ld\n", us, i, l);
    u8 = 255;
    printf("%d %d", u8++, 0);
    printf(" %d", --u8);
    sc = -128;
    printf(" %d", sc--);
    printf(" %d\n", sc);
    float fs[2] = {0.5f, 1};
    float *fp = fs;
    printf("%g", *fp++);
    printf(" %g", (*fp)++);
    printf(" %g\n", --fp[0]);
    struct { unsigned n : 3; int s : 3; } bits = {7, 3};
    bits.n++;
    bits.s++;
    printf("%d %d", bits.n, bits.s);
    printf(" %d %d\n", bits.n--, ++bits.s);
    int m[3] = {1, 2, 3}, *p = m;
    p += 1L;
    p -= (unsigned char)1;
    *p++ += 10;
    *p-- *= 5;
    (*p)--;
    printf("%d %d %td\n", m[0], m[1], p - m);
    p = &m[2];
    printf("%d %d %d\n", p[-2], (-1)[p], *(p - 1));

    printf("%s %s %s %s\n", name(IDLE), name(RUN), name(DONE), name(5));
    printf("%d %d %d\n", kind(0), kind(255), kind(7));
    printf("%d %d %d\n", sign(1L << 40), sign(-1), sign(0));
    printf("%d %d\n", choose(1, m) == m, choose(0, m) == 0);
    printf("%g %g\n", 1 ? 1 : 2.0, (0 ? 1u : -1) / 2.0);
    printf("%ld %lu\n", 1 ? -1L : 1u, (unsigned long)(1 ? -1 : 1u));
    printf("%d %d %d\n", !d, !!p, !0.0f);
    printf("%d %d\n", d && p, !d || !p);
    if (d - d || *"" || '\0')
        printf("no\n");
    i = 3;
    i += i++ ? 0 : 0, i--;
    printf("%d\n", (i = 5, i + (i == 5)));
    int x = 1, y = 0;
    x && y++;
    x || y++;
    y || (x = 7);
    printf("%d %d\n", x, y);
    printf("%d\n", x > 3 && y < 3 ? x & 4 ? 44 : 45 : 46);
    printf("%d\n", -(x > 3) & 0xff);
    printf("%d %d\n", (x > 3) + (y == 1) * 2, ~(x == 7));
    long big = 1;
    big <<= 40;
    printf("%d %d\n", (int)(big >> 38), !!big);
    printf("%d\n", (char)(x = 400) + (x > 300));
    printf("%u %u\n", -1 % 16u, (unsigned char)~x);
    const volatile int cv = 6;
    printf("%d\n", cv * cv);
    char text[] = "a\0b\x00""c", *t = text;
    printf("%zu %d %c\n", sizeof text, t[1], t[4]);
    int (*fn)(struct arr) = total, (**fnp)(struct arr) = &fn;
    printf("%d %d\n", (*fnp)(a), (**fnp)(b));
    printf("%d\n", (int)sizeof(char[total == fn ? 3 : 4]));
    return sizeof(struct nest) & 0x7f;
}
