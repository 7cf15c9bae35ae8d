/* How a process begins and ends. */
#undef NDEBUG
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void say_one(void)
{
    puts("one");
}

static void say_two(void)
{
    puts("two");
    atexit(say_one);
}

static void many_handlers(void)
{
    for (int i = 0; i < 100; i++)
        atexit(say_one);
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "return";

    printf("%d arguments, last %s, HOME %s, none %d\n", argc, argv[argc - 1], getenv("HOME"),
           getenv("NO_SUCH_VARIABLE") == NULL);
    fprintf(stderr, "to %s\n", "stderr");
    if (strcmp(how, "exit") == 0) {
        atexit(say_two);
        exit(7);
    }
    if (strcmp(how, "many") == 0)
        many_handlers();
    if (strcmp(how, "_Exit") == 0)
        _Exit(9);
    if (strcmp(how, "abort") == 0) {
        fflush(stdout);
        abort();
    }
    if (strcmp(how, "assert") == 0) {
        assert(argc == 2);
        fflush(stdout);
        assert(argc == 3 && "three are needed");
    }
    if (strcmp(how, "time") == 0) {
        struct timespec now;
        time_t t = time(NULL);
        clock_gettime(CLOCK_REALTIME, &now);
        printf("%d %d %d\n", t > 1500000000, now.tv_sec - t < 3, clock() >= 0);
        printf("%d %d\n", getpid() > 0, difftime(t + 5, t) == 5.0);
        printf("%d %d\n", (int)sleep(0), usleep(10));
    }
    return strcmp(how, "status") == 0 ? 300 : 0;
}
