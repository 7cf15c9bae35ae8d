// Dates: to and from seconds, mended, and as text. Local time is taken as UTC.
#include <stdio.h>
#include <string.h>
#include <time.h>

static void show(time_t when)
{
    struct tm date, again;
    char text[200];

    if (gmtime_r(&when, &date) == NULL) {
        printf("%ld has no date\n", (long)when);
        return;
    }
    again = date;
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %j %U %W %V %G %g %u %w %a %b %C %y %e", &date);
    printf("%ld %s %d\n", (long)when, text, timegm(&again) == when);
}

int main(void)
{
    static const time_t whens[] = {
        0, -1, 86399, 951782400, 951868800, 1709164800, 4107542400, -2203977600, -62135596800,
        -62167219200, -62198755200, 253402300799, 1L << 40, -(1L << 40), 1L << 62,
    };
    struct tm date = { .tm_year = 124, .tm_mon = 13, .tm_mday = -3, .tm_hour = 25, .tm_sec = -61 };
    char text[200], small[5];
    time_t when = timegm(&date);

    for (unsigned i = 0; i < sizeof whens / sizeof *whens; i++)
        show(whens[i]);
    for (long day = 10950; day < 11350; day += 7)
        show(day * 86400 + day);
    for (int year = 0; year < 30; year++) { // the weeks of ISO 8601 at a year's ends
        struct tm end = { .tm_year = 95 + year, .tm_mon = 11, .tm_mday = 28 + year % 7 };
        timegm(&end);
        strftime(text, sizeof text, "%F %G-W%V-%u %U %W", &end);
        puts(text);
    }
    printf("%ld %d %d %d %d %d\n", (long)when, date.tm_year, date.tm_mon, date.tm_mday,
           date.tm_wday, date.tm_yday);
    printf("%s", asctime(&date));
    strftime(text, sizeof text, "%A %B %h %D %F %r %R %T %c %x %X %I %l %k %p %P %z%n%t%%",
             &date);
    puts(text);
    printf("%zu %zu %s\n", strftime(small, 5, "%Y", &date), strftime(small, 4, "%Y", &date), small);
    printf("%g\n", difftime(when, when - 5));
    return 0;
}
