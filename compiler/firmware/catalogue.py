"""What the library holds, for people: each firmware's name, purpose, origin and needs.

The purpose is the first line of the firmware's docstring; the rest is what a command line has
to know to run one without asking: which filter edges it expects and which block order.
"""

from __future__ import annotations

from enum import Enum

from attrs import evolve, frozen

from hcc.isa.errors import HccError
from hcc.isa.lebug.machine import Block, Machine

from . import library


class Edges(Enum):
    """A filter memory a firmware expects."""

    NONE = "none"
    LINEAR = "0, 1, 2, …"
    POSITIVE = "0, +inf, then strictly decreasing"
    COVERING = "-inf, then +inf"


class Origin(Enum):
    LEBUG = "LeBug"
    FORK = "LeBug fork"
    HCC = "hcc"


@frozen
class Entry:
    name: str
    origin: Origin
    chains: str
    edges: Edges = Edges.NONE
    reduce_first: bool = False

    @property
    def description(self) -> str:
        return (getattr(library, self.name).__doc__ or "").strip()

    @property
    def purpose(self) -> str:
        """The first sentence of the description."""
        first = " ".join(self.description.split("\n\n")[0].split())
        return first.rstrip(".")


CATALOGUE: tuple[Entry, ...] = (
    Entry("raw", Origin.LEBUG, "1"),
    Entry("passThrough", Origin.LEBUG, "1"),
    Entry("sumAll", Origin.LEBUG, "1"),
    Entry("vvalu_simple", Origin.LEBUG, "1"),
    Entry("fru_simple", Origin.LEBUG, "1", Edges.LINEAR),
    Entry("multipleChains", Origin.LEBUG, "3", Edges.LINEAR),
    Entry("conditions", Origin.LEBUG, "3"),
    Entry("minicache", Origin.LEBUG, "3"),
    Entry("distribution", Origin.LEBUG, "bins/M", Edges.LINEAR),
    Entry("normCheck", Origin.LEBUG, "64/M", Edges.LINEAR),
    Entry("summaryStats", Origin.LEBUG, "2", Edges.POSITIVE),
    Entry("spatialSparsity", Origin.LEBUG, "1", Edges.POSITIVE),
    Entry("vectorChange", Origin.LEBUG, "2"),
    Entry("correlation", Origin.LEBUG, "3"),
    Entry("activationPredictiveness", Origin.LEBUG, "2", reduce_first=True),
    Entry("numSparse", Origin.FORK, "1", Edges.POSITIVE),
    Entry("conditionsFixed", Origin.HCC, "3"),
    Entry("distributionFixed", Origin.HCC, "bins/M", Edges.LINEAR),
    Entry("summaryStatsFixed", Origin.HCC, "2", Edges.POSITIVE),
    Entry("activationPredictivenessFixed", Origin.HCC, "6", Edges.COVERING, reduce_first=True),
    Entry("numSparseFixed", Origin.HCC, "1", Edges.POSITIVE),
)


def find(name: str) -> Entry:
    """The entry of that name; HccError with the known names otherwise."""
    for entry in CATALOGUE:
        if entry.name == name:
            return entry
    known = ", ".join(entry.name for entry in CATALOGUE)
    raise HccError(f"no library firmware '{name[:40]}' (known: {known})")


def default_edges(kind: Edges, machine: Machine) -> tuple[float, ...] | None:
    """The filter memory that a library firmware expects, for this machine."""
    count = machine.edge_count
    match kind:
        case Edges.NONE:
            return None
        case Edges.LINEAR:
            return tuple(float(i) for i in range(count))
        case Edges.POSITIVE:
            falling = (float(count - 3 - i) for i in range(count - 2))
            return (0.0, float("inf"), *falling)[:count]
        case Edges.COVERING:
            return (-float("inf"), *[float("inf")] * (count - 1))


def suited(entry: Entry, machine: Machine) -> Machine:
    """The machine with the block order the firmware needs."""
    if not entry.reduce_first:
        return machine
    blocks = list(machine.blocks)
    if Block.ALU in blocks and Block.SCALAR_REDUCE in blocks:
        alu, reduce = blocks.index(Block.ALU), blocks.index(Block.SCALAR_REDUCE)
        if alu < reduce:
            blocks[alu], blocks[reduce] = blocks[reduce], blocks[alu]
    return evolve(machine, blocks=tuple(blocks))
