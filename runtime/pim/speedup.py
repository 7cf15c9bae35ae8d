"""Speed-ups of processing in memory over a host, at the sizes of the PIMSys study.

The host baseline is an ideal one: a processor with unlimited compute that streams every operand
once over the same pseudo-channels, at full bus bandwidth (a burst of 32 bytes every BL/2 cycles
and channel; 1024 GB/s for 64 channels of the vendor's HBM2) and without a row change, turnaround
or refresh. On the other side the memory's cycles are all there: modes, programs, inputs, rows,
refresh; and the host's part, which reads the results or the partial sums at the same bandwidth.
Operands of kernels lie in the memory already, as they do for the host.

A layer of the network is a product and ReLU, which the host applies as it adds the partial sums;
the network's five layers follow each other.
"""

from __future__ import annotations

import io
from pathlib import Path

from attrs import frozen

from hcc.compiler.pim import matvec
from hcc.compiler.pim.elementwise import compile_expression
from hcc.compiler.pim.expressions import Add, Array, Expr, Mul, Scalar
from hcc.emulator.pim.machine import Machine, Schedule
from hcc.emulator.pim.specification import SAMSUNG_HBM2, MemorySpec
from hcc.isa.errors import HccError, UnsupportedError
from hcc.isa.pim import BURST_SIZE, LANES
from hcc.isa.store import write_atomically

CHANNELS = 64
RANKS = 2
LAYERS = 5
_HALF = 2

LEVELS = ("X1", "X2", "X3", "X4")
VECTORS = (2 << 20, 4 << 20, 8 << 20, 16 << 20)
MATRICES = ((1024, 4096), (2048, 4096), (4096, 8192), (4096, 8192))
WIDTHS = (256, 512, 1024, 2048)

_A, _B = Array("a"), Array("b")
_VECTOR_KERNELS: dict[str, Expr] = {
    "VADD": Add(_A, _B),
    "VMUL": Mul(_A, _B),
    "HAXPY": Add(Mul(_A, Scalar("s")), _B),
}


@frozen
class SpeedUp:
    """One workload at one level. Cycles of the host's ideal stream, of the kernels in memory and
    of the host's part after them."""

    workload: str
    level: str
    size: str
    host_cycles: int
    kernel_cycles: int
    reading_cycles: int

    @property
    def pim_cycles(self) -> int:
        return self.kernel_cycles + self.reading_cycles

    @property
    def factor(self) -> float:
        return self.host_cycles / self.pim_cycles


def stream_cycles(size: int, spec: MemorySpec, channels: int = CHANNELS) -> int:
    """Cycles of so many bytes over the buses of all channels at full bandwidth."""
    return -(-size // (BURST_SIZE * channels)) * spec.burst_cycles


def _vectors(name: str, level: int, spec: MemorySpec) -> SpeedUp:
    size = VECTORS[level]
    plan = compile_expression(_VECTOR_KERNELS[name], size, CHANNELS, name=name)
    timing, _ = Machine(CHANNELS, Schedule.HCC, spec, RANKS).time(plan.accesses)
    # The result stays in the memory, in both cases.
    return SpeedUp(
        name, LEVELS[level], f"{size >> 20}M", stream_cycles(3 * _HALF * size, spec),
        timing.cycles, 0,
    )  # fmt: skip


def _product(outputs: int, inputs: int, spec: MemorySpec) -> tuple[int, int, int]:
    """Host, kernel and reading cycles of one product."""
    split = matvec.choose(outputs, inputs, CHANNELS)
    plan = matvec.plan(split, outputs, inputs)
    timing, _ = Machine(CHANNELS, Schedule.HCC, spec, RANKS).time(plan.accesses)
    lanes = LANES if split.way == "dot" else 1
    partial = _HALF * outputs * split.slices * lanes
    return (
        stream_cycles(_HALF * (outputs * inputs + outputs + inputs), spec),
        timing.cycles,
        stream_cycles(partial, spec),
    )


def measure(spec: MemorySpec = SAMSUNG_HBM2) -> list[SpeedUp]:
    """All workloads at all levels."""
    found = []
    for level, label in enumerate(LEVELS):
        found += [_vectors(name, level, spec) for name in _VECTOR_KERNELS]
        outputs, inputs = MATRICES[level]
        cycles = _product(outputs, inputs, spec)
        found.append(SpeedUp("GEMV", label, f"{outputs}x{inputs}", *cycles))
        width = WIDTHS[level]
        host, kernel, reading = _product(width, width, spec)
        size = f"{LAYERS} x {width}x{width}"
        found.append(SpeedUp("DNN", label, size, LAYERS * host, LAYERS * kernel, LAYERS * reading))
    return found


def draw(found: list[SpeedUp], path: str) -> None:
    """The speed-ups as a bar chart, in the format of the file's name."""
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise UnsupportedError("plots need matplotlib: pip install 'hcc[plot]'") from error
    mpl.rcParams["svg.hashsalt"] = "hcc"  # the same figures give the same bytes
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.add_subplot()
    workloads = list(dict.fromkeys(item.workload for item in found))
    width = 0.8 / len(LEVELS)
    for number, level in enumerate(LEVELS):
        bars = [item.factor for item in found if item.level == level]
        places = [at + (number - 1.5) * width for at in range(len(workloads))]
        axes.bar(places, bars, width, label=level)
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_xticks(range(len(workloads)), workloads)
    axes.set_ylabel("speed-up over an ideal stream")
    axes.legend()
    kind = Path(path).suffix[1:]
    if kind not in ("svg", "png", "pdf"):
        raise HccError(f"{path}: plots are written as .svg, .png or .pdf")
    content = io.BytesIO()
    figure.savefig(content, format=kind, metadata={"Date": None} if kind == "svg" else None)
    write_atomically(Path(path), content.getvalue())
