/* Where a program begins.
 *
 * The assembly stub _start of each ISA passes the stack pointer as the kernel
 * left it; from there on everything is C and the same on every ISA:
 *
 *     sp[0]               argc
 *     sp[1] ..            argv, then a null pointer
 *     behind it           the environment, then a null pointer (then auxv)
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char **environ;

int main(int argc, char **argv, char **envp);
void __hcc_start(long *sp);

void __hcc_start(long *sp)
{
    int argc = (int)sp[0];
    char **argv = (char **)(sp + 1);

    environ = argv + argc + 1;
    exit(main(argc, argv, environ));
}

char *getenv(const char *name)
{
    size_t n = strlen(name);

    if (environ == NULL)
        return NULL;
    for (char **entry = environ; *entry != NULL; entry++) {
        if (strncmp(*entry, name, n) == 0 && (*entry)[n] == '=')
            return *entry + n + 1;
    }
    return NULL;
}
