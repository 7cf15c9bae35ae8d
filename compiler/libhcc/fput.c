/* Streams: output of bytes and strings. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stream.h"

/* Turns an idle or reading stream to writing; false if it is not for that. */
static __HCC_LEAF int begin_writing(FILE *f)
{
    if (f->put != NULL)
        return 1;
    if (!(f->flags & STREAM_WRITABLE)) {
        f->flags |= STREAM_ERROR;
        errno = EBADF;
        return 0;
    }
    __hcc_idle(f);
    f->put = f->buffer;
    f->put_end = f->buffer + f->capacity;
    return 1;
}

/* Makes room for at least one byte; false where there can be none. */
static __HCC_LEAF int make_room(FILE *f)
{
    if (!begin_writing(f))
        return 0;
    return f->put < f->put_end || (f->fd != NO_DESCRIPTOR && __hcc_drain(f));
}

void __hcc_put(FILE *f, const void *from, size_t n)
{
    const unsigned char *p = from;

    while (n > 0 && make_room(f)) {
        size_t room = (size_t)(f->put_end - f->put);
        size_t part = n < room ? n : room;
        memcpy(f->put, p, part);
        f->put += part;
        p += part;
        n -= part;
    }
}

void __hcc_put_repeated(FILE *f, int c, size_t n)
{
    while (n > 0 && make_room(f)) {
        size_t room = (size_t)(f->put_end - f->put);
        size_t part = n < room ? n : room;
        memset(f->put, c, part);
        f->put += part;
        n -= part;
    }
}

void __hcc_settle(FILE *f)
{
    if (f->put == NULL || f->mode == _IOFBF)
        return;
    if (f->mode == _IONBF || memchr(f->buffer, '\n', (size_t)(f->put - f->buffer)) != NULL)
        __hcc_drain(f);
}

int fputc(int c, FILE *f)
{
    unsigned char byte = (unsigned char)c;

    if (f->put < f->put_end && f->mode == _IOFBF) {
        *f->put++ = byte;
        return byte;
    }
    if (!make_room(f))
        return EOF;
    *f->put++ = byte;
    __hcc_settle(f);
    return f->flags & STREAM_ERROR ? EOF : byte;
}

int putc(int c, FILE *f)
{
    return fputc(c, f);
}

int putchar(int c)
{
    return fputc(c, stdout);
}

size_t fwrite(const void *restrict from, size_t size, size_t count, FILE *restrict f)
{
    int had_error = f->flags & STREAM_ERROR;

    if (size == 0 || count == 0)
        return 0;
    f->flags &= ~STREAM_ERROR;
    __hcc_put(f, from, size * count);
    __hcc_settle(f);
    if (f->flags & STREAM_ERROR)
        return 0;
    f->flags |= had_error;
    return count;
}

int fputs(const char *restrict s, FILE *restrict f)
{
    size_t n = strlen(s);

    return n == 0 || fwrite(s, 1, n, f) == n ? 1 : EOF;
}

int puts(const char *s)
{
    __hcc_put(stdout, s, strlen(s));
    __hcc_put(stdout, "\n", 1);
    __hcc_settle(stdout);
    return stdout->flags & STREAM_ERROR ? EOF : 1;
}
