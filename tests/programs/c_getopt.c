/* Options of the command line, in all their orders and with all their complaints. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int verbose;
static const struct option long_options[] = {
    {"verbose", no_argument, &verbose, 7},
    {"output", required_argument, NULL, 'o'},
    {"optional", optional_argument, NULL, 'p'},
    {"add", no_argument, NULL, 1000},
    {"address", required_argument, NULL, 1001},
    {"same-one", no_argument, NULL, 1002},
    {"same-two", no_argument, NULL, 1002},
    {NULL, 0, NULL, 0},
};

enum kind { SHORT, LONG, ONLY };

static void parse(enum kind kind, const char *letters, const char *line)
{
    char text[200], *words[20] = {"tool"};
    int n = 1, c, index;

    printf("--- %d '%s' on '%s'\n", kind, letters, line);
    strcpy(text, line);
    for (char *w = strtok(text, " "); w != NULL; w = strtok(NULL, " "))
        words[n++] = w;
    optind = 0;
    verbose = 0;
    for (;;) {
        index = -1;
        optopt = 0;
        if (kind == SHORT)
            c = getopt(n, words, letters);
        else if (kind == LONG)
            c = getopt_long(n, words, letters, long_options, &index);
        else
            c = getopt_long_only(n, words, letters, long_options, &index);
        fflush(stdout);
        if (c == -1)
            break;
        printf("%d (%c) %s index %d optopt %d optind %d\n", c, c > 31 && c < 127 ? c : ' ',
               optarg ? optarg : "-", index, optopt, optind);
        fflush(stdout);
    }
    printf("verbose %d, rest at %d:", verbose, optind);
    for (int i = 0; i < n; i++)
        printf(" %s", words[i]);
    putchar('\n');
    fflush(stdout);
}

int main(void)
{
    static const char *const lines[] = {
        "", "-a", "-ab file -c", "-ofile -o file -o", "x -a y -b z", "-a -- -b", "- -a -", "-z -a",
        "-pval -p val", "--verbose x --output=f y --output g", "--verb --out h", "--ad", "--add",
        "--nothing", "--verbose=3", "--output", "--optional --optional=v w", "--same", "x y -- z",
        "a b -a c d -b e", "-output=f", "-add -a", "-verbose -xyz", "-W add -Wverbose",
        "a -o b c --address d e -- f -a", "--=x", "--o=1", "-o", "-:", "-;",
    };
    static const char *const letters[] = {"abco:p::", "+abco:p::", "-abco:p::", ":abo:", "abW;"};

    for (int kind = SHORT; kind <= ONLY; kind++)
        for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
            for (size_t k = 0; k < sizeof lines / sizeof *lines; k++)
                parse(kind, letters[i], lines[k]);
    opterr = 0;
    parse(LONG, "a", "-z --nothing -a");
    return 0;
}
