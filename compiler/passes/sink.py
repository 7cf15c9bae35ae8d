"""Address sinking: computes constant offsets from a pointer where they are used.

An address like `&p->field` or that of an object in the data-stack frame costs nothing to compute
again (it folds into the load), but living across a call it would take a place in the activation
record, which is a store before every call. So each `ptradd` of a constant is moved to its uses,
at most once per block and stretch between two sites.

Requires: IR in which `suspends` tells the sites. Establishes: no constant-offset `ptradd` is live
across a site or from block to block.
"""

from __future__ import annotations

from collections.abc import Callable

from hcc.compiler.ir.construct import int_const
from hcc.compiler.ir.module import Const, Function, Instr, Operand, Value
from hcc.compiler.ir.ops import Op
from hcc.compiler.ir.types import I64, PTR


def sink_addresses(function: Function, suspends: Callable[[Instr], bool]) -> None:
    """Move the function's constant-offset addresses to their uses."""
    places = _addresses(function)
    if not places:
        return
    for block in function.blocks:
        known: dict[tuple[Operand, int], Instr] = {}
        result: list[Instr] = []
        for instr in block.instrs:
            if instr in places:
                continue
            mapping: dict[Value, Operand] = {}
            for operand in instr.operands():
                if isinstance(operand, Value) and operand in places and operand not in mapping:
                    key = places[operand]
                    addr = known.get(key)
                    if addr is None:
                        base, offset = key
                        args = [base, int_const(I64, offset)]
                        addr = Instr(PTR, operand.name, op=Op.PTRADD, args=args, loc=instr.loc)
                        result.append(addr)
                        known[key] = addr
                    mapping[operand] = addr
            if mapping:
                instr.replace_operands(mapping)
            result.append(instr)
            if suspends(instr):
                known.clear()
        block.instrs = result


def _addresses(function: Function) -> dict[Value, tuple[Operand, int]]:
    """Each constant-offset address as its root pointer and the offset from that."""
    direct: dict[Value, tuple[Operand, int]] = {}
    for instr in function.instrs():
        if instr.op is Op.PTRADD:
            base, step = instr.args
            if isinstance(step, Const):
                direct[instr] = (base, int(step.value))
    result: dict[Value, tuple[Operand, int]] = {}
    for value, (base, offset) in direct.items():
        while isinstance(base, Value) and base in direct:
            base, more = direct[base]
            offset += more
        result[value] = (base, offset & ((1 << 64) - 1))
    return result
