/* Packing: operands of __pim functions between C arrays and the banks.
 *
 * What lies behind the end of an array is zero in the memory.
 */
#include <hcc/pim.h>
#include <string.h>

#define LANES HCC_PIM_LANES
#define UNITS 8
#define WINDOW 8

static void copy_lanes(uint16_t *burst, const uint16_t *from, long count) __HCC_LEAF;

/* Up to sixteen values; zeros after them. */
static void copy_lanes(uint16_t *burst, const uint16_t *from, long count)
{
    if (count >= LANES) {
        memcpy(burst, from, LANES * sizeof *burst);
        return;
    }
    memset(burst, 0, LANES * sizeof *burst);
    if (count > 0)
        memcpy(burst, from, (size_t)count * sizeof *burst);
}

void hcc_pim_pack(const void *from, long n, long tile, int channels, int stride,
                  int window, int row, int column)
{
    const uint16_t *values = from;
    long first = tile * channels * (HCC_PIM_BANKS / stride) * window * LANES;
    uint16_t burst[LANES];

    for (int channel = 0; channel < channels; channel++)
        for (int bank = 0; bank < HCC_PIM_BANKS; bank += stride)
            for (int i = 0; i < window; i++, first += LANES) {
                if (first >= n && first - n > (long)LANES * window)
                    continue; /* nobody looks at what is computed there */
                copy_lanes(burst, values + (first < n ? first : n), n - first);
                hcc_pim_write(channel, row, bank, column + i, burst);
            }
}

void hcc_pim_unpack(void *to, long n, long tile, int channels, int stride,
                    int window, int row, int column)
{
    uint16_t *values = to;
    long first = tile * channels * (HCC_PIM_BANKS / stride) * window * LANES;
    uint16_t burst[LANES];

    for (int channel = 0; channel < channels; channel++)
        for (int bank = 0; bank < HCC_PIM_BANKS; bank += stride)
            for (int i = 0; i < window && first < n; i++, first += LANES) {
                long count = n - first < LANES ? n - first : LANES;
                hcc_pim_read(channel, row, bank, column + i, burst);
                memcpy(values + first, burst, (size_t)count * sizeof *values);
            }
}

void hcc_pim_pack_tile(int channel, const void *matrix, long outputs, long inputs,
                       long output, long input, long serial, int row)
{
    const uint16_t *values = matrix;
    uint16_t burst[LANES];

    for (int parity = 0; parity < 2; parity++) {
        int at = row + (int)(serial / 2) * 2 + (int)((serial + parity) & 1);
        int half = at & 1;
        for (int unit = 0; unit < UNITS; unit++)
            for (int c = 0; c < 4; c++)
                for (int j = 0; j < WINDOW; j++) {
                    long r = output + unit * WINDOW + j;
                    long column = input + (4 * half + c) * LANES;
                    long count = r < outputs && column < inputs ? inputs - column : 0;
                    copy_lanes(burst, values + (count > 0 ? r * inputs + column : 0), count);
                    hcc_pim_write(channel, at, 2 * unit + parity, WINDOW * c + j, burst);
                }
    }
}

void hcc_pim_interleave(const void *from, long n, int row)
{
    const uint16_t *values = from;
    uint16_t burst[LANES];

    for (long at = 0; at * LANES < n; at++) {
        copy_lanes(burst, values + at * LANES, n - at * LANES);
        for (int channel = 0; channel < hcc_pim_channels(); channel++)
            for (int bank = 0; bank < HCC_PIM_BANKS; bank++)
                hcc_pim_write(channel, row + (int)(at / HCC_PIM_BURSTS), bank,
                              (int)(at % HCC_PIM_BURSTS), burst);
    }
}

void hcc_pim_pack_block(int channel, const void *matrix, long outputs, long inputs,
                        long output, long input, int row, int column)
{
    const uint16_t *values = matrix;
    uint16_t burst[LANES];

    for (int unit = 0; unit < UNITS; unit++)
        for (int c = 0; c < 8; c++) {
            long r = output + unit, at = input + c * LANES;
            long count = r < outputs && at < inputs ? inputs - at : 0;
            copy_lanes(burst, values + (count > 0 ? r * inputs + at : 0), count);
            hcc_pim_write(channel, row, 2 * unit, column + c, burst);
        }
}
