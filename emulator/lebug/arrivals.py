"""When vectors start, and which are lost: the input buffer in time.

LeBug's emulator queues everything before it starts, so it never loses anything. A real source
delivers a vector when it has one. The rules of the emulator's buffer still say what happens: a
vector offered before step t is refused if IB_DEPTH + 1 vectors are in the buffer; accepted, it
starts at step t or when the vector before it has run all its C chains; its place is free again
at the step after its last chain. A source that waits (no arrival times) loses nothing and keeps
the unit busy: vector k starts at step k * C.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from attrs import define, field
from numpy.typing import NDArray

from hcc.isa.errors import HccError

Steps = NDArray[np.int64]


@define
class Fifo:
    """The buffer's timing state. `pops` are the steps at which vectors leave it."""

    chains: int
    capacity: int
    next_free: int = 0
    latest: int = 0
    lost: int = 0
    pops: deque[int] = field(factory=deque)

    def wait(self, count: int) -> Steps:
        """Start steps of vectors whose source waits for room."""
        starts = self.next_free + np.arange(count, dtype=np.int64) * self.chains
        self.next_free += count * self.chains
        self._remember(starts + self.chains)
        return starts

    def offer(self, times: Sequence[int] | Steps) -> tuple[NDArray[np.bool_], Steps]:
        """Which of the vectors offered at these steps are taken, and when those start.

        Times must not decrease, from one call to the next either; HccError otherwise.
        """
        given = np.asarray(times, dtype=np.int64)
        if given.size == 0:
            return np.zeros(0, dtype=np.bool_), given
        if given[0] < self.latest or (np.diff(given) < 0).any():
            raise HccError("arrival times must not decrease")
        if given[-1] > 1 << 60:
            raise HccError(f"arrival time {given[-1]} is out of range")
        self.latest = int(given[-1])
        whole = self._without_loss(given)
        if whole is not None:
            return np.ones(len(given), dtype=np.bool_), whole
        return self._one_by_one(given)

    def _without_loss(self, times: Steps) -> Steps | None:
        """The starts if everything fits, else None (and no change)."""
        ramp = np.arange(len(times), dtype=np.int64) * self.chains
        ready = np.maximum(times - ramp, self.next_free)
        starts = np.maximum.accumulate(ready) + ramp
        known = np.fromiter(self.pops, dtype=np.int64, count=len(self.pops))
        missing = np.full(max(0, self.capacity - len(known)), -1, dtype=np.int64)
        pops = np.concatenate([missing, known, starts + self.chains])
        if (pops[len(pops) - len(times) - self.capacity :][: len(times)] >= times).any():
            return None
        self.next_free = int(starts[-1]) + self.chains
        self._remember(starts + self.chains)
        return starts

    def _one_by_one(self, times: Steps) -> tuple[NDArray[np.bool_], Steps]:
        taken = np.zeros(len(times), dtype=np.bool_)
        starts = []
        for index, time in enumerate(times.tolist()):
            if len(self.pops) == self.capacity and self.pops[0] >= time:
                self.lost += 1
                continue
            start = max(time, self.next_free)
            self.next_free = start + self.chains
            self.pops.append(self.next_free)
            if len(self.pops) > self.capacity:
                self.pops.popleft()
            taken[index] = True
            starts.append(start)
        return taken, np.array(starts, dtype=np.int64)

    def _remember(self, pops: Steps) -> None:
        self.pops.extend(int(pop) for pop in pops[-self.capacity :])
        while len(self.pops) > self.capacity:
            self.pops.popleft()
