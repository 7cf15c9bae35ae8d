"""The fast engine: batches of vectors through compiled chains, with the state kept here.

It implements LeBug's reference rules for any N, M, depths and block order, in float64 or in
W-bit words. What it leaves out is time: rows come with the vector and chain that completed
them, from which the step follows (`arrivals`). Memory is bounded: the cache, one row being
packed (and of a packer that has overflowed, the first RESIDUE_KEPT elements), and a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from hcc.isa.lebug.chain import Firmware, check_runnable
from hcc.isa.lebug.fixedpoint import encode_array
from hcc.isa.lebug.machine import DataType

from .edges import count_steps, edge_array, emulator_ranges, quantised_ranges
from .native import Arithmetic, Shape, compile_kernel

RESIDUE_KEPT = 1 << 16
_BATCH_VALUES = 1 << 20

Lanes = NDArray[Any]  # float64 values, or int64 words of a quantised unit


@frozen(eq=False)
class Rows:
    """Rows a batch completed: their lanes, and the vector and chain (from 0) of each."""

    lanes: Lanes
    vectors: NDArray[np.int64]
    chains: NDArray[np.int64]


class Engine:
    """One unit's computing state under the reference rules."""

    def __init__(self, firmware: Firmware, quantised: bool = False) -> None:
        check_runnable(firmware)
        self.firmware = firmware
        self.quantised = quantised
        machine = firmware.machine
        self.dtype = np.dtype(np.int64 if quantised else np.float64)
        fraction = machine.data_width // 2 if machine.data_type is DataType.FIXED_POINT else 0
        arithmetic = Arithmetic(machine.data_width, fraction) if quantised else Arithmetic()
        self.capacity = machine.n + max(machine.n, RESIDUE_KEPT)
        shape = Shape(machine.n, machine.m, machine.middle, self.capacity, arithmetic)
        self._kernel = compile_kernel(firmware.chains, shape)
        self.cache = np.zeros((machine.vvvrf_size, machine.n), dtype=self.dtype)
        self.minicache = np.zeros(machine.n, dtype=self.dtype)
        self.pending = np.zeros(self.capacity, dtype=self.dtype)
        self.state = np.array([0, 3], dtype=np.int64)
        self.set_edges(firmware.edges)
        self._commits = sum(1 for chain in firmware.chains if chain.commit)

    def set_edges(self, edges: Sequence[float] | None) -> None:
        """Load the filter memory; None is all zero."""
        machine = self.firmware.machine
        self.edges = edge_array(edges, machine)
        low, high = (
            quantised_ranges(self.edges, machine) if self.quantised else emulator_ranges(self.edges)
        )
        self.low = np.ascontiguousarray(low, dtype=self.dtype)
        self.high = np.ascontiguousarray(high, dtype=self.dtype)
        self.points, self.changes, self.begins = count_steps(self.low, self.high, machine.m)

    @property
    def batch(self) -> int:
        """How many vectors to give `run` at once, so that a batch's rows stay in the cache."""
        return max(1, _BATCH_VALUES // (self.firmware.machine.n * (1 + self._commits)))

    @property
    def fill(self) -> int:
        return int(self.state[0])

    @property
    def residue(self) -> Lanes:
        """The elements pending; of a packer past its buffer, the first ones."""
        return self.pending[: min(self.fill, self.capacity)]

    def run(self, values: NDArray[np.float64], flags: NDArray[np.uint8], first: int = 0) -> Rows:
        """Run every vector through all chains. values is (vectors, N), flags eof1 + 2 * eof2.

        `first` is the first vector's number, for messages.
        """
        machine = self.firmware.machine
        if self.quantised:
            lanes: Lanes = encode_array(
                values, machine.data_width, machine.data_type, "input vector ", first
            )
        else:
            lanes = values
        lanes = np.ascontiguousarray(lanes, dtype=self.dtype)
        flags = np.ascontiguousarray(flags, dtype=np.uint8)
        count = len(lanes)
        room = count * self._commits
        rows = np.empty((room, machine.n), dtype=self.dtype)
        vectors = np.empty(room, dtype=np.int64)
        chains = np.empty(room, dtype=np.int64)
        emitted = self._kernel(
            lanes.ctypes.data, flags.ctypes.data, count,
            self.cache.ctypes.data, self.minicache.ctypes.data, self.pending.ctypes.data,
            self.state.ctypes.data, self.low.ctypes.data, self.high.ctypes.data,
            self.points.ctypes.data, self.changes.ctypes.data, self.begins.ctypes.data,
            rows.ctypes.data, vectors.ctypes.data, chains.ctypes.data,
        )  # fmt: skip
        return Rows(rows[:emitted], vectors[:emitted], chains[:emitted])
