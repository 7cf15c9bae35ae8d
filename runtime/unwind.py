"""Reads the stack of a suspended program as ISA-neutral activation records.

A program is suspended inside the migration hook, at its system call. From there the walk goes
outwards: the return address finds a stack-map record, the record says where the live values are,
how large the frame is and where the caller's return address lies; until the return address is in
the start-up stub. Nothing is guessed: a return address without a record is an error.
"""

from __future__ import annotations

from attrs import frozen

from hcc.emulator.interpreter import CpuState
from hcc.emulator.memory import Memory
from hcc.isa.errors import HccError
from hcc.isa.fatbinary import Program
from hcc.isa.sites import VALUE_SIZES, FunctionInfo, Record, SiteInfo, Slot


@frozen
class Activation:
    """One function suspended at one of its sites, with the values it will go on with.

    Values are unsigned integers of the bits, in the order of the site's types.
    """

    function: int
    site: int
    values: tuple[int, ...]


@frozen
class _Physical:
    """A native frame: its record and stack pointer."""

    record: Record
    sp: int


class StackReader:
    """Walks stacks of one program on one ISA."""

    def __init__(self, program: Program, isa: str) -> None:
        self.isa = isa
        self.records = {r.return_addr: r for r in program.sites.isas[isa].records}
        start = program.symbol("_start")
        assert start is not None
        self.start_range = range(start.addr, start.addr + max(start.size, 64))
        self.functions = program.sites.by_id
        self.sites: dict[tuple[int, int], SiteInfo] = {
            (f.id, s.id): s for f in program.sites.functions for s in f.sites
        }

    def activations(self, state: CpuState, memory: Memory) -> list[Activation]:
        """The activation records of a program that is in the migration hook, outermost first."""
        inner_first: list[Activation] = []
        for frame in self.frames(state, memory):
            for virtual in reversed(frame.record.frames):
                site = self.sites[virtual.function, virtual.site]
                values = tuple(
                    self._value(slot, frame.sp, VALUE_SIZES[type_], memory)
                    for slot, type_ in zip(virtual.slots, site.types, strict=True)
                )
                inner_first.append(Activation(virtual.function, virtual.site, values))
        inner_first.reverse()
        return inner_first

    def frames(self, state: CpuState, memory: Memory) -> list[_Physical]:
        """The native frames, innermost first."""
        convention = state.arch.convention
        sp = state.get(convention.stack_pointer)
        pushed = 0 if convention.return_addr_register else 8
        if convention.return_addr_register:
            return_addr = state.get(convention.return_addr_register)
        else:
            return_addr = memory.load(sp, 8)
            sp += 8
        result = []
        while return_addr not in self.start_range:
            record = self.records.get(return_addr)
            if record is None:
                raise HccError(f"no stack-map record for return address {return_addr:#x}")
            result.append(_Physical(record, sp))
            return_addr = memory.load(sp + record.return_offset, 8)
            sp += record.size + pushed
        return result

    def _value(self, slot: Slot, sp: int, size: int, memory: Memory) -> int:
        if not slot.in_frame:
            return slot.value & ((1 << (8 * size)) - 1)
        return memory.load(sp + slot.value, size)

    def function(self, activation: Activation) -> FunctionInfo:
        """The function an activation record belongs to."""
        return self.functions[activation.function]
