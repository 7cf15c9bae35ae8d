// Integer arithmetic, conversions and constants, in every width and signedness.
#include <stdint.h>
#include <stdio.h>

static volatile int zero, one = 1, minus = -1;
static signed char sc[] = {-128, -1, 0, 1, 127};
static unsigned char uc[] = {0, 1, 127, 128, 255};
static short ss[] = {-32768, -1, 0, 1, 32767};
static unsigned short us[] = {0, 1, 32767, 32768, 65535};
static int ii[] = {-2147483647 - 1, -1, 0, 1, 2147483647};
static unsigned ui[] = {0, 1, 0x7fffffff, 0x80000000u, 0xffffffffu};
static long ll[] = {-9223372036854775807L - 1, -1, 0, 1, 9223372036854775807L};
static unsigned long ul[] = {0, 1, 0x7fffffffffffffff, 0x8000000000000000u, ~0ul};

#define SHOW(x) printf("%s = %lld\n", #x, (long long)(x))
#define USHOW(x) printf("%s = %llu\n", #x, (unsigned long long)(x))

static void pairs(void)
{
    unsigned long h = 0;
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 5; j++) {
            h = h * 31 + (unsigned long)(sc[i] + uc[j]) + (unsigned long)(ss[i] * us[j]);
            h = h * 31 + (unsigned long)(ii[i] - ui[j]) + (ll[i] ^ ul[j]);
            h = h * 31 + (sc[i] < uc[j]) + 2 * (ii[i] < ui[j]) + 4 * (ll[i] < ul[j]);
            h = h * 31 + (unsigned long)(sc[i] << (j & 7)) + (ii[i] >> j) + (ui[i] >> j);
            h = h * 31 + (ul[i] >> (j * 9)) + (unsigned long)(ll[i] >> (j * 13));
            if (uc[j])
                h = h * 31 + sc[i] / uc[j] + sc[i] % uc[j] + ss[i] / us[j] + ul[i] % ul[j];
            if (ii[j] && !(ii[j] == -1 && i == 0))
                h = h * 31 + ii[i] / ii[j] + ii[i] % ii[j] + ll[i] / ll[j] + ll[i] % ll[j];
        }
    USHOW(h);
}

int main(void)
{
    pairs();
    SHOW((signed char)200);
    SHOW((unsigned char)-1);
    SHOW((short)70000);
    SHOW((int)4000000000u);
    SHOW((long)4000000000u);
    SHOW((unsigned)-1L);
    SHOW(-1 < 1u);
    SHOW(-1L < 1u);
    SHOW((short)-1 < (unsigned short)1);
    SHOW(2147483647 + one);
    SHOW(-ii[0]);
    SHOW(7 / 2 * 2 + 7 % 2);
    SHOW(-7 / 2);
    SHOW(-7 % 3);
    SHOW(7 % -3);
    SHOW(-7 >> 1);
    SHOW(0x80000000 >> 31);
    SHOW((int)0x80000000 >> 31);
    SHOW(1 << 31);
    SHOW(1L << 40);
    SHOW(0777);
    SHOW(0xFFFFFFFF);
    SHOW(2147483648);
    SHOW(sizeof 2147483648 + sizeof 2147483647 + sizeof 0xFFFFFFFF + sizeof 1ull);
    SHOW('a' + '\n' + '\x41' + '\101' + '\\');
    SHOW('\xff');
    SHOW('ab');
    SHOW(!5 + !0 + !!7);
    SHOW(~0 + ~5u);
    SHOW((one ? minus : 1u) > 0);
    SHOW(5 & 3 | 4 ^ 1);
    SHOW(1 + 2 * 3 - 4 / 2 % 3 << 1 > 3 == 1);
    SHOW(zero++ + ++zero);
    SHOW((zero -= 5, zero *= 3, zero));
    unsigned char c = 250;
    c += 10;
    SHOW(c);
    c -= 20;
    SHOW(c);
    SHOW(c++);
    SHOW(++c);
    c <<= 3;
    SHOW(c);
    short s = 32767;
    SHOW(s++);
    SHOW(s);
    int n = 100;
    n /= -7;
    SHOW(n);
    n %= 5;
    SHOW(n);
    n |= 0x70;
    n &= ~0x10;
    n ^= 0xff;
    SHOW(n);
    n >>= 2;
    SHOW(n);
    uint32_t u = 3000000000u;
    USHOW(u * 2);
    USHOW((uint64_t)u * 2);
    u += 0x80000000;
    USHOW(u);
    int64_t big = INT64_MAX;
    USHOW((uint64_t)big + 1);
    SHOW((int8_t)big);
    SHOW(INT8_MIN + INT16_MIN);
    USHOW(UINT64_MAX);
    SHOW(__LINE__);
    SHOW((_Bool)0.5 + (_Bool)256 + (_Bool)0);
    return (unsigned char)c;
}
