"""Moves a suspended program to another ISA: plans that say when and where, and the move itself.

A move reads the source's stack (`unwind`), writes the activation records into the record buffer
of guest memory, and starts the destination's CPU at the resume function of the outermost one.
Memory is the same for all ISAs and stays where it is. Layout of a record: `passes.resume`, in
words of 8 bytes: resume function, next inner record, site id, values.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from typing import Protocol

from attrs import define, field, frozen

from hcc.emulator.interpreter import CpuState
from hcc.emulator.memory import Memory
from hcc.isa import thread_block
from hcc.isa.errors import HccError
from hcc.isa.fatbinary import ARCHITECTURES, Program
from hcc.isa.numerals import whole
from hcc.runtime.address_space import RECORDS_BASE, RECORDS_SIZE, STACK_SIZE, STACK_TOP
from hcc.runtime.engines import MOVABLE_ENGINES, Cell
from hcc.runtime.unwind import Activation

POISON_BYTE = 0xA5
POISON_WORD = 0xBAD0_BAD0_BAD0_BAD0  # as an address: beyond guest memory
# Bytes below the source's stack pointer that poisoning overwrites too: what callees left there.
POISON_BELOW = 1 << 16


class Plan(Protocol):
    """Decides at each migration point whether to move, and where."""

    def next_cell(self, isa: str, engine: str) -> Cell | None:
        """Called at every point reached, with where the program is: where to move to, or None to
        go on."""


@define
class RingPlan:
    """`CELL,CELL,...@N`: at every Nth point go to the next cell of the ring.

    A cell is `ISA` or `ISA/ENGINE`. A program that is at none of them goes to the first.
    """

    ring: tuple[Cell, ...]
    every: int
    _points: int = field(default=0, init=False)
    _at: int = field(default=-1, init=False)

    def next_cell(self, isa: str, engine: str) -> Cell | None:
        self._points += 1
        if self._points % self.every:
            return None
        if self._at < 0:
            here = (i for i, cell in enumerate(self.ring) if cell.holds(isa, engine))
            self._at = next(here, -1)
        self._at = (self._at + 1) % len(self.ring)
        return self.ring[self._at]


@define
class RandomPlan:
    """`random@N`: at each point move with probability 1/N, to any of the ISAs."""

    isas: tuple[str, ...]
    every: int
    seed: int
    _random: random.Random = field(init=False)

    @_random.default
    def _new_random(self) -> random.Random:
        return random.Random(self.seed)

    def next_cell(self, isa: str, engine: str) -> Cell | None:
        if self._random.randrange(self.every):
            return None
        return Cell(self._random.choice(self.isas))


def parse_plan(text: str, isas: Sequence[str], seed: int) -> RingPlan | RandomPlan:
    """A plan from the command line; `isas` are those of the program."""
    where, _, count = text.partition("@")
    every = whole(count) or 0
    if every < 1:
        raise HccError(
            f"migration plan '{text}' is not of the form ISA,ISA,...@N or random@N with N >= 1"
        )
    if where == "random":
        return RandomPlan(tuple(isas), every, seed)
    ring = []
    for name in where.split(","):
        isa, slash, engine = name.partition("/")
        if isa not in ARCHITECTURES:
            raise HccError(f"migration plan '{text}': no such ISA: '{isa}'")
        if isa not in isas:
            raise HccError(f"migration plan '{text}': the program has no code for {isa}")
        if slash and engine not in MOVABLE_ENGINES:
            known = " or ".join(MOVABLE_ENGINES)
            raise HccError(f"migration plan '{text}': the engine must be {known}: '{engine}'")
        ring.append(Cell(isa, engine or None))
    return RingPlan(tuple(ring), every)


@frozen
class Resumption:
    """Where a program goes on: entry, argument, and the stack pointer it starts with."""

    entry: int
    record: int


def write_records(
    program: Program, memory: Memory, activations: Sequence[Activation]
) -> Resumption:
    """Put activation records (outermost first) into the record buffer."""
    functions = program.sites.by_id
    rows: list[list[int]] = []
    for activation in activations:
        resume = functions[activation.function].resume_addr
        rows.append([resume, 0, activation.site, *activation.values])
    at = RECORDS_BASE
    words: list[int] = []
    for row in rows:
        at += 8 * len(row)
        row[1] = at  # the next record follows; the last one's link is never followed
        words += row
    if 8 * len(words) > RECORDS_SIZE:
        raise HccError(f"a stack of {len(activations)} frames is too deep to move")
    memory.write(RECORDS_BASE, struct.pack(f"<{len(words)}Q", *words))
    return Resumption(rows[0][0], RECORDS_BASE)


def start_resumption(
    state: CpuState, program: Program, memory: Memory, resumption: Resumption, poison: bool
) -> None:
    """Set a CPU up to run a resume function as the outermost frame."""
    arch = state.arch
    convention = arch.convention
    for i, register in enumerate(arch.registers.registers):
        if register.fixed is not None:
            state.regs[i] = register.fixed
        else:
            state.regs[i] = _trap_value(register.bits) if poison else 0
    thread = program.symbol(thread_block.SYMBOL)
    assert thread is not None
    state.set(convention.thread_pointer, thread.addr)
    sp = STACK_TOP
    returns_to = program.entry
    if convention.return_addr_register is None:
        sp -= 16
        sp -= 8
        memory.store(sp, 8, returns_to)
    else:
        state.set(convention.return_addr_register, returns_to)
    state.set(convention.stack_pointer, sp)
    state.set(convention.arguments[0], resumption.record)
    state.pc = resumption.entry


def _trap_value(bits: int) -> int:
    """What a register starts with that the destination should not read."""
    return (POISON_WORD << 64 | POISON_WORD) & ((1 << bits) - 1)


def poison_stack(memory: Memory, sp: int) -> None:
    """Overwrite the source's whole native stack, and what lies just below it."""
    start = max(sp - POISON_BELOW, STACK_TOP - STACK_SIZE)
    memory.write(start, bytes([POISON_BYTE]) * (STACK_TOP - start))
