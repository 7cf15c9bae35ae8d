"""Giving cycles to events: stalls of a layer from its misses and its write buffer.

Line i is presented at cycle i + S, S the stalls so far. S changes only in lines in which a read
buffer moves on or the write buffer is full; between them time is arithmetic. In such a line all
three buffers are asked at the same cycle and the longest wait counts. The rules of the versions
differ in three places, all in this file:

* A move that ends at cycle e while its line is at cycle c + offset waits e - (c + offset).
  2.0 adds that to the offset even when it is negative; 3.0 adds it, and once more if positive;
  "fixed" (the repaired 2.0 of SCALE-Sim's repository) adds it only if positive.
* 2.0 takes one cycle off the write buffer's wait.
* 2.0 reports the last DRAM write's cycle as the stop, 3.0 and "fixed" the latest.
"""

from __future__ import annotations

import bisect

from attrs import define, field, frozen

from .config import Compat
from .streams import Plan
from .window import Fetch, Misses
from .writebuffer import WriteBuffer


@define
class ReadTimes:
    """The DRAM side of one read buffer in USER mode."""

    fetch: Fetch
    compat: Compat
    first_lines: int
    extra_lines: dict[int, int] = field(factory=dict)
    strict_waits: bool = False
    moves: int = 0
    last_cycle: int = -1

    def serve(self, cycle: int, moves: int, penalty: int = 0) -> int:
        """The wait of a line in which the buffer moves on `moves` times."""
        offset = 1
        lines = self.fetch.refill_lines + 1
        self.moves += moves
        if self.compat is Compat.V2 and not self.strict_waits:
            if moves:
                self.last_cycle += lines * moves
                offset = self.last_cycle - cycle
        else:
            double = self.compat is Compat.V3 and not self.strict_waits
            for _ in range(moves):
                self.last_cycle += lines
                wait = self.last_cycle - (cycle + offset)
                if double:
                    offset += wait
                if wait > 0:
                    offset += wait
        return offset - 1 + penalty

    @property
    def reads(self) -> int:
        """Words read from DRAM, whole lines and nulls included."""
        lines = self.first_lines + self.moves * self.fetch.refill_lines
        return lines * self.fetch.bandwidth


@frozen
class Waits:
    """What one line's three buffers waited."""

    ifmap: int
    filter: int
    ofmap: int


@define
class Timeline:
    """Cycles of all lines: stalls before a line, and the waits of the lines that had some."""

    lines: list[int] = field(factory=list)
    after: list[int] = field(factory=list)
    waits: dict[int, Waits] = field(factory=dict)
    last_ofmap_cycle: int = 0

    @property
    def stalls(self) -> int:
        """Stalls after the last line."""
        return self.after[-1] if self.after else 0

    def stalls_before(self, line: int) -> int:
        """Stalls when a line is presented."""
        at = bisect.bisect_left(self.lines, line)
        return self.after[at - 1] if at else 0

    def cycle(self, line: int) -> int:
        """The cycle at which a line is presented."""
        return line + self.stalls_before(line)

    def wait(self, line: int) -> Waits:
        """What a line waited."""
        return self.waits.get(line, Waits(0, 0, 0))


def replay(
    plan: Plan,
    misses: tuple[Misses, Misses],
    reads: tuple[ReadTimes, ReadTimes],
    writer: WriteBuffer,
    compat: Compat,
    penalties: tuple[dict[int, int], dict[int, int]] = ({}, {}),
) -> Timeline:
    """Run the layer from event to event. `penalties` are extra waits of lines (bank conflicts)."""
    time = Timeline()
    total = plan.lines
    early = 1 if compat is Compat.V2 else 0
    moves = tuple(dict(zip(miss.lines, miss.moves, strict=True)) for miss in misses)
    due = sorted(set().union(*moves, *penalties))
    stalls = 0

    def record(line: int, waits: Waits) -> None:
        nonlocal stalls
        stalls += max(waits.ifmap, waits.filter, waits.ofmap - early)
        time.lines.append(line)
        time.after.append(stalls)
        time.waits[line] = waits

    at = 0
    while True:
        stop = due[at] if at < len(due) else total
        full = writer.advance(stop, stalls)
        if full is not None:
            record(full[0], Waits(0, 0, full[1]))
            continue
        if at == len(due):
            break
        at += 1
        waited = [
            side.serve(stop + stalls, moved.get(stop, 0), penalty.get(stop, 0))
            for side, moved, penalty in zip(reads, moves, penalties, strict=True)
        ]
        record(stop, Waits(waited[0], waited[1], writer.line(stop, stalls)))
    last = total - 1
    time.last_ofmap_cycle = time.cycle(last) + time.wait(last).ofmap
    writer.empty(time.last_ofmap_cycle)
    return time


def replay_writes(plan: Plan, writer: WriteBuffer, compat: Compat) -> Timeline:
    """The same with read buffers that never wait (CALC mode)."""
    none = Misses([], [])
    idle = ReadTimes(Fetch(1, 1), compat, 0)
    return replay(plan, (none, none), (idle, idle), writer, compat)
