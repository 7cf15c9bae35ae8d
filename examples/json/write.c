/* The tree as text again, in one fixed form. */
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_key(const void *a, const void *b)
{
    const struct json_item *const *left = a;
    const struct json_item *const *right = b;

    return strcmp((*left)->key, (*right)->key);
}

static void put_string(const char *s, json_put *put, void *sink)
{
    char escape[8];

    put(sink, "\"", 1);
    for (; *s != '\0'; s++) {
        size_t plain = 0;
        while ((unsigned char)s[plain] >= 0x20 && s[plain] != '"' && s[plain] != '\\')
            plain++;
        put(sink, s, plain);
        s += plain;
        if (*s == '\0')
            break;
        if (*s == '"' || *s == '\\')
            snprintf(escape, sizeof escape, "\\%c", *s);
        else
            snprintf(escape, sizeof escape, "\\u%04x", (unsigned char)*s);
        put(sink, escape, strlen(escape));
    }
    put(sink, "\"", 1);
}

static void put_number(double number, json_put *put, void *sink)
{
    char text[32];
    int digits = 15;

    do {
        snprintf(text, sizeof text, "%.*g", digits++, number);
    } while (digits <= 17 && strtod(text, NULL) != number);
    put(sink, text, strlen(text));
}

static void put_list(const struct json *j, json_put *put, void *sink)
{
    size_t count = j->u.list.count;
    const struct json_item **items = malloc((count + 1) * sizeof items[0]);

    if (items == NULL) {
        fprintf(stderr, "json: not enough memory\n");
        exit(1);
    }
    for (size_t i = 0; i < count; i++)
        items[i] = &j->u.list.items[i];
    if (j->type == JSON_OBJECT)
        qsort(items, count, sizeof items[0], by_key);
    put(sink, j->type == JSON_OBJECT ? "{" : "[", 1);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            put(sink, ",", 1);
        if (items[i]->key != NULL) {
            put_string(items[i]->key, put, sink);
            put(sink, ":", 1);
        }
        json_write(items[i]->value, put, sink);
    }
    put(sink, j->type == JSON_OBJECT ? "}" : "]", 1);
    free(items);
}

void json_write(const struct json *j, json_put *put, void *sink)
{
    switch (j->type) {
    case JSON_NULL:
        put(sink, "null", 4);
        break;
    case JSON_FALSE:
        put(sink, "false", 5);
        break;
    case JSON_TRUE:
        put(sink, "true", 4);
        break;
    case JSON_NUMBER:
        put_number(j->u.number, put, sink);
        break;
    case JSON_STRING:
        put_string(j->u.string, put, sink);
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        put_list(j, put, sink);
        break;
    }
}
