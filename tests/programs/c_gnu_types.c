/* GNU forms of types: modes, __auto_type, enumerations named before they are defined, packed ones. */
#include <stdio.h>

typedef int byte __attribute__((mode(QI)));
typedef unsigned ubyte __attribute__((__mode__(__QI__)));
typedef int half __attribute__((mode(HI)));
typedef unsigned int word32 __attribute__((mode(SI)));
typedef int long_one __attribute__((mode(DI)));
typedef unsigned int __attribute__((mode(__word__))) machine_word;
typedef unsigned pointer_like __attribute__((mode(pointer)));
typedef float wide __attribute__((mode(DF)));
typedef double narrow __attribute__((mode(SF)));

struct moded {
    int a __attribute__((mode(HI)));
    unsigned b __attribute__((mode(QI)));
    int c : 5 __attribute__((mode(DI)));
};

typedef enum colour colour_t;
typedef const enum colour fixed_colour;
colour_t *later;
colour_t mix(colour_t a, enum colour b);
struct holder {
    colour_t *of;
};
enum colour { RED, GREEN = 5, DARK = -2 };
colour_t mix(colour_t a, enum colour b)
{
    return a + b;
}

enum wide_later;
typedef enum wide_later wide_later_t;
enum wide_later { SMALL, HUGE_ONE = 0x100000000 };

enum tiny { T0, T1 = 200 } __attribute__((packed));
enum __attribute__((packed)) tiny_signed { S0 = -1, S1 = 100 };
enum two { W0 = 300 } __attribute__((packed));
enum four { F0 = 70000, F1 = -1 } __attribute__((packed));
struct with_tiny {
    char c;
    enum tiny t;
    enum tiny_signed s;
    int i;
};

static int counter = 3;
static __auto_type at_file = 2.5f;

#define MAX(a, b) \
    ({ \
        __auto_type a_ = (a); \
        __auto_type b_ = (b); \
        a_ > b_ ? a_ : b_; \
    })

static int next(void)
{
    return ++counter;
}

int main(void)
{
    printf("%d %d %d %d %d\n", (int)sizeof(byte), (int)sizeof(half), (int)sizeof(word32),
           (int)sizeof(long_one), (int)sizeof(machine_word));
    printf("%d %d %d\n", (int)sizeof(wide), (int)sizeof(narrow), (int)sizeof(pointer_like));
    printf("%d %d %d\n", (byte)300, (ubyte)300, (half)70000);
    printf("%ld %lu %u\n", (long_one)1 << 40, (machine_word)-1, (word32)-1);
    printf("%g %g\n", (wide)0.1, (narrow)0.1);
    printf("%d\n", (int)sizeof(struct moded));
    printf("%d\n", (int __attribute__((mode(QI))))1000);

    colour_t c = DARK;
    fixed_colour d = GREEN;
    later = &c;
    printf("%d %d %d\n", *later, mix(d, RED), c < 0);
    printf("%d %d\n", (int)sizeof c, ((struct holder){&c}).of == later);
    wide_later_t w = HUGE_ONE;
    printf("%d %lx\n", (int)sizeof w, (long)w);

    printf("%d %d %d %d\n", (int)sizeof(enum tiny), (int)sizeof(enum tiny_signed),
           (int)sizeof(enum two), (int)sizeof(enum four));
    struct with_tiny t = {1, T1, S0, 4};
    printf("%d %d %d %d\n", (int)sizeof t, t.t, t.s, t.t - 201 < 0);
    t.t++;
    t.s -= 28;
    printf("%d %d\n", t.t, t.s);

    __auto_type x = MAX(next(), 3.5);
    printf("%g %d %d\n", x, counter, (int)sizeof(MAX(1L, 2)));
    printf("%g\n", MAX(at_file, MAX(1.5f, 2)));
    for (__auto_type i = 3LL; i > 0; i--)
        printf("%lld %d\n", i, (int)sizeof i);
    const char *const text = "abc";
    __auto_type walk = text;
    printf("%s\n", walk + 1);
    __auto_type fn = mix;
    printf("%d\n", fn(RED, GREEN));
    int numbers[] = {4, 5, 6};
    __auto_type at = numbers;
    printf("%d %d\n", (int)sizeof at, at[2]);
    const __auto_type fixed = next();
    printf("%d\n", fixed);

    printf("%lld %ld %d\n", __builtin_llabs(-5000000000LL), __builtin_labs(-5L),
           __builtin_abs(-4));
    volatile double zero = 0, big = 1e39;
    printf("%d %d %d", __builtin_isnanf((float)(zero / zero)) != 0, __builtin_isnanl(zero) != 0,
           __builtin_isinff((float)big) != 0);
    printf(" %d %d %d", __builtin_isinfl(big) != 0, __builtin_finite(big) != 0,
           __builtin_finitef(1e39f) != 0);
    printf(" %d\n", __builtin_isinff(big) != 0);
    printf("%g %g %g\n", 1e39f, 3.4028235677973366e38f, 3.40282356779733661637539e38f);
    return 0;
}
