/* What the loops of a __pim function become: operands packed, a microkernel
 * started in every channel, its triggers sent, the results fetched.
 *
 * The compiler describes a loop by little-endian words.  The number of tiles, and
 * so the count of the microkernel's JUMP, depends on sizes known here only.
 *
 *     element-wise   1, window, stride, blocks, shared, words, even, odd,
 *                    16 scalars (-1 none, 0.. argument, 0x10000 + bits),
 *                    the program's body, block of each even step, of each odd step
 *                    (-1: any); arguments: size, scalars, arrays, the result last
 *     product        2, relu, words, body; arguments: outputs, inputs, matrix,
 *                    vector, result
 *
 * No function here holds a migration point: a request to move waits for the end of
 * the kernel.
 */
#include <hcc/pim.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LANES HCC_PIM_LANES
#define CRF_LENGTH 32
#define SCALARS 16
#define MOST_BLOCKS 32
#define SPACING 8 /* bursts from block to block of a tile */
#define BLOCKS_PER_ROW (HCC_PIM_BURSTS / SPACING)
#define JUMP 0xe0000000U
#define NOP_8 0x00000007U
#define EXIT 0xf0000000U
#define UNITS 8
#define WINDOW 8
#define TILE_OUTPUTS 64
#define TILE_INPUTS 128

enum { ELEMENTS = 1, PRODUCT = 2 };
enum { E_WINDOW = 1, E_STRIDE, E_BLOCKS, E_SHARED, E_WORDS, E_EVEN, E_ODD, E_SCALARS };
enum { E_BODY = E_SCALARS + SCALARS };

float __hcc_f16_to_f32(uint16_t half) __HCC_LEAF;
uint16_t __hcc_f32_to_f16(float x) __HCC_LEAF;
uint16_t __hcc_f64_to_f16(double x) __HCC_LEAF;

struct elements {
    const int32_t *d;
    long size;
    uint16_t scalars[SCALARS];
    const uint16_t *arrays[MOST_BLOCKS];
    uint16_t *result;
    int channels;
    long tiles;
    int row;
};

static void refuse(const char *reason) __HCC_LEAF;
static int finish(uint32_t *program, int body, long tiles, uint32_t last) __HCC_LEAF;
static int rows_per_tile(const struct elements *e) __HCC_LEAF;
static void place(const struct elements *e, int block, long tile, int *row,
                  int *column) __HCC_LEAF;
static void send_steps(const struct elements *e, int channel, const int32_t *steps, int count,
                       int bank, long tile) __HCC_LEAF;
static void send_stores(const struct elements *e, int channel, int bank, long tile) __HCC_LEAF;
static void run_elements(const struct elements *e, int channel) __HCC_LEAF;
static long tile_elements(const struct elements *e) __HCC_LEAF;
static int lay_out(struct elements *e) __HCC_LEAF;
static void compute(const struct elements *e) __HCC_LEAF;
static void elements(struct elements *e) __HCC_LEAF;
static void run_product(int channel, const uint32_t *program, int length, const uint16_t *x,
                        long inputs, long passes, long tiles, int row) __HCC_LEAF;
static void fetch_sums(int channel, uint16_t *result, long outputs, long first, int row,
                       int column, int relu) __HCC_LEAF;
static void product(const int32_t *d, long outputs, long inputs, const uint16_t *matrix,
                    const uint16_t *x, uint16_t *result) __HCC_LEAF;

static void refuse(const char *reason)
{
    static const char start[] = "hcc: pim: ";

    write(2, start, sizeof start - 1);
    write(2, reason, strlen(reason));
    write(2, "\n", 1);
    _exit(2);
}

/* The program around its body: a loop over the tiles, then `last` (if any) and EXIT. */
static int finish(uint32_t *program, int body, long tiles, uint32_t last)
{
    int length = body;

    if (tiles > 1)
        program[length++] = JUMP | (uint32_t)(tiles - 1) << 11 | (uint32_t)(body + 1);
    if (last)
        program[length++] = last;
    program[length++] = EXIT;
    return length;
}

static int rows_per_tile(const struct elements *e)
{
    return (e->d[E_BLOCKS] + BLOCKS_PER_ROW - 1) / BLOCKS_PER_ROW;
}

static void place(const struct elements *e, int block, long tile, int *row, int *column)
{
    int blocks = e->d[E_BLOCKS];

    if (rows_per_tile(e) > 1) {
        *row = e->row + (int)tile * rows_per_tile(e) + block / BLOCKS_PER_ROW;
        *column = block % BLOCKS_PER_ROW * SPACING;
    } else {
        int per_row = BLOCKS_PER_ROW / blocks;
        *row = e->row + (int)(tile / per_row);
        *column = ((int)(tile % per_row) * blocks + block) * SPACING;
    }
}

static void send_steps(const struct elements *e, int channel, const int32_t *steps, int count,
                       int bank, long tile)
{
    int row, column;

    place(e, 0, tile, &row, &column);
    for (int step = 0; step < count; step++) {
        if (steps[step] >= 0)
            place(e, steps[step], tile, &row, &column);
        for (int i = 0; i < e->d[E_WINDOW]; i++)
            hcc_pim_trigger(channel, row, bank, column + i);
        hcc_pim_fence();
    }
}

static void send_stores(const struct elements *e, int channel, int bank, long tile)
{
    static const uint64_t nothing[4] = {0, 0, 0, 0};
    int row, column;

    place(e, e->d[E_BLOCKS] - 1, tile, &row, &column);
    for (int i = 0; i < e->d[E_WINDOW]; i++)
        hcc_pim_write(channel, row, bank, column + i, nothing);
    hcc_pim_fence();
}

static void run_elements(const struct elements *e, int channel)
{
    const int32_t *d = e->d;
    const int32_t *even = d + E_BODY + d[E_WORDS], *odd = even + d[E_EVEN];
    uint32_t program[CRF_LENGTH];
    int length;

    memcpy(program, d + E_BODY, (size_t)d[E_WORDS] * sizeof *program);
    length = finish(program, d[E_WORDS], e->tiles, 0);
    hcc_pim_enter(channel);
    hcc_pim_program(channel, program, length);
    hcc_pim_write(channel, HCC_PIM_CONTROL, 1, 1, e->scalars);
    hcc_pim_control(channel, 1, 0);
    hcc_pim_fence();
    for (long tile = 0; tile < e->tiles; tile++) {
        send_steps(e, channel, even, d[E_EVEN], 0, tile);
        if (d[E_ODD] && d[E_SHARED])
            send_stores(e, channel, 0, tile);
        send_steps(e, channel, odd, d[E_ODD], 1, tile);
        if (!(d[E_ODD] && d[E_SHARED]))
            send_stores(e, channel, 0, tile);
        if (d[E_ODD])
            send_stores(e, channel, 1, tile);
    }
    hcc_pim_control(channel, 0, 0);
    hcc_pim_leave(channel);
}

/* Elements that one channel takes in a tile. */
static long tile_elements(const struct elements *e)
{
    return (long)e->d[E_WINDOW] * (HCC_PIM_BANKS / e->d[E_STRIDE]) * LANES;
}

/* Finds channels, tiles and rows for e->size elements; 0 if there is no room. */
static int lay_out(struct elements *e)
{
    long per_channel = tile_elements(e);
    long channels = (e->size + per_channel - 1) / per_channel;
    long rows;

    if (channels > hcc_pim_channels())
        channels = hcc_pim_channels();
    e->channels = (int)channels;
    e->tiles = (e->size + per_channel * channels - 1) / (per_channel * channels);
    if (rows_per_tile(e) > 1) {
        rows = e->tiles * rows_per_tile(e);
    } else {
        int per_row = BLOCKS_PER_ROW / e->d[E_BLOCKS];
        rows = (e->tiles + per_row - 1) / per_row;
    }
    e->row = rows > hcc_pim_rows() ? -1 : hcc_pim_alloc((int)rows);
    return e->row >= 0;
}

static void compute(const struct elements *e)
{
    int blocks = e->d[E_BLOCKS], window = e->d[E_WINDOW], stride = e->d[E_STRIDE];
    int row, column;

    for (long tile = 0; tile < e->tiles; tile++)
        for (int block = 0; block + 1 < blocks; block++) {
            place(e, block, tile, &row, &column);
            hcc_pim_pack(e->arrays[block], e->size, tile, e->channels, stride, window, row,
                         column);
        }
    hcc_pim_fence();
    for (int channel = 0; channel < e->channels; channel++)
        run_elements(e, channel);
    for (long tile = 0; tile < e->tiles; tile++) {
        place(e, blocks - 1, tile, &row, &column);
        hcc_pim_unpack(e->result, e->size, tile, e->channels, stride, window, row, column);
    }
    hcc_pim_free(e->row);
}

/* All of a loop, in as many pieces as the free rows ask for. */
static void elements(struct elements *e)
{
    long left = e->size, piece = e->size;

    while (left > 0) {
        e->size = piece < left ? piece : left;
        if (!lay_out(e)) {
            if (e->tiles <= 1)
                refuse("no room for the arrays of an element-wise loop");
            piece = e->tiles / 2 * tile_elements(e) * e->channels;
            continue;
        }
        compute(e);
        left -= e->size;
        for (int block = 0; block + 1 < e->d[E_BLOCKS]; block++)
            e->arrays[block] += e->size;
        e->result += e->size;
    }
}

static void run_product(int channel, const uint32_t *program, int length, const uint16_t *x,
                        long inputs, long passes, long tiles, int row)
{
    static const uint64_t nothing[4] = {0, 0, 0, 0};
    int results = row + (int)((passes * tiles + 1) / 2 * 2);
    uint16_t burst[LANES];

    hcc_pim_enter(channel);
    hcc_pim_program(channel, program, length);
    for (long pass = 0; pass < passes; pass++) {
        hcc_pim_control(channel, 1, 1);
        hcc_pim_fence();
        for (long tile = 0; tile < tiles; tile++) {
            long serial = pass * tiles + tile;
            for (int k = 0; k < WINDOW; k++) {
                for (int lane = 0; lane < LANES; lane++) {
                    long at = tile * TILE_INPUTS + k * LANES + lane;
                    burst[lane] = at < inputs ? x[at] : 0;
                }
                hcc_pim_write(channel, HCC_PIM_CONTROL, 1, 8 + k, burst);
            }
            hcc_pim_fence();
            for (int bank = 0; bank < 2; bank++) {
                int at = row + (int)(serial / 2) * 2 + (int)((serial + bank) & 1);
                for (int i = 0; i < HCC_PIM_BURSTS; i++)
                    hcc_pim_trigger(channel, at, bank, i);
                hcc_pim_fence();
            }
        }
        for (int i = 0; i < WINDOW; i++)
            hcc_pim_write(channel, results + (int)(pass / 4), 1, (int)(pass % 4) * WINDOW + i,
                          nothing);
        hcc_pim_fence();
    }
    hcc_pim_control(channel, 0, 0);
    hcc_pim_leave(channel);
}

/* Adds up the sixteen partial sums of each of 64 outputs, in order and in float. */
static void fetch_sums(int channel, uint16_t *result, long outputs, long first, int row,
                       int column, int relu)
{
    uint16_t burst[LANES];

    for (int unit = 0; unit < UNITS; unit++)
        for (int j = 0; j < WINDOW; j++) {
            long at = first + unit * WINDOW + j;
            float sum = 0;
            if (at >= outputs)
                return;
            hcc_pim_read(channel, row, 2 * unit + 1, column + j, burst);
            for (int lane = 0; lane < LANES; lane++)
                sum += __hcc_f16_to_f32(burst[lane]);
            result[at] = __hcc_f32_to_f16(sum);
            if (relu && result[at] >> 15)
                result[at] = 0;
        }
}

static void product(const int32_t *d, long outputs, long inputs, const uint16_t *matrix,
                    const uint16_t *x, uint16_t *result)
{
    long blocks = (outputs + TILE_OUTPUTS - 1) / TILE_OUTPUTS;
    long groups = blocks < hcc_pim_channels() ? blocks : hcc_pim_channels();
    long passes = (blocks + groups - 1) / groups, tiles = (inputs + TILE_INPUTS - 1) / TILE_INPUTS;
    long rows = (passes * tiles + 1) / 2 * 2 + (passes + 3) / 4;
    int row = rows > hcc_pim_rows() ? -1 : hcc_pim_alloc((int)rows);
    uint32_t program[CRF_LENGTH];
    int length;

    if (row < 0) {
        /* In two pieces: the upper rows of the matrix, then the lower ones. */
        long upper = passes / 2 * groups * TILE_OUTPUTS;
        if (upper == 0)
            refuse("no room for the matrix of a product");
        product(d, upper, inputs, matrix, x, result);
        product(d, outputs - upper, inputs, matrix + upper * inputs, x, result + upper);
        return;
    }
    memcpy(program, d + 3, (size_t)d[2] * sizeof *program);
    length = finish(program, d[2], tiles, NOP_8);
    for (long group = 0; group < groups; group++)
        for (long pass = 0; pass < passes; pass++)
            for (long tile = 0; tile < tiles; tile++)
                hcc_pim_pack_tile((int)group, matrix, outputs, inputs,
                                  (group * passes + pass) * TILE_OUTPUTS, tile * TILE_INPUTS,
                                  pass * tiles + tile, row);
    hcc_pim_fence();
    for (long group = 0; group < groups; group++)
        run_product((int)group, program, length, x, inputs, passes, tiles, row);
    for (long group = 0; group < groups; group++)
        for (long pass = 0; pass < passes; pass++)
            fetch_sums((int)group, result, outputs, (group * passes + pass) * TILE_OUTPUTS,
                       row + (int)((passes * tiles + 1) / 2 * 2 + pass / 4),
                       (int)(pass % 4) * WINDOW, d[1]);
    hcc_pim_free(row);
}

int __hcc_pim_call(const char *descriptor, ...)
{
    const int32_t *d = (const int32_t *)descriptor;
    struct elements e;
    va_list arguments;
    int done;

    if (!hcc_pim_present() || hcc_pim_dialect() != HCC_PIM_SAMSUNG)
        return 1;
    va_start(arguments, descriptor);
    if (d[0] == PRODUCT) {
        long outputs = va_arg(arguments, long), inputs = va_arg(arguments, long);
        const uint16_t *matrix = va_arg(arguments, const uint16_t *);
        const uint16_t *x = va_arg(arguments, const uint16_t *);
        uint16_t *result = va_arg(arguments, uint16_t *);
        done = outputs > 0 && inputs <= 0; /* a sum of nothing is for the host */
        if (outputs > 0 && inputs > 0)
            product(d, outputs, inputs, matrix, x, result);
    } else {
        uint16_t given[SCALARS];
        int count = 0;
        e.d = d;
        e.size = va_arg(arguments, long);
        for (int i = 0; i < SCALARS; i++)
            if (d[E_SCALARS + i] >= 0 && d[E_SCALARS + i] < SCALARS
                && d[E_SCALARS + i] >= count)
                count = d[E_SCALARS + i] + 1;
        for (int i = 0; i < count; i++)
            given[i] = __hcc_f64_to_f16(va_arg(arguments, double));
        for (int i = 0; i < SCALARS; i++) {
            int32_t what = d[E_SCALARS + i];
            e.scalars[i] = 0;
            if (what >= 0x10000)
                e.scalars[i] = (uint16_t)what;
            else if (what >= 0)
                e.scalars[i] = given[what];
        }
        for (int i = 0; i + 1 < d[E_BLOCKS]; i++)
            e.arrays[i] = va_arg(arguments, const uint16_t *);
        e.result = va_arg(arguments, uint16_t *);
        elements(&e);
        done = 0;
    }
    va_end(arguments);
    return done;
}
