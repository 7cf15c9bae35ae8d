"""A whole network on one configuration, and which version's rules apply to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from attrs import frozen

from hcc.isa.errors import FormatError, UnsupportedError

from .config import Compat, Config, Interface
from .dataflows import Dataflow
from .irregular import simulate_irregular
from .layer import LayerResult, Simulation, simulate
from .layoutfile import Layout
from .topology import Layer, Topology


@frozen(eq=False)
class NetworkResult:
    """The layers' figures; `column` gives one of the reports' columns as an array."""

    config: Config
    compat: Compat
    topology: Topology
    layers: tuple[LayerResult, ...]

    @property
    def total_cycles(self) -> int:
        """Cycles of all layers one after another."""
        return sum(layer.total_cycles for layer in self.layers)

    @property
    def stall_cycles(self) -> int:
        """Stalls of all layers."""
        return sum(layer.stall_cycles for layer in self.layers)

    @property
    def utilisation(self) -> float:
        """MACs over cell cycles of the whole network, in percent."""
        macs = sum(layer.macs for layer in self.layers)
        return 100 * macs / (self.total_cycles * self.config.rows * self.config.cols)

    @property
    def names(self) -> list[str]:
        """The layers' names."""
        return [layer.name for layer in self.layers]

    def column(self, name: str) -> npt.NDArray[Any]:
        """A report column over the layers, by its name in SCALE-Sim's reports."""
        rows = [
            {**x.compute_row(), **x.bandwidth_row(), **x.access_row(), **x.sparse_row()}
            for x in self.layers
        ]
        if name not in rows[0]:
            raise FormatError(f"no report has a column '{name}'; there are: {', '.join(rows[0])}")
        return np.array([row[name] for row in rows])

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """All report columns."""
        first = self.layers[0]
        names = {
            **first.compute_row(),
            **first.bandwidth_row(),
            **first.access_row(),
            **first.sparse_row(),
        }
        return {name: self.column(name) for name in names}

    def as_dict(self) -> dict[str, Any]:
        """All figures for JSON."""
        return {
            "run_name": self.config.run_name,
            "compat": self.compat.value,
            "topology": self.topology.name,
            "array": [self.config.rows, self.config.cols],
            "dataflow": self.config.dataflow,
            "mode": self.config.interface.value,
            "total_cycles": self.total_cycles,
            "stall_cycles": self.stall_cycles,
            "overall_utilisation": self.utilisation,
            "layers": [layer.as_dict() for layer in self.layers],
        }


def choose_compat(config: Config, wanted: Compat | None = None) -> Compat:
    """The rules to use: those asked for, else 2.0, or 3.0 if the file needs it."""
    if wanted is None:
        return Compat.V3 if config.uses_version_3 else Compat.V2
    if wanted is not Compat.V3 and config.uses_version_3:
        feature = "sparsity" if config.sparsity is not None else "a custom layout"
        raise UnsupportedError(
            f"{feature} exists in SCALE-Sim 3 only; use --compat 3.0, not {wanted.value}"
        )
    return wanted


def check(config: Config, layer: Layer, compat: Compat) -> None:
    """What a configuration or a layer made by hand may still have wrong."""
    sizes = (config.rows, config.cols, config.ifmap_kb, config.filter_kb, config.ofmap_kb)
    if min(sizes) < 1 or not config.bandwidths or min(config.bandwidths) < 1:
        raise FormatError("array edges, buffer sizes and bandwidths are at least 1")
    if min(config.ifmap_offset, config.filter_offset, config.ofmap_offset) < 0:
        raise FormatError("operand offsets are at least 0")
    dims = (layer.filter_h, layer.filter_w, layer.channels, layer.filters)
    if min(*dims, layer.stride_h, layer.stride_w) < 1:
        raise FormatError(f"layer '{layer.name}': sizes and strides are at least 1")
    if layer.filter_h > layer.ifmap_h or layer.filter_w > layer.ifmap_w:
        raise FormatError(f"layer '{layer.name}': the filter is larger than its input")
    if config.interface is not Interface.USER or compat is not Compat.V3:
        return
    for name, banks in (("Ifmap", config.ifmap_banks), ("Filter", config.filter_banks)):
        if banks is not None and banks.bandwidth % banks.banks:
            raise FormatError(
                f"'{name}SRAMBankBandwidth' of {banks.bandwidth} does not divide into"
                f" {banks.banks} banks"
            )


def simulate_layer(
    config: Config,
    layer: Layer,
    compat: Compat | None = None,
    dataflow: Dataflow | None = None,
    layouts: tuple[Layout, ...] | None = None,
) -> Simulation:
    """Run one layer alone, by whichever path it needs."""
    rules = choose_compat(config, compat)
    check(config, layer, rules)
    if config.uses_version_3:
        return simulate_irregular(config, layer, layouts, dataflow)
    return simulate(config, layer, rules, dataflow)


def run_layer(
    config: Config,
    layer: Layer,
    compat: Compat | None = None,
    dataflow: Dataflow | None = None,
    layouts: tuple[Layout, ...] | None = None,
) -> LayerResult:
    """The figures of one layer."""
    return simulate_layer(config, layer, compat, dataflow, layouts).result


def run_network(
    config: Config,
    topology: Topology,
    compat: Compat | None = None,
    dataflow: Dataflow | None = None,
    layouts: tuple[Layout, ...] | None = None,
    progress: Callable[[Simulation], None] | None = None,
) -> NetworkResult:
    """Run all layers; `progress` is called with each as it is done. Layers of the same shape are
    run once."""
    rules = choose_compat(config, compat)
    known: dict[Layer, Simulation] = {}
    results = []
    for layer in topology.layers:
        shape = layer.unnamed()
        done = known.get(shape)
        if done is None:
            done = known[shape] = simulate_layer(config, layer, rules, dataflow, layouts)
        done = done.named(layer.name)
        if progress is not None:
            progress(done)
        results.append(done.result)
    return NetworkResult(config, rules, topology, tuple(results))
