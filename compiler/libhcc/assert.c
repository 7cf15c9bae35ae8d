#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One write, with no formatting: an assertion may fail anywhere. The line is
   glibc's without the program's name before it. */
void __hcc_assert_fail(const char *expression, const char *file, int line, const char *function)
{
    char text[512];
    char digits[12];
    char *at = digits + sizeof digits;
    const char *pieces[8];
    size_t used = 0;

    *--at = '\0';
    do {
        *--at = (char)('0' + line % 10);
        line /= 10;
    } while (line > 0);

    pieces[0] = file;
    pieces[1] = ":";
    pieces[2] = at;
    pieces[3] = ": ";
    pieces[4] = function;
    pieces[5] = ": Assertion `";
    pieces[6] = expression;
    pieces[7] = "' failed.\n";
    for (int i = 0; i < 8; i++) {
        size_t n = strlen(pieces[i]);
        size_t room = sizeof text - (i < 7 ? strlen(pieces[7]) : 0) - used;
        if (n > room)
            n = room;
        memcpy(text + used, pieces[i], n);
        used += n;
    }
    fflush(stdout);
    write(STDERR_FILENO, text, used);
    abort();
}
