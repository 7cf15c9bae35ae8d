/* Counts the primes below each of the limits in /data/limits.txt.
 *
 * What it is called stands in /etc/title, the table goes to /counts.csv. With
 * --verbose the counts are printed as they are found.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST 200000

static char composite[LARGEST + 1];

static int count_below(int limit)
{
    int count = 0;

    memset(composite, 0, sizeof composite);
    for (int n = 2; n < limit; n++) {
        if (composite[n])
            continue;
        count++;
        for (long multiple = (long)n * n; multiple < limit; multiple += n)
            composite[multiple] = 1;
    }
    return count;
}

int main(int argc, char **argv)
{
    int verbose = argc > 1 && strcmp(argv[1], "--verbose") == 0;
    const char *unit = getenv("UNIT");
    char title[100] = "";
    int limit;
    FILE *f = fopen("/etc/title", "r");

    if (f == NULL || fgets(title, sizeof title, f) == NULL) {
        fprintf(stderr, "sieve: /etc/title cannot be read\n");
        return 1;
    }
    fclose(f);
    printf("%s", title);
    FILE *limits = fopen("/data/limits.txt", "r");
    FILE *table = fopen("/counts.csv", "w");
    if (limits == NULL || table == NULL) {
        fprintf(stderr, "sieve: /data/limits.txt or /counts.csv cannot be opened\n");
        return 1;
    }
    fprintf(table, "limit,%s\n", unit != NULL ? unit : "count");
    while (fscanf(limits, "%d", &limit) == 1) {
        if (limit < 0 || limit > LARGEST) {
            fprintf(stderr, "sieve: limit %d is not from 0 to %d\n", limit, LARGEST);
            return 1;
        }
        int count = count_below(limit);
        if (verbose)
            printf("limit %d: %d primes\n", limit, count);
        fprintf(table, "%d,%d\n", limit, count);
    }
    fclose(limits);
    fclose(table);
    return 0;
}
