/* The parser: one function for each rule of the grammar, each of which leaves
 * the position behind what it read.  On an error it is noted once and NULL goes
 * up to the top.
 */
#include "json.h"

#include <stdlib.h>
#include <string.h>

#define DEEPEST 512

struct parser {
    const char *at;
    const char *end;
    const char *start;
    int depth;
    struct json_error *error;
};

static struct json *parse_value(struct parser *p);

static void *fail(struct parser *p, const char *what)
{
    if (p->error->what == NULL) {
        p->error->what = what;
        p->error->line = 1;
        p->error->column = 1;
        for (const char *c = p->start; c < p->at; c++) {
            p->error->column++;
            if (*c == '\n') {
                p->error->line++;
                p->error->column = 1;
            }
        }
    }
    return NULL;
}

static void skip_blanks(struct parser *p)
{
    while (p->at < p->end &&
           (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r'))
        p->at++;
}

static int next_is(struct parser *p, char c)
{
    return p->at < p->end && *p->at == c;
}

static struct json *new_node(struct parser *p, enum json_type type)
{
    struct json *j = calloc(1, sizeof *j);

    if (j == NULL)
        return fail(p, "not enough memory");
    j->type = type;
    return j;
}

/* word = "null" | "false" | "true" */
static struct json *parse_word(struct parser *p, const char *word, enum json_type type)
{
    size_t n = strlen(word);

    if ((size_t)(p->end - p->at) < n || memcmp(p->at, word, n) != 0)
        return fail(p, "expected a value");
    p->at += n;
    return new_node(p, type);
}

static int parse_digits(struct parser *p)
{
    const char *first = p->at;

    while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
        p->at++;
    return p->at > first;
}

/* number = ["-"] ("0" | digits) ["." digits] [("e" | "E") ["+" | "-"] digits] */
static struct json *parse_number(struct parser *p)
{
    const char *first = p->at;

    if (next_is(p, '-'))
        p->at++;
    if (next_is(p, '0'))
        p->at++;
    else if (!parse_digits(p))
        return fail(p, "expected a digit");
    if (next_is(p, '.')) {
        p->at++;
        if (!parse_digits(p))
            return fail(p, "expected a digit behind the point");
    }
    if (next_is(p, 'e') || next_is(p, 'E')) {
        p->at++;
        if (next_is(p, '+') || next_is(p, '-'))
            p->at++;
        if (!parse_digits(p))
            return fail(p, "expected a digit of the exponent");
    }
    struct json *j = new_node(p, JSON_NUMBER);
    if (j != NULL)
        j->u.number = strtod(first, NULL);
    return j;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits behind a \u; -1 if there are none. */
static long parse_hex4(struct parser *p)
{
    long code = 0;

    if (p->end - p->at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(p->at[i]);
        if (digit < 0)
            return -1;
        code = code << 4 | digit;
    }
    p->at += 4;
    return code;
}

/* \uXXXX, or two of them that make one character; as UTF-8. */
static char *parse_unicode(struct parser *p, char *to)
{
    long code = parse_hex4(p);

    if (code >= 0xd800 && code < 0xdc00 && p->end - p->at >= 6 && p->at[0] == '\\' &&
        p->at[1] == 'u') {
        p->at += 2;
        long low = parse_hex4(p);
        if (low < 0xdc00 || low > 0xdfff)
            return fail(p, "expected the second half of a character");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    if (code < 0 || (code >= 0xd800 && code < 0xe000))
        return fail(p, "expected four hexadecimal digits of a character");
    if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xc0 | code >> 6);
        *to++ = (char)(0x80 | (code & 63));
    } else if (code < 0x10000) {
        *to++ = (char)(0xe0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 63));
        *to++ = (char)(0x80 | (code & 63));
    } else {
        *to++ = (char)(0xf0 | code >> 18);
        *to++ = (char)(0x80 | (code >> 12 & 63));
        *to++ = (char)(0x80 | (code >> 6 & 63));
        *to++ = (char)(0x80 | (code & 63));
    }
    return to;
}

static char *parse_escape(struct parser *p, char *to)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";

    if (p->at == p->end)
        return fail(p, "the text ends within a string");
    char letter = *p->at++;
    if (letter == 'u')
        return parse_unicode(p, to);
    const char *found = strchr(letters, letter);
    if (found == NULL || letter == '\0')
        return fail(p, "unknown escape");
    *to++ = meanings[found - letters];
    return to;
}

/* string = '"' (character | escape)* '"'; no escape is shorter than what it means. */
static char *parse_string(struct parser *p)
{
    const char *close = ++p->at;

    while (close < p->end && *close != '"')
        close += *close == '\\' ? 2 : 1;
    if (close >= p->end)
        return fail(p, "the text ends within a string");
    char *string = malloc((size_t)(close - p->at) + 1);
    char *to = string;
    if (string == NULL)
        return fail(p, "not enough memory");
    while (to != NULL && *p->at != '"') {
        char c = *p->at++;
        if (c == '\\')
            to = parse_escape(p, to);
        else if ((unsigned char)c < 0x20)
            to = fail(p, "control character in a string");
        else
            *to++ = c;
    }
    if (to == NULL) {
        free(string);
        return NULL;
    }
    p->at++;
    *to = '\0';
    return string;
}

/* member = string ":" value, element = value */
static int parse_item(struct parser *p, int in_object, struct json_item *item)
{
    item->key = NULL;
    item->value = NULL;
    skip_blanks(p);
    if (in_object) {
        if (!next_is(p, '"'))
            return fail(p, "expected a key") != NULL;
        item->key = parse_string(p);
        if (item->key == NULL)
            return 0;
        skip_blanks(p);
        if (!next_is(p, ':'))
            return fail(p, "expected ':'") != NULL;
        p->at++;
    }
    item->value = parse_value(p);
    return item->value != NULL;
}

/* array = "[" [element ("," element)*] "]", object = "{" [member ("," member)*] "}" */
static struct json *parse_list(struct parser *p, enum json_type type)
{
    char closing = type == JSON_OBJECT ? '}' : ']';
    struct json *j = new_node(p, type);
    size_t room = 0;

    p->at++;
    skip_blanks(p);
    if (j != NULL && next_is(p, closing)) {
        p->at++;
        return j;
    }
    while (j != NULL) {
        if (j->u.list.count == room) {
            room = room == 0 ? 4 : 2 * room;
            struct json_item *items = realloc(j->u.list.items, room * sizeof items[0]);
            if (items == NULL) {
                fail(p, "not enough memory");
                break;
            }
            j->u.list.items = items;
        }
        /* Counted even if broken, so that it is freed with the rest. */
        if (!parse_item(p, type == JSON_OBJECT, &j->u.list.items[j->u.list.count++]))
            break;
        skip_blanks(p);
        if (next_is(p, closing)) {
            p->at++;
            return j;
        }
        if (!next_is(p, ',')) {
            fail(p, type == JSON_OBJECT ? "expected ',' or '}'" : "expected ',' or ']'");
            break;
        }
        p->at++;
    }
    json_free(j);
    return NULL;
}

static struct json *parse_value(struct parser *p)
{
    struct json *j;

    skip_blanks(p);
    if (p->at == p->end)
        return fail(p, "expected a value");
    switch (*p->at) {
    case 'n':
        return parse_word(p, "null", JSON_NULL);
    case 'f':
        return parse_word(p, "false", JSON_FALSE);
    case 't':
        return parse_word(p, "true", JSON_TRUE);
    case '"':
        j = new_node(p, JSON_STRING);
        if (j != NULL && (j->u.string = parse_string(p)) == NULL) {
            free(j);
            return NULL;
        }
        return j;
    case '[':
    case '{':
        if (++p->depth > DEEPEST)
            return fail(p, "nested too deeply");
        j = parse_list(p, *p->at == '{' ? JSON_OBJECT : JSON_ARRAY);
        p->depth--;
        return j;
    default:
        return parse_number(p);
    }
}

struct json *json_parse(const char *text, size_t n, struct json_error *error)
{
    struct parser p = {text, text + n, text, 0, error};
    struct json *j;

    error->what = NULL;
    j = parse_value(&p);
    skip_blanks(&p);
    if (j != NULL && p.at != p.end) {
        fail(&p, "expected the end of the text");
        json_free(j);
        return NULL;
    }
    return j;
}

void json_free(struct json *j)
{
    if (j == NULL)
        return;
    if (j->type == JSON_STRING)
        free(j->u.string);
    if (j->type == JSON_ARRAY || j->type == JSON_OBJECT) {
        for (size_t i = 0; i < j->u.list.count; i++) {
            free(j->u.list.items[i].key);
            json_free(j->u.list.items[i].value);
        }
        free(j->u.list.items);
    }
    free(j);
}
