# Firmware text: what a layer of a network puts out, per image (one eof1 frame).
#
# Rows of N = 8 values, two a frame:
#   0-7    histogram of the values: 8 bins (filter rows 0 and 1)
#   8      how many values are positive (range 0 of filter row 3); 9-11 are the row's other counts
#   12     how much the sum of all values changed since the image before; 13-15 are 0
#
# Compile it:   hcc firmware compile layers.py -c layers.yaml
# Run it:       hcc firmware run layers.py activations.npy -c layers.yaml --eof1 every:4

HISTOGRAM_ROWS = 2
POSITIVE_ROW = 3


def layers(cp, M):
    for row in range(HISTOGRAM_ROWS):
        cp.begin_chain()
        cp.vv_filter(row)
        cp.m_reduce("M")
        cp.vv_add(row, "notfirst")  # a new frame starts counting anew
        cp.v_cache(row)
        cp.v_commit(M, "last")
        cp.end_chain()

    cp.begin_chain()
    cp.vv_filter(POSITIVE_ROW)
    cp.m_reduce("M")
    cp.vv_add(2, "notfirst")
    cp.v_cache(2)
    cp.v_commit(M, "last")
    cp.end_chain()

    # c[3] sums the frame, c[4] keeps the sum of the frame before
    cp.begin_chain()
    cp.vv_add(3, "notfirst")
    cp.v_cache(3)
    cp.v_mc_save()
    cp.end_chain()

    cp.begin_chain()
    cp.v_mc_load()
    cp.vv_sub(4)
    cp.v_reduce()
    cp.v_commit(M, "last")
    cp.end_chain()

    cp.begin_chain()
    cp.v_mc_load()
    cp.v_cache(4, "last")
    cp.end_chain()
    return cp.compile()
