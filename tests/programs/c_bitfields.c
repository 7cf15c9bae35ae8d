// Bit-fields: layout, signedness, promotion, assignment, packed records, alignment attributes.
#include <stdio.h>
#include <stddef.h>
#include <string.h>

struct flags { unsigned a : 1, b : 3, c : 12; int d : 5; unsigned e : 11; };
struct wide { unsigned long x : 33; long y : 31; unsigned char z : 7; };
struct gaps { int a : 4; int : 0; int b : 4; int : 5; unsigned c : 3; char d; };
struct chars { unsigned char a : 3; unsigned char b : 6; unsigned char c : 7; short s : 9; };
struct boolish { _Bool t : 1; _Bool u : 1; enum { RED, GREEN, BLUE } color : 2; };
struct __attribute__((packed)) tight { char c; int i; short s; double d; };
struct __attribute__((packed)) tight_bits { unsigned a : 3; unsigned long b : 40; unsigned c : 30; };
struct aligned_member { char c; int i __attribute__((aligned(16))); };
struct __attribute__((aligned(32))) aligned_whole { int i; };
union overlay { struct { unsigned lo : 4, hi : 4; }; unsigned char byte; };

static struct flags global = {1, 5, 1000, -3, 77};
static struct wide table[2] = {{0x123456789, -5, 100}, {.y = 3}};

static void dump(const void *p, size_t n)
{
    const unsigned char *b = p;
    for (size_t i = 0; i < n; i++)
        printf("%02x", b[i]);
    printf("\n");
}

int main(void)
{
    printf("%zu %zu %zu %zu %zu %zu %zu\n", sizeof(struct flags), sizeof(struct wide),
           sizeof(struct gaps), sizeof(struct chars), sizeof(struct boolish), sizeof(struct tight),
           sizeof(struct tight_bits));
    printf("%zu %zu %zu\n", offsetof(struct aligned_member, i), sizeof(struct aligned_member),
           sizeof(struct aligned_whole));
    printf("%d %d %d %d %d\n", global.a, global.b, global.c, global.d, global.e);
    dump(&global, sizeof global);
    dump(table, sizeof table);
    struct flags f;
    memset(&f, 0, sizeof f);
    f.b = 9;
    f.c = -1;
    f.d = 15;
    f.d++;
    f.e = 2047;
    f.e += 2;
    printf("%d %d %d %d %d\n", f.a, f.b, f.c, f.d, f.e);
    printf("%d %d\n", f.b = 12, f.d = 31);
    printf("%d %d\n", f.b++, --f.d);
    f.c ^= 0x555;
    f.c >>= 2;
    dump(&f, sizeof f);
    struct wide w = {0};
    w.x = 0x1ffffffffUL;
    w.y = -1;
    w.y *= 1000;
    w.z = 200;
    printf("%lx %ld %d\n", (unsigned long)w.x, (long)w.y, w.z);
    dump(&w, sizeof w);
    struct gaps g;
    memset(&g, 0, sizeof g);
    g.a = -8;
    g.b = 7;
    g.c = 5;
    g.d = 'x';
    printf("%d %d %d\n", g.a, g.b, g.c);
    dump(&g, sizeof g);
    struct chars c;
    memset(&c, 0, sizeof c);
    c.a = 7;
    c.b = 33;
    c.c = 100;
    c.s = -200;
    dump(&c, sizeof c);
    struct boolish b = {2, 0, BLUE};
    b.u = b.color;
    printf("%d %d %d\n", b.t, b.u, b.color == BLUE);
    struct tight t = {1, 0x01020304, -2, 0.5};
    t.i++;
    t.d *= 3;
    dump(&t, sizeof t);
    int *unaligned = &t.i;
    printf("%x\n", *unaligned);
    struct tight_bits tb = {5, 0xabcdef1234, 0x3fffffff};
    tb.b += 1;
    tb.a = 2;
    printf("%d %lx %x\n", tb.a, (unsigned long)tb.b, tb.c);
    dump(&tb, sizeof tb);
    union overlay o = {.byte = 0xa5};
    printf("%x %x\n", o.lo, o.hi);
    o.hi = 3;
    printf("%x\n", o.byte);
    printf("%d %d\n", (f.a - 2) < 0, (-1 < f.b));
    volatile struct flags v = {1};
    v.b = 6;
    v.b |= 1;
    printf("%d %d\n", v.b, v.a);
    struct flags *fp = &f;
    fp->a = fp->b == 5 ? 0 : 1;
    printf("%d\n", fp->a);
    return 0;
}
