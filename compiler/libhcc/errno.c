/* errno and the words for its values (glibc's, as programs print them). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

int __hcc_errno;

static const char *const words[] = {
    "Success",
    "Operation not permitted",
    "No such file or directory",
    "No such process",
    "Interrupted system call",
    "Input/output error",
    "No such device or address",
    "Argument list too long",
    "Exec format error",
    "Bad file descriptor",
    "No child processes",
    "Resource temporarily unavailable",
    "Cannot allocate memory",
    "Permission denied",
    "Bad address",
    "Block device required",
    "Device or resource busy",
    "File exists",
    "Invalid cross-device link",
    "No such device",
    "Not a directory",
    "Is a directory",
    "Invalid argument",
    "Too many open files in system",
    "Too many open files",
    "Inappropriate ioctl for device",
    "Text file busy",
    "File too large",
    "No space left on device",
    "Illegal seek",
    "Read-only file system",
    "Too many links",
    "Broken pipe",
    "Numerical argument out of domain",
    "Numerical result out of range",
    "Resource deadlock avoided",
    "File name too long",
    "No locks available",
    "Function not implemented",
    "Directory not empty",
    "Too many levels of symbolic links",
};

char *strerror(int number)
{
    static char unknown[32];
    static const char prefix[] = "Unknown error ";
    char *at = unknown + sizeof unknown;
    unsigned magnitude = number < 0 ? 0U - (unsigned)number : (unsigned)number;

    if (number >= 0 && number < (int)(sizeof words / sizeof words[0]))
        return (char *)words[number];
    switch (number) {
    case EOVERFLOW:
        return (char *)"Value too large for defined data type";
    case EILSEQ:
        return (char *)"Invalid or incomplete multibyte or wide character";
    case ENOTSUP:
        return (char *)"Operation not supported";
    case EMSGSIZE:
        return (char *)"Message too long";
    case ENOTCONN:
        return (char *)"Transport endpoint is not connected";
    case EHOSTUNREACH:
        return (char *)"No route to host";
    case ETIMEDOUT:
        return (char *)"Connection timed out";
    }
    *--at = '\0';
    do {
        *--at = (char)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude > 0);
    if (number < 0)
        *--at = '-';
    at -= sizeof prefix - 1;
    memcpy(at, prefix, sizeof prefix - 1);
    return at;
}

void perror(const char *prefix)
{
    const char *text = strerror(errno);

    if (prefix != NULL && *prefix != '\0') {
        fputs(prefix, stderr);
        fputs(": ", stderr);
    }
    fputs(text, stderr);
    fputs("\n", stderr);
}
