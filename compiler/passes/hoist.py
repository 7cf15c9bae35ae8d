"""Loads that every round of a loop would repeat are done once, before it.

LLVM does this too, but later, and for a bound in memory (`i < n` with a global `n`) that is too
late: only a loop whose bound is fixed counts, so that it can be strip-mined. Two kinds of loads
move, in loops without calls:

* those of a global that the loop does not write, wherever they stand: they cannot fault;
* those that the header does anyway before anything else, through whatever pointer, in a loop that
  writes nothing they could read.

A store through a pointer writes every object but the private ones (`ir.objects`).

Requires: promoted IR. Establishes: in a loop with one entry no such load is left.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, field

from hcc.compiler.ir.cfg import Dominators, Loop, find_loops
from hcc.compiler.ir.module import Block, Const, Edge, Function, Instr, Module, Operand, Symbol
from hcc.compiler.ir.objects import Accesses
from hcc.compiler.ir.ops import Op
from hcc.compiler.ir.types import VOID

_OPAQUE = frozenset({Op.CALL, Op.SYSCALL, Op.MEMCPY, Op.MEMMOVE})


def hoist_loads(module: Module) -> None:
    """Move what repeats out of the loops of a module."""
    accesses = Accesses.of(module)
    sizes = {name: item.size for name, item in module.globals.items()}
    for function in module.functions.values():
        dominators = Dominators.of(function)
        for loop in find_loops(dominators):
            blocks = [block for block in dominators.order if block in loop.blocks]
            written = _written(blocks, accesses)
            if written is not None and len(loop.entries()) == 1:
                moved = _Hoisting(loop, blocks, written, accesses, sizes).moved()
                if moved:
                    _put_before(function, loop, moved)


def _written(blocks: Iterable[Block], accesses: Accesses) -> set[str | None] | None:
    """The objects that some blocks write, None among them for what goes through a pointer; None if
    that is not known."""
    written: set[str | None] = set()
    for block in blocks:
        for instr in block.instrs:
            if instr.op in _OPAQUE:
                return None
            if instr.op in (Op.STORE, Op.MEMSET):
                written.add(accesses.owners.get(instr))
    return written


@define
class _Hoisting:
    """Finds what can be moved out of one loop."""

    loop: Loop
    blocks: list[Block]
    written: set[str | None]
    accesses: Accesses
    sizes: dict[str, int]
    _inside: set[Operand] = field(factory=set, init=False)
    _moved: dict[Instr, None] = field(factory=dict, init=False)

    def moved(self) -> list[Instr]:
        """The loads and what their addresses are computed from, in an order that will do."""
        self._inside = {v for block in self.blocks for v in (*block.params, *block.instrs)}
        for block in self.blocks:
            at_first = block is self.loop.header
            for instr in block.instrs:
                if instr.op is Op.LOAD and not instr.attr.volatile:
                    owner = self.accesses.owners.get(instr)
                    if (at_first or self._is_within(instr, owner)) and self._is_kept(owner):
                        self._move(instr)
                elif not instr.op.is_pure:
                    at_first = False
        return list(self._moved)

    def _is_kept(self, owner: str | None) -> bool:
        """Whether the loop does not write an object."""
        return not any(self.accesses.may_overlap(owner, other) for other in self.written)

    def _is_within(self, load: Instr, owner: str | None) -> bool:
        """Whether a load is known to lie in the object it names."""
        if owner is None or owner not in self.sizes:
            return False
        (addr,) = load.args
        offset = 0
        while isinstance(addr, Instr):
            addr, step = addr.args
            if not isinstance(step, Const):
                return False
            offset += int(step.value)
        assert isinstance(addr, Symbol)
        return 0 <= offset + addr.offset <= self.sizes[owner] - load.type.size

    def _move(self, load: Instr) -> None:
        needed: dict[Instr, None] = {}
        if self._is_movable(load.args[0], needed):
            for instr in (*needed, load):
                self._moved[instr] = None
                self._inside.discard(instr)

    def _is_movable(self, operand: Operand, needed: dict[Instr, None]) -> bool:
        """Whether an operand is fixed; `needed` gets what of the loop computes it."""
        if operand not in self._inside or operand in needed:
            return True
        if not isinstance(operand, Instr) or not operand.op.is_pure:
            return False
        if not all(self._is_movable(arg, needed) for arg in operand.args):
            return False
        needed[operand] = None
        return True


def _put_before(function: Function, loop: Loop, moved: list[Instr]) -> None:
    """Move instructions to the loop's only entry."""
    gone = set(moved)
    for block in loop.blocks:
        block.instrs = [instr for instr in block.instrs if instr not in gone]
    (source,) = loop.preds
    terminator = source.terminator
    if terminator.op is Op.BR:
        source.instrs[-1:-1] = moved
        return
    (entry,) = loop.entries()
    middle = Block(function.fresh_name("before"))
    jump = Instr(VOID, op=Op.BR, targets=[Edge(entry.block, entry.args)], loc=terminator.loc)
    middle.instrs = [*moved, jump]
    function.blocks.append(middle)
    terminator.targets[terminator.targets.index(entry)] = Edge(middle)
