// Numbers made of addresses are constants: offsetof written by hand, distances in one object.
#include <stdio.h>
#include <stddef.h>

struct record {
    char c;
    struct { int x[3]; short s; } in;
    double d;
};
#define OFFSET(type, member) ((size_t)&((type *)0)->member)
#define DISTANCE(type, member) ((char *)&((type *)0)->member - (char *)0)
#define CONTAINER(pointer, type, member) ((type *)((char *)(pointer) - OFFSET(type, member)))

static struct record whole;
static int data[10];
static int short_offset = OFFSET(struct record, in.s), cast = (int)OFFSET(struct record, in.x[2]);
static long distance = DISTANCE(struct record, d);
static char as_length[OFFSET(struct record, d)];
enum { AS_ENUM = OFFSET(struct record, in) };
struct field { int bits : OFFSET(struct record, in); };
static long elements = &data[7] - &data[2];
static int after = &data[3] > &data[1], same = &whole == &whole;
static int *places[] = { data, data + 9, &data[3] + 2, &*data };
static struct record *back = CONTAINER(&whole.in, struct record, in);

static int pick(int x)
{
    switch (x) {
    case OFFSET(struct record, in):
        return 1;
    case OFFSET(struct record, d):
        return 2;
    }
    return 0;
}

int main(void)
{
    static long inside = (char *)&whole.in.x[1] - (char *)&whole;

    printf("%d %d %ld %zu %d\n", short_offset, cast, distance, sizeof as_length, AS_ENUM);
    printf("%ld %d %d %ld %d\n", elements, after, same, inside, back == &whole);
    for (int i = 0; i < 4; i++)
        printf("%td ", places[i] - data);
    for (int i = 0; i < 40; i++)
        printf("%d", pick(i));
    puts("");
    return 0;
}
