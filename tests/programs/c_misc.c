// Odds and ends: sizeof, comma, conditional types, strings, _Generic, typeof, static assertions.
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <limits.h>
#include <stdbool.h>

_Static_assert(sizeof(long) == 8, "LP64");
_Static_assert(-1 < 0);
struct flexible { int n; char data[]; };
struct aligned { char c; _Alignas(16) int x; };
static char big_array[1 << 16];
static const int limit = 5;
static int side;
static int effect(void) { return ++side; }
static volatile int device;
static const char long_text[] = "line one\n"
                                "line two\t\x41\102\n";
static const wchar_t wide[] = L"w\u00e9";
#define TYPE(x) _Generic((x), int: "int", unsigned: "unsigned", long: "long", unsigned long: "ulong", \
    float: "float", double: "double", char *: "char *", const char *: "const char *", \
    int *: "int *", default: "other")

static bool flip(bool b) { return !b; }
static uint32_t rotate(uint32_t v, int n) { return v << n | v >> (32 - n); }
static uint64_t hash(const void *p, size_t n)
{
    uint64_t h = 14695981039346656037u;
    for (const unsigned char *b = p; n--; b++)
        h = (h ^ *b) * 1099511628211u;
    return h;
}

int main(void)
{
    printf("%zu %zu %zu %zu\n", sizeof(char), sizeof(struct flexible), sizeof(struct aligned), sizeof big_array);
    printf("%zu %zu %zu\n", sizeof "four", sizeof 'a', sizeof(effect()));
    printf("%d\n", side);
    printf("%zu %zu\n", _Alignof(double), offsetof(struct aligned, x));
    struct flexible *f = malloc(sizeof *f + 10);
    f->n = 3;
    strcpy(f->data, "flexible");
    printf("%d %s\n", f->n, f->data);
    free(f);
    char c = 1;
    short s = 2;
    printf("%s %s %s %s\n", TYPE(c + s), TYPE(1u + 2), TYPE(1L), TYPE(sizeof 1));
    printf("%s %s %s %s\n", TYPE(1.0f), TYPE(1.0f * 2.0), TYPE("x"), TYPE(&side));
    printf("%s %s\n", TYPE(c ? 1 : 2u), TYPE(c ? 1 : 2.0f));
    __typeof__(side) copy = 7, *cp = &copy;
    printf("%d\n", *cp + limit);
    device = 3;
    device += device;
    device;
    printf("%d\n", device);
    printf("%s%d %d\n", long_text, (int)sizeof wide, (int)wide[1]);
    bool b = 5;
    b += 1;
    printf("%d %d %d\n", b, flip(b), (bool)0.1);
    printf("%d\n", b--);
    printf("%d\n", b);
    bool *bp = &b;
    *bp = (long)1 << 40;
    printf("%d %d\n", b, *bp + *bp);
    printf("%08x %016lx\n", rotate(0x80000001, 4), hash("abc", 3));
    int i = 3;
    i = i++ + 1;
    int list[] = {i, (i, 5), i ? (void)0, 6 : 7};
    printf("%d %d %d\n", list[0], list[1], list[2]);
    const char *str = i > 2 ? "many" : NULL;
    printf("%s\n", str ? str : "none");
    int *null = 0;
    printf("%d %d\n", null == NULL, null ? 1 : 2);
    (void)effect();
    effect(), effect();
    printf("%d\n", side);
    printf("%d %d %d\n", INT_MAX, INT_MIN, UCHAR_MAX);
    printf("%d\n", "indexed"[3] + 1["ab"]);
    printf("%d\n", *"" == 0 && !*"" && &*"x" != 0);
    struct { int a; struct { int b; } in; } anon = {1, {2}}, *ap = &anon;
    printf("%d\n", ap->in.b + (*ap).a + (&anon)->in.b);
    unsigned u = -1;
    long l = u, m = (int)u;
    printf("%ld %ld\n", l, m);
    printf("%d\n", (unsigned char)(u >> 4) == 0xff);
    char text[] = {'o', 'k', '\0'};
    printf("%s %d\n", text, (int)sizeof text);
    printf("%d %d %d\n", __builtin_clz(1), __builtin_ctzl(8), __builtin_popcountll(~0ull));
    printf("%x %lx %x\n", __builtin_bswap32(0x11223344), __builtin_bswap64(0x1122334455667788), __builtin_bswap16(0x1234));
    volatile unsigned vu = 40;
    printf("%d %d %d %d\n", __builtin_clz(vu), __builtin_ctz(vu), __builtin_ffs(vu), __builtin_parity(vu));
    printf("%d %d\n", __builtin_constant_p(3 * 4), __builtin_expect(i == 4, 1) != 0);
    printf("%d\n", __builtin_types_compatible_p(int, signed) + 2 * __builtin_types_compatible_p(int, long));
    if (__builtin_expect(!i, 0))
        __builtin_unreachable();
    int matrix[2][2] = {{1, 2}, {3, 4}}, (*mp)[2] = matrix;
    printf("%d %zu\n", mp[1][0], sizeof *mp);
    long long wide_sum = 0;
    for (long long q = 0x7ffffffffLL; q; q >>= 3)
        wide_sum += q & 5 ? q : -q;
    printf("%lld\n", wide_sum);
    return 3 ? i : 0;
}
