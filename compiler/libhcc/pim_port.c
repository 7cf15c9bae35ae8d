/* The range of a PIM memory: addresses of bursts, requests, modes.
 *
 *     window   16 KiB     messages (pimsys), the fence register in its last word
 *     channel  rows + 3   rows of 16 KiB: 16 banks x 32 bursts x 32 bytes
 *
 * The three rows behind a channel's data rows stand for the vendor's rows 0x17ff,
 * 0x1fff and 0x3fff.  Where the range is, how many channels and rows it has and what
 * dialect it speaks is asked once.
 *
 * Requests are loads and stores.  An engine whose compiled code cannot reach devices
 * answers so, and then each burst is one system call with the same address.
 */
#include <hcc/pim.h>
#include <hcc/syscall.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_SIZE 0x4000L
#define FENCE_OFFSET 0x3ff8L
#define ROW_SIZE 0x4000L
#define BANK_SIZE 0x400L
#define MAGIC_ROWS 3
#define STATS_RESET 0L
#define STATS_DUMP 1L

enum { ASK_BASE, ASK_CHANNELS, ASK_ROWS, ASK_DIALECT, ASK_DIRECT };
enum { DO_WRITE = 8, DO_READ, DO_STORE }; /* a burst from, to memory; one value */

static long base; /* 0 before it has been asked for, -1 if there is none */
static int channel_count, row_count, dialect, direct;

static void ask(void) __HCC_LEAF;

static void ask(void)
{
    if (base != 0)
        return;
    long found = __hcc_syscall(HCC_SYS_PIM, (long)ASK_BASE);
    if (found <= 0) {
        base = -1;
        return;
    }
    channel_count = (int)__hcc_syscall(HCC_SYS_PIM, (long)ASK_CHANNELS);
    row_count = (int)__hcc_syscall(HCC_SYS_PIM, (long)ASK_ROWS);
    dialect = (int)__hcc_syscall(HCC_SYS_PIM, (long)ASK_DIALECT);
    direct = (int)__hcc_syscall(HCC_SYS_PIM, (long)ASK_DIRECT);
    base = found;
}

int hcc_pim_present(void)
{
    ask();
    return base > 0;
}

int hcc_pim_dialect(void)
{
    ask();
    return dialect;
}

int hcc_pim_channels(void)
{
    ask();
    return channel_count;
}

int hcc_pim_rows(void)
{
    ask();
    return row_count;
}

volatile uint64_t *hcc_pim_burst(int channel, int row, int bank, int column)
{
    ask();
    long slot = row >= 0 ? row : row_count - 1 - row;
    long at = ((long)channel * (row_count + MAGIC_ROWS) + slot) * ROW_SIZE;

    return (volatile uint64_t *)(base + WINDOW_SIZE + at + bank * BANK_SIZE + column * 32L);
}

void hcc_pim_write(int channel, int row, int bank, int column, const void *burst)
{
    volatile uint64_t *to = hcc_pim_burst(channel, row, bank, column);
    uint64_t words[4];

    if (!direct) {
        __hcc_syscall(HCC_SYS_PIM, (long)DO_WRITE, (long)to, (long)burst);
        return;
    }
    memcpy(words, burst, sizeof words);
    for (int i = 0; i < 4; i++)
        to[i] = words[i];
}

void hcc_pim_read(int channel, int row, int bank, int column, void *burst)
{
    volatile uint64_t *from = hcc_pim_burst(channel, row, bank, column);
    uint64_t words[4];

    if (!direct) {
        __hcc_syscall(HCC_SYS_PIM, (long)DO_READ, (long)from, (long)burst);
        return;
    }
    for (int i = 0; i < 4; i++)
        words[i] = from[i];
    memcpy(burst, words, sizeof words);
}

void hcc_pim_trigger(int channel, int row, int bank, int column)
{
    volatile uint64_t *at = hcc_pim_burst(channel, row, bank, column);

    if (direct)
        (void)*at;
    else
        __hcc_syscall(HCC_SYS_PIM, (long)DO_READ, (long)at, 0L);
}

void hcc_pim_fence(void)
{
    ask();
    if (direct)
        *(volatile uint64_t *)(base + FENCE_OFFSET) = 1;
    else
        __hcc_syscall(HCC_SYS_PIM, (long)DO_STORE, base + FENCE_OFFSET, 8L, 1L);
}

/* Samsung: a WR to the row in banks 0, 8, 1 and 9 opens it there. */
void hcc_pim_enter(int channel)
{
    static const int banks[4] = {0, 8, 1, 9};
    uint64_t nothing[4] = {0, 0, 0, 0};

    for (int i = 0; i < 4; i++)
        hcc_pim_write(channel, HCC_PIM_ENTER, banks[i], HCC_PIM_BURSTS - 1, nothing);
    hcc_pim_fence();
}

void hcc_pim_leave(int channel)
{
    hcc_pim_trigger(channel, HCC_PIM_LEAVE, 0, HCC_PIM_BURSTS - 1);
    hcc_pim_trigger(channel, HCC_PIM_LEAVE, 1, HCC_PIM_BURSTS - 1);
    hcc_pim_fence();
}

void hcc_pim_control(int channel, int on, int clear_sums)
{
    unsigned char burst[32];

    memset(burst, 0, sizeof burst);
    burst[0] = (unsigned char)on;
    burst[21] = (unsigned char)clear_sums;
    hcc_pim_write(channel, HCC_PIM_CONTROL, on ? 1 : 0, 0, burst);
}

void hcc_pim_program(int channel, const uint32_t *words, int count)
{
    uint32_t burst[8];

    for (int first = 0; first < count; first += 8) {
        for (int i = 0; i < 8; i++)
            burst[i] = first + i < count ? words[first + i] : 0;
        hcc_pim_write(channel, HCC_PIM_CONTROL, 1, 4 + first / 8, burst);
    }
}

/* Pimsys: byte by byte, as on the device; a zero ends the message. */
void hcc_pim_config(const char *json)
{
    ask();
    volatile char *window = (volatile char *)base;
    long i = 0;

    do {
        if (direct)
            window[i] = json[i];
        else
            __hcc_syscall(HCC_SYS_PIM, (long)DO_STORE, base + i, 1L, (long)json[i]);
    } while (json[i++] != 0);
}

void hcc_stats_reset(void)
{
    __hcc_syscall(HCC_SYS_STATS, STATS_RESET);
}

void hcc_stats_dump(void)
{
    __hcc_syscall(HCC_SYS_STATS, STATS_DUMP);
}

void hcc_stats_exit(int status)
{
    __hcc_syscall(HCC_SYS_STATS, STATS_DUMP);
    for (;;)
        __hcc_syscall(HCC_SYS_EXIT_GROUP, (long)status);
}
