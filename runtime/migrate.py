"""Moves a suspended program to another ISA: plans that say when and where, and the move itself.

A move reads the source's stack (`unwind`), writes the activation records into the record buffer
of guest memory, and starts the destination's CPU at the resume function of the outermost one.
Memory is the same for all ISAs and stays where it is. Layout of a record: `passes.resume`, in
words of 8 bytes: resume function, next inner record, site id, values.
"""

from __future__ import annotations

import math
import random
import struct
from abc import ABC, abstractmethod
from collections.abc import Sequence

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


class Plan(ABC):
    """Decides at each migration point whether to move, and where."""

    @abstractmethod
    def next_cell(self, isa: str, engine: str) -> Cell | None:
        """Called at a point, with where the program is: where to move to, or None to go on."""

    def pass_points(self, most: int) -> int:
        """How many of the next points, up to `most`, are passed whatever happens there; the plan is
        not called at those."""
        return 0


@define
class _SparsePlan(Plan):
    """A plan that knows how many points are passed until it moves the program."""

    every: int
    _left: int = field(init=False)

    @_left.default
    def _first(self) -> int:
        return self._pause()

    @abstractmethod
    def _pause(self) -> int:
        """The points to pass until the next move."""

    @abstractmethod
    def _where_to(self, isa: str, engine: str) -> Cell: ...

    def next_cell(self, isa: str, engine: str) -> Cell | None:
        if self._left:
            self._left -= 1
            return None
        self._left = self._pause()
        return self._where_to(isa, engine)

    def pass_points(self, most: int) -> int:
        passed = min(self._left, most)
        self._left -= passed
        return passed


@define
class RingPlan(_SparsePlan):
    """`CELL,CELL,...@N`: at every Nth point go to the next cell of the ring.

    A cell is `ISA` or `ISA/ENGINE`. A program that is at none of them goes to the first.
    """

    ring: tuple[Cell, ...]
    _at: int = field(default=-1, init=False)

    def _pause(self) -> int:
        return self.every - 1

    def _where_to(self, isa: str, engine: str) -> Cell:
        if self._at < 0:
            here = (i for i, cell in enumerate(self.ring) if cell.holds(isa, engine))
            self._at = next(here, -1)
        self._at = (self._at + 1) % len(self.ring)
        return self.ring[self._at]


class RandomPlan(_SparsePlan):
    """`random@N`: at each point move with probability 1/N, to any of the ISAs."""

    def __init__(self, every: int, isas: tuple[str, ...], seed: int) -> None:
        self._isas = isas
        self._random = random.Random(seed)
        super().__init__(every)

    def _pause(self) -> int:
        # Of a geometric distribution: it would take as many random numbers otherwise.
        if self.every == 1:
            return 0
        return int(math.log(1 - self._random.random()) / math.log1p(-1 / self.every))

    def _where_to(self, isa: str, engine: str) -> Cell:
        return Cell(self._random.choice(self._isas))


def parse_plan(text: str, isas: Sequence[str], seed: int) -> RingPlan | RandomPlan:
    """A plan from the command line; `isas` are those of the program."""
    where, _, count = text.partition("@")
    every = whole(count) or 0
    if every < 1:
        raise HccError(
            f"migration plan '{text}' is not of the form ISA,ISA,...@N or random@N with N >= 1"
        )
    if where == "random":
        return RandomPlan(every, tuple(isas), seed)
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
    return RingPlan(every, tuple(ring))


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
