/* GNU statement expressions. */
#include <stdio.h>
#include <string.h>

#define MAX(a, b) ({ typeof(a) a_ = (a); typeof(b) b_ = (b); a_ > b_ ? a_ : b_; })
#define SWAP(a, b) ({ typeof(a) old_ = (a); (a) = (b); (b) = old_; })
#define CONTAINER_OF(pointer, type, member) ({ \
    const typeof(((type *)0)->member) *inner_ = (pointer); \
    (type *)((char *)inner_ - __builtin_offsetof(type, member)); })
#define CHECK(x) ({ int r_ = (x); if (r_ < 0) return r_; r_; })
#define OR_FAIL(x) ({ int r_ = (x); if (r_ < 0) goto fail; r_; })

struct point { int x, y; };
struct big { struct point corners[9]; double weight; };
struct holder { long before; struct point inside; };

static int calls;
static int next(void) { return ++calls; }

static int checked(int a, int b) { return CHECK(a) + CHECK(b) * 10; }

static int failing(int a)
{
    int sum = 0;
    for (int i = 3; i > -3; i--) sum += OR_FAIL(a + i);
    return sum;
fail:
    return -sum;
}

static unsigned sum_of(int count)
{
    unsigned sum = 0;
    while (({ count--; count >= 0; }))
        sum = sum * 31 + ({ unsigned cells[count + 1]; unsigned total = 0;
                            for (int i = 0; i <= count; i++) cells[i] = i * i;
                            for (int i = 0; i <= count; i++) { if (i == 7) break; total += cells[i]; }
                            total; });
    return sum;
}

static const char *name_of(int n)
{
    return ({ const char *name; switch (n) { case 1: name = "one"; break; case 2: name = "two"; break;
                                             default: name = "many"; } name; });
}

static struct point middle(struct point a, struct point b) {
    return ({ struct point made = {(a.x + b.x) / 2, (a.y + b.y) / 2}; made; });
}

static struct big grown(int n)
{
    return ({ struct big made[n]; memset(made, 0, sizeof made);
              for (int i = 0; i < n; i++) made[i].corners[i % 9].x = i, made[i].weight = i / 2.0;
              made[n - 1]; });
}

int main(void)
{
    int a = 3, b = 9;
    double d = MAX(1.5, MAX(a, b) / 2.0);
    printf("%d %g %d\n", MAX(a, b), d, MAX(MAX(a, -b), MAX(next(), next())));
    SWAP(a, b);
    printf("%d %d %d\n", a, b, calls);

    struct holder held = {1, {2, 3}};
    printf("%d\n", CONTAINER_OF(&held.inside, struct holder, inside) == &held);
    printf("%d %d %d %d\n", checked(1, 2), checked(-5, 2), checked(1, -7), failing(1));
    printf("%u %u\n", sum_of(12), sum_of(0));
    printf("%s %s %s\n", name_of(1), name_of(2), name_of(3));

    struct point m = middle((struct point){2, 4}, ({ struct point p = {8, 10}; p; }));
    struct point kept = ({ m; });
    m.x = 100;
    printf("%d %d %d %d\n", m.x, m.y, kept.x, ({ m; }).x + ({ struct point *p = &m; p; })->y);
    struct big g = grown(12);
    printf("%d %g\n", g.corners[2].x, g.weight);

    char text[] = "text";
    printf("%s %zu %zu\n", ({ text; }), sizeof(({ text; })), sizeof(({ char c = 1; c; })));
    ({ if (a > 1) puts("void"); });
    ({ ; });
    (void)({ next(); });
    a > 1 ? ({ puts("then"); (void)0; }) : ({ puts("else"); (void)0; });
    for (int i = ({ next(); }); i < ({ int top = 8; top; }); ({ i += 2; })) printf("%d ", i);
    int cells[] = {({ next(); }), [3] = ({ int t = 0; for (int i = 0; i < 5; i++) t += i; t; })};
    printf("%d %d %zu\n", cells[0], cells[3], sizeof cells / sizeof *cells);
    static int counter;
    int steps = ({ static int inner = 5; inner++; counter += inner; inner; }) + ({ counter; });
    printf("%d %d\n", steps, ({ int x = ({ int y = ({ 7; }); y * 2; }); x + 1; }));
    printf("%d\n", a && ({ int z = 0; z; }) || !({ 0; }));
    return ({ return 5; 0; });
}
