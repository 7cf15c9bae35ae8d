"""Liveness and site records: gives each site its id and the values live after it.

The list is part of the program's meaning for migration: it is computed here, before any code is
generated, so every ISA and every -O level records the same values in the same order (that of
their definitions). Constants and symbol addresses need no place in it.

Requires: final IR of a function. Establishes: `site` on each instruction that `suspends`, with
ids counted from 0 in block order; none elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable

from hcc.compiler.ir.module import Block, Function, Instr, Operand, Site, Value
from hcc.compiler.ir.ops import Op


def assign_sites(function: Function, suspends: Callable[[Instr], bool]) -> None:
    """Record the live values of every site of the function."""
    sites = [i for i in function.instrs() if suspends(i)]
    if not sites:
        return
    numbers: dict[Value, int] = {}
    values: list[Value] = []
    for value in (
        *function.params,
        *(v for b in function.blocks for v in (*b.params, *b.instrs)),
    ):
        numbers[value] = len(values)
        values.append(value)
    live_out = _live_out(function, numbers)
    # Native objects are dead at every site; the resume function makes its own.
    recorded = ~sum(1 << numbers[i] for i in function.entry.instrs if i.op is Op.ALLOCA)
    next_id = 0
    for block in function.blocks:
        live = live_out[block]
        found: list[tuple[Instr, int]] = []
        for instr in reversed(block.instrs):
            live &= ~(1 << numbers[instr])
            if suspends(instr):
                found.append((instr, live & recorded))
            for operand in instr.operands():
                if isinstance(operand, Value):
                    live |= 1 << numbers[operand]
        for instr, bits in reversed(found):
            instr.site = Site(next_id, _members(bits, values))
            next_id += 1


def _members(bits: int, values: list[Value]) -> list[Operand]:
    result: list[Operand] = []
    while bits:
        lowest = bits & -bits
        result.append(values[lowest.bit_length() - 1])
        bits ^= lowest
    return result


def _live_out(function: Function, numbers: dict[Value, int]) -> dict[Block, int]:
    """The values live at the end of each block, as bit sets over `numbers`.

    Edge operands are used at the end of the block they leave.
    """
    uses: dict[Block, int] = {}
    defs: dict[Block, int] = {}
    for block in function.blocks:
        used = defined = 0
        for param in block.params:
            defined |= 1 << numbers[param]
        for instr in block.instrs:
            for operand in instr.operands():
                if isinstance(operand, Value):
                    bit = 1 << numbers[operand]
                    if not defined & bit:
                        used |= bit
            defined |= 1 << numbers[instr]
        uses[block], defs[block] = used, defined
    live_in = dict(uses)
    live_out = dict.fromkeys(function.blocks, 0)
    changed = True
    while changed:
        changed = False
        for block in reversed(function.blocks):
            out = 0
            for successor in block.successors():
                out |= live_in[successor]
            if out != live_out[block]:
                live_out[block] = out
                live_in[block] = uses[block] | (out & ~defs[block])
                changed = True
    return live_out
