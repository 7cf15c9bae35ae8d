/* The locale "C"; the byte order; sys/param.h. */
#include <endian.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/param.h>

int main(void)
{
    struct lconv *l = localeconv();

    printf("%s %s %s\n", setlocale(LC_ALL, NULL), setlocale(LC_ALL, "C"),
           setlocale(LC_NUMERIC, "POSIX"));
    printf("%d %d\n", setlocale(LC_ALL, "no_SUCH") == NULL, setlocale(99, "C") == NULL);
    printf("[%s] [%s] [%s] [%s]\n", l->decimal_point, l->thousands_sep, l->currency_symbol,
           l->negative_sign);
    printf("%d %d %d\n", l->frac_digits == CHAR_MAX, l->int_n_sign_posn, (int)sizeof *l);
    printf("%d %d %d\n", LC_CTYPE, LC_ALL, LC_MESSAGES);
    printf("%d %d\n", BYTE_ORDER == LITTLE_ENDIAN, __BYTE_ORDER == __BIG_ENDIAN);
    printf("%x %x %llx\n", htobe16(0x1234), be32toh(0x12345678),
           (unsigned long long)htobe64(0x123456789abcdef0));
    printf("%x %x\n", htole16(0x1234), le32toh(0x12345678));
    printf("%d %d %d %d %d\n", MIN(3, 4), MAX(3, 4), howmany(10, 4), roundup(10, 4), powerof2(8));
    return 0;
}
