"""LeBug's emulator, step by step: every block's registers, once per clock.

This is the reference in its slow and plain form: one function per block, written from the rules
of the published Python emulator, including when each register is loaded. It gives what a run of
a given number of steps leaves behind, and the values between the blocks at every step. The fast
engine (`engine`) gives the same rows from closed forms; tests hold the two together.

A block's output at step t is computed from what it latched at step t-1, so each block delays by
its latency. A bubble is chain 0, which passes everything through and commits nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

from hcc.isa.errors import HccError
from hcc.isa.lebug.chain import Axis, Chain, Firmware, Op, check_runnable, holds
from hcc.isa.lebug.machine import EMULATOR_LATENCY, Block, Machine

from .edges import edge_array, emulator_ranges

Vector = NDArray[np.float64]
Frame = tuple[bool, bool]

BUBBLE = Chain()


@frozen
class Input:
    """One vector and its frame signals."""

    values: Vector
    eof1: bool = False
    eof2: bool = False


@frozen
class Slot:
    """What travels between blocks in one step. chain is 0 for a bubble, whose eof is None."""

    values: Vector
    eof: Frame | None
    bof: Frame
    chain: int


@define
class Pipeline:
    """One unit under the emulator's rules, at some step."""

    firmware: Firmware
    edges: Sequence[float] | None = None
    step_number: int = 0
    rows: list[tuple[int, Vector]] = field(factory=list)
    log: list[dict[str, object]] | None = None
    _stages: list[_Stage] = field(init=False)
    _buffer: _InputBuffer = field(init=False)
    alu: _Alu | None = field(init=False, default=None)
    packer: _Packer = field(init=False)
    trace: _Trace = field(init=False)

    def __attrs_post_init__(self) -> None:
        check_runnable(self.firmware)
        machine = self.firmware.machine
        chains = (BUBBLE, *self.firmware.chains)
        self._buffer = _InputBuffer(machine, len(self.firmware.chains))
        self._stages = []
        for block in machine.middle:
            match block:
                case Block.FILTER_REDUCE:
                    ranges = emulator_ranges(edge_array(self.edges, machine))
                    self._stages.append(_Filter(machine, chains, ranges))
                    self._stages.append(_Reduce(machine, chains))
                case Block.ALU:
                    self.alu = _Alu(machine, chains)
                    self._stages.append(self.alu)
                case Block.SCALAR_REDUCE:
                    self._stages.append(_ScalarReduce(machine, chains))
        self.packer = _Packer(machine, chains)
        self.trace = _Trace(machine)

    def push(self, item: Input) -> bool:
        """Offer a vector before the next step; False if the input buffer has no room."""
        return self._buffer.push(item)

    @property
    def busy(self) -> bool:
        return bool(self._buffer.queue)

    def step(self) -> None:
        slot = self._buffer.step()
        entry: dict[str, object] = {"step": self.step_number}
        if self.log is not None:
            entry["ib"] = {
                "v": slot.values.tolist(),
                "eof": False if slot.eof is None else list(slot.eof),
                "bof": list(slot.bof),
                "chain": slot.chain,
            }
        for stage in self._stages:
            slot = stage.step(slot)
            if self.log is not None and stage.label:
                entry[stage.label] = {"v": slot.values.tolist(), "chain": slot.chain}
        row, valid = self.packer.step(slot)
        if valid:
            self.trace.write(row)
            self.rows.append((self.step_number, row))
        if self.log is not None:
            entry["dp"] = {"v": row.tolist(), "valid": int(valid)}
            self.log.append(entry)
        self.step_number += 1


def run(
    firmware: Firmware,
    edges: Sequence[float] | None,
    inputs: Sequence[Input],
    steps: int | None = None,
    with_log: bool = False,
) -> Pipeline:
    """Queue all inputs, then run `steps` steps (by default until everything has come out).

    Steps after the last effect change nothing and are only taken when they are logged. Raises
    HccError when the input buffer cannot hold the inputs, as LeBug's emulator does.
    """
    pipeline = Pipeline(firmware, edges)
    if with_log:
        pipeline.log = []
    for item in inputs:
        if not pipeline.push(item):
            raise HccError(
                f"input buffer overflowed: {len(inputs)} vectors queued, "
                f"IB_DEPTH {firmware.machine.ib_depth} holds {firmware.machine.ib_depth + 1}"
            )
    latency = firmware.machine.latency(EMULATOR_LATENCY)
    settled = len(inputs) * len(firmware.chains) + latency + 1
    count = settled if steps is None else steps
    for _ in range(count if with_log else min(count, settled)):
        pipeline.step()
    return pipeline


class _InputBuffer:
    """Replays the head vector once per chain, then pops it; then the next follows at once."""

    def __init__(self, machine: Machine, chains: int) -> None:
        self.capacity = machine.ib_depth + 1
        self.chains = chains
        self.queue: deque[Input] = deque()
        self.chain = 0
        self.bof: Frame = (True, True)
        self.idle = np.zeros(machine.n)

    def push(self, item: Input) -> bool:
        if len(self.queue) >= self.capacity:
            return False
        self.queue.append(item)
        return True

    def step(self) -> Slot:
        if not self.queue:
            self.chain = 0
        elif self.chain == self.chains:
            done = self.queue.popleft()
            self.bof = (done.eof1, done.eof2)
            self.chain = 1 if self.queue else 0
        else:
            self.chain += 1
        if not self.queue:
            return Slot(self.idle, None, self.bof, self.chain)
        head = self.queue[0]
        return Slot(head.values, (head.eof1, head.eof2), self.bof, self.chain)


class _Stage:
    """A block with one input register; `label` is its name in the log."""

    label = ""

    def __init__(self, machine: Machine, chains: Sequence[Chain]) -> None:
        self.machine, self.chains = machine, chains
        self.latched = Slot(np.zeros(machine.n), None, (True, True), 0)

    def step(self, slot: Slot) -> Slot:
        now = self.latched
        self.latched = slot
        return Slot(self.compute(now), now.eof, now.bof, now.chain)

    def compute(self, slot: Slot) -> Vector:
        raise AssertionError("every block computes")

    def met(self, bits: int, slot: Slot) -> bool:
        eof = slot.eof or (False, False)
        return holds(bits, eof[0], slot.bof[0], eof[1], slot.bof[1])


class _Filter(_Stage):
    """Vector to M x N matrix: which lane is in which range of the chain's filter row."""

    def __init__(
        self,
        machine: Machine,
        chains: Sequence[Chain],
        ranges: tuple[Vector, Vector],
    ) -> None:
        super().__init__(machine, chains)
        self.low, self.high = ranges

    def compute(self, slot: Slot) -> Vector:
        chain, m = self.chains[slot.chain], self.machine.m
        matrix = np.zeros((m, self.machine.n))
        if not chain.filter:
            matrix[0] = slot.values
            return matrix
        first = chain.filter_addr * m
        low = self.low[first : first + m, None]
        high = self.high[first : first + m, None]
        matrix[:] = (slot.values > low) & (slot.values <= high)
        return matrix


class _Reduce(_Stage):
    """M x N matrix to vector: its first row, its column sums, or its row sums and zeros."""

    label = "mvru"

    def __init__(self, machine: Machine, chains: Sequence[Chain]) -> None:
        super().__init__(machine, chains)
        self.latched = Slot(np.zeros((machine.m, machine.n)), None, (True, True), 0)

    def compute(self, slot: Slot) -> Vector:
        match self.chains[slot.chain].axis:
            case Axis.NONE:
                return np.asarray(slot.values[0])
            case Axis.N:
                return np.asarray(slot.values.sum(axis=0))
        padded = np.zeros(self.machine.n)
        padded[: self.machine.m] = slot.values.sum(axis=1)
        return padded


_OPERATIONS: Mapping[Op, Callable[[Vector, Vector], Vector]] = {
    Op.ADD: np.add,
    Op.MUL: np.multiply,
    Op.SUB: np.subtract,
    Op.MAX: np.maximum,
}


class _Alu(_Stage):
    """Cache and mini-cache arithmetic. Reads, computes and writes in one step, delays by two."""

    label = "vvalu"

    def __init__(self, machine: Machine, chains: Sequence[Chain]) -> None:
        super().__init__(machine, chains)
        self.cache = np.zeros((machine.vvvrf_size, machine.n))
        self.minicache = np.zeros(machine.n)
        self.delay: deque[Slot] = deque([self.latched, self.latched])

    def step(self, slot: Slot) -> Slot:
        self.delay.append(super().step(slot))
        return self.delay.popleft()

    def compute(self, slot: Slot) -> Vector:
        chain = self.chains[slot.chain]
        result = self.minicache if chain.mc_load else slot.values
        if chain.op is not Op.PASS and self.met(chain.cond, slot):
            with np.errstate(all="ignore"):
                result = _OPERATIONS[chain.op](result, self.cache[chain.addr])
        if chain.cache and self.met(chain.cache_cond, slot):
            self.cache[chain.cache_addr] = result
        if chain.mc_save:
            self.minicache = np.array(result, dtype=np.float64)
        return result


class _ScalarReduce(_Stage):
    label = "vsru"

    def compute(self, slot: Slot) -> Vector:
        if not self.chains[slot.chain].reduce:
            return slot.values
        total = np.zeros(self.machine.n)
        with np.errstate(all="ignore"):
            total[0] = slot.values.sum()
        return total


class _Packer(_Stage):
    """Appends committed elements; exactly N pending make a row. More than N never do again."""

    def __init__(self, machine: Machine, chains: Sequence[Chain]) -> None:
        super().__init__(machine, chains)
        self.fill = 0
        self.output = np.zeros(machine.n)

    def step(self, slot: Slot) -> tuple[Vector, bool]:  # type: ignore[override]
        now = self.latched
        self.latched = slot
        chain = self.chains[now.chain]
        if not chain.commit or not self.met(chain.commit_cond, now):
            return self.output, False
        taken = now.values[: chain.commit]
        self.output = np.array(taken) if not self.fill else np.append(self.output, taken)
        self.fill += chain.commit
        if self.fill != self.machine.n:
            return self.output, False
        self.fill = 0
        if chain.cast_to_int:
            self.output = np.trunc(self.output)
        return self.output, True

    @property
    def residue(self) -> list[float]:
        return [float(x) for x in self.output] if self.fill else []


class _Trace:
    """The circular memory. Its index equals TB_SIZE when the next write wraps."""

    def __init__(self, machine: Machine) -> None:
        self.memory = np.zeros((machine.tb_size, machine.n))
        self.index = 0

    def write(self, row: Vector) -> None:
        if self.index == len(self.memory):
            self.index = 0
        self.memory[self.index] = row
        self.index += 1
