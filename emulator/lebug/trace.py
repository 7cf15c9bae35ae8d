"""The trace buffer: a circular memory of rows, each with where it came from.

LeBug's memory has no tags: whoever reads it must know how many rows were overwritten and which
vector gave which row. Beside the memory itself (which is as LeBug's, write index included) we
keep for every row the step it was written in, the vector and the chain that completed it, and
the count of all rows ever written, from which the rows lost to wrapping follow.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

Lanes = NDArray[Any]  # float64 values, or int64 words of a quantised unit
Tags = NDArray[np.int64]


@frozen(eq=False)
class StampedRows:
    """Rows with their step, vector and chain (both from 0), in the order they were completed."""

    lanes: Lanes
    steps: Tags
    vectors: Tags
    chains: Tags


@frozen(eq=False)
class Trace:
    """What a trace buffer holds, oldest first. `lanes` are float64 values, `words` the raw lanes
    of a quantised unit, `overwritten` the rows lost before the oldest."""

    lanes: NDArray[np.float64]
    steps: Tags
    vectors: Tags
    chains: Tags
    overwritten: int
    words: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.lanes)


@define
class TraceMemory:
    """TB_SIZE rows of N lanes, zero at first."""

    size: int
    n: int
    dtype: str = "<f8"
    written: int = 0
    lanes: Lanes = field(init=False)
    steps: Tags = field(init=False)
    vectors: Tags = field(init=False)
    chains: Tags = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.lanes = np.zeros((self.size, self.n), dtype=self.dtype)
        self.steps, self.vectors, self.chains = (
            np.zeros(self.size, dtype=np.int64) for _ in range(3)
        )

    def write(self, rows: StampedRows) -> None:
        count = len(rows.lanes)
        kept = min(count, self.size)
        places = (self.written + np.arange(count - kept, count)) % self.size
        for memory, new in (
            (self.lanes, rows.lanes),
            (self.steps, rows.steps),
            (self.vectors, rows.vectors),
            (self.chains, rows.chains),
        ):
            memory[places] = new[count - kept :]
        self.written += count

    @property
    def index(self) -> int:
        """LeBug's next-write counter: TB_SIZE means that the next write wraps to 0 first."""
        return (self.written - 1) % self.size + 1 if self.written else 0

    @property
    def overwritten(self) -> int:
        return max(0, self.written - self.size)

    def order(self) -> Tags:
        """The rows that are in use, oldest first."""
        if self.written <= self.size:
            return np.arange(self.written, dtype=np.int64)
        return (self.written + np.arange(self.size, dtype=np.int64)) % self.size
