"""The firmware library: the sixteen of LeBug and its fork, and ours where one of them errs.

Every function is firmware in both senses: Python over a compiler object, and text that the
text front end parses from this very file. What each computes, and which filter edges and block
order it needs, is in its docstring and, for the command line, in `catalogue`. x is the input
vector, k its number, c[r] cache row r; a frame ends with the vector whose eof1 (or eof2) is high.
"""

from __future__ import annotations

from hcc.isa.lebug.chain import Firmware

from .builder import Compiler


def raw(cp: Compiler) -> Firmware:
    """Record every vector: row k = x_k. (LeBug's guide calls it loopback.)"""
    cp.begin_chain()
    cp.v_commit()
    cp.end_chain()
    return cp.compile()


def passThrough(cp: Compiler) -> Firmware:
    """Record nothing: one empty chain."""
    cp.begin_chain()
    cp.end_chain()
    return cp.compile()


def sumAll(cp: Compiler) -> Firmware:
    """Record the sum over the lanes of every vector: one scalar sum(x_k) per vector."""
    cp.begin_chain()
    cp.v_reduce()
    cp.v_commit(1)
    cp.end_chain()
    return cp.compile()


def vvalu_simple(cp: Compiler) -> Firmware:
    """Record running sums: row k = x_0 + … + x_k, lane by lane."""
    cp.begin_chain()
    cp.vv_add(0)
    cp.v_cache(0)
    cp.v_commit()
    cp.end_chain()
    return cp.compile()


def fru_simple(cp: Compiler) -> Firmware:
    """Record each vector's histogram over filter row 0: M counts and N - M zeros."""
    cp.begin_chain()
    cp.vv_filter(0)
    cp.m_reduce("M")
    cp.v_commit()
    cp.end_chain()
    return cp.compile()


def multipleChains(cp: Compiler) -> Firmware:
    """Record three rows per vector: histogram of filter row 0; [sum(x), 0, …]; x itself."""
    cp.begin_chain()
    cp.vv_filter(0)
    cp.m_reduce("M")
    cp.v_commit()
    cp.end_chain()

    cp.begin_chain()
    cp.v_reduce()
    cp.v_commit()
    cp.end_chain()

    cp.begin_chain()
    cp.v_commit()
    cp.end_chain()
    return cp.compile()


def conditions(cp: Compiler) -> Firmware:
    """Record x; then x + c[0], or x on a frame's first vector; then, except on a frame's first
    vector, c[0], which is x + c[0] on a frame's last vector and x otherwise.

    Commits 8 elements in its last chain, so N or M must be 8: see conditionsFixed.
    """
    cp.begin_chain()
    cp.v_commit()
    cp.end_chain()

    cp.begin_chain()
    cp.vv_add(0, "notfirst")
    cp.v_commit()
    cp.end_chain()

    cp.begin_chain()
    cp.vv_add(0, "last")
    cp.v_cache(0)
    cp.v_commit(8, "notfirst")
    cp.end_chain()
    return cp.compile()


def conditionsFixed(cp: Compiler) -> Firmware:
    """What conditions records, for any N: the last chain commits the whole vector."""
    cp.begin_chain()
    cp.v_commit()
    cp.end_chain()

    cp.begin_chain()
    cp.vv_add(0, "notfirst")
    cp.v_commit()
    cp.end_chain()

    cp.begin_chain()
    cp.vv_add(0, "last")
    cp.v_cache(0)
    cp.v_commit(condition1="notfirst")
    cp.end_chain()
    return cp.compile()


def minicache(cp: Compiler) -> Firmware:
    """Record row k = 2 * (x_k + row k-1), passed between chains through cache and mini-cache."""
    cp.begin_chain()
    cp.vv_add(0)
    cp.v_cache(0)
    cp.v_mc_save()
    cp.end_chain()

    cp.begin_chain()
    cp.v_mc_load()
    cp.vv_add(0)
    cp.v_cache(0)
    cp.v_mc_save()
    cp.end_chain()

    cp.begin_chain()
    cp.v_mc_load()
    cp.v_commit()
    cp.end_chain()
    return cp.compile()


def distribution(cp: Compiler, bins: int, M: int, cast_to_int: bool = False) -> Firmware:
    """Record one histogram of `bins` bins per eof1 frame: bin i counts edge_i < x <= edge_i+1.

    Takes bins/M chains, filter rows and cache rows. bins should be a multiple of N, or the last
    row of a frame waits for the next frame: see distributionFixed.
    """
    assert bins % M == 0, "the number of bins must be divisible by M"
    for i in range(int(bins / M)):
        cp.begin_chain()
        cp.vv_filter(i)
        cp.m_reduce("M")
        cp.vv_add(i, "notfirst")
        cp.v_cache(i)
        cp.v_commit(M, "last", cast_to_int=cast_to_int)
        cp.end_chain()
    return cp.compile()


def distributionFixed(
    cp: Compiler,
    bins: int,
    M: int,
    N: int,
    FUVRF_SIZE: int,
    VVVRF_SIZE: int,
    MAX_CHAINS: int,
) -> Firmware:
    """What distribution records, refused where the machine cannot hold or row-align it."""
    assert bins > 0 and bins % N == 0, "a frame's bins must fill whole rows of N"
    assert bins // M <= FUVRF_SIZE, "more bins than the filter memory has ranges"
    assert bins // M <= VVVRF_SIZE, "more bin groups than cache rows"
    assert bins // M <= MAX_CHAINS, "more bin groups than chains"
    for i in range(bins // M):
        cp.begin_chain()
        cp.vv_filter(i)
        cp.m_reduce("M")
        cp.vv_add(i, "notfirst")
        cp.v_cache(i)
        cp.v_commit(M, "last")
        cp.end_chain()
    return cp.compile()


def normCheck(cp: Compiler, M: int, cast_to_int: bool = False) -> Firmware:
    """Record a histogram of 64 bins per eof1 frame, from which percentiles follow offline."""
    bins = 64
    assert bins % M == 0, "the number of bins must be divisible by M"
    for i in range(int(bins / M)):
        cp.begin_chain()
        cp.vv_filter(i)
        cp.m_reduce("M")
        cp.vv_add(i, "notfirst")
        cp.v_cache(i)
        cp.v_commit(M, "last", cast_to_int=cast_to_int)
        cp.end_chain()
    return cp.compile()


def summaryStats(cp: Compiler) -> Firmware:
    """Record two scalars per eof1 frame: the sum of all elements, and how many are positive.

    Counts every range of filter row 0 that a lane hits, so the edges must be 0, +inf and then
    strictly decreasing, that only the first range can match: see summaryStatsFixed.
    """
    cp.begin_chain()
    cp.vv_add(0, "notfirst")
    cp.v_cache(0)
    cp.v_reduce()
    cp.v_commit(1, "last")
    cp.end_chain()

    cp.begin_chain()
    cp.vv_filter(0)
    cp.m_reduce("N")
    cp.vv_add(1, "notfirst")
    cp.v_cache(1)
    cp.v_reduce()
    cp.v_commit(1, "last")
    cp.end_chain()
    return cp.compile()


def summaryStatsFixed(cp: Compiler) -> Firmware:
    """What summaryStats records, from range 0 of filter row 0 alone, whatever the other edges.

    Counts per range instead of per lane (m_reduce 'M'), so lane 0 is the count of range 0. Also
    right in hardware, whose filter has no infinity and extrapolates the row's last edge.
    """
    cp.begin_chain()
    cp.vv_add(0, "notfirst")
    cp.v_cache(0)
    cp.v_reduce()
    cp.v_commit(1, "last")
    cp.end_chain()

    cp.begin_chain()
    cp.vv_filter(0)
    cp.m_reduce("M")
    cp.vv_add(1, "notfirst")
    cp.v_cache(1)
    cp.v_commit(1, "last")
    cp.end_chain()
    return cp.compile()


def spatialSparsity(cp: Compiler, N: int, cast_to_int: bool = False) -> Firmware:
    """Record a map of the positive lanes of every vector: row k = (x_k > 0), as 0 and 1.

    Needs the edges of summaryStats.
    """
    cp.begin_chain()
    cp.vv_filter(0)
    cp.m_reduce("N")
    cp.v_commit(N, cast_to_int=cast_to_int)
    cp.end_chain()
    return cp.compile()


def vectorChange(cp: Compiler) -> Firmware:
    """Record how much the sum changed since the previous vector: sum(x_k - x_k-1)."""
    cp.begin_chain()
    cp.vv_sub(0)
    cp.v_reduce()
    cp.v_commit(1)
    cp.end_chain()

    cp.begin_chain()
    cp.v_cache(0)
    cp.end_chain()
    return cp.compile()


def correlation(cp: Compiler) -> Firmware:
    """Record three scalars per vector: sum(x*y), sum(x), sum(x*x), y the previous vector.

    Pearson's r follows offline: (N*xy - x*y) / sqrt((N*xx - x*x) * (N*yy - y*y)).
    """
    cp.begin_chain()
    cp.vv_mul(0)
    cp.v_reduce()
    cp.v_commit(1)
    cp.end_chain()

    cp.begin_chain()
    cp.v_cache(0)
    cp.v_reduce()
    cp.v_commit(1)
    cp.end_chain()

    cp.begin_chain()
    cp.vv_mul(0)
    cp.v_reduce()
    cp.v_commit(1)
    cp.end_chain()
    return cp.compile()


def activationPredictiveness(cp: Compiler, elements_to_commit: int = 8) -> Firmware:
    """Record per eof2 frame the largest sum of an eof1 group, in lane 0.

    Needs VectorScalarReduce before VectorVectorALU. Right only while every eof1 group is one
    vector: with longer groups the maximum of the frame before leaks into the next one, because
    only a frame's first vector is exempt from comparing: see activationPredictivenessFixed.
    """
    cp.begin_chain()
    cp.v_reduce()
    cp.vv_add(0, condition1="notfirst")
    cp.v_cache(0)
    cp.v_mc_save()
    cp.end_chain()

    cp.begin_chain()
    cp.v_mc_load()
    cp.vv_max(1, condition2="notfirst")
    cp.v_cache(1, condition1="last")
    cp.v_commit(elements_to_commit, condition2="last")
    cp.end_chain()
    return cp.compile()


def activationPredictivenessFixed(cp: Compiler, elements_to_commit: int = 1) -> Firmware:
    """What activationPredictiveness is meant to record, for groups of any length and sign.

    c[2] is 1 during a frame's first group and 0 afterwards; c[1] follows the running sum while
    c[2] is 1, and then holds the maximum. The 1 comes from the filter: range 0 of row 0 must
    cover every value (edges -inf, +inf, +inf, …). Needs VectorScalarReduce before
    VectorVectorALU, the filter, and 3 cache rows. Relies on two-stream and cache conditions,
    which the published RTL does not have.
    """
    # s = c[0] = the group's running sum, in lane 0; also in the mini-cache
    cp.begin_chain()
    cp.v_reduce()
    cp.vv_add(0, condition1="notfirst")
    cp.v_cache(0)
    cp.v_mc_save()
    cp.end_chain()

    # the frame's first vector: c[2] = 1
    cp.begin_chain()
    cp.vv_filter(0)
    cp.m_reduce("N")
    cp.v_cache(2, condition2="first")
    cp.end_chain()

    # the first vector of each further group: c[2] = s - s = 0
    cp.begin_chain()
    cp.v_mc_load()
    cp.vv_sub(0)
    cp.v_cache(2, "first", "notfirst")
    cp.end_chain()

    # the step of the sum, in the first group only: sum(x) * c[2]
    cp.begin_chain()
    cp.v_reduce()
    cp.vv_mul(2)
    cp.v_mc_save()
    cp.end_chain()

    # c[1] starts anew with the frame and follows the first group's sum
    cp.begin_chain()
    cp.v_mc_load()
    cp.vv_add(1, condition2="notfirst")
    cp.v_cache(1)
    cp.v_mc_save()
    cp.end_chain()

    # at the end of each group c[1] = max(c[1], s)
    cp.begin_chain()
    cp.v_mc_load()
    cp.vv_max(0)
    cp.v_cache(1, condition1="last")
    cp.v_commit(elements_to_commit, condition2="last")
    cp.end_chain()
    return cp.compile()


def numSparse(cp: Compiler) -> Firmware:
    """Record per eof1 frame how many elements are positive, as an integer.

    The second chain of summaryStats alone, with the same need for edges: see numSparseFixed.
    """
    cp.begin_chain()
    cp.vv_filter(0)
    cp.m_reduce("N")
    cp.vv_add(1, "notfirst")
    cp.v_cache(1)
    cp.v_reduce()
    cp.v_commit(1, "last", cast_to_int=True)
    cp.end_chain()
    return cp.compile()


def numSparseFixed(cp: Compiler) -> Firmware:
    """What numSparse records, from range 0 of filter row 0 alone, whatever the other edges."""
    cp.begin_chain()
    cp.vv_filter(0)
    cp.m_reduce("M")
    cp.vv_add(1, "notfirst")
    cp.v_cache(1)
    cp.v_commit(1, "last", cast_to_int=True)
    cp.end_chain()
    return cp.compile()
