/* Processing in memory: __pim functions, the memory's range, its arena, packing.
 *
 * A function marked __pim is compiled to microkernels (docs/pim.md says what it
 * may look like); where the program runs without a PIM memory, it runs as it
 * stands.  The rest is for programs that drive the memory themselves.
 *
 * The memory is a range of addresses that is neither cached nor reordered.  In
 * each channel a row holds 16 banks of 32 bursts of 32 bytes.  A store to the
 * last bytes of a burst sends a WR of the whole burst; a load of a burst's first
 * bytes sends an RD, and its other bytes come from what was read.  A fence ends a
 * group of requests: nothing younger is served before it.
 */
#ifndef _HCC_PIM_H
#define _HCC_PIM_H

#include <hcc/abi.h>
#include <stddef.h>
#include <stdint.h>

#ifndef __HCC__
#define __pim
#endif

#ifdef __HCC__
static inline _Float16 hcc_relu(_Float16 x) __HCC_LEAF;
static inline _Float16 hcc_relu(_Float16 x)
{
    return x > 0 ? x : 0;
}
#endif

/* Statistics: from a reset on, what a dump or the end of the program reports. */
void hcc_stats_reset(void) __HCC_LEAF;
void hcc_stats_dump(void) __HCC_LEAF;
void hcc_stats_exit(int status) __HCC_NORETURN __HCC_LEAF;

/* The memory that the program runs with. */
enum { HCC_PIM_SAMSUNG = 0, HCC_PIM_PIMSYS = 1 };
enum { HCC_PIM_BANKS = 16, HCC_PIM_BURSTS = 32, HCC_PIM_LANES = 16 };
/* Rows of each channel behind the data rows: the vendor's rows 0x17ff, 0x1fff, 0x3fff. */
enum { HCC_PIM_ENTER = -1, HCC_PIM_LEAVE = -2, HCC_PIM_CONTROL = -3 };

int hcc_pim_present(void) __HCC_LEAF; /* 0 without a PIM memory */
int hcc_pim_dialect(void) __HCC_LEAF;
int hcc_pim_channels(void) __HCC_LEAF;
int hcc_pim_rows(void) __HCC_LEAF; /* data rows of a channel */

/* The address of a burst; the three rows above have negative numbers. */
volatile uint64_t *hcc_pim_burst(int channel, int row, int bank, int column) __HCC_LEAF;
void hcc_pim_write(int channel, int row, int bank, int column, const void *burst) __HCC_LEAF;
void hcc_pim_read(int channel, int row, int bank, int column, void *burst) __HCC_LEAF;
void hcc_pim_trigger(int channel, int row, int bank, int column) __HCC_LEAF; /* an RD */
void hcc_pim_fence(void) __HCC_LEAF;

/* Modes.  Samsung: the magic rows.  Pimsys: a JSON message to the window. */
void hcc_pim_enter(int channel) __HCC_LEAF;
void hcc_pim_leave(int channel) __HCC_LEAF;
void hcc_pim_control(int channel, int on, int clear_sums) __HCC_LEAF;
void hcc_pim_program(int channel, const uint32_t *words, int count) __HCC_LEAF;
void hcc_pim_config(const char *json) __HCC_LEAF;

/* The arena: rows (of all channels alike), first fit in a linked list of holes.
   Blocks begin at even rows.  -1 if there is no room. */
int hcc_pim_alloc(int rows) __HCC_LEAF;
void hcc_pim_free(int row) __HCC_LEAF;
int hcc_pim_room(void) __HCC_LEAF; /* rows that are free */

/* Packing.  Arrays are of _Float16.  n elements spread over channels and banks in windows of bursts: element
   order is tile, channel, bank, burst.  `stride` is 1 for all banks, 2 for the even. */
void hcc_pim_pack(const void *from, long n, long tile, int channels, int stride,
                  int window, int row, int column) __HCC_LEAF;
void hcc_pim_unpack(void *to, long n, long tile, int channels, int stride,
                    int window, int row, int column) __HCC_LEAF;
/* A tile of 64 outputs x 128 inputs of a matrix, half in even and half in odd banks:
   burst 8 c + j of a row is input burst c (of half) of output j of the unit. */
void hcc_pim_pack_tile(int channel, const void *matrix, long outputs, long inputs,
                       long output, long input, long serial, int row) __HCC_LEAF;
/* A vector for the pimsys dialect: a copy of each burst in every bank. */
void hcc_pim_interleave(const void *from, long n, int row) __HCC_LEAF;
/* A block of a matrix for the pimsys dialect: eight bursts (128 inputs) of one output
   for each of a channel's eight units, in the even banks. */
void hcc_pim_pack_block(int channel, const void *matrix, long outputs, long inputs,
                        long output, long input, int row, int column) __HCC_LEAF;

/* What a __pim function's loops become: 0 when the memory has done it. */
int __hcc_pim_call(const char *descriptor, ...) __HCC_LEAF;

#endif
