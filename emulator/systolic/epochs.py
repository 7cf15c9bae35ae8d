"""The read buffers in CALC mode: how many words DRAM has to deliver, and until when.

CALC never stalls on reads; SCALE-Sim watches which words would have had to be fetched. It keeps
the words seen in sets of a hundredth of the buffer, half a buffer of sets at a time, and when
the 50th set closes the visible sets jump to the next, still empty, 50. So the rule is simply: keep
every word until `capacity` = 50 * (words // 100) different ones were fetched, then forget all. A
stretch between two such *flushes* is an epoch. Wanted are the fetches in total, the number of
flushes, and the line of the last one.

* Everything fits: fetches = different words.
* All words different (filters, matrix products, windows that do not overlap): a pass over more
  than `capacity` words never meets a word again in time, so each access is a fetch.
* Overlapping windows, larger input: folds are taken one after another as rectangles (touched.py).
  A bitmap holds the epoch's words; a rectangle costs one count over the image part it touches.
  Only where a flush falls into a fold is the place found, from the first-touch places of the
  fold's new words, and the words touched after it start the next epoch. Several folds that
  cannot fill the buffer are taken at once.
* A fold that flushes more than once: if all its words differ it is arithmetic again; else its
  accesses are walked in blocks.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from .operands import Bools, Dim, Ints, Unfolded
from .streams import Plan, ReadStream, Skewed, Stationary, diagonals_before
from .touched import Rect, Touched, distinct_words, nth_place, nth_shared_place, touch

# Image rows plus columns, summed over the rectangles of a pass, up to which they are kept.
_REMEMBER = 1 << 20


@frozen
class Fetched:
    """What DRAM delivered to one buffer: words, flushes, line of the last flush (-1: none)."""

    words: int
    flushes: int
    last_flush: int


def capacity(buffer_words: int) -> int:
    """Different words after which a buffer forgets all."""
    return 50 * (buffer_words // 100)


def _all_different(stream: ReadStream, plan: Plan, limit: int) -> Fetched:
    """No address twice in a pass and none off the edge."""
    array = plan.array
    first, second = stream.operand.sizes.values()
    whole = first * second
    if whole < limit:
        return Fetched(whole, 0, -1)
    if isinstance(stream, Skewed) and stream.edge == "cols":
        return _repeated_tiles(stream, plan, limit)
    passes = array.col_folds if isinstance(stream, Skewed) else 1
    total = whole * passes
    flushes = total // limit
    index = flushes * limit - 1
    turn, index = divmod(index, whole)
    if isinstance(stream, Skewed):
        tile = index // (stream.length * stream.width)
        fold = turn * array.row_folds + tile
        local = index - tile * stream.length * stream.width
    else:
        col_fold, index = divmod(index, array.row_extent * array.cols)
        row_fold = index // (array.rows * array.used_cols(col_fold))
        fold = col_fold * array.row_folds + row_fold
        local = index - row_fold * array.rows * array.used_cols(col_fold)
    return Fetched(total, flushes, fold * plan.fold_lines + stream.line_of(fold, local))


def _repeated_tiles(stream: Skewed, plan: Plan, limit: int) -> Fetched:
    """A tile stays for all row folds of its column fold."""
    folds = plan.array.row_folds
    held = fetched = flushes = 0
    last = -1
    for tile in range(stream.tiles):
        words = stream.length * stream.tile_width(tile)
        if words >= limit:
            total = words * folds
            here = (held + total) // limit
            if here:
                turn, index = divmod(here * limit - held - 1, words)
                fold = tile * folds + turn
                last = fold * plan.fold_lines + stream.line_of(fold, index)
            flushes += here
            fetched += total
            held = (held + total) % limit
            continue
        if held + words < limit:
            held += words
            fetched += words
            continue
        # The flush comes with the tile's first pass; the words before it come back in the second.
        before = limit - held
        fold = tile * folds
        last = fold * plan.fold_lines + stream.line_of(fold, before - 1)
        flushes += 1
        again = before if folds > 1 else 0
        fetched += words + again
        held = words - before + again
    return Fetched(fetched, flushes, last)


class _Epochs:
    """The walk over an input with shared or missing words."""

    def __init__(self, stream: ReadStream, plan: Plan, limit: int) -> None:
        operand = stream.operand
        assert isinstance(operand, Unfolded)
        self.stream, self.plan, self.limit = stream, plan, limit
        self.layer = operand.layer
        self.held = self.fetched = self.flushes = 0
        self.last_flush = -1
        size = stream.sum_limit if isinstance(stream, Skewed) else operand.space + 1
        self.idle = np.zeros(size, dtype=np.bool_)
        self.idle[operand.space :] = True
        if operand.has_nulls:
            self.idle[: operand.space] = operand.padding()
        # Words of the epoch; sums that ask for nothing count as seen.
        self.seen = self.idle.copy()
        shape = (operand.height, operand.width * self.layer.channels)
        self.image = self.seen[: operand.space].reshape(shape)
        self.order: Ints | None = None
        # A pass meets the same rectangles as the last one; they are kept if they are small.
        self.one_pass = plan.array.row_folds if isinstance(stream, Skewed) else plan.array.folds
        self.known: dict[tuple[int, int], Touched] = {}
        self.remember = self.one_pass * sum(shape) <= _REMEMBER

    def rect(self, fold: int, count: int = 1) -> Rect | None:
        """The rectangle some folds of one pass take together; None if they make none. Places
        (for a single fold) are line * edge length + column, lines from the tile's start."""
        array, stream = self.plan.array, self.stream
        col_fold, row_fold = divmod(fold, array.row_folds)
        last_col, last_row = divmod(fold + count - 1, array.row_folds)
        if isinstance(stream, Skewed):
            width = stream.width
            start, stop = row_fold * width, min((last_row + 1) * width, stream.extent)
            base = -start * (width + 1)
            if stream.time is Dim.M:
                return Rect(0, stream.length, start, stop, base, width, width + 1)
            return Rect(start, stop, 0, stream.length, base, width + 1, width)
        left, right = col_fold * array.cols, min((last_col + 1) * array.cols, array.col_extent)
        top, bottom = row_fold * array.rows, min((last_row + 1) * array.rows, array.row_extent)
        if last_col != col_fold and (row_fold or last_row != array.row_folds - 1):
            return None
        base = (array.rows - 1 + top) * array.cols - left
        return Rect(left, right, top, bottom, base, 1, -array.cols)

    def touched(self, fold: int, count: int = 1) -> Touched:
        """What some folds together touch."""
        key = fold % self.one_pass, count
        found = self.known.get(key)
        if found is None:
            rect = self.rect(fold, count)
            assert rect is not None
            found = touch(self.layer, rect)
            if self.remember:
                self.known[key] = found
        return found

    def run(self) -> Fetched:
        """Take all folds in order."""
        array = self.plan.array
        one_pass = self.one_pass
        area = max(1, sum(box.size for box in self.touched(0).boxes))
        group = max(1, self.limit // (2 * area))
        if isinstance(self.stream, Stationary) and group >= array.row_folds:
            group -= group % array.row_folds
        fold = 0
        while fold < array.folds:
            done = fold % one_pass
            count = min(group, one_pass - done)
            if isinstance(self.stream, Stationary):
                inner = fold % array.row_folds
                if inner or group < array.row_folds:
                    count = min(count, array.row_folds - inner)
            self.take(fold, count)
            fold += count
        return Fetched(self.fetched, self.flushes, self.last_flush)

    def take(self, fold: int, count: int) -> None:
        """Take some folds at once; cut them in two if the epoch ends among them."""
        touched = self.touched(fold, count)
        fresh = self.mark(touched)
        new = sum(int(np.count_nonzero(part)) for part in fresh)
        if self.held + new < self.limit:
            self.held += new
            self.fetched += new
            return
        if count > 1:
            for box, part in zip(touched.boxes, fresh, strict=True):
                box.write(self.image, box.read(self.image) & ~part)
            row_folds = self.plan.array.row_folds
            half = count // 2
            if isinstance(self.stream, Stationary) and count > row_folds:
                half = max(1, count // row_folds // 2) * row_folds
            self.take(fold, half)
            self.take(fold + half, count - half)
            return
        wanted = self.limit - self.held - 1
        if touched.apart:
            place = nth_place(touched, fresh, wanted)
        else:
            place = nth_shared_place(touched, fresh, wanted, self.image.shape)
        self.flush(fold, place)
        self.after(fold, touched, place)

    def mark(self, touched: Touched) -> list[Bools]:
        """Add a rectangle's words to the epoch; returns which of each box were new."""
        fresh = []
        for box in touched.boxes:
            fresh.append(~box.read(self.image))
            box.write(self.image, True)
        return fresh

    def flush(self, fold: int, place: int) -> None:
        """The word at a place of a fold fills the buffer."""
        self.fetched += self.limit - self.held
        self.held = 0
        self.flushes += 1
        lead = self.stream.lead if isinstance(self.stream, Skewed) else 0
        line = lead + place // self.stream.width
        self.last_flush = fold * self.plan.fold_lines + line
        np.copyto(self.seen, self.idle)

    def after(self, fold: int, touched: Touched, place: int) -> None:
        """Take the rest of a fold after a flush."""
        words = touched.rect.words
        if touched.all_differ:
            place = self.skip_epochs(fold, words, place)
        while True:
            parts = [box.touched_after(place) for box in touched.boxes]
            new = 0
            for box, part in zip(touched.boxes, parts, strict=True):
                if not touched.apart:
                    old = box.read(self.image)
                    new += int(np.count_nonzero(part & ~old))
                    box.write(self.image, old | part)
                else:
                    new += int(np.count_nonzero(part))
            if new < self.limit:
                if touched.apart:
                    for box, part in zip(touched.boxes, parts, strict=True):
                        box.write(self.image, part)
                self.held = new
                self.fetched += new
                return
            if not touched.apart or words > 4 * self.limit:
                np.copyto(self.seen, self.idle)
                self.walk(fold, place + 1)
                return
            place = nth_place(touched, parts, self.limit - 1, place)
            self.flush(fold, place)

    def skip_epochs(self, fold: int, words: int, place: int) -> int:
        """In a fold whose words all differ: go to the last flush after one at a place."""
        index = self.index_of(fold, place)
        more = (words - index - 1) // self.limit
        if not more:
            return place
        self.fetched += (more - 1) * self.limit
        self.flushes += more - 1
        place = self.place_of(fold, index + more * self.limit)
        self.flush(fold, place)
        return place

    def index_of(self, fold: int, place: int) -> int:
        """How many words of a fold (none off the edge) come before a place."""
        stream = self.stream
        line, column = divmod(place, stream.width)
        if isinstance(stream, Skewed):
            used = stream.tile_width(stream.tile_of(fold))
            before = diagonals_before(line, stream.length, used)
            return before + column - max(0, line - stream.length + 1)
        first = stream.line_of(fold, 0)
        cols = stream.array.used_cols(fold // stream.array.row_folds)
        return (line - first) * cols + column

    def place_of(self, fold: int, index: int) -> int:
        """The place of the index-th word of a fold."""
        stream = self.stream
        line = stream.line_of(fold, index)
        if isinstance(stream, Skewed):
            line -= stream.lead
            used = stream.tile_width(stream.tile_of(fold))
            before = diagonals_before(line, stream.length, used)
            column = index - before + max(0, line - stream.length + 1)
            return line * stream.width + column
        cols = stream.array.used_cols(fold // stream.array.row_folds)
        return line * stream.width + (index - (line - stream.line_of(fold, 0)) * cols)

    def walk(self, fold: int, place: int) -> None:
        """Go through a fold's accesses from a place on, the epoch just begun."""
        stream = self.stream
        width = stream.width
        lead = stream.lead if isinstance(stream, Skewed) else 0
        end = stream.last_line(fold) - lead + 1
        line, column = divmod(place, width)
        order = self.order
        if order is None:
            order = self.order = np.zeros(len(self.seen), dtype=np.int64)
        step = max(1, min(self.limit, 1 << 16) // width)
        while line < end:
            upto = min(end, line + step)
            sums = stream.fold_sums(fold, line + lead, upto + lead).reshape(-1)[column:]
            count = np.arange(len(sums))
            order[sums[::-1]] = count[::-1]
            new = np.cumsum((order[sums] == count) & ~self.seen[sums])
            total = int(new[-1]) if len(new) else 0
            if self.held + total < self.limit:
                self.held += total
                self.fetched += total
                self.seen[sums] = True
                line, column = upto, 0
                continue
            at = int(np.searchsorted(new, self.limit - self.held))
            place = line * width + column + at
            self.flush(fold, place)
            line, column = divmod(place + 1, width)


def count_fetches(stream: ReadStream, plan: Plan, buffer_words: int) -> Fetched:
    """What a read buffer of a size fetches in CALC mode."""
    limit = capacity(buffer_words)
    operand = stream.operand
    if operand.unique and not operand.has_nulls:
        return _all_different(stream, plan, limit)
    assert isinstance(operand, Unfolded)
    different = distinct_words(operand.layer)
    if different < limit:
        return Fetched(different, 0, -1)
    return _Epochs(stream, plan, limit).run()
