"""As-built mode: the published SystemVerilog, with its differences from LeBug's emulator.

The unit is modelled clock by clock where its clocks matter: the input buffer is a ring with
registered reads whose pointer ignores, but whose memory takes, a vector that comes while it is
full; the chain counter runs freely; the ALU's cache is read one clock before the previous
chain's write lands, with a forwarding path that compares the wrong address. Behind the buffer
every block has a fixed latency and no stall, so a chain's effects are computed when it leaves
the buffer and only stamped with the clock at which its row appears. Values are unsigned W-bit
words. Reproduced defects, each by its own line: conditions reduced to their first flag; cache
writes unconditional; unsigned range comparison; the last range of a filter row extrapolated
inside the row; an unfiltered chain ignoring its axis and a filtered one without axis counting
per lane; unsigned vv_max of integers; a packer that emits what it has when it overflows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hcc.isa.errors import HccError, UnsupportedError
from hcc.isa.lebug.chain import (
    Axis,
    Chain,
    CommitSize,
    Firmware,
    Op,
    check_runnable,
    commit_size,
    first_flag,
    holds,
)
from hcc.isa.lebug.fixedpoint import decode_array, encode_array
from hcc.isa.lebug.machine import HARDWARE_LATENCY, Block, DataType

from .edges import edge_array, hardware_ranges

Words = NDArray[np.int64]
Frame = tuple[bool, bool]


class Hardware:
    """One unit at some clock. Rows are collected in `rows` as (clock, chain, vector, words)."""

    def __init__(self, firmware: Firmware) -> None:
        check_runnable(firmware)
        machine = firmware.machine
        if machine.data_width > 32:
            raise UnsupportedError(f"as-built mode with DATA_WIDTH {machine.data_width} (up to 32)")
        if machine.ib_depth < 2:
            raise UnsupportedError("as-built mode with IB_DEPTH 1: the hardware's ring needs 2")
        if machine.n == 1 and any(chain.reduce for chain in firmware.chains):
            raise UnsupportedError("as-built mode of v_reduce with N = 1: no such adder tree")
        if len(firmware.chains) > 255:
            raise UnsupportedError("as-built mode with over 255 chains: they are counted in a byte")
        self.firmware, self.machine = firmware, machine
        self.mask = np.int64((1 << machine.data_width) - 1)
        self.sign = np.int64(1 << machine.data_width - 1)
        fixed = machine.data_type is DataType.FIXED_POINT
        self.fraction = machine.data_width // 2 if fixed else 0
        self.delay = machine.latency(HARDWARE_LATENCY) - HARDWARE_LATENCY[Block.INPUT_BUFFER]
        self.set_edges(firmware.edges)
        self.rows: list[tuple[int, int, int, Words]] = []
        self.lost = 0
        self._reset()

    def _reset(self) -> None:
        machine = self.machine
        self.clock = 0
        # The ring's registers, by the names of their function
        self.write_at, self.read_at = 1, 0
        self.chain = self.chain_delay = self.chain_out = 0
        self.valid_delay = self.valid_out = False
        self.bof: Frame = (True, True)
        self.ring = np.zeros((machine.ib_depth, machine.n), dtype=np.int64)
        self.ring_eof = np.zeros((machine.ib_depth, 2), dtype=np.bool_)
        self.ring_vector = np.full(machine.ib_depth, -1, dtype=np.int64)
        self.out = np.zeros(machine.n, dtype=np.int64)
        self.out_eof: Frame = (False, False)
        self.out_vector = -1
        # The ALU: memories, and the write of the previous slot that has not landed yet
        self.cache = np.zeros((machine.vvvrf_size, machine.n), dtype=np.int64)
        self.minicache = np.zeros(machine.n, dtype=np.int64)
        self.slot_clock = -2
        self.slot_cached = False
        self.slot_address = 0
        self.slot_result = np.zeros(machine.n, dtype=np.int64)
        # The packer
        self.packed = np.zeros(machine.n, dtype=np.int64)
        self.fill = 0

    def set_edges(self, edges: Sequence[float] | None) -> None:
        self.edges = edge_array(edges, self.machine)
        self.low, self.high = hardware_ranges(self.edges, self.machine)

    # The input buffer

    @property
    def full(self) -> bool:
        return self.write_at == self.read_at

    @property
    def empty(self) -> bool:
        return (self.read_at + 1) % self.machine.ib_depth == self.write_at

    @property
    def idle(self) -> bool:
        return self.empty and not self.valid_delay and not self.valid_out

    def encode(self, values: NDArray[np.float64], what: str, first: int = 0) -> Words:
        machine = self.machine
        words = encode_array(values, machine.data_width, machine.data_type, what, first)
        return words & self.mask

    def tick(
        self, words: Words | None = None, eof: Frame = (False, False), vector: int = -1
    ) -> None:
        """One clock, with a vector on the input if `words` is given."""
        if self.valid_out:
            self._slot(self.chain_out, self.out, self.out_eof, self.bof, self.out_vector)
        # Registers take their new values together; everything on the right is from before.
        empty, full, read_at = self.empty, self.full, self.read_at
        bof = self.bof
        if self.valid_out and self.chain_out == len(self.firmware.chains) - 1:
            bof = self.out_eof
        self.out = self.ring[read_at].copy()
        out_eof = (bool(self.ring_eof[read_at, 0]), bool(self.ring_eof[read_at, 1]))
        self.out_vector = int(self.ring_vector[read_at])
        self.valid_out, self.chain_out = self.valid_delay, self.chain_delay
        self.out_eof = out_eof if self.valid_out else (False, False)
        self.chain_delay = self.chain
        if self.chain == 0:
            self.valid_delay = not empty
            if not empty:
                self.read_at = (read_at + 1) % self.machine.ib_depth
        self.chain = self.chain + 1 if self.chain < len(self.firmware.chains) - 1 else 0
        if words is not None:
            self.ring[self.write_at] = words
            self.ring_eof[self.write_at] = eof
            self.ring_vector[self.write_at] = vector
            if full:
                self.lost += 1
            else:
                self.write_at = (self.write_at + 1) % self.machine.ib_depth
        self.bof = bof
        self.clock += 1

    def wait_until(self, clock: int) -> None:
        """Let clocks pass without input; an idle unit only turns its chain counter."""
        while self.clock < clock and not self.idle:
            self.tick()
        if self.clock < clock:
            chains = len(self.firmware.chains)
            before = self.chain + clock - self.clock
            self.chain = before % chains
            self.chain_delay = (before - 1) % chains
            self.chain_out = (before - 2) % chains
            self.out = self.ring[self.read_at].copy()
            self.clock = clock

    def drain(self) -> None:
        """Let everything in the buffer come out."""
        while not self.idle:
            self.tick()

    # One chain of one vector

    def _slot(self, index: int, words: Words, eof: Frame, bof: Frame, vector: int) -> None:
        chain = self.firmware.chains[index]
        value = words
        for block in self.machine.middle:
            match block:
                case Block.FILTER_REDUCE:
                    value = self._filter_reduce(chain, value)
                case Block.ALU:
                    value = self._alu(chain, value, eof, bof)
                case Block.SCALAR_REDUCE if chain.reduce:
                    total = np.zeros_like(value)
                    total[0] = value.sum() & self.mask
                    value = total
        if chain.commit and self._met(chain.commit_cond, eof, bof):
            self._pack(chain, value, index, vector)

    def _met(self, bits: int, eof: Frame, bof: Frame) -> bool:
        return holds(first_flag(bits), eof[0], bof[0], eof[1], bof[1])

    def _filter_reduce(self, chain: Chain, value: Words) -> Words:
        if not chain.filter:
            return value
        low = self.low[chain.filter_addr][:, None]
        high = self.high[chain.filter_addr][:, None]
        hits = (value > low) & (value <= high)
        if chain.axis is Axis.M:
            counts = np.zeros_like(value)
            counts[: self.machine.m] = hits.sum(axis=1)
        else:
            counts = hits.sum(axis=0).astype(np.int64)
        return np.asarray((counts << self.fraction) & self.mask)

    def _alu(self, chain: Chain, value: Words, eof: Frame, bof: Frame) -> Words:
        operator = self.minicache if chain.mc_load else value
        adjacent = self.slot_clock == self.clock - 1
        if self.slot_cached and not adjacent:
            self.cache[self.slot_address] = self.slot_result
        operand = self.cache[chain.addr].copy()
        if adjacent and self.slot_cached:
            # The forwarding path compares this chain's cache address, not the one it reads.
            if self.slot_address == chain.cache_addr:
                operand = self.slot_result
            self.cache[self.slot_address] = self.slot_result
        result = operator
        if chain.op is not Op.PASS and self._met(chain.cond, eof, bof):
            result = self._operate(chain.op, operator, operand)
        if chain.mc_save:
            self.minicache = result.copy()
        self.slot_clock, self.slot_result = self.clock, result
        # The cache's condition is read from a register that stays zero: it always holds.
        self.slot_cached, self.slot_address = chain.cache, chain.cache_addr
        return result

    def _operate(self, op: Op, x: Words, y: Words) -> Words:
        match op:
            case Op.ADD:
                return (x + y) & self.mask
            case Op.SUB:
                return (x - y) & self.mask
            case Op.MUL:
                product = self._signed(x) * self._signed(y)
                return np.asarray((product >> self.fraction) & self.mask)
        if self.machine.data_type is DataType.INT:
            return np.maximum(x, y)
        return np.where(self._signed(x) > self._signed(y), x, y)

    def _signed(self, words: Words) -> Words:
        return (words ^ self.sign) - self.sign

    def _pack(self, chain: Chain, value: Words, index: int, vector: int) -> None:
        """The packed register shifts down from its top lanes; N pending lanes make a row."""
        n = self.machine.n
        length = {CommitSize.ONE: 1, CommitSize.M: self.machine.m, CommitSize.N: n}[
            commit_size(chain.commit, self.machine)
        ]
        pending = self.fill + length
        shifted = np.concatenate([self.packed[length:], value[:length]])
        if pending < n:
            self.packed, self.fill = shifted, pending
            return
        if pending == n:
            row, self.packed, self.fill = shifted, np.zeros_like(value), 0
        else:
            row, self.packed, self.fill = self.packed, value.copy(), length
        if chain.cast_to_int:
            row = row >> (self.machine.data_width // 2)
        self.rows.append((self.clock + self.delay, index, vector, row))

    # What it holds, as values

    def values(self, words: Words) -> NDArray[np.float64]:
        machine = self.machine
        return decode_array(self._signed(words), machine.data_width, machine.data_type)

    def cache_now(self) -> Words:
        """The cache with the last write landed."""
        cache = self.cache.copy()
        if self.slot_cached:
            cache[self.slot_address] = self.slot_result
        return cache

    def enqueue(self, words: Words, eof: Frame, vector: int, clock: int | None) -> None:
        """Put a vector on the input at `clock`, or as soon as the ring has room."""
        if clock is None:
            while self.full:
                self.tick()
        else:
            if clock < self.clock:
                raise HccError(
                    f"vector {vector} arrives at clock {clock}, the unit is at {self.clock}"
                )
            self.wait_until(clock)
        self.tick(words, eof, vector)
