/* Bit-fields of long types in arithmetic and as arguments; operands that are evaluated for nothing
   but their effects. */
#include <stdarg.h>
#include <stdio.h>

static struct {
    long s24 : 24;
    unsigned long u24 : 24;
    unsigned long long u3 : 3;
    unsigned long u32 : 32;
} x;

static int calls;
static va_list *counted(va_list *list) { calls++; return list; }
static int first(int count, ...)
{
    va_list list;
    va_start(list, count);
    int result = va_arg(list, int);
    va_end(*counted(&list));
    return result;
}

/* Nothing reaches this one: its table of cases has no place in the program. */
int unreached(int n)
{
    switch (n) {
    case 0: return first(1);
    case 1: return first(5) + 3;
    case 2: return first(9) * 2;
    case 3: return first(n) ^ 3;
    case 4: return first(3) * 7;
    case 5: return first(2) - 5;
    }
    return 0;
}

int main(void)
{
    x.s24 = -2;
    x.u24 = 1;
    x.u3 = 1;
    x.u32 = 0x80000000;
    printf("%d %d %d\n", x.s24 == 0xFFFFFFFE, x.u24 - 2 < 0, x.u3 - 2 < 0);
    printf("%zu %zu %zu %zu\n", sizeof +x.s24, sizeof +x.u24, sizeof +x.u3, sizeof +x.u32);
    printf("%lx %d %d %u\n", (unsigned long)(x.u32 << 1), x.s24, x.u24, x.u32);
    printf("%d\n", _Generic(+x.u24, int: 1, default: 2));
    printf("%d\n", first(1, x.u3));
    printf("%d\n", calls);
    return 0;
}
