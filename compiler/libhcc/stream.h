/* The inside of FILE, for the files of stdio.
 *
 * A stream is idle, reading or writing.  Reading, the bytes at [get, get_end)
 * have been read and not yet been taken; writing, [buffer, put) wait to be
 * written and there is room up to put_end.  The pointers of the other direction
 * are null, so that one comparison tells both "right direction" and "room".
 *
 * A string in memory (sprintf, sscanf) is a stream with no descriptor: what
 * does not fit is dropped, and behind the last byte is the end of the file.
 */
#ifndef STREAM_H
#define STREAM_H

#include <stdio.h>

#define STREAM_READABLE 1
#define STREAM_WRITABLE 2
#define STREAM_APPEND 4
#define STREAM_EOF 8
#define STREAM_ERROR 16
#define STREAM_HEAP 32 /* the FILE and its buffer came from malloc */

#define NO_DESCRIPTOR (-1)
#define PUSHBACK_ROOM 8 /* bytes before the buffer that ungetc may fill */

struct __hcc_file {
    int fd;
    int flags;
    int mode; /* _IOFBF, _IOLBF, _IONBF */
    unsigned char *buffer;
    size_t capacity;
    unsigned char *get;
    unsigned char *get_end;
    unsigned char *put;
    unsigned char *put_end;
    struct __hcc_file *next;
};

extern struct __hcc_file *__hcc_streams; /* every open one */

/* Reading: makes [get, get_end) non-empty; false at the end or on an error. */
int __hcc_refill(FILE *f) __HCC_LEAF;

/* Writing: buffered bytes whatever the mode, then at the end of one public call
   __hcc_settle, which flushes what the mode does not let wait. */
void __hcc_put(FILE *f, const void *from, size_t n) __HCC_LEAF;
void __hcc_put_repeated(FILE *f, int c, size_t n) __HCC_LEAF;
void __hcc_settle(FILE *f) __HCC_LEAF;

/* Writes all that waits; false on an error. */
int __hcc_drain(FILE *f) __HCC_LEAF;

/* Makes the stream idle at the position its reader or writer sees. */
int __hcc_idle(FILE *f) __HCC_LEAF;

#endif
