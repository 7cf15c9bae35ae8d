#ifndef WINDOW_H
#define WINDOW_H

#define WINDOW 4096 /* distances are below */
#define SHORTEST 3
#define LONGEST (SHORTEST + 15 + 255)

#endif
