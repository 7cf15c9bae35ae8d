"""Two systolic arrays that share one DRAM channel.

Each array has its own on-chip buffer of DRAM lines, oldest out first, and runs its own layer. A
line that is not there is fetched over the channel, which both arrays share and which moves one
line at a time; the array waits for it. The arrays are stepped in the order of their cycles, so
that the channel sees requests in time order.

    python examples/systolic/shared_dram.py
"""

from __future__ import annotations

from collections import OrderedDict

from attrs import define, field

from hcc.emulator.systolic import ArrayRun, Config, Layer
from hcc.emulator.systolic.memory import Line, plan_layer

LINE_WORDS = 64


@define
class Channel:
    """A DRAM channel: one line at a time, a latency and a transfer time each."""

    latency: int
    cycles_a_line: int
    free_at: int = 0
    lines: int = 0

    def fetch(self, cycle: int) -> int:
        """Ask for a line at a cycle; returns the cycle at which it is there."""
        self.free_at = max(self.free_at, cycle) + self.cycles_a_line
        self.lines += 1
        return self.free_at + self.latency


@define
class LineBuffer:
    """On-chip lines of one array, fetched on demand; written lines go out over the channel."""

    channel: Channel
    capacity: int
    held: OrderedDict[int, None] = field(factory=OrderedDict)
    written: set[int] = field(factory=set)

    def serve(self, cycle: int, line: Line) -> int:
        """How long a line of the array waits for its words."""
        ready = cycle
        for addresses in (line.ifmap, line.filter):
            for number in {address // LINE_WORDS for address in addresses.tolist() if address >= 0}:
                if number not in self.held:
                    ready = max(ready, self.channel.fetch(cycle))
                    self.held[number] = None
                    if len(self.held) > self.capacity:
                        self.held.popitem(last=False)
        # Results are collected by line; a line goes out when it is left for another.
        lines = {address // LINE_WORDS for address in line.ofmap.tolist() if address >= 0}
        for _ in self.written - lines:
            self.channel.fetch(cycle)
        self.written = lines
        return ready - cycle

    def finish(self, cycle: int) -> int:
        """Write the last results out."""
        for _ in self.written:
            cycle = max(cycle, self.channel.fetch(cycle))
        self.written = set()
        return cycle


LAYERS = (
    Layer("conv", 18, 18, 3, 3, 8, 32, 1, 1),
    Layer("pointwise", 16, 16, 1, 1, 64, 48, 1, 1),
)
CONFIG = Config(rows=16, cols=16, dataflow="ws")


def start(layer: Layer, channel: Channel) -> ArrayRun:
    """An array about to run a layer against a channel."""
    return ArrayRun(plan_layer(CONFIG, layer), LineBuffer(channel, capacity=384))


def run_together(layers: tuple[Layer, ...], channel: Channel) -> list[int]:
    """Run a layer on each array; returns the cycles at which the arrays are done."""
    runs = [start(layer, channel) for layer in layers]
    while any(not run.done for run in runs):
        min((run for run in runs if not run.done), key=lambda run: run.cycle).step()
    return [run.memory.finish(run.cycle) for run in runs]


def main() -> None:
    """Compare each array alone with both on one channel."""
    alone = [run_together((layer,), Channel(40, 8))[0] for layer in LAYERS]
    channel = Channel(40, 8)
    together = run_together(LAYERS, channel)
    for layer, single, shared in zip(LAYERS, alone, together, strict=True):
        print(
            f"{layer.name}: {single} cycles with a channel of its own, {shared} sharing it"
            f" ({shared / single:.2f}x)"
        )
    print(f"the channel moved {channel.lines} lines in {max(together)} cycles")


if __name__ == "__main__":
    main()
