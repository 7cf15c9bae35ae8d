/* hcc's intrinsics beyond C, for programs built by another compiler. */
#include <hcc.h>

void migrate_point(void)
{
}
