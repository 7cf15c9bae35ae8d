/* The published product of a 16 x 128 matrix, driven by hand in the pimsys dialect.
 *
 *     hcc compile pim/published.c -o published.hcc
 *     hcc run --pim pim/pimsys.json published.hcc
 *
 * Two pseudo-channels of eight units: 18 requests each, 36 in all.  Messages go to the
 * window, byte by byte; fences end each group of requests.  Without such a memory, and
 * under gcc, the product is computed by the host.
 */
#include <hcc/pim.h>
#include <stdio.h>

#define OUTPUTS 16
#define INPUTS 128
#define UNITS 8
#define BURSTS 8
#define LANES 16

static _Float16 w[OUTPUTS * INPUTS], x[INPUTS];

#ifdef __HCC__
#define MOV(n) "{\"MOV\":{\"src\":\"Bank\",\"dst\":{\"GrfA\":{\"index\":" #n "}}}},"
#define NOP8 ",\"NOP\",\"NOP\",\"NOP\",\"NOP\",\"NOP\",\"NOP\",\"NOP\",\"NOP\""

static const char kernel[] =
    "{\"bank_mode\":null,\"kernel\":[" MOV(0) MOV(1) MOV(2) MOV(3) MOV(4) MOV(5) MOV(6) MOV(7)
    "{\"MAC\":{\"src0\":\"Bank\",\"src1\":{\"GrfA\":{\"index\":0}},"
    "\"src2\":{\"GrfB\":{\"index\":0}},\"dst\":{\"GrfB\":{\"index\":0}},\"aam\":true}},"
    "{\"JUMP\":{\"offset\":-1,\"count\":7}},"
    "{\"FILL\":{\"src\":{\"GrfB\":{\"index\":0}},\"dst\":\"Bank\"}},\"EXIT\"" NOP8 NOP8
    ",\"NOP\",\"NOP\",\"NOP\",\"NOP\"]}";

static int on_memory(float *y)
{
    static const char nothing[32];
    int matrix, vector, result;

    if (!hcc_pim_present() || hcc_pim_dialect() != HCC_PIM_PIMSYS || hcc_pim_channels() != 2)
        return 0;
    matrix = hcc_pim_alloc(1), vector = hcc_pim_alloc(1), result = hcc_pim_alloc(1);
    for (int channel = 0; channel < 2; channel++)
        hcc_pim_pack_block(channel, w, OUTPUTS, INPUTS, channel * UNITS, 0, matrix, 0);
    hcc_pim_interleave(x, INPUTS, vector);
    hcc_pim_fence();
    hcc_stats_reset();
    hcc_pim_config(kernel);
    hcc_pim_config("{\"bank_mode\":\"PimAllBank\",\"kernel\":null}");
    for (int channel = 0; channel < 2; channel++) {
        for (int i = 0; i < BURSTS; i++) {
            hcc_pim_trigger(channel, vector, 0, i);
            hcc_pim_fence();
        }
        for (int i = 0; i < BURSTS; i++)
            hcc_pim_trigger(channel, matrix, 0, i);
        hcc_pim_fence();
        hcc_pim_write(channel, result, 0, 0, nothing);
        hcc_pim_fence();
        hcc_pim_trigger(channel, result, 0, 0); /* EXIT */
        hcc_pim_fence();
    }
    hcc_pim_config("{\"bank_mode\":\"SingleBank\",\"kernel\":null}");
    hcc_stats_dump();
    for (int r = 0; r < OUTPUTS; r++) {
        _Float16 sums[LANES];
        hcc_pim_read(r / UNITS, result, 2 * (r % UNITS), 0, sums);
        y[r] = 0;
        for (int lane = 0; lane < LANES; lane++)
            y[r] += sums[lane];
    }
    hcc_pim_free(matrix), hcc_pim_free(vector), hcc_pim_free(result);
    return 1;
}
#else
static int on_memory(float *y)
{
    (void)y;
    return 0;
}
#endif

int main(void)
{
    float y[OUTPUTS];

    for (int i = 0; i < OUTPUTS * INPUTS; i++)
        w[i] = (_Float16)(i % 7 - 3);
    for (int i = 0; i < INPUTS; i++)
        x[i] = (_Float16)(i % 3 - 1);
    if (!on_memory(y))
        for (int r = 0; r < OUTPUTS; r++) {
            y[r] = 0;
            for (int c = 0; c < INPUTS; c++)
                y[r] += (float)w[r * INPUTS + c] * (float)x[c];
        }
    for (int r = 0; r < OUTPUTS; r++)
        printf("%g%c", (double)y[r], r + 1 < OUTPUTS ? ' ' : '\n');
    return 0;
}
