/* Calendar time: dates from seconds and back, and as text, in the C locale.
 *
 * Local time is UTC: a program that moves or is resumed elsewhere must not find
 * itself in another time zone.  Days are counted from 1 March of the year 0, so
 * that a leap day is the last of its year, in eras of 400 years, after which
 * the Gregorian calendar repeats.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECONDS_PER_DAY 86400L
#define DAYS_PER_ERA 146097L
#define EPOCH_DAY 719468L /* 1970-01-01, from 0000-03-01 */
#define EPOCH_WEEKDAY 4   /* it was a Thursday */

static const char day_names[7][10] = {
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
};
static const char month_names[12][10] = {
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
};
static const short days_before[12] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
static const char zone[] = "GMT";
static struct tm shared_date;

static __HCC_LEAF long floor_divide(long a, long b)
{
    return a / b - (a % b < 0);
}

static __HCC_LEAF int is_leap(long year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* The day number, from 1970-01-01, of a day of a month (0 to 11) of a year. */
static __HCC_LEAF long day_number(long year, int month, long day)
{
    long of_march = (month + 10) % 12; /* months since March */
    long y = year - (month < 2);
    long era = floor_divide(y, 400);
    long year_of_era = y - era * 400;
    long day_of_year = (153 * of_march + 2) / 5 + day - 1;
    long day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * DAYS_PER_ERA + day_of_era - EPOCH_DAY;
}

struct tm *gmtime_r(const time_t *when, struct tm *date)
{
    long days = floor_divide(*when, SECONDS_PER_DAY);
    int seconds = (int)(*when - days * SECONDS_PER_DAY);
    long shifted = days + EPOCH_DAY;
    long era = floor_divide(shifted, DAYS_PER_ERA);
    long day = shifted - era * DAYS_PER_ERA;
    long year_of_era = (day - day / 1460 + day / 36524 - day / (DAYS_PER_ERA - 1)) / 365;
    long day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int of_march = (int)((5 * day_of_year + 2) / 153);
    int month = (of_march + 2) % 12;
    long year = era * 400 + year_of_era + (month < 2);

    if (year - 1900 > INT_MAX || year - 1900 < INT_MIN) {
        errno = EOVERFLOW;
        return NULL;
    }
    memset(date, 0, sizeof *date);
    date->tm_sec = seconds % 60;
    date->tm_min = seconds / 60 % 60;
    date->tm_hour = seconds / 3600;
    date->tm_mday = (int)(day_of_year - (153 * of_march + 2) / 5) + 1;
    date->tm_mon = month;
    date->tm_year = (int)(year - 1900);
    date->tm_wday = (int)(days + EPOCH_WEEKDAY - floor_divide(days + EPOCH_WEEKDAY, 7) * 7);
    date->tm_yday = days_before[month] + (month > 1 && is_leap(year)) + date->tm_mday - 1;
    date->tm_zone = zone;
    return date;
}

struct tm *gmtime(const time_t *when)
{
    return gmtime_r(when, &shared_date);
}

struct tm *localtime_r(const time_t *when, struct tm *date)
{
    struct tm *made = gmtime_r(when, date);

    if (made != NULL)
        made->tm_zone = "UTC";
    return made;
}

struct tm *localtime(const time_t *when)
{
    return localtime_r(when, &shared_date);
}

/* The seconds of a date whose fields may be out of their ranges, which are mended. */
time_t timegm(struct tm *date)
{
    long carry = floor_divide(date->tm_mon, 12);
    long year = 1900L + date->tm_year + carry;
    long days = day_number(year, (int)(date->tm_mon - carry * 12), date->tm_mday);
    time_t when = days * SECONDS_PER_DAY + date->tm_hour * 3600L + date->tm_min * 60L
                  + date->tm_sec;

    return gmtime_r(&when, date) == NULL ? -1 : when;
}

time_t mktime(struct tm *date)
{
    time_t when = timegm(date);

    date->tm_zone = "UTC";
    return when;
}

char *asctime_r(const struct tm *date, char *text)
{
    const char *day = (unsigned)date->tm_wday < 7 ? day_names[date->tm_wday] : "???";
    const char *month = (unsigned)date->tm_mon < 12 ? month_names[date->tm_mon] : "???";

    snprintf(text, 26, "%.3s %.3s%3d %.2d:%.2d:%.2d %ld\n", day, month, date->tm_mday,
             date->tm_hour, date->tm_min, date->tm_sec, 1900L + date->tm_year);
    return text;
}

char *asctime(const struct tm *date)
{
    static char text[64];

    return asctime_r(date, text);
}

char *ctime_r(const time_t *when, char *text)
{
    struct tm date;

    return localtime_r(when, &date) == NULL ? NULL : asctime_r(&date, text);
}

char *ctime(const time_t *when)
{
    struct tm *date = localtime(when);

    return date == NULL ? NULL : asctime(date);
}

/* ---- strftime ---- */

/* Text that is cut off at the end of its room; `length` goes on counting. */
struct text {
    char *to;
    size_t room;
    size_t length;
};

static __HCC_LEAF void put(struct text *out, const char *s, size_t n)
{
    if (out->length + n < out->room)
        memcpy(out->to + out->length, s, n);
    out->length += n;
}

/* A number of at least `width` places, filled up with `fill`. */
static __HCC_LEAF void put_number(struct text *out, long value, int width, char fill)
{
    char digits[24];
    char *at = digits + sizeof digits;
    unsigned long rest = value < 0 ? -(unsigned long)value : (unsigned long)value;

    do
        *--at = '0' + rest % 10;
    while ((rest /= 10) != 0);
    while (digits + sizeof digits - at < width)
        *--at = fill;
    if (value < 0)
        *--at = '-';
    put(out, at, digits + sizeof digits - at);
}

/* The weeks of a year's days 0 to `day`, if weeks begin on `first` (0: Sunday). */
static __HCC_LEAF int week(const struct tm *date, int first)
{
    return (date->tm_yday + 7 - (date->tm_wday - first + 7) % 7) / 7;
}

/* The week of ISO 8601, and the year it belongs to. */
static __HCC_LEAF int iso_week(const struct tm *date, long *year)
{
    int monday = (date->tm_wday + 6) % 7;
    int number = (date->tm_yday - monday + 10) / 7;

    *year = 1900L + date->tm_year;
    if (number < 1) {
        *year -= 1;
        int days = 365 + is_leap(*year);
        return (date->tm_yday + days - monday + 10) / 7;
    }
    if (number == 53) {
        int days = 365 + is_leap(*year);
        if (date->tm_yday - monday + 3 >= days) {
            *year += 1;
            return 1;
        }
    }
    return number;
}

static __HCC_LEAF const char *name_of(const char names[][10], int count, int index)
{
    return (unsigned)index < (unsigned)count ? names[index] : "?";
}

/* What a conversion that is a number shows: value, width, fill; false if it is none. */
static __HCC_LEAF int number_of(char c, const struct tm *date, long *value, int *width, char *fill)
{
    long year = 1900L + date->tm_year;
    long iso_year;
    int iso = iso_week(date, &iso_year);
    struct tm copy = *date;

    *width = 2;
    *fill = '0';
    switch (c) {
    case 'C': *value = floor_divide(year, 100); *width = 1; return 1;
    case 'd': *value = date->tm_mday; return 1;
    case 'e': *value = date->tm_mday; *fill = ' '; return 1;
    case 'g': *value = iso_year - floor_divide(iso_year, 100) * 100; return 1;
    case 'G': *value = iso_year; *width = 1; return 1;
    case 'H': *value = date->tm_hour; return 1;
    case 'I': *value = (date->tm_hour + 11) % 12 + 1; return 1;
    case 'j': *value = date->tm_yday + 1; *width = 3; return 1;
    case 'k': *value = date->tm_hour; *fill = ' '; return 1;
    case 'l': *value = (date->tm_hour + 11) % 12 + 1; *fill = ' '; return 1;
    case 'm': *value = date->tm_mon + 1; return 1;
    case 'M': *value = date->tm_min; return 1;
    case 's': *value = timegm(&copy); *width = 1; return 1;
    case 'S': *value = date->tm_sec; return 1;
    case 'u': *value = (date->tm_wday + 6) % 7 + 1; *width = 1; return 1;
    case 'U': *value = week(date, 0); return 1;
    case 'V': *value = iso; return 1;
    case 'w': *value = date->tm_wday; *width = 1; return 1;
    case 'W': *value = week(date, 1); return 1;
    case 'y': *value = year - floor_divide(year, 100) * 100; return 1;
    case 'Y': *value = year; *width = 1; return 1;
    }
    return 0;
}

/* What a conversion that stands for several others stands for, or NULL. */
static __HCC_LEAF const char *longer(char c)
{
    switch (c) {
    case 'c': return "%a %b %e %H:%M:%S %Y";
    case 'D': case 'x': return "%m/%d/%y";
    case 'F': return "%Y-%m-%d";
    case 'r': return "%I:%M:%S %p";
    case 'R': return "%H:%M";
    case 'T': case 'X': return "%H:%M:%S";
    }
    return NULL;
}

static __HCC_LEAF void put_word(struct text *out, char c, const struct tm *date)
{
    const char *word = "";
    size_t most = 10;

    switch (c) {
    case 'a': most = 3; /* fall through */
    case 'A': word = name_of(day_names, 7, date->tm_wday); break;
    case 'b': case 'h': most = 3; /* fall through */
    case 'B': word = name_of(month_names, 12, date->tm_mon); break;
    case 'n': word = "\n"; break;
    case 'p': word = date->tm_hour < 12 ? "AM" : "PM"; break;
    case 'P': word = date->tm_hour < 12 ? "am" : "pm"; break;
    case 't': word = "\t"; break;
    case 'z': word = "+0000"; break;
    case 'Z': word = date->tm_zone != NULL ? date->tm_zone : ""; break;
    case '%': word = "%"; break;
    }
    put(out, word, strnlen(word, most));
}

static __HCC_LEAF void put_date(struct text *out, const char *format, const struct tm *date)
{
    for (; *format != '\0'; format++) {
        long value;
        int width;
        char fill;

        if (*format != '%') {
            put(out, format, 1);
            continue;
        }
        const char *start = format++;
        if (*format == 'E' || *format == 'O')
            format++;
        const char *others = longer(*format);
        if (others != NULL) {
            /* None of those stands for several itself. */
            for (; *others != '\0'; others++) {
                if (*others != '%')
                    put(out, others, 1);
                else if (number_of(*++others, date, &value, &width, &fill))
                    put_number(out, value, width, fill);
                else
                    put_word(out, *others, date);
            }
        } else if (number_of(*format, date, &value, &width, &fill)) {
            put_number(out, value, width, fill);
        } else if (*format != '\0' && strchr("aAbBhnpPtzZ%", *format) != NULL) {
            put_word(out, *format, date);
        } else {
            if (*format == '\0')
                format--;
            put(out, start, format - start + 1); /* unknown: as it stands */
        }
    }
}

size_t strftime(char *restrict to, size_t size, const char *restrict format,
                const struct tm *restrict date)
{
    struct text out = { to, size, 0 };

    put_date(&out, format, date);
    if (out.length >= size)
        return 0;
    to[out.length] = '\0';
    return out.length;
}
