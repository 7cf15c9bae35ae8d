"""The ofmap write buffer: when it drains to DRAM, and when it makes the array wait.

Words are packed into DRAM lines of the bandwidth's width in the order they leave the array. When
more than half a buffer is held and no drain is running, the partial line is closed as a *short*
line and half a buffer's lines are drained, one a cycle. A word that fills the buffer while a
drain runs waits for the drain's end. SCALE-Sim frees and counts whole lines for a drain and
corrects only for the last line's missing words; short lines in the middle count full.

Between two such events nothing happens but counting, and how many words were written before a
line is a sum of trapezoids (streams.Drained). So the buffer jumps from event to event.
"""

from __future__ import annotations

from attrs import define, field, frozen

from .streams import Plan


@frozen
class Drain:
    """DRAM lines first..first + count - 1 written in cycles cycle..cycle + count - 1."""

    first: int
    count: int
    cycle: int


@define
class WriteBuffer:
    """State between events: words stored, free space as SCALE-Sim counts it, the drain's end."""

    plan: Plan
    words: int
    bandwidth: int
    stored: int = 0
    free: int = field(init=False)
    drain_end: int = 0
    writes: int = 0
    drains: list[Drain] = field(factory=list)
    short_lines: dict[int, int] = field(factory=dict)
    _lines: int = 0
    _drained: int = 0
    _flushed: int = 0

    def __attrs_post_init__(self) -> None:
        self.free = self.words

    @property
    def drain_words(self) -> int:
        """What a drain is meant to empty: the smaller half of the buffer."""
        return self.words - -(-self.words // 2)

    def _before(self, line: int) -> int:
        return self.plan.ofmap.words_before(line, self.plan.fold_lines)

    def _take(self, upto: int) -> None:
        self.free -= upto - self.stored
        self.stored = upto

    def _drain(self, cycle: int) -> None:
        """Close the partial line and start a drain."""
        full, part = divmod(self.stored - self._flushed, self.bandwidth)
        self._lines += full
        if part:
            self.short_lines[self._lines] = self.bandwidth - part
            self._lines += 1
        self._flushed = self.stored
        self._drain_lines(cycle)

    def _drain_lines(self, cycle: int) -> None:
        count = min(-(-self.drain_words // self.bandwidth), self._lines - self._drained)
        last = self._drained + count - 1
        amount = count * self.bandwidth - self.short_lines.get(last, 0)
        self.drains.append(Drain(self._drained, count, cycle))
        self._drained += count
        self.writes += amount
        self.free += amount
        self.drain_end = cycle + count - 1

    def _trigger(self) -> int:
        """The word after which a drain starts, if none is running."""
        return max(self.stored, self.stored + self.free - (self.words - self.drain_words))

    def _rest_of_line(self, end: int, cycle: int) -> int:
        """Store words up to `end`, all in one line; returns the cycle the line is done."""
        while self.stored < end:
            if cycle < self.drain_end:
                full = self.stored + max(self.free, 1) - 1
                if full >= end:
                    self._take(end)
                    break
                self._take(full + 1)
                cycle = self.drain_end
            else:
                trigger = self._trigger()
                if trigger >= end:
                    self._take(end)
                    break
                self._take(trigger + 1)
                self._drain(cycle)
        return cycle

    def line(self, line: int, stalls: int) -> int:
        """Store one line's words; the line is presented at cycle line + stalls. Returns how
        long it has to wait."""
        cycle = line + stalls
        return self._rest_of_line(self._before(line + 1), cycle) - cycle

    def advance(self, stop: int, stalls: int) -> tuple[int, int] | None:
        """Store the words of lines up to `stop`, or up to the first line that has to wait:
        then returns that line and its wait."""
        fold_lines = self.plan.fold_lines
        ofmap = self.plan.ofmap
        end = self._before(stop)
        while self.stored < end:
            free_line = self.drain_end - stalls
            running = self._before(min(free_line, stop)) if free_line > 0 else 0
            full = self.stored + max(self.free, 1) - 1
            if full < running:
                line = ofmap.line_of_word(full, fold_lines)
                cycle = line + stalls
                self._take(full + 1)
                done = self._rest_of_line(self._before(line + 1), self.drain_end)
                return line, done - cycle
            trigger = max(self._trigger(), running)
            if trigger >= end:
                self._take(end)
                break
            self._take(trigger + 1)
            self._drain(ofmap.line_of_word(trigger, fold_lines) + stalls)
        return None

    def empty(self, cycle: int) -> None:
        """Drain all that is left, chunk after chunk, from a cycle on."""
        full, part = divmod(self.stored - self._flushed, self.bandwidth)
        self._lines += full
        if part:
            self.short_lines[self._lines] = self.bandwidth - part
            self._lines += 1
        self._flushed = self.stored
        while self._drained < self._lines:
            self._drain_lines(cycle)
            cycle = self.drain_end + 1
