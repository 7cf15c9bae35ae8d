/* Options of the command line, as glibc takes them: what is no option may stand
 * anywhere and is moved behind the options, unless the letters begin with '+' or
 * POSIXLY_CORRECT is set; with '-' it is an option of the number 1.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *optarg;
int optind = 1;
int opterr = 1;
int optopt = '?';

enum order { PERMUTE, REQUIRE_ORDER, RETURN_IN_ORDER };

/* One call: what is asked for. */
struct request {
    int argc;
    char **argv;
    const char *letters;
    const struct option *options; /* long ones; NULL for getopt */
    int *index;
    int only; /* long ones may begin with one '-' */
    int quiet;
    int colon; /* a missing argument gives ':' */
};

static int started;
static int complained; /* what optopt becomes at the end of each call */
static enum order order;
static char *rest;                 /* of the word whose letters are being taken */
static int first_skipped, last_skipped; /* words that are no options: [first, last) */

static __HCC_LEAF void reverse(char **words, int from, int to)
{
    while (from < --to) {
        char *word = words[from];
        words[from++] = words[to];
        words[to] = word;
    }
}

/* Moves the skipped words behind the options that followed them. */
static __HCC_LEAF void move_skipped(char **words)
{
    reverse(words, first_skipped, last_skipped);
    reverse(words, last_skipped, optind);
    reverse(words, first_skipped, optind);
    first_skipped += optind - last_skipped;
    last_skipped = optind;
}

/* A complaint in five pieces, as one write if it is short. */
static __HCC_LEAF void complain(const struct request *r, const char *a, const char *b,
                                const char *c, const char *d, const char *e)
{
    char line[512];
    const char *pieces[] = { r->argv[0], ": ", a, b, c, d, e, "\n" };
    size_t n = 0;

    if (r->quiet)
        return;
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        size_t size = strlen(pieces[i]);
        if (n + size > sizeof line) {
            fwrite(line, 1, n, stderr);
            n = 0;
        }
        if (size > sizeof line) {
            fwrite(pieces[i], 1, size, stderr);
        } else {
            memcpy(line + n, pieces[i], size);
            n += size;
        }
    }
    fwrite(line, 1, n, stderr);
}

static __HCC_LEAF int same_option(const struct option *a, const struct option *b)
{
    return a->has_arg == b->has_arg && a->flag == b->flag && a->val == b->val;
}

static __HCC_LEAF void complain_of_ambiguity(const struct request *r, const char *dashes,
                                             size_t length)
{
    if (r->quiet)
        return;
    fputs(r->argv[0], stderr);
    fputs(": option '", stderr);
    fputs(dashes, stderr);
    fputs(rest, stderr);
    fputs("' is ambiguous; possibilities:", stderr);
    for (const struct option *o = r->options; o->name != NULL; o++) {
        if (strncmp(o->name, rest, length) == 0) {
            fputs(" '", stderr);
            fputs(dashes, stderr);
            fputs(o->name, stderr);
            fputs("'", stderr);
        }
    }
    fputs("\n", stderr);
}

/* The long option of that name or of an abbreviation that fits no other; NULL if
   there is none, *ambiguous if there are several. */
static __HCC_LEAF const struct option *find_long(const struct request *r, size_t length,
                                                 int *ambiguous)
{
    const struct option *found = NULL;

    *ambiguous = 0;
    for (const struct option *o = r->options; o->name != NULL; o++) {
        if (strncmp(o->name, rest, length) == 0 && strlen(o->name) == length)
            return o;
    }
    for (const struct option *o = r->options; o->name != NULL; o++) {
        if (strncmp(o->name, rest, length) != 0)
            continue;
        if (found == NULL)
            found = o;
        else if (r->only || !same_option(found, o))
            *ambiguous = 1;
    }
    return found;
}

/* A long option, whose name is at rest; -1 if it is to be taken as letters. */
static __HCC_LEAF int take_long(const struct request *r, const char *dashes)
{
    size_t length = strcspn(rest, "=");
    int ambiguous;
    const struct option *option = find_long(r, length, &ambiguous);

    if (option != NULL && ambiguous) {
        complain_of_ambiguity(r, dashes, length);
        rest = NULL;
        optind++;
        complained = 0;
        return '?';
    }
    if (option == NULL) {
        if (r->only && dashes[1] == '\0' && strchr(r->letters, *rest) != NULL)
            return -1;
        complain(r, "unrecognized option '", dashes, rest, "'", "");
        rest = NULL;
        optind++;
        complained = 0;
        return '?';
    }
    char *value = rest[length] == '=' ? rest + length + 1 : NULL;
    rest = NULL;
    optind++;
    if (value != NULL && option->has_arg == no_argument) {
        complain(r, "option '", dashes, option->name, "' doesn't allow an argument", "");
        complained = option->val;
        return '?';
    }
    if (value == NULL && option->has_arg == required_argument) {
        if (optind >= r->argc) {
            complain(r, "option '", dashes, option->name, "' requires an argument", "");
            complained = option->val;
            return r->colon ? ':' : '?';
        }
        value = r->argv[optind++];
    }
    optarg = value;
    if (r->index != NULL)
        *r->index = (int)(option - r->options);
    if (option->flag == NULL)
        return option->val;
    *option->flag = option->val;
    return 0;
}

static __HCC_LEAF int take_letter(const struct request *r)
{
    char letter[2] = { *rest++, '\0' };
    int c = letter[0];
    const char *known = c == ':' || c == ';' ? NULL : strchr(r->letters, c);

    if (*rest == '\0')
        optind++;
    if (known == NULL) {
        complain(r, "invalid option -- '", letter, "'", "", "");
        complained = c;
        return '?';
    }
    if (known[0] == 'W' && known[1] == ';' && r->options != NULL) {
        if (*rest == '\0' && optind == r->argc) {
            complain(r, "option requires an argument -- '", letter, "'", "", "");
            complained = c;
            return r->colon ? ':' : '?';
        }
        if (*rest == '\0')
            rest = r->argv[optind];
        return take_long(r, "-W ");
    }
    if (known[1] != ':')
        return c;
    if (*rest != '\0') {
        optarg = rest;
        optind++;
    } else if (known[2] == ':') {
        optarg = NULL;
    } else if (optind == r->argc) {
        complain(r, "option requires an argument -- '", letter, "'", "", "");
        complained = c;
        c = r->colon ? ':' : '?';
    } else {
        optarg = r->argv[optind++];
    }
    rest = NULL;
    return c;
}

static __HCC_LEAF int is_plain(const char *word)
{
    return word[0] != '-' || word[1] == '\0';
}

/* Goes to the next word with options: 0, or what getopt is to return. */
static __HCC_LEAF int next_word(const struct request *r)
{
    if (last_skipped > optind)
        last_skipped = optind;
    if (first_skipped > optind)
        first_skipped = optind;
    if (order == PERMUTE) {
        if (first_skipped != last_skipped && last_skipped != optind)
            move_skipped(r->argv);
        else if (last_skipped != optind)
            first_skipped = optind;
        while (optind < r->argc && is_plain(r->argv[optind]))
            optind++;
        last_skipped = optind;
    }
    if (optind != r->argc && strcmp(r->argv[optind], "--") == 0) {
        optind++;
        if (first_skipped != last_skipped && last_skipped != optind)
            move_skipped(r->argv);
        else if (first_skipped == last_skipped)
            first_skipped = optind;
        last_skipped = r->argc;
        optind = r->argc;
    }
    if (optind == r->argc) {
        if (first_skipped != last_skipped)
            optind = first_skipped;
        return -1;
    }
    if (is_plain(r->argv[optind])) {
        if (order == REQUIRE_ORDER)
            return -1;
        optarg = r->argv[optind++];
        return 1;
    }
    return 0;
}

static __HCC_LEAF int take_next(struct request *r)
{
    if (r->argc < 1)
        return -1;
    optarg = NULL;
    if (optind == 0 || !started) {
        if (optind == 0)
            optind = 1;
        first_skipped = last_skipped = optind;
        rest = NULL;
        started = 1;
        order = *r->letters == '-'                                              ? RETURN_IN_ORDER
                : *r->letters == '+' || getenv("POSIXLY_CORRECT") != NULL ? REQUIRE_ORDER
                                                                                : PERMUTE;
    }
    if (*r->letters == '-' || *r->letters == '+')
        r->letters++;
    r->colon = *r->letters == ':';
    r->quiet = !opterr || r->colon;
    if (rest == NULL || *rest == '\0') {
        int result = next_word(r);
        if (result != 0)
            return result;
        const char *word = r->argv[optind];
        if (r->options != NULL && word[1] == '-') {
            rest = r->argv[optind] + 2;
            return take_long(r, "--");
        }
        rest = r->argv[optind] + 1;
        if (r->options != NULL && r->only
            && (word[2] != '\0' || strchr(r->letters, word[1]) == NULL)) {
            int result = take_long(r, "-");
            if (result != -1)
                return result;
        }
    }
    return take_letter(r);
}

static __HCC_LEAF int take(struct request r)
{
    int result = take_next(&r);

    optopt = complained;
    return result;
}

int getopt(int argc, char *const argv[], const char *letters)
{
    struct request r = { argc, (char **)argv, letters, NULL, NULL, 0, 0, 0 };

    return take(r);
}

int getopt_long(int argc, char *const argv[], const char *letters, const struct option *options,
                int *index)
{
    struct request r = { argc, (char **)argv, letters, options, index, 0, 0, 0 };

    return take(r);
}

int getopt_long_only(int argc, char *const argv[], const char *letters,
                     const struct option *options, int *index)
{
    struct request r = { argc, (char **)argv, letters, options, index, 1, 0, 0 };

    return take(r);
}
