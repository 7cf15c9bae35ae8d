"""A small network with an instrumentation unit on every layer.

Three layers of 32 neurons see six images. Each layer's output goes, eight values at a time, to
a unit running the firmware in layers.py, which records for every image the histogram of the
activations, how many are positive, and how much their sum changed since the image before. What
the units recorded is printed, and compared with numpy.

Run it with the folder of firmware and configuration as its place: python network.py [PLOT.png]
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hcc.compiler.firmware import compile_file
from hcc.compiler.firmware.config import read_config
from hcc.emulator.lebug import InstrumentationUnit
from hcc.emulator.lebug.plot import plot_trace

HERE = Path(__file__).parent
NEURONS, LAYERS, IMAGES = 32, 3, 6

Array = NDArray[np.float64]


def activations() -> list[Array]:
    """Per layer, what it puts out for each image."""
    random = np.random.default_rng(7)
    x = random.normal(size=(IMAGES, NEURONS))
    outputs = []
    for _ in range(LAYERS):
        weights = random.normal(size=(NEURONS, NEURONS)) / np.sqrt(NEURONS)
        x = np.maximum(x @ weights - 0.1, 0.0)
        outputs.append(x)
    return outputs


def by_numpy(output: Array, edges: tuple[float, ...]) -> Array:
    """Per image: eight bins, positives, change of the sum."""
    ranges = list(itertools.pairwise(edges[:9]))
    sums = output.sum(axis=1)
    bins = [[np.sum((x > low) & (x <= high)) for low, high in ranges] for x in output]
    change = np.diff(sums, prepend=0.0)
    return np.column_stack([np.array(bins), (output > 0).sum(axis=1), change])


def main() -> None:
    configuration = read_config(HERE / "layers.yaml")
    firmware = compile_file(
        HERE / "layers.py", configuration.machine, edges=configuration.edges
    ).firmware
    n = configuration.machine.n
    units = [InstrumentationUnit(firmware) for _ in range(LAYERS)]
    outputs = activations()
    for image in range(IMAGES):
        for unit, output in zip(units, outputs, strict=True):
            unit.tap(output[image], flags=1)  # 4 vectors of 8, end of frame on the last
    for layer, (unit, output) in enumerate(zip(units, outputs, strict=True), 1):
        records = unit.trace().lanes.reshape(IMAGES, 2 * n)
        print(f"layer {layer}: histogram of 8 bins, positive, change of the sum")
        for image, record in enumerate(records):
            bins = " ".join(f"{int(count):2d}" for count in record[:8])
            print(f"  image {image}: [{bins}] {int(record[8]):3d} {record[12]:8.3f}")
        assert configuration.edges is not None
        recorded = records[:, [*range(8), 8, 12]]
        np.testing.assert_allclose(recorded, by_numpy(output, configuration.edges), atol=1e-9)
    print("as numpy has it")
    if len(sys.argv) > 1:
        picture = plot_trace(units[0].trace(), firmware, sys.argv[1])
        Path(sys.argv[1]).write_bytes(picture)


if __name__ == "__main__":
    main()
