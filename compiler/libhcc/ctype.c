/* Character classes of ASCII.  One unsigned comparison tells a range. */
#include <ctype.h>

static inline __HCC_LEAF int within(int c, int low, int high)
{
    return (unsigned)c - (unsigned)low <= (unsigned)(high - low);
}

int isdigit(int c)
{
    return within(c, '0', '9');
}

int isupper(int c)
{
    return within(c, 'A', 'Z');
}

int islower(int c)
{
    return within(c, 'a', 'z');
}

int isalpha(int c)
{
    return within(c | 0x20, 'a', 'z');
}

int isalnum(int c)
{
    return isalpha(c) || isdigit(c);
}

int isxdigit(int c)
{
    return isdigit(c) || within(c | 0x20, 'a', 'f');
}

int isspace(int c)
{
    return c == ' ' || within(c, '\t', '\r');
}

int isblank(int c)
{
    return c == ' ' || c == '\t';
}

int iscntrl(int c)
{
    return within(c, 0, 0x1f) || c == 0x7f;
}

int isprint(int c)
{
    return within(c, 0x20, 0x7e);
}

int isgraph(int c)
{
    return within(c, 0x21, 0x7e);
}

int ispunct(int c)
{
    return isgraph(c) && !isalnum(c);
}

int isascii(int c)
{
    return within(c, 0, 0x7f);
}

int tolower(int c)
{
    return isupper(c) ? c + ('a' - 'A') : c;
}

int toupper(int c)
{
    return islower(c) ? c - ('a' - 'A') : c;
}

int toascii(int c)
{
    return c & 0x7f;
}
