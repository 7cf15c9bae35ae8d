/* Does what its arguments say, one after the other:
 *
 *     say TEXT  write FILE TEXT  append FILE TEXT  cat FILE  copy (stdin)
 *     env NAME  args  exit N  crash  spin
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int put(const char *path, const char *mode, const char *text)
{
    FILE *f = fopen(path, mode);

    if (f == NULL) {
        perror(path);
        return 1;
    }
    fprintf(f, "%s\n", text);
    return fclose(f);
}

static int cat(FILE *f, const char *name)
{
    int c;

    if (f == NULL) {
        perror(name);
        return 1;
    }
    while ((c = getc(f)) != EOF)
        putchar(c);
    return 0;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *what = argv[i];
        int bad = 0;

        if (strcmp(what, "say") == 0)
            printf("%s\n", argv[++i]);
        else if (strcmp(what, "write") == 0)
            bad = put(argv[i + 1], "w", argv[i + 2]), i += 2;
        else if (strcmp(what, "append") == 0)
            bad = put(argv[i + 1], "a", argv[i + 2]), i += 2;
        else if (strcmp(what, "cat") == 0)
            bad = cat(fopen(argv[i + 1], "r"), argv[i + 1]), i++;
        else if (strcmp(what, "copy") == 0)
            bad = cat(stdin, "stdin");
        else if (strcmp(what, "env") == 0)
            i++, printf("%s=%s\n", argv[i], getenv(argv[i]) ? getenv(argv[i]) : "(none)");
        else if (strcmp(what, "args") == 0)
            for (int k = 0; k < argc; k++)
                printf("%d: %s\n", k, argv[k]);
        else if (strcmp(what, "exit") == 0)
            exit(atoi(argv[i + 1]));
        else if (strcmp(what, "crash") == 0)
            *(volatile int *)8 = 1;
        else if (strcmp(what, "spin") == 0)
            for (;;)
                continue;
        else
            printf("%s\n", what);
        fflush(stdout);
        if (bad)
            return 1;
    }
    return 0;
}
