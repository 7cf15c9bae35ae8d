"""Every library firmware against its formula in numpy, on random vectors and frames."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from numpy.typing import NDArray

from hcc.compiler.firmware import build, compile_library, library
from hcc.compiler.firmware.catalogue import CATALOGUE, Edges, default_edges, find, suited
from hcc.compiler.firmware.checks import check
from hcc.compiler.firmware.diagnostics import FirmwareError, Severity
from hcc.emulator.lebug import InstrumentationUnit
from hcc.isa.errors import HccError
from hcc.isa.lebug import Machine, encode

N, M = 8, 4
MACHINE = Machine(n=N, m=M, fuvrf_size=16, vvvrf_size=16, tb_size=4096, max_chains=16, ib_depth=64)
SEED = 20240501

Array = NDArray[np.float64]


def run(
    name: str,
    vectors: Array,
    eof1: Any = None,
    eof2: Any = None,
    edges: list[float] | None = None,
    **arguments: object,
) -> Array:
    """All values committed, rows and what is left in the packer, in order."""
    machine = suited(find(name), MACHINE)
    chosen = edges if edges is not None else default_edges(find(name).edges, machine)
    firmware = compile_library(name, machine, arguments=arguments, edges=chosen).firmware
    unit = InstrumentationUnit(firmware)
    flags = np.zeros(len(vectors), dtype=np.uint8)
    for bit, eof in ((1, eof1), (2, eof2)):
        if eof is not None:
            flags |= np.where(eof, bit, 0).astype(np.uint8)
    unit.tap_many(vectors, flags)
    return np.concatenate([unit.trace().lanes.reshape(-1), unit.report().residue])


def data(count: int = 40, low: float = -4.0, high: float = 12.0) -> Array:
    print("seed", SEED)
    return np.random.default_rng(SEED).uniform(low, high, (count, N)).round(3)


def frames(count: int = 40, chance: float = 0.3) -> NDArray[np.bool_]:
    ends = np.random.default_rng(SEED + 1).random(count) < chance
    ends[-1] = True
    return ends


def framed(vectors: Array, ends: NDArray[np.bool_]) -> Iterator[Array]:
    start = 0
    for index in np.flatnonzero(ends).tolist():
        yield vectors[start : index + 1]
        start = index + 1


def test_catalogue_holds_the_sixteen_and_every_function() -> None:
    theirs = {entry.name for entry in CATALOGUE if entry.origin.value != "hcc"}
    functions = {
        name
        for name, function in inspect.getmembers(library, inspect.isfunction)
        if function.__module__ == library.__name__
    }

    assert 16 == len(theirs)
    assert functions == {entry.name for entry in CATALOGUE}
    assert all(entry.purpose for entry in CATALOGUE)


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.name)
def test_library_is_the_same_through_both_front_ends(entry: Any) -> None:
    arguments = (
        {"bins": 16} if "bins" in inspect.signature(getattr(library, entry.name)).parameters else {}
    )
    machine = suited(entry, MACHINE)
    edges = default_edges(entry.edges, machine)
    text = compile_library(entry.name, machine, arguments=arguments, edges=edges)
    python = build(getattr(library, entry.name), machine, arguments, edges)

    assert encode(text.firmware) == encode(python.firmware)
    assert not [d for d in check(text) if d.severity is Severity.ERROR]


def test_raw_records_every_vector() -> None:
    x = data()
    np.testing.assert_array_equal(x.reshape(-1), run("raw", x))


def test_pass_through_records_nothing() -> None:
    assert 0 == run("passThrough", data()).size


def test_sum_all() -> None:
    x = data()
    np.testing.assert_allclose(x.sum(axis=1), run("sumAll", x), atol=1e-9)


def test_vvalu_simple_is_a_running_sum() -> None:
    x = data()
    np.testing.assert_allclose(x.cumsum(axis=0).reshape(-1), run("vvalu_simple", x), atol=1e-9)


def histogram(values: Array, bins: int) -> Array:
    """Counts of i < v <= i + 1."""
    return np.array([np.sum((values > i) & (values <= i + 1)) for i in range(bins)], dtype=float)


def test_fru_simple_is_a_histogram_of_row_0() -> None:
    x = data()
    expected = [np.concatenate([histogram(v, M), np.zeros(N - M)]) for v in x]
    np.testing.assert_array_equal(np.concatenate(expected), run("fru_simple", x))


def test_multiple_chains() -> None:
    x = data()
    expected: list[Array] = []
    for v in x:
        expected += [np.concatenate([histogram(v, M), np.zeros(N - M)])]
        expected += [np.array([v.sum()] + [0.0] * (N - 1)), v]
    np.testing.assert_allclose(np.concatenate(expected), run("multipleChains", x), atol=1e-9)


@pytest.mark.parametrize("name", ["conditions", "conditionsFixed"])
def test_conditions(name: str) -> None:
    x, last = data(), frames()
    first = np.concatenate([[True], last[:-1]])
    cache, expected = np.zeros(N), []
    for v, is_last, is_first in zip(x, last, first, strict=True):
        expected += [v, v if is_first else v + cache]
        cache = v + cache if is_last else v
        if not is_first:
            expected.append(cache)
    np.testing.assert_allclose(np.concatenate(expected), run(name, x, last), atol=1e-9)


def test_conditions_needs_eight_lanes_and_its_fixed_version_does_not() -> None:
    machine = Machine(n=4, m=2)
    with pytest.raises(FirmwareError, match="cannot commit 8 elements"):
        compile_library("conditions", machine)

    assert 3 == len(compile_library("conditionsFixed", machine).firmware.chains)


def test_minicache_doubles_and_accumulates() -> None:
    x, row, expected = data(12), np.zeros(N), []
    for v in x:
        row = 2 * (v + row)
        expected.append(row)
    np.testing.assert_allclose(np.concatenate(expected), run("minicache", x), rtol=1e-12)


@pytest.mark.parametrize("name", ["distribution", "distributionFixed"])
def test_distribution_is_a_histogram_per_frame(name: str) -> None:
    x, last = data(), frames()
    expected = [histogram(frame, 16) for frame in framed(x, last)]
    np.testing.assert_array_equal(np.concatenate(expected), run(name, x, last, bins=16))


@pytest.mark.parametrize(("name", "bins"), [("distribution", 6), ("distributionFixed", 4)])
def test_distribution_refuses_bins_it_cannot_place(name: str, bins: int) -> None:
    with pytest.raises(FirmwareError, match=r"assertion failed: .*bins"):
        compile_library(name, MACHINE, arguments={"bins": bins})


def test_distribution_fixed_refuses_more_bins_than_the_machine_has() -> None:
    machine = Machine(n=8, m=4, fuvrf_size=2)
    with pytest.raises(FirmwareError, match="more bins than the filter memory"):
        compile_library("distributionFixed", machine, arguments={"bins": 16})


def test_norm_check_has_64_bins() -> None:
    x, last = data(high=70.0), frames()
    expected = [histogram(frame, 64) for frame in framed(x, last)]
    np.testing.assert_array_equal(np.concatenate(expected), run("normCheck", x, last))


@pytest.mark.parametrize("name", ["summaryStats", "summaryStatsFixed"])
def test_summary_stats(name: str) -> None:
    x, last = data(low=-9, high=9), frames()
    expected = [[frame.sum(), np.sum(frame > 0)] for frame in framed(x, last)]
    np.testing.assert_allclose(np.concatenate(expected), run(name, x, last), atol=1e-9)


@pytest.mark.parametrize("name", ["numSparse", "numSparseFixed"])
def test_num_sparse(name: str) -> None:
    x, last = data(low=-9, high=9), frames()
    expected = [np.sum(frame > 0) for frame in framed(x, last)]
    np.testing.assert_array_equal(expected, run(name, x, last))


def test_fixed_summary_needs_no_falling_edges() -> None:
    x, last = data(low=-9, high=9), frames()
    edges = [0.0, float("inf"), *(float(i) for i in range(-7, MACHINE.edge_count - 9))]
    expected = np.concatenate([[f.sum(), np.sum(f > 0)] for f in framed(x, last)])

    np.testing.assert_allclose(expected, run("summaryStatsFixed", x, last, edges=edges))
    assert not np.allclose(expected, run("summaryStats", x, last, edges=edges))


def test_spatial_sparsity() -> None:
    x = data()
    np.testing.assert_array_equal((x > 0).reshape(-1).astype(float), run("spatialSparsity", x))


def test_vector_change() -> None:
    x = data()
    before = np.concatenate([np.zeros((1, N)), x[:-1]])
    np.testing.assert_allclose((x - before).sum(axis=1), run("vectorChange", x), atol=1e-9)


def test_correlation_gives_pearsons_r() -> None:
    x = data()
    found = run("correlation", x).reshape(-1, 3)
    xy, sx, xx = found[1:, 0], found[:, 1], found[:, 2]
    r = (N * xy - sx[1:] * sx[:-1]) / np.sqrt(
        (N * xx[1:] - sx[1:] ** 2) * (N * xx[:-1] - sx[:-1] ** 2)
    )
    expected = [np.corrcoef(x[k], x[k - 1])[0, 1] for k in range(1, len(x))]
    np.testing.assert_allclose(expected, r, atol=1e-9)


def group_maxima(x: Array, group: NDArray[np.bool_], frame: NDArray[np.bool_]) -> list[float]:
    """Per frame, the largest sum of a group."""
    found, sums, total = [], [], 0.0
    for v, ends_group, ends_frame in zip(x, group, frame, strict=True):
        total += v.sum()
        if ends_group:
            sums.append(total)
            total = 0.0
        if ends_frame:
            found.append(max(sums))
            sums = []
    return found


def test_activation_predictiveness_of_groups_of_one() -> None:
    x = data()
    frame = frames(chance=0.2)
    expected = group_maxima(x, np.ones(len(x), dtype=bool), frame)
    found = run("activationPredictiveness", x, np.ones(len(x)), frame)
    np.testing.assert_allclose(expected, found.reshape(-1, N)[:, 0], atol=1e-9)


def test_activation_predictiveness_fixed_takes_groups_of_any_length_and_sign() -> None:
    x = data(200, low=-10, high=10)
    frame = frames(200, 0.1)
    group = frames(200, 0.4) | frame
    expected = group_maxima(x, group, frame)
    found = run("activationPredictivenessFixed", x, group, frame)
    broken = run("activationPredictiveness", x, group, frame, elements_to_commit=1)

    np.testing.assert_allclose(expected, found, atol=1e-9)
    assert not np.allclose(expected, broken)


def test_fixed_version_does_not_leak_the_frame_before() -> None:
    # The reference case actpred_stale: groups of two vectors, two frames; LeBug's firmware
    # records 160 twice.
    x = np.array([[i] * N for i in (5, 5, 10, 10, 1, 1, 2, 2)], dtype=float)
    group, frame = [False, True] * 4, [False] * 3 + [True] + [False] * 3 + [True]

    assert [160.0, 32.0] == run("activationPredictivenessFixed", x, group, frame).tolist()


def test_unknown_library_firmware_lists_the_known_ones() -> None:
    with pytest.raises(HccError, match=r"no library firmware 'nope'.*raw, passThrough"):
        find("nope")


def test_default_edges_fit_every_machine() -> None:
    for f, m in ((1, 1), (1, 2), (2, 1), (4, 4)):
        machine = evolve(MACHINE, m=m, fuvrf_size=f)
        for kind in (Edges.LINEAR, Edges.POSITIVE, Edges.COVERING):
            edges = default_edges(kind, machine)
            assert edges is not None
            assert machine.edge_count == len(edges)
