/* May be included several times, with and without NDEBUG. */
#include <hcc/abi.h>

#ifndef _ASSERT_H
#define _ASSERT_H
void __hcc_assert_fail(const char *expression, const char *file, int line, const char *function)
    __HCC_NORETURN __HCC_LEAF;
#endif

#undef assert
#ifdef NDEBUG
#define assert(expression) ((void)0)
#else
#define assert(expression) \
    ((expression) ? (void)0 : __hcc_assert_fail(#expression, __FILE__, __LINE__, __func__))
#endif
