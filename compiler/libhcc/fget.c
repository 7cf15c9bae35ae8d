/* Streams: input of bytes and lines. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream.h"

int __hcc_refill(FILE *f)
{
    ssize_t n;

    if (f->fd == NO_DESCRIPTOR || (f->flags & STREAM_EOF)) {
        f->flags |= STREAM_EOF;
        return 0;
    }
    if (!(f->flags & STREAM_READABLE)) {
        f->flags |= STREAM_ERROR;
        errno = EBADF;
        return 0;
    }
    if (f->put != NULL)
        __hcc_idle(f);
    if (f == stdin)
        fflush(stdout); /* a question is seen before its answer is awaited */
    do {
        n = read(f->fd, f->buffer, f->mode == _IONBF ? 1 : f->capacity);
    } while (n < 0 && errno == EINTR);
    f->get = f->get_end = f->buffer;
    if (n <= 0) {
        f->flags |= n == 0 ? STREAM_EOF : STREAM_ERROR;
        return 0;
    }
    f->get_end += n;
    return 1;
}

int fgetc(FILE *f)
{
    if (f->get == f->get_end && !__hcc_refill(f))
        return EOF;
    return *f->get++;
}

int getc(FILE *f)
{
    return fgetc(f);
}

int getchar(void)
{
    return fgetc(stdin);
}

int ungetc(int c, FILE *f)
{
    if (c == EOF || !(f->flags & STREAM_READABLE))
        return EOF;
    if (f->put != NULL)
        __hcc_idle(f);
    if (f->get == NULL)
        f->get = f->get_end = f->buffer;
    if (f->get == f->buffer - PUSHBACK_ROOM)
        return EOF;
    *--f->get = (unsigned char)c;
    f->flags &= ~STREAM_EOF;
    return (unsigned char)c;
}

char *fgets(char *restrict line, int size, FILE *restrict f)
{
    size_t room = (size_t)size - 1;
    char *to = line;

    if (size <= 0)
        return NULL;
    while (room > 0 && (f->get < f->get_end || __hcc_refill(f))) {
        size_t n = (size_t)(f->get_end - f->get);
        if (n > room)
            n = room;
        unsigned char *newline = memchr(f->get, '\n', n);
        if (newline != NULL)
            n = (size_t)(newline + 1 - f->get);
        memcpy(to, f->get, n);
        to += n;
        f->get += n;
        room -= n;
        if (newline != NULL)
            break;
    }
    if ((to == line && room > 0) || (f->flags & STREAM_ERROR))
        return NULL;
    *to = '\0';
    return line;
}

size_t fread(void *restrict to, size_t size, size_t count, FILE *restrict f)
{
    unsigned char *p = to;
    size_t wanted = size * count;
    size_t left = wanted;

    if (wanted == 0)
        return 0;
    while (left > 0 && (f->get < f->get_end || __hcc_refill(f))) {
        size_t n = (size_t)(f->get_end - f->get);
        if (n > left)
            n = left;
        memcpy(p, f->get, n);
        p += n;
        f->get += n;
        left -= n;
    }
    return (wanted - left) / size;
}

ssize_t getdelim(char **restrict line, size_t *restrict size, int stop, FILE *restrict f)
{
    size_t used = 0;

    while (f->get < f->get_end || __hcc_refill(f)) {
        size_t n = (size_t)(f->get_end - f->get);
        unsigned char *found = memchr(f->get, stop, n);
        if (found != NULL)
            n = (size_t)(found + 1 - f->get);
        if (*line == NULL || used + n + 1 > *size) {
            size_t wanted = 2 * (used + n) + 1 < 120 ? 120 : 2 * (used + n) + 1;
            char *larger = realloc(*line, wanted);
            if (larger == NULL)
                return -1;
            *line = larger;
            *size = wanted;
        }
        memcpy(*line + used, f->get, n);
        used += n;
        f->get += n;
        if (found != NULL)
            break;
    }
    if (used == 0)
        return -1;
    (*line)[used] = '\0';
    return (ssize_t)used;
}

ssize_t getline(char **restrict line, size_t *restrict size, FILE *restrict f)
{
    return getdelim(line, size, '\n', f);
}
