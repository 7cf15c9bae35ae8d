/* The one locale, "C" (C99 7.11.2.1). */
#include <limits.h>
#include <locale.h>
#include <string.h>

static char name_of_c[] = "C";
static char point[] = ".";
static char nothing[] = "";

static struct lconv c_locale = {
    point, nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing,
    CHAR_MAX, CHAR_MAX, CHAR_MAX, CHAR_MAX, CHAR_MAX, CHAR_MAX, CHAR_MAX, CHAR_MAX, CHAR_MAX,
    CHAR_MAX, CHAR_MAX, CHAR_MAX, CHAR_MAX, CHAR_MAX,
};

char *setlocale(int category, const char *name)
{
    if (category < LC_CTYPE || category > LC_ALL)
        return NULL;
    if (name != NULL && *name != '\0' && strcmp(name, "C") != 0 && strcmp(name, "POSIX") != 0)
        return NULL;
    return name_of_c;
}

struct lconv *localeconv(void)
{
    return &c_locale;
}
