"""A small network whose activation and pooling run beside the array.

The array's results go straight into a unit with a few lanes that applies ReLU and 2 x 2 maximum
pooling as they come; it has a queue, and the array waits while the queue is full. The next layer
starts when the unit is done. The same network is also computed: the array multiplies, the unit
activates and pools, and numpy, doing the same, has to agree.

    python examples/systolic/pooling_beside.py
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from attrs import define

from hcc.emulator.systolic import ArrayRun, Config, Layer, multiply
from hcc.emulator.systolic.memory import Line, plan_layer
from hcc.runtime.systolic.compute import by_numpy

Numbers = npt.NDArray[Any]

# 20 x 20 x 3 in; each layer's output is pooled 2 x 2 before the next.
NETWORK = (
    Layer("conv1", 20, 20, 3, 3, 3, 8, 1, 1),
    Layer("conv2", 9, 9, 2, 2, 8, 16, 1, 1),
    Layer("classes", 4, 4, 4, 4, 16, 10, 1, 1),
)
CONFIG = Config(rows=8, cols=8, dataflow="ws")


@define
class VectorUnit:
    """Takes results off the array: `lanes` words a cycle, a queue of `depth` words."""

    lanes: int
    depth: int
    queued: int = 0
    seen: int = 0
    taken: int = 0

    def _work(self, cycle: int) -> None:
        done = min(self.queued, self.lanes * (cycle - self.seen))
        self.queued -= done
        self.taken += done
        self.seen = cycle

    def serve(self, cycle: int, line: Line) -> int:
        """Queue a line's results; the array waits until they fit."""
        self._work(cycle)
        self.queued += int((line.ofmap >= 0).sum())
        over = max(0, self.queued - self.depth)
        return -(-over // self.lanes)

    def finish(self, cycle: int) -> int:
        """The cycle at which the queue is empty."""
        self._work(cycle)
        return cycle + -(-self.queued // self.lanes)


def activate_and_pool(output: Numbers) -> Numbers:
    """ReLU, then the maximum of each 2 x 2 square; an odd edge is dropped."""
    active = np.maximum(output, 0)
    height, width = active.shape[0] // 2 * 2, active.shape[1] // 2 * 2
    if not height or not width:
        return active
    squares = active[:height, :width].reshape(height // 2, 2, width // 2, 2, -1)
    result: Numbers = squares.max(axis=(1, 3))
    return result


def main() -> None:
    """Time the network with the unit beside the array and after it; then compute it."""
    random = np.random.default_rng(7)
    beside = after = 0
    image = reference = random.integers(-8, 8, (20, 20, 3))
    for layer in NETWORK:
        unit = VectorUnit(lanes=2, depth=64)
        run = ArrayRun(plan_layer(CONFIG, layer), unit, start=beside)
        end = run.run()
        results = unit.taken + unit.queued
        alone = run.plan.lines
        print(
            f"{layer.name}: {alone} cycles on the array; with the unit beside it"
            f" {end - beside} ({run.stalls} waiting for its queue),"
            f" after it {alone + -(-results // unit.lanes)}"
        )
        beside, after = end, after + alone + -(-results // unit.lanes)
        filters = random.integers(
            -4, 4, (layer.filters, layer.filter_h, layer.filter_w, layer.channels)
        )
        image = activate_and_pool(multiply(layer, image, filters, CONFIG.rows, CONFIG.cols))
        reference = activate_and_pool(by_numpy(layer, reference, filters))
    print(f"network: {beside} cycles beside, {after} after ({after / beside:.2f}x)")
    agrees = bool(np.array_equal(image, reference))
    print(f"class {int(image.argmax())} wins; {'as' if agrees else 'NOT as'} numpy has it")


if __name__ == "__main__":
    main()
