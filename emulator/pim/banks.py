"""The storage of several pseudo-channels: rows that exist once they are written.

All channels of one `Banks` take the same commands at the same addresses, with data of their own,
so that one command is one operation on an array over channels and banks. Contents are bit
patterns of binary16; a row never written reads as zeros.
"""

from __future__ import annotations

import numpy as np
from attrs import define, field
from numpy.typing import NDArray

from hcc.isa.pim import LANES

Bits = NDArray[np.uint16]


@define(eq=False)
class Banks:
    """`channels` x `banks` banks of rows of `bursts` bursts."""

    channels: int
    banks: int = 16
    bursts: int = 32
    _rows: dict[int, Bits] = field(factory=dict, repr=False)

    def row(self, row: int) -> Bits:
        """The row in every channel and bank, for writing: [channel, bank, burst, lane]."""
        found = self._rows.get(row)
        if found is None:
            shape = (self.channels, self.banks, self.bursts, LANES)
            found = self._rows[row] = np.zeros(shape, dtype=np.uint16)
        return found

    def read(self, row: int, banks: slice | int, column: slice | int) -> Bits:
        """A part of a row, in every channel."""
        found = self._rows.get(row)
        if found is None:
            blank = np.zeros((1, self.banks, self.bursts, LANES), dtype=np.uint16)
            found = np.broadcast_to(blank, (self.channels, *blank.shape[1:]))
        return found[:, banks, column]

    def write(self, row: int, banks: slice | int, column: slice | int, data: Bits) -> None:
        """Store to a part of a row; `data` broadcasts over channels and banks."""
        self.row(row)[:, banks, column] = data

    @property
    def written_rows(self) -> list[int]:
        return sorted(self._rows)
