/* What every header of libhcc says about its functions.
 *
 * __HCC_LEAF on a declaration promises that the function holds no migration
 * point and calls only functions that promise the same.  A caller then need not
 * be able to migrate there, and code that LLVM calls on its own (memcpy) must
 * be of this kind.  The linker checks the promise.
 */
#ifndef _HCC_ABI_H
#define _HCC_ABI_H

#ifdef __HCC__
#define __HCC_LEAF __attribute__((hcc_leaf))
#else
#define __HCC_LEAF
#endif

#define __HCC_NORETURN __attribute__((__noreturn__))

#endif
