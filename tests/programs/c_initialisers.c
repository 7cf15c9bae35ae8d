// Initialisers: braces left out, designators, strings, unions, nesting, overriding, locals.
#include <stdio.h>

struct point { int x, y; };
struct line { struct point from, to; const char *name; };
struct box { char label[8]; struct point corner[2]; int tags[3]; };
union u { int i; struct point p; char s[8]; };
enum { A, B = 5, C, N };

static int plain[5] = {1, 2, 3};
static int sparse[] = {[3] = 30, 31, [1] = 10, 11};
static int ranged[10] = {[2 ... 4] = 7, [6] = 8, 9};
static int flat[2][3] = {1, 2, 3, 4};
static int deep[2][2][2] = {{{1}, {2, 3}}, {4, 5}};
static struct point points[] = {1, 2, 3, 4, {5}, {.y = 6}};
static struct line lines[2] = {{{1, 2}, {3, 4}, "first"}, {.to = {.y = 8}, .name = "second", .from.x = 9}};
static struct box boxes[] = {{"abc", {{1, 2}, {3, 4}}, {5, 6, 7}}, {{'x', 'y'}, 8, 9, 10}, {.tags[1] = 4, 5, .label = "zz"}};
static union u unions[] = {{7}, {.p = {1, 2}}, {.s = "text"}};
static char s1[] = "abc", s2[3] = "abc", s3[6] = "abc", s4[] = {"braced"}, s5[] = {'a', 'b', 0};
static char rows[][4] = {"one", "two", {'x'}, "abcd"};
static const char *words[N] = {[B] = "five", "six", [A] = "zero"};
static int *address = &sparse[2], (*function)(const char *, ...) = printf;
static struct { int n; struct line *l; } linked = {.l = &lines[1]};
static double reals[] = {1, 2.5, -3e2, 1.0f / 3};
static unsigned char small[] = {255, -1, 'a', 1 + 2 * 3};
static struct point *compound = &(struct point){11, 12};
static int *compound_array = (int[]){21, 22, 23};
static long sizes = sizeof lines / sizeof *lines;
static struct { char c; union { int a; float b; }; struct { int d, e; }; } anon = {'c', {.b = 2.5f}, .e = 4, .d = 3};

static void show(const int *a, int n)
{
    for (int i = 0; i < n; i++)
        printf("%d ", a[i]);
    printf("\n");
}

static int counter;
static int next(void) { return ++counter; }

int main(void)
{
    show(plain, 5);
    show(sparse, sizeof sparse / sizeof *sparse);
    show(ranged, 10);
    show(flat[0], 6);
    show(deep[0][0], 8);
    show(&points[0].x, sizeof points / sizeof(int));
    printf("%d %d %s %d %d %s\n", lines[0].to.x, lines[0].from.y, lines[0].name, lines[1].from.x, lines[1].to.y, lines[1].name);
    for (int i = 0; i < 3; i++) {
        printf("%s %d %d ", boxes[i].label, boxes[i].corner[0].y, boxes[i].corner[1].x);
        show(boxes[i].tags, 3);
    }
    printf("%d %d %s\n", unions[0].i, unions[1].p.y, unions[2].s);
    printf("%zu %zu %zu %zu %zu %.3s %s %s\n", sizeof s1, sizeof s2, sizeof s3, sizeof s4, sizeof s5, s2, s4, s5);
    printf("%zu %s %.4s\n", sizeof rows, rows[1], rows[3]);
    printf("%s %s %s %d\n", words[A], words[B], words[C], words[1] == 0);
    function("%d %s\n", *address, linked.l->name);
    printf("%g %g %g %.9g\n", reals[0], reals[1], reals[2], reals[3]);
    show((int[]){small[0], small[1], small[2], small[3]}, 4);
    printf("%d %d %ld\n", compound->y, compound_array[2], sizes);
    printf("%c %g %d %d\n", anon.c, anon.b, anon.d, anon.e);
    int n = 3;
    int local[6] = {next(), n, [4] = next(), next() * n};
    show(local, 6);
    struct line l = {{n, next()}, .name = words[A]}, l2 = l, ls[2] = {l, {l.from, l2.to}};
    printf("%d %d %d %s %d\n", l.from.x, l.from.y, l.to.x, l2.name, ls[1].from.y);
    char buffer[10] = "hi", copy[] = "longer than eight bytes";
    printf("%s %d %s %zu\n", buffer, buffer[9], copy, sizeof copy);
    int big[40] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, n, 18, [30] = 31};
    show(big, 40);
    int zeroes[100] = {0};
    int sum = 0;
    for (int i = 0; i < 100; i++)
        sum += zeroes[i];
    printf("%d\n", sum);
    for (int i = 0; i < 3; i++) {
        int again[3] = {i};
        again[2] += 5;
        struct point p = {.y = again[2] + i};
        printf("%d %d %d ", again[0], again[2], p.y);
    }
    printf("\n");
    int scalar = {5}, trailing[] = {1, 2, 3,};
    printf("%d %zu\n", scalar, sizeof trailing);
    static struct point st[] = {[1] = {.x = 1}};
    st[0].x++;
    printf("%d %d\n", st[0].x, st[1].x);
    int overridden[3] = {1, 2, 3, [0] = 9, [2] = 8};
    show(overridden, 3);
    struct point *pp = (struct point[]){{1, 2}, {3, 4}};
    printf("%d %d\n", pp[1].x, ((struct point){n, 7}).y);
    for (int i = 0; i < 2; i++) {
        int *q = (int[2]){i};
        printf("%d %d ", q[0]++, q[1]);
    }
    printf("\n");
    return 0;
}
