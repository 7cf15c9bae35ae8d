"""A systolic array and its buffers, with SCALE-Sim's files and SCALE-Sim's numbers.

Read in this order: config.py and topology.py (the files), operands.py (matrices as sums of
addresses), streams.py and dataflows/ (what the array asks for), windows.py and replay.py (USER
mode), epochs.py and touched.py (CALC mode), writebuffer.py, layer.py, network.py. Beside them:
explicit.py, sparsity.py, layoutfile.py and irregular.py (version 3's extras), grid.py (closed
forms for very many configurations), memory.py (a memory of the user's own), functional.py (the
array really computes), energy.py, traces.py.
"""

from __future__ import annotations

from .config import (
    Banks,
    Compat,
    Config,
    Interface,
    Sparsity,
    config_from_list,
    parse_config,
    read_config,
)
from .dataflows import (
    DATAFLOWS,
    Dataflow,
    InputStationary,
    OutputStationary,
    WeightStationary,
)
from .energy import EnergyTable, LayerEnergy, layer_energy, read_energy_table
from .functional import multiply
from .grid import Estimate, estimate, estimate_layers
from .layer import LayerResult, Simulation, Span
from .layoutfile import Layout, parse_layout, read_layout
from .memory import ArrayRun, Memory, demand_lines
from .network import NetworkResult, choose_compat, run_layer, run_network, simulate_layer
from .operands import Dim
from .streams import Array, Drained, Plan, Skewed, Stationary
from .topology import Layer, Topology, gemm_layer, parse_topology, read_topology
from .traces import TRACES, trace

__all__ = [
    "DATAFLOWS",
    "TRACES",
    "Array",
    "ArrayRun",
    "Banks",
    "Compat",
    "Config",
    "Dataflow",
    "Dim",
    "Drained",
    "EnergyTable",
    "Estimate",
    "InputStationary",
    "Interface",
    "Layer",
    "LayerEnergy",
    "LayerResult",
    "Layout",
    "Memory",
    "NetworkResult",
    "OutputStationary",
    "Plan",
    "Simulation",
    "Skewed",
    "Span",
    "Sparsity",
    "Stationary",
    "Topology",
    "WeightStationary",
    "choose_compat",
    "config_from_list",
    "demand_lines",
    "estimate",
    "estimate_layers",
    "gemm_layer",
    "layer_energy",
    "multiply",
    "parse_config",
    "parse_layout",
    "parse_topology",
    "read_config",
    "read_energy_table",
    "read_layout",
    "read_topology",
    "run_layer",
    "run_network",
    "simulate_layer",
    "trace",
]
