/* Memory: structs by value, copies and fills of every size, unaligned access, strings, matrices. */
#include "corpus.h"

struct small { i16 a; u8 b; };
struct pair { i64 a, b; };
struct mixed { double d; i32 i; float f; u8 c; };
struct floats { float x, y, z; };
struct big { i64 v[9]; u8 tail[5]; };
struct node { struct node *left, *right; i32 key; };

static NOINLINE struct small make_small(i16 a, u8 b) { return (struct small){a, b}; }
static NOINLINE struct pair swap(struct pair p) { return (struct pair){p.b, p.a}; }
static NOINLINE struct mixed mix(struct mixed m, i32 k)
{
    m.d += k; m.i -= k; m.f *= 2; m.c ^= (u8)k;
    return m;
}
static NOINLINE struct floats cross(struct floats a, struct floats b)
{
    return (struct floats){a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
static NOINLINE struct big fill(struct big b, i64 k)
{
    for (int i = 0; i < 9; i++) b.v[i] = b.v[i] * 3 + k;
    b.tail[4] = (u8)k;
    return b;
}
static NOINLINE i64 total(const struct big *b)
{
    i64 s = 0;
    for (int i = 0; i < 9; i++) s += b->v[i];
    for (int i = 0; i < 5; i++) s = s * 2 + b->tail[i];
    return s;
}

#define COPY(N) { __builtin_memcpy(to + 1, from + 3, N); __builtin_memset(to + N + 9, N & 0xff, N); }
static NOINLINE void copies(u8 *to, const u8 *from)
{
    COPY(1) COPY(2) COPY(3) COPY(4) COPY(5) COPY(7) COPY(8) COPY(9) COPY(12) COPY(15) COPY(16)
    COPY(17) COPY(24) COPY(31) COPY(32) COPY(33) COPY(48) COPY(63) COPY(64) COPY(100) COPY(128)
    __builtin_memset(to + 300, 0, 40); __builtin_memset(to + 350, 0xff, 64);
}
static NOINLINE void copy_n(u8 *to, const u8 *from, u64 n) { __builtin_memcpy(to, from, n); }

static NOINLINE u64 length(const char *s) { const char *p = s; while (*p) p++; return (u64)(p - s); }
static NOINLINE int compare(const char *a, const char *b)
{
    while (*a && *a == *b) a++, b++;
    return *(const u8 *)a - *(const u8 *)b;
}
static NOINLINE void upper(char *s)
{
    for (; *s; s++)
        if (*s >= 'a' && *s <= 'z') *s = (char)(*s - 32);
}
static NOINLINE i64 number(const char *s)
{
    i64 v = 0; int neg = *s == '-';
    if (neg) s++;
    while (*s >= '0' && *s <= '9') v = v * 10 + (*s++ - '0');
    return neg ? -v : v;
}
static NOINLINE char *decimal(char *end, u64 v)
{
    *--end = 0;
    do { *--end = (char)('0' + v % 10); v /= 10; } while (v);
    return end;
}

static struct node pool[64];
static int used;
static NOINLINE struct node *insert(struct node *t, i32 key)
{
    if (!t) { t = &pool[used++]; t->key = key; return t; }
    if (key < t->key) t->left = insert(t->left, key);
    else t->right = insert(t->right, key);
    return t;
}
static NOINLINE void walk(const struct node *t)
{
    if (!t) return;
    walk(t->left); emit((u64)t->key); walk(t->right);
}

static NOINLINE u64 unaligned(const u8 *p)
{
    u16 a; u32 b; u64 c;
    __builtin_memcpy(&a, p + 1, 2); __builtin_memcpy(&b, p + 3, 4); __builtin_memcpy(&c, p + 5, 8);
    return a + b + c;
}
static NOINLINE i64 signed_loads(const i8 *a, const i16 *b, const i32 *c, i64 i)
{
    return a[i] + b[i] * 3 + c[i] * 5 + ((const u8 *)a)[i + 1] + ((const u16 *)b)[i + 1] + ((const u32 *)c)[i + 1]
         + (i64)(i32)a[2] + (i32)b[3];
}
static NOINLINE void stores(u8 *a, u16 *b, u32 *c, u64 *d, i64 i, u64 v)
{
    a[i] = (u8)v; b[i] = (u16)v; c[i] = (u32)v; d[i] = v; a[7] = 0; b[7] = 0; c[7] = 0; d[7] = 0;
}
static NOINLINE void walk_pointers(i32 *p, const i16 *q, u8 *r, int n)
{
    while (n--) { *p++ += *q++; *r++ ^= (u8)*p; }
}

static void corpus(void)
{
    static u8 bytes[600], more[600];
    static i32 c[8]; static i16 b[8]; static u64 d[8];
    struct small s = make_small(-5, 200);
    struct pair p = swap((struct pair){(i64)rnd(), (i64)rnd()});
    struct mixed m = mix((struct mixed){1.5, 9, 2.5f, 7}, 3);
    struct floats f = cross((struct floats){1, 2, 3}, (struct floats){-4, 5, 0.5f});
    struct big g = {{1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 2, 3, 4, 5}};
    struct node *root = 0;
    char text[32] = "Hello, world of -1234 sheep", digits[24];

    emit((u64)s.a); emit(s.b); emit((u64)p.a); emit((u64)p.b);
    emit_f(m.d); emit((u64)m.i); emit_f(m.f); emit(m.c);
    emit_f(f.x); emit_f(f.y); emit_f(f.z);
    g = fill(g, 77); emit((u64)total(&g)); g = fill(g, -9); emit((u64)total(&g));
    for (int i = 0; i < 600; i++) { bytes[i] = (u8)rnd(); more[i] = (u8)i; }
    copies(more, bytes);
    for (int i = 0; i < 37; i++) copy_n(more + i * 3, bytes + i, (u64)i);
    for (int i = 0; i < 592; i += 8) emit(*(u64 *)(more + i));
    emit(length(text)); emit((u64)compare(text, "Hello, worms")); upper(text); emit((u64)compare(text, "HELLO"));
    emit((u64)number("-1234567")); emit(length(decimal(digits + 24, 18446744073709551615ull)));
    for (int i = 0; i < 40; i++) root = insert(root, (i32)rnd());
    walk(root);
    emit(unaligned(bytes)); 
    for (int i = 0; i < 8; i++) { b[i] = (i16)rnd(); c[i] = (i32)rnd(); }
    emit((u64)signed_loads((i8 *)bytes, b, c, 2)); stores(bytes, (u16 *)b, (u32 *)c, d, 3, rnd());
    walk_pointers(c, b, bytes, 7);
    for (int i = 0; i < 8; i++) { emit(bytes[i]); emit((u64)b[i]); emit((u64)c[i]); emit(d[i]); }
}
