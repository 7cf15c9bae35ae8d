/* Streams and descriptors: everything said here is also said by any other C
   library, to the byte.  The argument is a folder to write in. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[512];

static void show(const char *what, long value)
{
    printf("%s: %ld\n", what, value);
}

static void write_and_read_back(void)
{
    char line[64];
    FILE *f = fopen(path, "w+");

    show("wrote", fprintf(f, "first line\nsecond, longer line\n%5d\n", 42));
    for (int i = 0; i < 5000; i++)
        fprintf(f, "%d ", i);
    show("tell", ftell(f));
    rewind(f);
    show("getc", getc(f));
    show("ungetc", ungetc('F', f));
    show("tell after ungetc", ftell(f));
    printf("%s", fgets(line, sizeof line, f));
    printf("[%s]\n", fgets(line, 8, f));
    show("tell", ftell(f));
    show("seek", fseek(f, -7, SEEK_CUR));
    printf("%s", fgets(line, sizeof line, f));
    int number = 0;
    show("scanned", fscanf(f, "%d %d", &number, &number));
    show("number", number);
    show("seek end", fseek(f, -5, SEEK_END));
    show("read", (long)fread(line, 1, sizeof line, f));
    show("eof", feof(f) != 0);
    show("getc at end", getc(f));
    clearerr(f);
    show("eof cleared", feof(f) != 0);
    show("write after read", fputs("tail", f));
    show("tell", ftell(f));
    fseek(f, 6, SEEK_SET);
    fputs("LINE", f);
    fseek(f, 0, SEEK_SET);
    printf("%s", fgets(line, sizeof line, f));
    show("close", fclose(f));
}

static void append_and_count(void)
{
    long sum = 0;
    int c;
    FILE *f = fopen(path, "a");

    fputs("appended\n", f);
    show("tell at end", ftell(f));
    fclose(f);
    f = fopen(path, "r");
    while ((c = getc(f)) != EOF)
        sum = (sum * 31 + c) % 1000003;
    show("sum", sum);
    show("write to a reader", fputc('x', f));
    show("error", ferror(f) != 0);
    fclose(f);
}

static void read_lines(void)
{
    char *line = NULL;
    size_t size = 0;
    long lengths = 0;
    ssize_t n;
    FILE *f = fopen(path, "r");

    while ((n = getline(&line, &size, f)) >= 0)
        lengths = lengths * 7 + n;
    show("lines", lengths);
    free(line);
    fclose(f);
}

static void descriptors(void)
{
    char text[8] = {0};
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

    show("write", write(fd, "0123456789", 10));
    show("lseek", lseek(fd, 3, SEEK_SET));
    show("read", read(fd, text, 4));
    printf("%s\n", text);
    FILE *f = fdopen(fd, "r");
    show("getc", getc(f));
    show("fileno", fileno(f) == fd);
    show("fclose", fclose(f));
    show("close again", close(fd));
    show("errno", errno);
}

static void failures(void)
{
    show("no such file", fopen("/no/such/file", "r") == NULL);
    perror("perror");
    show("bad mode", fopen(path, "q") == NULL);
    printf("%s\n", strerror(errno));
    show("exclusive", open(path, O_CREAT | O_EXCL | O_WRONLY, 0600));
    printf("%s\n", strerror(errno));
    show("remove", remove(path));
    show("remove again", remove(path));
    show("errno", errno);
}

static void modes(void)
{
    FILE *f = fopen(path, "w");

    setvbuf(f, NULL, _IONBF, 0);
    fputs("unbuffered", f);
    FILE *g = fopen(path, "r");
    char text[32];
    printf("%s\n", fgets(text, sizeof text, g));
    fclose(g);
    fclose(f);
    f = fopen(path, "w");
    setvbuf(f, NULL, _IOLBF, BUFSIZ);
    fputs("a line\nand a piece", f);
    g = fopen(path, "r");
    printf("%s", fgets(text, sizeof text, g));
    fclose(g);
    fclose(f);
    f = freopen(path, "r", fopen(path, "w"));
    show("reopened", getc(f));
    fclose(f);
    unlink(path);
}

static void renaming(void)
{
    char other[sizeof path + 2];

    snprintf(other, sizeof other, "%s2", path);
    fclose(fopen(path, "w"));
    show("renamed", rename(path, other));
    show("gone", fopen(path, "r") == NULL);
    show("and back", rename(other, path));
    show("no such file", rename(other, path) == -1 && errno == ENOENT);
    unlink(path);
}

static void standard_input(void)
{
    char word[32];
    int a, b, c;

    show("scanf", scanf("%d,%d", &a, &b));
    show("sum", a + b);
    show("scanf", scanf("%31s", word));
    printf("%s\n", word);
    while ((c = getchar()) != EOF && c != '.')
        putchar(c);
    putchar('\n');
    show("rest", (long)fread(word, 1, sizeof word, stdin));
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    snprintf(path, sizeof path, "%s/file.txt", argv[1]);
    write_and_read_back();
    append_and_count();
    read_lines();
    descriptors();
    failures();
    modes();
    renaming();
    standard_input();
    return 0;
}
