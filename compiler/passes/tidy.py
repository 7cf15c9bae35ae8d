"""Small clean-ups that make every later step cheaper: dead code, trivial parameters, empty blocks.

LLVM would do these too, but three times over (once per ISA), and values that are dead or equal
should not take a place in activation records. Requires and leaves valid IR.
"""

from __future__ import annotations

from hcc.compiler.ir.cfg import predecessors
from hcc.compiler.ir.module import Block, Function, Instr, Operand, Value
from hcc.compiler.ir.ops import Op
from hcc.compiler.passes.promote import remove_unreachable


def tidy(function: Function) -> None:
    """Run the clean-ups once, in an order in which each helps the next."""
    _fold_branches(function)
    remove_unreachable(function)
    _drop_trivial_params(function)
    _drop_dead(function)
    _merge_blocks(function)


def _fold_branches(function: Function) -> None:
    """Branches on constants become jumps."""
    for block in function.blocks:
        terminator = block.terminator
        if terminator.op is Op.CBR and not isinstance(terminator.args[0], Value):
            taken = terminator.targets[0 if terminator.args[0].value else 1]  # type: ignore[union-attr]
            terminator.op, terminator.args, terminator.targets = Op.BR, [], [taken]


def _drop_trivial_params(function: Function) -> None:
    """A parameter that every edge gives the same value (or itself) is that value."""
    replaced: dict[Value, Operand] = {}

    def resolve(operand: Operand) -> Operand:
        while isinstance(operand, Value) and operand in replaced:
            operand = replaced[operand]
        return operand

    incoming: dict[Block, list[list[Operand]]] = {b: [] for b in function.blocks}
    for block in function.blocks:
        for edge in block.terminator.targets:
            incoming[edge.block].append(edge.args)
    changed = True
    while changed:
        changed = False
        for block in function.blocks:
            for index in reversed(range(len(block.params))):
                param = block.params[index]
                sources = {resolve(args[index]) for args in incoming[block]} - {param}
                if len(sources) == 1:
                    replaced[param] = sources.pop()
                    del block.params[index]
                    for args in incoming[block]:
                        del args[index]
                    changed = True
    if replaced:
        final = {value: resolve(value) for value in replaced}
        for instr in function.instrs():
            instr.replace_operands(final)


def _drop_dead(function: Function) -> None:
    """Remove pure instructions and block parameters whose value nobody uses."""
    uses: dict[Value, int] = {}
    for instr in function.instrs():
        for operand in instr.operands():
            if isinstance(operand, Value):
                uses[operand] = uses.get(operand, 0) + 1
    dead: set[Instr] = set()
    work = [i for i in function.instrs() if i not in uses and _is_removable(i)]
    while work:
        instr = work.pop()
        dead.add(instr)
        for operand in instr.args:
            if isinstance(operand, Value):
                uses[operand] -= 1
                if not uses[operand] and isinstance(operand, Instr) and _is_removable(operand):
                    work.append(operand)
    if dead:
        for block in function.blocks:
            block.instrs = [i for i in block.instrs if i not in dead]


def _is_removable(instr: Instr) -> bool:
    return instr.op.is_pure or instr.op is Op.ALLOCA or (
        instr.op is Op.LOAD and not instr.attr.volatile
    )


def _merge_blocks(function: Function) -> None:
    """A block whose only predecessor jumps only to it becomes part of that predecessor."""
    preds = predecessors(function.blocks)
    gone: set[Block] = set()
    replaced: dict[Value, Operand] = {}
    for block in function.blocks:
        if block in gone:
            continue
        while True:
            terminator = block.terminator
            if terminator.op is not Op.BR:
                break
            edge = terminator.targets[0]
            target = edge.block
            if len(preds[target]) != 1 or target is block or target is function.entry:
                break
            replaced.update(zip(target.params, edge.args, strict=True))
            block.instrs[-1:] = target.instrs
            gone.add(target)
    if not gone:
        return
    function.blocks = [b for b in function.blocks if b not in gone]
    if replaced:
        final: dict[Value, Operand] = {}
        for value in replaced:
            operand: Operand = value
            while isinstance(operand, Value) and operand in replaced:
                operand = replaced[operand]
            final[value] = operand
        for instr in function.instrs():
            instr.replace_operands(final)
