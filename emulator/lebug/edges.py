"""The ranges of the filter memory, as each kind of unit makes them from its lower edges.

The memory holds FUVRF_SIZE * M lower edges in one flat array. In LeBug's emulator a range ends
where the next one begins, across rows, and the last range of all is as wide as the one before
it. The published hardware sees one row at a time, so the last range of every row is as wide as
that row's first (with M = 1: one unit).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hcc.isa.errors import HccError
from hcc.isa.lebug.fixedpoint import encode_array, wrap
from hcc.isa.lebug.machine import Machine


def edge_array(edges: Sequence[float] | None, machine: Machine) -> NDArray[np.float64]:
    """The lower edges as an array; none given means all zero, as after power-up."""
    if edges is None:
        return np.zeros(machine.edge_count)
    array = np.array(edges, dtype=np.float64)
    if array.shape != (machine.edge_count,):
        raise HccError(
            f"the filter memory takes {machine.edge_count} edges "
            f"(FUVRF_SIZE {machine.fuvrf_size} x M {machine.m}), {array.size} given"
        )
    if np.isnan(array).any():
        raise HccError("NaN cannot be a filter edge")
    return array


def emulator_ranges(
    edges: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper edge of every range, by LeBug's emulator."""
    high = np.empty_like(edges)
    high[:-1] = edges[1:]
    with np.errstate(invalid="ignore", over="ignore"):
        # edges[-2 % size]: with a single edge, the emulator's index -1 is that edge itself
        high[-1] = edges[-1] + (edges[-1] - edges[(edges.size - 2) % edges.size])
    return edges, high


def quantised_ranges(
    edges: NDArray[np.float64], machine: Machine
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The emulator's rule over W-bit words."""
    words = encode_array(edges, machine.data_width, machine.data_type, "filter edge ")
    high = np.empty_like(words)
    high[:-1] = words[1:]
    high[-1] = wrap(2 * words[-1] - words[(words.size - 2) % words.size], machine.data_width)
    return words, high


def hardware_ranges(
    edges: NDArray[np.float64], machine: Machine
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lower and upper edges as unsigned W-bit words, by the published hardware; rows of M."""
    mask = np.int64((1 << machine.data_width) - 1)
    words = encode_array(edges, machine.data_width, machine.data_type, "filter edge ") & mask
    low = words.reshape(machine.fuvrf_size, machine.m)
    high = np.empty_like(low)
    high[:, :-1] = low[:, 1:]
    if machine.m == 1:
        high[:, -1] = low[:, -1] + 1
    else:
        high[:, -1] = low[:, -1] + low[:, 1] - low[:, 0]
    return low, high & mask


def count_steps(
    low: NDArray[Any], high: NDArray[Any], m: int
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
    """How many of a row's ranges hold x, as a step function of x.

    Passing upwards over a range's lower edge adds one and over its upper edge takes one away;
    ranges that hold nothing add nothing, and where one range ends as another begins nothing
    changes. Returns the points and the changes of all rows one after the other, and for each
    row where its points begin (with one more entry for the end). Neighbouring ranges, the usual
    case, leave two points of M + 1.
    """
    points: list[Any] = []
    changes: list[int] = []
    begins = [0]
    for row in range(len(low) // m):
        steps: dict[Any, int] = {}
        for lower, upper in zip(
            low[row * m : row * m + m].tolist(), high[row * m : row * m + m].tolist(), strict=True
        ):
            if lower < upper:
                steps[lower] = steps.get(lower, 0) + 1
                steps[upper] = steps.get(upper, 0) - 1
        kept = [(point, change) for point, change in sorted(steps.items()) if change]
        points += [point for point, _ in kept]
        changes += [change for _, change in kept]
        begins.append(len(points))
    return (
        np.array(points or [0], dtype=low.dtype),
        np.array(changes or [0], dtype=np.int64),
        np.array(begins, dtype=np.int64),
    )
