"""How a process ended that a signal ended: where, and what is to be said about it.

A report names the PC, the function and, with -g, the source line. Where the signal comes out of
libhcc (a trap that compiled code calls, abort) the place is that of the call, found on the stack.
"""

from __future__ import annotations

from signal import SIGABRT
from typing import TYPE_CHECKING

from attrs import frozen

from hcc.emulator.faults import Fault, FaultKind
from hcc.isa import traps
from hcc.isa.errors import HccError
from hcc.runtime.address_space import STACK_SIZE, STACK_TOP

if TYPE_CHECKING:
    from hcc.runtime.process import Process

# Bytes of a direct call; where it takes a pair of instructions, of the second one.
_CALL_SIZES = (4, 5)
# No more of the stack than this is taken by the functions that lead from abort to the system call.
_DEEPEST_LEAVES = 4096
# Faults this far below a stack are taken for its overflow.
_MARGIN = 1 << 24


@frozen
class Death:
    """The signal that ended a process, and the report."""

    signal: int
    message: str


def of_fault(process: Process, fault: Fault) -> Death:
    """The end of a process by a fault of an instruction."""
    where = process.symbols.describe(fault.pc, process.isa)
    text = str(fault)
    if fault.addr is not None and _is_stack_overflow(process, fault.addr):
        text = f"stack overflow ({fault})"
    if fault.kind is FaultKind.ILLEGAL:
        text += f" ({process.cpu.code.fetch(fault.pc, 8).hex(' ') or 'no code'})"
    return Death(fault.signal, f"{text}: pc {fault.pc:#x} in {where} on {process.isa}")


def of_trap(process: Process, argument: int, function: int) -> Death:
    """The end of a process that called `__hcc_trap(argument, function)`."""
    isa, symbols = process.isa, process.symbols
    trap = traps.BY_CODE.get(argument & 0xFF)
    line = (argument & 0xFFFF_FFFF) >> traps.LINE_SHIFT
    found = symbols.function_at(function, isa)
    where = f" in {found[0]}" if found else ""
    pc = _caller_of(process, traps.SYMBOL)
    place = symbols.line_at(pc - 1, isa)
    if place and place[1] == line:
        where += f" ({place[0]}:{line})"
    elif line:
        where += f" at line {line}"
    text = trap.text if trap else f"trap {argument & 0xFF}"
    signal = trap.signal if trap else 4
    return Death(signal, f"{text}: pc {pc:#x}{where} on {isa}")


def of_signal(process: Process, signal: int) -> Death:
    """The end of a process that sent itself a signal, mostly by abort."""
    pc = _caller_of(process, "abort") if signal == SIGABRT else process.cpu.state.pc
    where = process.symbols.describe(pc - 1, process.isa)
    return Death(signal, f"killed by signal {signal} in {where} on {process.isa}")


def _is_stack_overflow(process: Process, addr: int) -> bool:
    stacks = (STACK_TOP - STACK_SIZE, process.program.data_stack[0])
    return any(low - _MARGIN <= addr < low for low in stacks)


def _caller_of(process: Process, name: str) -> int:
    """The address that an active function returns to: the innermost word on the stack behind a
    call of it. Without such a word, the PC."""
    cpu = process.cpu
    symbol = process.program.symbol(name)
    sp = cpu.state.get(cpu.arch.convention.stack_pointer)
    for at in range(sp, min(sp + _DEEPEST_LEAVES, STACK_TOP), 8):
        word = process.memory.load(at, 8)
        found = process.symbols.function_at(word - 1, process.isa)
        if symbol and found and _call_before(process, word) == symbol.addr:
            return word
    return cpu.state.pc


def _call_before(process: Process, addr: int) -> int | None:
    """The target of the direct call that ends at an address, if one does."""
    cpu = process.cpu
    for size in _CALL_SIZES:
        try:
            call = cpu.insn_at(addr - size)
            before = None if call.size != 4 else cpu.insn_at(addr - 8)
        except HccError:
            continue
        target = cpu.arch.call_target(call, before) if call.next_addr == addr else None
        if target is not None:
            return target
    return None
