// Loops whose bounds and bases are in memory, which their bodies may write or not.
#include <stdio.h>
#include <string.h>

static int count = 40;
static long total;
static int *numbers;
int open_count = 30;
int open_numbers[64];
static int store[64];
static int *alias = &open_count;
struct list { int length; int items[50]; };
static struct list list = {25, {0}};
static volatile int eager = 3;

static void plain(void)
{
    numbers = store;
    for (int i = 0; i < count; i++)
        numbers[i] = i * i % 17;
    for (int i = 0; i < count; i++)
        total += numbers[i] * (i & 3);
    printf("plain %ld\n", total);
}

static void bound_changes(void)
{
    int rounds = 0;
    count = 20;
    for (int i = 0; i < count; i++) {
        if (i % 3 == 0 && count < 50)
            count += 2;
        rounds++;
    }
    printf("bound changes %d %d\n", rounds, count);
}

static void bound_changes_by_pointer(void)
{
    int rounds = 0;
    for (int i = 0; i < open_count; i++) {
        if (i == 10)
            *alias = 15;
        rounds++;
    }
    printf("by pointer %d %d\n", rounds, open_count);
}

static void bound_changes_by_copy(void)
{
    struct list other = {5, {1, 2, 3, 4, 5}};
    int rounds = 0;
    for (int i = 0; i < list.length; i++) {
        if (i == 3)
            memcpy(&list, &other, sizeof list);
        rounds += list.items[i] + 1;
    }
    printf("by copy %d\n", rounds);
}

static void base_changes(void)
{
    int sum = 0;
    for (int i = 0; i < 40; i++) {
        sum += numbers[i % 8] * (i + 1);
        if (i == 20)
            numbers = store + 16;
    }
    printf("base changes %d\n", sum);
}

static int shrink(int by) { return count -= by; }

static void bound_changes_by_call(void)
{
    int rounds = 0;
    count = 30;
    for (int i = 0; i < count; i++)
        rounds += shrink(i & 1);
    printf("by call %d %d\n", rounds, count);
}

static int lengths(const struct list *l, int *out)
{
    int sum = 0;
    for (int i = 0; i < l->length; i++)
        sum += l->items[i];
    for (int i = 0; i < l->length; i++)
        out[i] = sum + i;
    return sum;
}

static int not_read(const int *nothing, int n)
{
    int sum = 0;
    for (int i = 0; i < n; i++)
        sum += *nothing + i;
    return sum;
}

static void eagerly(void)
{
    int seen = 0;
    for (int i = 0; i < eager; i++)
        if (i == 1)
            eager = 6;
        else
            seen += i;
    printf("volatile %d\n", seen);
}

static void nested(void)
{
    long sum = 0;
    count = 12;
    for (int i = 0; i < count; i++) {
        for (int j = 0; j < count; j++)
            for (int k = 0; k < open_count; k++)
                sum += store[(i + j) & 63] ^ k;
        if (i == 5)
            count = 9;
    }
    for (int i = 0; i < open_count; i++)
        open_numbers[i] = i;
    for (int i = 0; i < open_count; i++) {
        open_numbers[i] += open_numbers[open_count - 1];
        total += open_numbers[i];
    }
    printf("nested %ld %ld\n", sum, total);
}

static void overwritten(struct list *l)
{
    int rounds = 0;
    for (int i = 0; i < l->length; i++, rounds++)
        l->items[i - 1 + (i == 0)] = 4; // l->length stays
    printf("overwritten %d", rounds);
    int *words = (int *)l;
    for (int i = 0; i < l->length; i++, rounds++)
        words[i] = 7; // and here it does not
    printf(" %d\n", rounds);
}

int main(void)
{
    int out[64] = {0};
    plain();
    bound_changes();
    bound_changes_by_pointer();
    bound_changes_by_copy();
    base_changes();
    bound_changes_by_call();
    list.length = 5;
    printf("lengths %d", lengths(&list, out));
    list.length = 0;
    printf(" %d %d\n", lengths(&list, out), out[4]);
    printf("not read %d\n", not_read(NULL, 0));
    eagerly();
    nested();
    list.length = 3;
    overwritten(&list);
    return 0;
}
