"""The two ways a unit computes, behind one face: reference (and fixed) rules, or as built.

A core takes vectors with their frame flags and, where the source has its own time, the step at
which each arrives; it returns the rows that were completed, stamped. Its state goes in and out
as values and arrays.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hcc.isa.lebug.chain import Firmware
from hcc.isa.lebug.machine import EMULATOR_LATENCY

from .arrivals import Fifo
from .engine import Engine
from .hardware import Hardware
from .snapshot import Restorer, State
from .trace import StampedRows

Flags = NDArray[np.uint8]


class Core(Protocol):
    """What a unit needs of its core."""

    @property
    def lost(self) -> int: ...

    @property
    def fill(self) -> int: ...

    @property
    def now(self) -> int: ...

    def set_edges(self, edges: Sequence[float] | None) -> None: ...

    def feed(
        self,
        values: NDArray[np.float64],
        flags: Flags,
        first: int,
        times: NDArray[np.int64] | None,
    ) -> StampedRows: ...

    def drain(self) -> StampedRows: ...

    def words(self) -> tuple[NDArray[np.generic], NDArray[np.generic], NDArray[np.generic]]: ...

    def save(self) -> State: ...

    def load(self, saved: Restorer) -> None: ...


class RuleCore:
    """LeBug's emulator rules through the fast engine; `quantised` for W-bit words."""

    def __init__(self, firmware: Firmware, quantised: bool) -> None:
        self.engine = Engine(firmware, quantised)
        machine = firmware.machine
        self.fifo = Fifo(len(firmware.chains), machine.ib_depth + 1)
        self.latency = machine.latency(EMULATOR_LATENCY)

    @property
    def lost(self) -> int:
        return self.fifo.lost

    @property
    def fill(self) -> int:
        return self.engine.fill

    @property
    def now(self) -> int:
        """The step after the last effect of everything accepted so far."""
        return self.fifo.next_free + self.latency if self.fifo.next_free else 0

    def set_edges(self, edges: Sequence[float] | None) -> None:
        self.engine.set_edges(edges)

    def feed(
        self,
        values: NDArray[np.float64],
        flags: Flags,
        first: int,
        times: NDArray[np.int64] | None,
    ) -> StampedRows:
        numbers = np.arange(first, first + len(values), dtype=np.int64)
        if times is None:
            starts = self.fifo.wait(len(values))
        else:
            taken, starts = self.fifo.offer(times)
            if not taken.all():
                values, flags, numbers = values[taken], flags[taken], numbers[taken]
        rows = self.engine.run(values, flags, int(numbers[0]) if len(numbers) else 0)
        steps = starts[rows.vectors] + rows.chains + self.latency
        return StampedRows(rows.lanes, steps, numbers[rows.vectors], rows.chains)

    def drain(self) -> StampedRows:
        """Nothing is ever under way between two calls."""
        none = np.zeros(0, dtype=np.int64)
        empty = np.zeros((0, self.engine.firmware.machine.n), dtype=self.engine.dtype)
        return StampedRows(empty, none, none, none)

    def words(self) -> tuple[NDArray[np.generic], NDArray[np.generic], NDArray[np.generic]]:
        engine = self.engine
        return engine.cache, engine.minicache, engine.residue

    def save(self) -> State:
        engine, fifo = self.engine, self.fifo
        values: dict[str, object] = {
            "fill": engine.fill,
            "bof": int(engine.state[1]),
            "next_free": fifo.next_free,
            "latest": fifo.latest,
            "lost": fifo.lost,
            "pops": list(fifo.pops),
        }
        arrays: dict[str, NDArray[np.generic]] = {
            "edges": engine.edges,
            "cache": engine.cache,
            "minicache": engine.minicache,
            "pending": engine.residue.copy(),
        }
        return State(values, arrays)

    def load(self, saved: Restorer) -> None:
        engine, fifo = self.engine, self.fifo
        engine.state[0] = saved.within("fill", 0, 1 << 62)
        engine.state[1] = saved.within("bof", 0, 3)
        saved.into("edges", engine.edges)
        engine.set_edges(list(engine.edges))
        saved.into("cache", engine.cache)
        saved.into("minicache", engine.minicache)
        saved.into("pending", engine.residue)
        fifo.next_free = saved.within("next_free", 0, 1 << 62)
        fifo.latest = saved.within("latest", 0, 1 << 61)
        fifo.lost = saved.within("lost", 0, 1 << 62)
        fifo.pops = deque(saved.integers("pops")[-fifo.capacity :])


class HardwareCore:
    """The published hardware, clock by clock."""

    def __init__(self, firmware: Firmware) -> None:
        self.unit = Hardware(firmware)

    @property
    def lost(self) -> int:
        return self.unit.lost

    @property
    def fill(self) -> int:
        return self.unit.fill

    @property
    def now(self) -> int:
        return self.unit.clock

    def set_edges(self, edges: Sequence[float] | None) -> None:
        self.unit.set_edges(edges)

    def feed(
        self,
        values: NDArray[np.float64],
        flags: Flags,
        first: int,
        times: NDArray[np.int64] | None,
    ) -> StampedRows:
        words = self.unit.encode(values, "input vector ", first)
        for k in range(len(words)):
            eof = (bool(flags[k] & 1), bool(flags[k] & 2))
            clock = None if times is None else int(times[k])
            self.unit.enqueue(words[k], eof, first + k, clock)
        return self._taken()

    def drain(self) -> StampedRows:
        self.unit.drain()
        return self._taken()

    def _taken(self) -> StampedRows:
        rows, self.unit.rows = self.unit.rows, []
        unit = self.unit
        lanes = np.array([row[3] for row in rows], dtype=np.int64).reshape(-1, unit.machine.n)
        steps, chains, vectors = (
            np.array([row[i] for row in rows], dtype=np.int64) for i in range(3)
        )
        return StampedRows((lanes ^ unit.sign) - unit.sign, steps, vectors, chains)

    def words(self) -> tuple[NDArray[np.generic], NDArray[np.generic], NDArray[np.generic]]:
        unit = self.unit
        pending = unit.packed[unit.machine.n - unit.fill :]
        cache, minicache = unit.cache_now(), unit.minicache
        sign = unit.sign
        return (cache ^ sign) - sign, (minicache ^ sign) - sign, (pending ^ sign) - sign

    _NUMBERS = (
        "clock",
        "write_at",
        "read_at",
        "chain",
        "chain_delay",
        "chain_out",
        "out_vector",
        "slot_clock",
        "slot_address",
        "fill",
        "lost",
    )
    _FLAGS = ("valid_delay", "valid_out", "slot_cached")
    _ARRAYS = (
        "edges",
        "ring",
        "ring_eof",
        "ring_vector",
        "out",
        "cache",
        "minicache",
        "slot_result",
        "packed",
    )

    def save(self) -> State:
        unit = self.unit
        values: dict[str, object] = {name: int(getattr(unit, name)) for name in self._NUMBERS}
        values |= {name: int(getattr(unit, name)) for name in self._FLAGS}
        values |= {"bof": [int(x) for x in unit.bof], "out_eof": [int(x) for x in unit.out_eof]}
        return State(values, {name: getattr(unit, name) for name in self._ARRAYS})

    def load(self, saved: Restorer) -> None:
        unit = self.unit
        depth, chains = unit.machine.ib_depth, len(unit.firmware.chains)
        limits = {
            "write_at": depth - 1,
            "read_at": depth - 1,
            "chain": chains - 1,
            "chain_delay": chains - 1,
            "chain_out": chains - 1,
            "slot_address": unit.machine.vvvrf_size - 1,
            "fill": unit.machine.n,
        }
        for name in self._NUMBERS:
            setattr(unit, name, saved.within(name, -2, limits.get(name, 1 << 62)))
        for name in self._FLAGS:
            setattr(unit, name, bool(saved.within(name, 0, 1)))
        for name in self._ARRAYS:
            target = np.array(getattr(unit, name))
            saved.into(name, target)
            setattr(unit, name, target)
        for name in ("bof", "out_eof"):
            pair = saved.integers(name)
            setattr(unit, name, (bool(pair[0]), bool(pair[-1])) if pair else (False, False))
        unit.set_edges(list(unit.edges))
