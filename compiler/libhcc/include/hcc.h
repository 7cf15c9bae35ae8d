/* What a program may ask of hcc beyond C.
 *
 * The same program also builds with any C compiler: with ../host on its include
 * path it finds a header of this name there, in which these calls do nothing.
 * A new call is declared in both.
 */
#ifndef _HCC_H
#define _HCC_H

/* Migration: here, and at the points the compiler chose itself, the program may
   be moved to another ISA.  An intrinsic of the compiler. */
void migrate_point(void);

#endif
