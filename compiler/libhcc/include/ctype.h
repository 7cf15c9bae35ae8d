/* The "C" locale: ASCII.  Arguments are those C allows (unsigned char or EOF);
   any other int is of no class and maps to itself. */
#ifndef _CTYPE_H
#define _CTYPE_H

#include <hcc/abi.h>

int isalnum(int c) __HCC_LEAF;
int isalpha(int c) __HCC_LEAF;
int isascii(int c) __HCC_LEAF;
int isblank(int c) __HCC_LEAF;
int iscntrl(int c) __HCC_LEAF;
int isdigit(int c) __HCC_LEAF;
int isgraph(int c) __HCC_LEAF;
int islower(int c) __HCC_LEAF;
int isprint(int c) __HCC_LEAF;
int ispunct(int c) __HCC_LEAF;
int isspace(int c) __HCC_LEAF;
int isupper(int c) __HCC_LEAF;
int isxdigit(int c) __HCC_LEAF;
int tolower(int c) __HCC_LEAF;
int toupper(int c) __HCC_LEAF;
int toascii(int c) __HCC_LEAF;

#endif
