"""Inlining of small functions that call nothing, before points are inserted.

LLVM inlines too, and with better judgement, but later. A call in a loop keeps that from being
strip-mined, and a local whose address is passed to a function has to be in memory, at the same
address on every ISA, for as long as a point may come. Small functions are often just that: an
accessor, or a step that changes a local through a pointer.

What is inlined has no points and cannot stop the program with a report, which would name it.

Requires: promoted IR. Establishes: no call of such a function is left in functions that have not
grown too large. Functions stay, whether or not they are still called.
"""

from __future__ import annotations

from collections.abc import Callable

from hcc.compiler.ir.cfg import has_loops
from hcc.compiler.ir.copying import copy_blocks
from hcc.compiler.ir.module import (
    Block,
    Edge,
    Function,
    Instr,
    Module,
    Operand,
    Symbol,
    Value,
)
from hcc.compiler.ir.ops import Op
from hcc.compiler.ir.types import VOID

SMALL = 30
"""Instructions that a function to be inlined may have."""
LARGE = 3000
"""Instructions beyond which a function does not grow."""
ROUNDS = 4
"""How deep functions may be inlined into functions that are inlined."""

_STAYING = frozenset(
    {Op.CALL, Op.SYSCALL, Op.POLL, Op.TRAP, Op.ALLOCA, Op.DSP_GET, Op.DSP_SET, Op.UNREACHABLE}
)


def inline_functions(module: Module, simplify: Callable[[Function], None]) -> None:
    """Inline what is small; each function that changes is simplified at once."""
    for _ in range(ROUNDS):
        small = {name: f for name, f in module.functions.items() if _is_small(f)}
        changed = [f for f in module.functions.values() if small and _inline_into(f, small)]
        for function in changed:
            simplify(function)
        if not changed:
            return


def _is_small(function: Function) -> bool:
    if function.noinline or function.noreturn:
        return False
    instrs = [i for block in function.blocks for i in block.instrs]
    if len(instrs) > SMALL or any(i.op in _STAYING or i.may_trap for i in instrs):
        return False
    return not has_loops(function)


def _inline_into(function: Function, small: dict[str, Function]) -> bool:
    """Inline the calls of small functions; whether there were any."""
    size = sum(len(block.instrs) for block in function.blocks)
    names = {block.name for block in function.blocks}
    results: dict[Value, Operand] = {}
    blocks: list[Block] = []
    for block in function.blocks:
        instrs, block.instrs = block.instrs, []
        blocks.append(block)
        for instr in instrs:
            callee = _callee(instr, small)
            if callee is None or callee is function or size > LARGE:
                blocks[-1].instrs.append(instr)
                continue
            body = _body(instr, callee, results)
            blocks[-1].instrs.append(Instr(VOID, op=Op.BR, targets=[Edge(body[0])], loc=instr.loc))
            blocks += body
            size += sum(len(copy.instrs) for copy in body)
            for copy in body:
                copy.name = _fresh(f"{callee.name}.{copy.name}", names)
    if len(blocks) == len(function.blocks):
        return False
    function.blocks = blocks
    for instr in function.instrs():
        instr.replace_operands(results)
    return True


def _callee(instr: Instr, small: dict[str, Function]) -> Function | None:
    if instr.op is not Op.CALL:
        return None
    target = instr.args[0]
    if not isinstance(target, Symbol) or target.offset:
        return None
    callee = small.get(target.name)
    return callee if callee and callee.signature == instr.attr.signature else None


def _body(call: Instr, callee: Function, results: dict[Value, Operand]) -> list[Block]:
    """The callee's blocks for one call, and the block behind, which gets the result."""
    values: dict[Value, Operand] = dict(zip(callee.params, call.args[1:], strict=True))
    body = copy_blocks(callee.blocks, values)
    after = Block("after")
    if call.type is not VOID:
        result = Value(call.type, call.name)
        after.params.append(result)
        results[call] = result
    for block in body:
        end = block.terminator
        if end.op is Op.RET:
            args = end.args if call.type is not VOID else []
            block.instrs[-1] = Instr(VOID, op=Op.BR, targets=[Edge(after, args)], loc=end.loc)
    return [*body, after]


def _fresh(hint: str, names: set[str]) -> str:
    name, number = hint, 0
    while name in names:
        number += 1
        name = f"{hint}{number}"
    names.add(name)
    return name
