/* Reads a JSON file into a tree and prints what is in it: how many values of
 * each type, the depth, the sum of the numbers, the commonest keys, and size
 * and checksum of the tree written out in canonical form.
 *
 *     json file [times]
 */
#include "json.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_SHOWN 5

static const char *const type_names[] = {"null",   "false", "true",  "number",
                                         "string", "array", "object"};

struct key_count {
    const char *key;
    long count;
};

struct summary {
    long values[JSON_OBJECT + 1];
    int depth;
    double sum;
    struct key_count *keys;
    size_t key_count;
    size_t key_room;
};

/* Size and FNV-1a checksum of what was put. */
struct digest {
    uint64_t checksum;
    size_t size;
};

static void put_digest(void *sink, const char *text, size_t n)
{
    struct digest *d = sink;

    d->size += n;
    for (size_t i = 0; i < n; i++)
        d->checksum = (d->checksum ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
}

static void count_key(struct summary *s, const char *key)
{
    for (size_t i = 0; i < s->key_count; i++) {
        if (strcmp(s->keys[i].key, key) == 0) {
            s->keys[i].count++;
            return;
        }
    }
    if (s->key_count == s->key_room) {
        s->key_room = s->key_room == 0 ? 8 : 2 * s->key_room;
        s->keys = realloc(s->keys, s->key_room * sizeof s->keys[0]);
        if (s->keys == NULL) {
            fprintf(stderr, "json: not enough memory\n");
            exit(1);
        }
    }
    s->keys[s->key_count].key = key;
    s->keys[s->key_count++].count = 1;
}

static void summarise(const struct json *j, int depth, struct summary *s)
{
    s->values[j->type]++;
    if (depth > s->depth)
        s->depth = depth;
    if (j->type == JSON_NUMBER)
        s->sum += j->u.number;
    if (j->type != JSON_ARRAY && j->type != JSON_OBJECT)
        return;
    for (size_t i = 0; i < j->u.list.count; i++) {
        if (j->u.list.items[i].key != NULL)
            count_key(s, j->u.list.items[i].key);
        summarise(j->u.list.items[i].value, depth + 1, s);
    }
}

static int by_count(const void *a, const void *b)
{
    const struct key_count *left = a;
    const struct key_count *right = b;

    if (left->count != right->count)
        return left->count > right->count ? -1 : 1;
    return strcmp(left->key, right->key);
}

static void print_summary(const struct json *j)
{
    struct summary s;
    struct digest d = {UINT64_C(14695981039346656037), 0};

    memset(&s, 0, sizeof s);
    summarise(j, 1, &s);
    for (int type = 0; type <= JSON_OBJECT; type++)
        printf("%-6s %6ld\n", type_names[type], s.values[type]);
    printf("depth  %6d\nsum    %.12g\n", s.depth, s.sum);
    qsort(s.keys, s.key_count, sizeof s.keys[0], by_count);
    for (size_t i = 0; i < s.key_count && i < KEYS_SHOWN; i++)
        printf("key %-12s %6ld\n", s.keys[i].key, s.keys[i].count);
    json_write(j, put_digest, &d);
    printf("canonical: %zu bytes, checksum %016llx\n", d.size, (unsigned long long)d.checksum);
    free(s.keys);
}

/* The whole file, or NULL. */
static char *read_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "r");
    char *text = NULL;
    size_t room = 0;

    *size = 0;
    if (f == NULL)
        return NULL;
    do {
        if (*size + 1 >= room) {
            room = room == 0 ? 4096 : 2 * room;
            char *larger = realloc(text, room);
            if (larger == NULL)
                break;
            text = larger;
        }
        *size += fread(text + *size, 1, room - *size - 1, f);
    } while (!feof(f) && !ferror(f));
    if (text != NULL)
        text[*size] = '\0';
    fclose(f);
    return text;
}

int main(int argc, char **argv)
{
    int times = argc > 2 ? atoi(argv[2]) : 1;
    struct json_error error;
    size_t size;

    if (argc < 2 || times < 1) {
        fprintf(stderr, "usage: json file [times]\n");
        return 2;
    }
    char *text = read_file(argv[1], &size);
    if (text == NULL) {
        perror(argv[1]);
        return 1;
    }
    for (int i = 0; i < times; i++) {
        struct json *j = json_parse(text, size, &error);
        if (j == NULL) {
            fprintf(stderr, "%s:%d:%d: error: %s\n", argv[1], error.line, error.column,
                    error.what);
            free(text);
            return 1;
        }
        if (i == times - 1)
            print_summary(j);
        json_free(j);
    }
    free(text);
    return 0;
}
