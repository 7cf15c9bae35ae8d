/* Streams.  stdout is fully buffered whatever it is connected to, so that the
   order and size of its writes depend on the program alone; stderr is not
   buffered.  long double is double, so %Lf and %f are the same. */
#ifndef _STDIO_H
#define _STDIO_H

#include <hcc/abi.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct __hcc_file FILE;
typedef long fpos_t;

extern FILE *stdin;
extern FILE *stdout;
extern FILE *stderr;
#define stdin stdin
#define stdout stdout
#define stderr stderr

#define EOF (-1)
#define BUFSIZ 8192
#define FOPEN_MAX 1024
#define FILENAME_MAX 4096
#define L_tmpnam 20
#define TMP_MAX 238328
#define P_tmpdir "/tmp"
#define _IOFBF 0
#define _IOLBF 1
#define _IONBF 2
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2

/* Files (file.c) */
FILE *fopen(const char *restrict path, const char *restrict mode) __HCC_LEAF;
FILE *fdopen(int fd, const char *mode) __HCC_LEAF;
FILE *freopen(const char *restrict path, const char *restrict mode, FILE *restrict f) __HCC_LEAF;
int fclose(FILE *f) __HCC_LEAF;
int fflush(FILE *f) __HCC_LEAF;
int setvbuf(FILE *restrict f, char *restrict buffer, int mode, size_t size) __HCC_LEAF;
void setbuf(FILE *restrict f, char *restrict buffer) __HCC_LEAF;
int fseek(FILE *f, long offset, int whence) __HCC_LEAF;
int fseeko(FILE *f, off_t offset, int whence) __HCC_LEAF;
long ftell(FILE *f) __HCC_LEAF;
off_t ftello(FILE *f) __HCC_LEAF;
void rewind(FILE *f) __HCC_LEAF;
int fgetpos(FILE *restrict f, fpos_t *restrict position) __HCC_LEAF;
int fsetpos(FILE *f, const fpos_t *position) __HCC_LEAF;
int feof(FILE *f) __HCC_LEAF;
int ferror(FILE *f) __HCC_LEAF;
void clearerr(FILE *f) __HCC_LEAF;
int fileno(FILE *f) __HCC_LEAF;
int remove(const char *path) __HCC_LEAF;
int rename(const char *from, const char *to) __HCC_LEAF;
FILE *tmpfile(void) __HCC_LEAF;
char *tmpnam(char *to) __HCC_LEAF;
void perror(const char *prefix) __HCC_LEAF;

/* Bytes and lines (fget.c, fput.c) */
int fgetc(FILE *f) __HCC_LEAF;
int getc(FILE *f) __HCC_LEAF;
int getchar(void) __HCC_LEAF;
int ungetc(int c, FILE *f) __HCC_LEAF;
char *fgets(char *restrict line, int size, FILE *restrict f) __HCC_LEAF;
size_t fread(void *restrict to, size_t size, size_t count, FILE *restrict f) __HCC_LEAF;
ssize_t getline(char **restrict line, size_t *restrict size, FILE *restrict f) __HCC_LEAF;
ssize_t getdelim(char **restrict line, size_t *restrict size, int stop, FILE *restrict f)
    __HCC_LEAF;
int fputc(int c, FILE *f) __HCC_LEAF;
int putc(int c, FILE *f) __HCC_LEAF;
int putchar(int c) __HCC_LEAF;
int fputs(const char *restrict s, FILE *restrict f) __HCC_LEAF;
int puts(const char *s) __HCC_LEAF;
size_t fwrite(const void *restrict from, size_t size, size_t count, FILE *restrict f) __HCC_LEAF;

/* Formatted output (printf.c) */
int printf(const char *restrict format, ...);
int fprintf(FILE *restrict f, const char *restrict format, ...);
int dprintf(int fd, const char *restrict format, ...);
int sprintf(char *restrict to, const char *restrict format, ...);
int snprintf(char *restrict to, size_t size, const char *restrict format, ...);
int asprintf(char **restrict to, const char *restrict format, ...);
int vprintf(const char *restrict format, va_list arguments);
int vfprintf(FILE *restrict f, const char *restrict format, va_list arguments);
int vsprintf(char *restrict to, const char *restrict format, va_list arguments);
int vsnprintf(char *restrict to, size_t size, const char *restrict format, va_list arguments);
int vasprintf(char **restrict to, const char *restrict format, va_list arguments);

/* Formatted input (scanf.c) */
int scanf(const char *restrict format, ...);
int fscanf(FILE *restrict f, const char *restrict format, ...);
int sscanf(const char *restrict s, const char *restrict format, ...);
int vscanf(const char *restrict format, va_list arguments);
int vfscanf(FILE *restrict f, const char *restrict format, va_list arguments);
int vsscanf(const char *restrict s, const char *restrict format, va_list arguments);

#endif
