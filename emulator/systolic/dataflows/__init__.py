"""The dataflows, one a file. A new one is a class with a name and a `plan`; pass it anywhere a
dataflow is taken. Read output_stationary.py first."""

from __future__ import annotations

from typing import Protocol

from ..streams import Plan
from ..topology import Layer
from .input_stationary import InputStationary
from .output_stationary import OutputStationary
from .weight_stationary import WeightStationary

__all__ = ["DATAFLOWS", "Dataflow", "InputStationary", "OutputStationary", "WeightStationary"]


class Dataflow(Protocol):
    """How a layer is laid onto an array."""

    @property
    def name(self) -> str:
        """Short name, as in a configuration file."""
        ...

    def plan(self, layer: Layer, rows: int, cols: int, offsets: tuple[int, int, int]) -> Plan:
        """Lay a layer onto a rows x cols array; operands start at the three offsets."""
        ...


DATAFLOWS: dict[str, Dataflow] = {
    "os": OutputStationary(),
    "ws": WeightStationary(),
    "is": InputStationary(),
}
