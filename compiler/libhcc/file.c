/* Streams: opening, closing, positions and state. */
#include <errno.h>
#include <fcntl.h>
#include <hcc/syscall.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream.h"

#define STDOUT_BUFFER 16384
#define STDERR_BUFFER 512 /* one printf to stderr is one write */

static unsigned char in_buffer[PUSHBACK_ROOM + BUFSIZ];
static unsigned char out_buffer[STDOUT_BUFFER];
static unsigned char err_buffer[STDERR_BUFFER];

static struct __hcc_file err_stream = {
    2, STREAM_WRITABLE, _IONBF, err_buffer, STDERR_BUFFER, NULL, NULL, NULL, NULL, NULL,
};
static struct __hcc_file out_stream = {
    1, STREAM_WRITABLE, _IOFBF, out_buffer, STDOUT_BUFFER, NULL, NULL, NULL, NULL, &err_stream,
};
static struct __hcc_file in_stream = {
    0, STREAM_READABLE, _IOFBF, in_buffer + PUSHBACK_ROOM, BUFSIZ, NULL, NULL, NULL, NULL,
    &out_stream,
};

FILE *stdin = &in_stream;
FILE *stdout = &out_stream;
FILE *stderr = &err_stream;
struct __hcc_file *__hcc_streams = &in_stream;

/* Reads fopen's mode into flags for open and for the stream; false if it is none. */
static __HCC_LEAF int parse_mode(const char *mode, int *open_flags, int *stream_flags)
{
    int both = strchr(mode, '+') != NULL;

    switch (*mode) {
    case 'r':
        *open_flags = 0;
        *stream_flags = STREAM_READABLE;
        break;
    case 'w':
        *open_flags = O_CREAT | O_TRUNC;
        *stream_flags = STREAM_WRITABLE;
        break;
    case 'a':
        *open_flags = O_CREAT | O_APPEND;
        *stream_flags = STREAM_WRITABLE | STREAM_APPEND;
        break;
    default:
        errno = EINVAL;
        return 0;
    }
    if (strchr(mode, 'x') != NULL)
        *open_flags |= O_EXCL;
    if (both) {
        *open_flags |= O_RDWR;
        *stream_flags |= STREAM_READABLE | STREAM_WRITABLE;
    } else if (*mode != 'r') {
        *open_flags |= O_WRONLY;
    }
    return 1;
}

FILE *fdopen(int fd, const char *mode)
{
    int open_flags;
    int stream_flags;

    if (!parse_mode(mode, &open_flags, &stream_flags))
        return NULL;
    int before = errno;
    if (lseek(fd, 0, SEEK_CUR) < 0 && errno == EBADF)
        return NULL;
    errno = before;
    FILE *f = malloc(sizeof *f + PUSHBACK_ROOM + BUFSIZ);
    if (f == NULL)
        return NULL;
    memset(f, 0, sizeof *f);
    f->fd = fd;
    f->flags = stream_flags | STREAM_HEAP;
    f->buffer = (unsigned char *)(f + 1) + PUSHBACK_ROOM;
    f->capacity = BUFSIZ;
    f->next = __hcc_streams;
    __hcc_streams = f;
    return f;
}

FILE *fopen(const char *restrict path, const char *restrict mode)
{
    int open_flags;
    int stream_flags;

    if (!parse_mode(mode, &open_flags, &stream_flags))
        return NULL;
    int fd = open(path, open_flags, 0666);
    if (fd < 0)
        return NULL;
    FILE *f = fdopen(fd, mode);
    if (f == NULL)
        close(fd);
    return f;
}

FILE *freopen(const char *restrict path, const char *restrict mode, FILE *restrict f)
{
    int open_flags;
    int stream_flags;

    __hcc_idle(f);
    close(f->fd);
    f->fd = NO_DESCRIPTOR;
    if (!parse_mode(mode, &open_flags, &stream_flags))
        return NULL;
    f->fd = open(path, open_flags, 0666);
    if (f->fd < 0)
        return NULL;
    f->flags = stream_flags | (f->flags & STREAM_HEAP);
    return f;
}

int fclose(FILE *f)
{
    struct __hcc_file **link = &__hcc_streams;
    int flushed = __hcc_idle(f);
    int closed = close(f->fd) == 0;

    while (*link != NULL && *link != f)
        link = &(*link)->next;
    if (*link == f)
        *link = f->next;
    if (f->flags & STREAM_HEAP) {
        free(f);
    } else {
        f->flags = 0; /* neither readable nor writable */
        f->fd = NO_DESCRIPTOR;
    }
    return flushed && closed ? 0 : EOF;
}

int __hcc_drain(FILE *f)
{
    unsigned char *from = f->buffer;

    if (f->put == NULL || f->fd == NO_DESCRIPTOR)
        return 1;
    while (from < f->put) {
        ssize_t n = write(f->fd, from, (size_t)(f->put - from));
        if (n < 0) {
            if (errno == EINTR)
                continue;
            f->flags |= STREAM_ERROR;
            f->put = f->buffer;
            return 0;
        }
        from += n;
    }
    f->put = f->buffer;
    return 1;
}

int __hcc_idle(FILE *f)
{
    int flushed = __hcc_drain(f);

    if (f->get != f->get_end && f->fd != NO_DESCRIPTOR)
        lseek(f->fd, f->get - f->get_end, SEEK_CUR); /* a pipe refuses, rightly */
    f->get = f->get_end = f->put = f->put_end = NULL;
    return flushed;
}

int fflush(FILE *f)
{
    int flushed = 1;

    if (f != NULL)
        return __hcc_drain(f) ? 0 : EOF;
    for (f = __hcc_streams; f != NULL; f = f->next)
        flushed &= __hcc_drain(f);
    return flushed ? 0 : EOF;
}

/* The program's buffer is not used: ours will do, and mode is all it can see. */
int setvbuf(FILE *restrict f, char *restrict buffer, int mode, size_t size)
{
    (void)buffer;
    (void)size;
    if (mode != _IOFBF && mode != _IOLBF && mode != _IONBF)
        return -1;
    __hcc_drain(f);
    f->mode = mode;
    return 0;
}

void setbuf(FILE *restrict f, char *restrict buffer)
{
    setvbuf(f, buffer, buffer == NULL ? _IONBF : _IOFBF, BUFSIZ);
}

int fseek(FILE *f, long offset, int whence)
{
    if (!__hcc_idle(f) || lseek(f->fd, offset, whence) < 0)
        return -1;
    f->flags &= ~STREAM_EOF;
    return 0;
}

int fseeko(FILE *f, off_t offset, int whence)
{
    return fseek(f, offset, whence);
}

long ftell(FILE *f)
{
    if (f->put != NULL && (f->flags & STREAM_APPEND))
        __hcc_drain(f); /* only the write says where the end was */
    long position = lseek(f->fd, 0, SEEK_CUR);
    if (position < 0)
        return -1;
    position -= f->get_end - f->get;
    if (f->put != NULL)
        position += f->put - f->buffer;
    return position;
}

off_t ftello(FILE *f)
{
    return ftell(f);
}

void rewind(FILE *f)
{
    fseek(f, 0, SEEK_SET);
    f->flags &= ~STREAM_ERROR;
}

int fgetpos(FILE *restrict f, fpos_t *restrict position)
{
    *position = ftell(f);
    return *position < 0 ? -1 : 0;
}

int fsetpos(FILE *f, const fpos_t *position)
{
    return fseek(f, *position, SEEK_SET);
}

int feof(FILE *f)
{
    return (f->flags & STREAM_EOF) != 0;
}

int ferror(FILE *f)
{
    return (f->flags & STREAM_ERROR) != 0;
}

void clearerr(FILE *f)
{
    f->flags &= ~(STREAM_EOF | STREAM_ERROR);
}

int fileno(FILE *f)
{
    return f->fd;
}

int remove(const char *path)
{
    if (unlink(path) == 0)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -1;
    return rmdir(path);
}
