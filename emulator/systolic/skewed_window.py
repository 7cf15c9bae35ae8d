"""The window over an operand that is pumped through the array; see windows.py for the idea."""

from __future__ import annotations

import bisect
from functools import cached_property

import numpy as np
from attrs import define, field

from .operands import Bools, Dim, Ints, Unfolded
from .streams import Skewed, diagonals_before, triangle
from .touched import Rect, Touched, touch
from .window import Window, idle

# Words beyond the window that are looked up one by one before a bitmap of the window is made.
_SINGLES = 12
# Words looked at in one step with the bitmap: from the first to the largest step.
_FIRST_STEP, _LAST_STEP = 1 << 10, 1 << 13
# Tiles whose touched image parts are kept.
_KEPT_TILES = 256


@define(slots=False)
class SkewedWindow(Window):
    """The window over a skewed operand."""

    stream: Skewed = field(kw_only=True)
    rows: int = field(init=False)
    body: int = field(init=False)
    last_width: int = field(init=False)
    steady: range = field(init=False)
    start_gap: int = field(init=False)
    patience: int = field(init=False, default=_SINGLES)
    tiles: dict[int, Touched] = field(init=False, factory=dict)
    scratch: Ints = field(init=False, factory=lambda: np.empty(2 * _LAST_STEP, dtype=np.int64))

    def __attrs_post_init__(self) -> None:
        stream = self.stream
        width = stream.width
        self.rows = stream.length * stream.tiles
        # The stacked rows above the last tile, the only one that may be narrower.
        self.body = self.rows - stream.length
        self.last_width = stream.tile_width(stream.tiles - 1)
        # Keys whose diagonals, and all between them, have a word in every column.
        self.steady = range((width - 1) * width, max(self.body, width - 1) * width)
        self.start_gap = triangle(width - 1)

    def structural_rank(self, key: int) -> int:
        """Words before a key: whole diagonals, then the columns before it in its own."""
        if key in self.steady:
            return key - self.start_gap
        width, length = self.stream.width, self.stream.length
        rows, body, last = self.rows, self.body, self.last_width
        diagonal, column = divmod(key, width)
        before = diagonals_before(diagonal, rows, width)
        if last < width:
            before -= diagonals_before(diagonal - body - last, length, width - last)
        low = max(0, diagonal - rows + 1)
        high = min(column, diagonal + 1)
        if high > low:
            before += high - low
            # Columns the last tile does not have.
            gap = min(high, diagonal - body + 1) - max(last, low)
            if gap > 0:
                before -= gap
        return before

    def key_of(self, rank: int) -> int:
        """The key of the word with a rank; straight where every column has its word."""
        key = least = rank + self.start_gap
        while self.null_keys:
            key = least + bisect.bisect_right(self.null_keys, key)
            if key == least + bisect.bisect_right(self.null_keys, key):
                break
        if key in self.steady:
            return key
        return Window.key_of(self, rank)

    @cached_property
    def idle_sums(self) -> Bools:
        """True for sums that ask for nothing."""
        return idle(self.stream, self.stream.sum_limit)

    def mark(self, bitmap: Bools, low: int, high: int) -> None:
        """Set the bits of all words with keys low..high."""
        stream = self.stream
        width, length = stream.width, stream.length
        first, first_column = divmod(low, width)
        last, last_column = divmod(high, width)
        earliest = max(0, (first - width + 2) // length - 1)
        for tile in range(earliest, min(last // length + 1, stream.tiles)):
            base = tile * length
            lines = length + stream.tile_width(tile) - 1
            begin, end = max(first - base, 0), min(last + 1 - base, lines)
            if first < base and last >= base + lines and self.whole_tile(bitmap, tile):
                continue
            for at in range(begin, end, _LAST_STEP // width + 1):
                upto = min(end, at + _LAST_STEP // width + 1)
                block = self.sums(tile, at, upto)
                if at + base == first and first_column:
                    bitmap[block[0, first_column:]] = True
                    block = block[1:]
                if upto + base == last + 1 and len(block):
                    bitmap[block[-1, :last_column]] = True
                    block = block[:-1]
                bitmap[block] = True

    def sums(self, tile: int, start: int, stop: int) -> Ints:
        """Stream.tile_sums, in memory that the next call uses again."""
        stream = self.stream
        shape = (stop - start, stream.tile_width(tile))
        size = shape[0] * shape[1]
        if len(self.scratch) < size:
            self.scratch = np.empty(size, dtype=np.int64)
        return stream.tile_sums(tile, start, stop, self.scratch[:size].reshape(shape))

    def whole_tile(self, bitmap: Bools, tile: int) -> bool:
        """Set the bits of a tile by image rows and columns; False if the operand is no image."""
        stream = self.stream
        operand = stream.operand
        if not isinstance(operand, Unfolded):
            return False
        found = self.tiles.get(tile)
        if found is None:
            start = tile * stream.width
            stop = start + stream.tile_width(tile)
            if stream.time is Dim.M:
                rect = Rect(0, stream.length, start, stop)
            else:
                rect = Rect(start, stop, 0, stream.length)
            found = self.tiles[tile] = touch(operand.layer, rect)
            if len(self.tiles) > _KEPT_TILES:
                self.tiles.clear()
        image = bitmap[: operand.space].reshape(operand.height, -1)
        for box in found.boxes:
            box.write(image, True)
        return True

    def sharers(self, tile: int, line: int, column: int) -> list[int]:
        """The keys of all words with the address of one, itself included."""
        stream = self.stream
        width, length = stream.width, stream.length
        time, space = line - column, tile * width + column
        operand = stream.operand
        assert isinstance(operand, Unfolded)
        keys = []
        if stream.time is Dim.M:
            for row, edge in operand.sharers(time, space):
                at, cell = divmod(edge, width)
                keys.append((at * length + row + cell) * width + cell)
        else:
            for edge, row in operand.sharers(space, time):
                at, cell = divmod(edge, width)
                keys.append((at * length + row + cell) * width + cell)
        return keys

    def scan(self, tile: int, line: int, column: int) -> tuple[int, int] | None:
        """The first miss of a tile from a place on, found with the bitmap."""
        bitmap = self.bitmap()
        stream = self.stream
        used = stream.tile_width(tile)
        lines = stream.length + used - 1
        row = bitmap[self.sums(tile, line, line + 1)[0, column:]]
        if not row.all():
            return line, column + int(row.argmin())
        line += 1
        step = _FIRST_STEP
        while line < lines:
            upto = min(lines, line + step // used + 1)
            hits = bitmap[self.sums(tile, line, upto)].reshape(-1)
            at = int(hits.argmin())
            if not hits[at]:
                return line + at // used, at % used
            line = upto
            step = min(2 * step, _LAST_STEP)
        return None

    def fold(self, tile: int) -> tuple[list[int], list[int]]:
        """The misses of one fold that pumps a tile, in lines of the tile; moves the window."""
        stream = self.stream
        width, length = stream.width, stream.length
        used = stream.tile_width(tile)
        lines = length + used - 1
        base = tile * length
        shared = not stream.operand.unique
        nulls = self.null_keys
        found: list[int] = []
        moves: list[int] = []
        line = column = 0
        singles = 0
        while True:
            column = max(column, line - length + 1)
            if column >= min(used, line + 1):
                line += 1
                column = max(0, line - length + 1)
            if line >= lines:
                return found, moves
            key = (base + line) * width + column
            if self.shows(key):
                if self.wraps and key >= self.low:
                    return found, moves
                line, column = divmod(self.high, width)
                line -= base
                continue
            if nulls:
                at = bisect.bisect_left(nulls, key)
                if at < len(nulls) and nulls[at] == key:
                    column += 1
                    continue
            keys = [key]
            if shared:
                if singles >= self.patience:
                    miss = self.scan(tile, line, column)
                    far = miss is None or miss > (line + 1, column)
                    self.patience = 1 if far else _SINGLES
                    if miss is None:
                        return found, moves
                    line, column = miss
                    keys = self.sharers(tile, line, column)
                else:
                    singles += 1
                    keys = self.sharers(tile, line, column)
                    if any(self.shows(other) for other in keys):
                        column += 1
                        continue
            count = self.seek(keys)
            if found and found[-1] == line:
                moves[-1] += count
            else:
                found.append(line)
                moves.append(count)
            singles = 0
            column += 1
