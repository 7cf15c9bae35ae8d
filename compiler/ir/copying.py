"""Copies of function bodies."""

from __future__ import annotations

from collections.abc import Iterable

from hcc.compiler.ir.module import Block, Edge, Instr, Operand, Site, Value


def copy_blocks(blocks: Iterable[Block], values: dict[Value, Operand]) -> list[Block]:
    """Copies of all blocks of a function, which use `values[x]` for what is a key there at the
    start; at the end it maps everything that was copied to its copy."""
    copies = {block: Block(block.name) for block in blocks}
    for block, copy in copies.items():
        for param in block.params:
            values[param] = made = Value(param.type, param.name)
            copy.params.append(made)
        for instr in block.instrs:
            values[instr] = twin = Instr(
                instr.type,
                instr.name,
                op=instr.op,
                args=list(instr.args),
                attr=instr.attr,
                targets=[Edge(copies[edge.block], list(edge.args)) for edge in instr.targets],
                loc=instr.loc,
            )
            if instr.site is not None:
                twin.site = Site(instr.site.id, list(instr.site.live))
            copy.instrs.append(twin)
    for copy in copies.values():
        for instr in copy.instrs:
            instr.replace_operands(values)
    return list(copies.values())
