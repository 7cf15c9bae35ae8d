/* JSON (RFC 8259) as a tree on the heap. */
#ifndef JSON_H
#define JSON_H

#include <stddef.h>

enum json_type {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json;

/* A member of an object, or with no key an element of an array. */
struct json_item {
    char *key;
    struct json *value;
};

struct json {
    enum json_type type;
    union {
        double number;
        char *string; /* UTF-8 */
        struct {
            struct json_item *items;
            size_t count;
        } list;
    } u;
};

/* What went wrong, and where. */
struct json_error {
    const char *what;
    int line;
    int column;
};

/* The tree of a text of n bytes, or NULL; to be freed by json_free. */
struct json *json_parse(const char *text, size_t n, struct json_error *error);
void json_free(struct json *j);

/* The tree as text in one fixed form: no blanks, members by key, numbers with
   as many digits as tell them apart.  Each piece goes to `put`. */
typedef void json_put(void *sink, const char *text, size_t n);
void json_write(const struct json *j, json_put *put, void *sink);

#endif
