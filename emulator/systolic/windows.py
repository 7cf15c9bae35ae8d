"""The read buffers in USER mode: in which lines they miss, and how often they move on.

SCALE-Sim fetches an operand in a fixed *prefetch order* (with all im2col duplicates and with
nulls for unused cells) and cuts the non-null words of that order into *sets* of a hundredth of
the buffer. Half the buffer is visible: a window of consecutive sets. A word that no set of the
window holds is a miss, and the window moves on, cyclically, half a buffer at a time, until the
word is in it. None of this depends on time, so the misses of a layer can be listed first and
given their cycles later (replay.py).

The prefetch order of a skewed operand is the anti-diagonal order of its tiles stacked on each
other, in which diagonal d = tile*T + t + c, column c. Inside a fold the demand runs through
the same diagonals in the same order: so a word's own *key* d*W + c grows along the fold, the
window is an interval of keys, and all words up to its end are hits without looking. Only beyond
its own interval can a word still hit through a duplicate. For single words that is looked up from
the (few) windows that share the pixel; where hits go on, a bitmap of the window's addresses
takes over. Nothing is ever done per hit inside the interval. A stationary operand is prefetched
row by row and demanded bottom row first; there a fold is looked at only if it leaves the window.

What a fold does depends only on its tile and the window's place, so it is computed once for
each such pair.
"""

from __future__ import annotations

import numpy as np

from .operands import Dim, Unfolded
from .skewed_window import SkewedWindow
from .stationary_window import StationaryWindow
from .streams import Plan, ReadStream, Stationary
from .window import Fetch, Misses


def _null_keys(stream: ReadStream) -> list[int]:
    """The keys of words off the edge of the input, sorted."""
    operand = stream.operand
    if not isinstance(operand, Unfolded) or not operand.has_nulls:
        return []
    m, k = operand.null_elements()
    if isinstance(stream, Stationary):
        array = stream.array
        tile, cell = np.divmod(m, array.cols)
        keys = (tile * array.row_extent + k) * array.cols + cell
    else:
        time, space = (m, k) if stream.time is Dim.M else (k, m)
        tile, cell = np.divmod(space, stream.width)
        keys = (tile * stream.length + time + cell) * stream.width + cell
    keys.sort()
    result: list[int] = keys.tolist()
    return result


def sequence_words(stream: ReadStream) -> int:
    """Words of the prefetch order, nulls included."""
    if isinstance(stream, Stationary):
        return stream.array.row_extent * stream.array.cols * stream.array.col_folds
    return stream.length * stream.tiles * stream.width


def find_misses(stream: ReadStream, plan: Plan, fetch: Fetch) -> Misses:
    """All misses of a layer's read buffer in USER mode."""
    first, second = stream.operand.sizes.values()
    words = first * second
    if words < fetch.active_words:
        return Misses([], [])
    nulls = _null_keys(stream)
    lines: list[int] = []
    moves: list[int] = []
    if isinstance(stream, Stationary):
        window = StationaryWindow(fetch, sequence_words(stream), words, stream=stream)
        window.place(nulls)
        if window.step:
            for fold in range(plan.array.folds):
                found, counts = window.fold(fold)
                base = fold * plan.fold_lines
                lines += [base + line for line in found]
                moves += counts
        return Misses(lines, moves)
    keys = (stream.length * stream.tiles + stream.width - 1) * stream.width
    skewed = SkewedWindow(fetch, keys, words, stream=stream)
    skewed.place(nulls)
    if not skewed.step:
        return Misses([], [])
    known: dict[tuple[int, int], tuple[list[int], list[int], int]] = {}
    for fold in range(plan.array.folds):
        tile = stream.tile_of(fold)
        state = tile, skewed.start
        seen = known.get(state)
        if seen is None:
            found, counts = skewed.fold(tile)
            known[state] = found, counts, skewed.start
        else:
            found, counts, start = seen
            if start != skewed.start:
                skewed.move_to(start)
        if found:
            base = fold * plan.fold_lines + stream.lead
            lines += [base + line for line in found]
            moves += counts
    return Misses(lines, moves)
