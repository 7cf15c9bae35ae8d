/* Where compiled code goes when it must stop: division by zero and the like.
 *
 * hcc's emulators take the system call and print a report. A real kernel does
 * not know it and returns, so the process then sends itself the signal that
 * the trap stands for.
 */
#include <hcc/syscall.h>

void __hcc_trap(int code, const void *function) __HCC_LEAF;

enum { TRAP_DIVIDE = 1, TRAP_OVERFLOW = 2 };
enum { SIGNAL_ILLEGAL = 4, SIGNAL_ARITHMETIC = 8 };

void __hcc_trap(int code, const void *function)
{
    int kind = code & 0xff;
    int arithmetic = kind == TRAP_DIVIDE || kind == TRAP_OVERFLOW;
    long signal = arithmetic ? SIGNAL_ARITHMETIC : SIGNAL_ILLEGAL;

    __hcc_syscall(HCC_SYS_TRAP, (long)code, (long)function);
    __hcc_syscall(HCC_SYS_KILL, __hcc_syscall(HCC_SYS_GETPID), signal);
    __hcc_syscall(HCC_SYS_EXIT_GROUP, 128 + signal);
}
