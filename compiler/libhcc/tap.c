/* hcc_tap: values for an instrumentation unit, which stands outside the program.
 * Where no unit is attached, and on a real kernel, nothing comes of it.
 */
#include <hcc.h>
#include <hcc/syscall.h>

void __hcc_tap(unsigned unit, const void *vector, size_t n, unsigned flags)
{
    __hcc_syscall(HCC_SYS_TAP, (long)unit, (long)vector, (long)n, (long)flags);
}
