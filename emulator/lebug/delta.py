"""The delta compressor of LeBug's fork: rows as small differences, several to a trace word.

With W-bit lanes and S slots a delta has p = W/S bits: previous row minus current row, lane by
lane, from -(2^(p-1) - 1) to 2^(p-1) - 1; the remaining pattern -2^(p-1) marks an unused slot.
The first row only fills the last-row register. A row whose deltas all fit goes to the next slot
of the row being built (oldest in the most significant bits), which is rewritten in place; one
that does not makes the *previous* row be written out at full width, flagged, and the slots
start anew. The decoder walks back from the write pointer, starting at the last-row register and
adding deltas; a full row replaces the value. What it recovers is the newest contiguous run.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

from hcc.isa.errors import HccError

Row = list[int]


@frozen
class DeltaFormat:
    """The parameters of a compressor; raises HccError for slots that do not divide the width."""

    n: int
    size: int
    width: int
    slots: int

    def __attrs_post_init__(self) -> None:
        if self.n < 1 or self.size < 1 or not 1 <= self.width <= 64 or self.slots < 1:
            raise HccError("delta compression needs N, TB_SIZE, DATA_WIDTH (to 64) and slots")
        if self.width % self.slots:
            raise HccError(f"DATA_WIDTH {self.width} is not divisible by DELTA_SLOTS {self.slots}")

    @property
    def precision(self) -> int:
        return self.width // self.slots

    @property
    def limit(self) -> int:
        """The largest delta; the smallest is its negative."""
        return (1 << self.precision - 1) - 1

    @property
    def unused(self) -> int:
        """The slot pattern that means no delta."""
        return 1 << self.precision - 1

    @property
    def empty(self) -> int:
        """A lane of a row with no slot used."""
        return sum(self.unused << i * self.precision for i in range(self.slots))


@define
class DeltaTrace:
    """A trace memory behind a compressor. Words are unsigned W-bit numbers."""

    format: DeltaFormat
    words: list[Row] = field(init=False)
    flags: list[int] = field(init=False)
    pointer: int = field(init=False)
    last: Row = field(init=False)
    slot: int = 0
    started: bool = False
    rows_in: int = 0

    def __attrs_post_init__(self) -> None:
        self.words = [[self.format.empty] * self.format.n for _ in range(self.format.size)]
        self.flags = [0] * self.format.size
        self.pointer = self.format.size - 1
        self.last = [0] * self.format.n

    def write(self, row: Sequence[int]) -> None:
        """Take one row of signed W-bit numbers; HccError if one does not fit."""
        form = self.format
        bound = 1 << form.width - 1
        current = list(row)
        if len(current) != form.n:
            raise HccError(f"a row of {len(current)} values, the compressor has {form.n} lanes")
        for lane, value in enumerate(current):
            if not -bound <= value < bound:
                raise HccError(
                    f"row {self.rows_in}[{lane}]: {value:g} does not fit {form.width} bits"
                )
        self.rows_in += 1
        previous, self.last = self.last, current
        if not self.started:
            self.started = True
            return
        deltas = [before - now for before, now in zip(previous, current, strict=True)]
        if any(abs(delta) > form.limit for delta in deltas):
            self._advance()
            mask = (1 << form.width) - 1
            self.words[self.pointer] = [value & mask for value in previous]
            self.flags[self.pointer] = 1
            self.slot = 0
            return
        if self.slot == 0:
            self._advance()
            self.words[self.pointer] = [form.empty] * form.n
            self.flags[self.pointer] = 0
        shift = (form.slots - 1 - self.slot) * form.precision
        field_mask = (1 << form.precision) - 1
        word = self.words[self.pointer]
        for lane, delta in enumerate(deltas):
            word[lane] = word[lane] & ~(field_mask << shift) | (delta & field_mask) << shift
        self.slot = (self.slot + 1) % form.slots

    def _advance(self) -> None:
        self.pointer = (self.pointer + 1) % self.format.size

    def decompress(self) -> list[Row]:
        """The rows that can be recovered, oldest first; the last-row register is the newest."""
        form = self.format
        field_mask = (1 << form.precision) - 1
        value = list(self.last)
        found = [value]
        for back in range(form.size):
            at = (self.pointer - back) % form.size
            word = self.words[at]
            if self.flags[at]:
                value = [_signed(item, form.width) for item in word]
                found.append(value)
                continue
            for slot in range(form.slots):
                fields = [item >> slot * form.precision & field_mask for item in word]
                if form.unused in fields:
                    continue
                value = [
                    item + _signed(delta, form.precision)
                    for item, delta in zip(value, fields, strict=True)
                ]
                found.append(value)
        found.reverse()
        return found

    @property
    def rows_used(self) -> int:
        """Trace rows that hold something."""
        empty = [self.format.empty] * self.format.n
        return sum(
            1 for word, flag in zip(self.words, self.flags, strict=True) if flag or word != empty
        )

    def ratio(self) -> float:
        """Rows recovered per row of memory, counting flags and the last-row register."""
        form = self.format
        cost = self.rows_used * (1 + 1 / (form.n * form.width)) + 1
        return len(self.decompress()) / cost

    def memory(self) -> NDArray[np.uint64]:
        return np.array(self.words, dtype=np.uint64)


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> bits - 1 & 1 else value
