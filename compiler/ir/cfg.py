"""Facts about a function's control flow: order, predecessors, dominators, loops.

Dominators by Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm" (2001); loops are
natural loops, found from back edges.
"""

from __future__ import annotations

from attrs import define, field

from hcc.compiler.ir.module import Block, Edge, Function


def reverse_postorder(function: Function) -> list[Block]:
    """The reachable blocks, each before its successors except along back edges."""
    order: list[Block] = []
    seen = {function.entry}
    stack = [(function.entry, iter(function.entry.successors()))]
    while stack:
        block, successors = stack[-1]
        for successor in successors:
            if successor not in seen:
                seen.add(successor)
                stack.append((successor, iter(successor.successors())))
                break
        else:
            order.append(block)
            stack.pop()
    order.reverse()
    return order


def predecessors(blocks: list[Block]) -> dict[Block, list[Block]]:
    """The predecessors of each block among `blocks`, one entry per edge."""
    result: dict[Block, list[Block]] = {block: [] for block in blocks}
    for block in blocks:
        for successor in block.successors():
            if successor in result:
                result[successor].append(block)
    return result


@define(eq=False, repr=False)
class Dominators:
    """The dominator tree of the reachable blocks."""

    order: list[Block]
    preds: dict[Block, list[Block]]
    idom: dict[Block, Block]
    number: dict[Block, int]

    @classmethod
    def of(cls, function: Function) -> Dominators:
        order = reverse_postorder(function)
        number = {block: i for i, block in enumerate(order)}
        preds = predecessors(order)
        entry = order[0]
        idom: dict[Block, Block] = {entry: entry}
        changed = True
        while changed:
            changed = False
            for block in order[1:]:
                new: Block | None = None
                for pred in preds[block]:
                    if pred not in idom:
                        continue
                    if new is None:
                        new = pred
                        continue
                    a, b = pred, new
                    while a is not b:
                        while number[a] > number[b]:
                            a = idom[a]
                        while number[b] > number[a]:
                            b = idom[b]
                    new = a
                assert new is not None
                if idom.get(block) is not new:
                    idom[block] = new
                    changed = True
        return cls(order, preds, idom, number)

    def dominates(self, a: Block, b: Block) -> bool:
        """Whether every path from the entry to `b` passes `a` (a block dominates itself)."""
        while self.number[b] > self.number[a]:
            b = self.idom[b]
        return a is b

    def frontiers(self) -> dict[Block, set[Block]]:
        """The dominance frontier of each block."""
        result: dict[Block, set[Block]] = {block: set() for block in self.order}
        for block in self.order:
            preds = self.preds[block]
            if len(preds) < 2 and block is not self.order[0]:
                continue
            for pred in preds:
                runner = pred
                while runner is not self.idom[block] or (
                    block is self.order[0] and runner is not block
                ):
                    result[runner].add(block)
                    if runner is self.idom[runner]:
                        break
                    runner = self.idom[runner]
        return result

    def children(self) -> dict[Block, list[Block]]:
        """The dominator tree, downwards."""
        result: dict[Block, list[Block]] = {block: [] for block in self.order}
        for block in self.order[1:]:
            result[self.idom[block]].append(block)
        return result


@define(eq=False, repr=False)
class Loop:
    """A natural loop: `header` dominates `blocks`; `latches` jump back to it."""

    header: Block
    blocks: set[Block]
    latches: list[Block]
    preds: list[Block] = field(factory=list)  # of the header, from outside
    parent: Loop | None = None
    inner: list[Loop] = field(factory=list)

    def entries(self) -> list[Edge]:
        """The edges that enter the loop, all at its header."""
        return [e for p in self.preds for e in p.terminator.targets if e.block is self.header]


def find_loops(dominators: Dominators) -> list[Loop]:
    """All natural loops, outer before inner; retreating edges of irreducible regions make none."""
    loops: dict[Block, Loop] = {}
    for block in dominators.order:
        for successor in block.successors():
            if dominators.dominates(successor, block):
                loop = loops.setdefault(successor, Loop(successor, {successor}, []))
                loop.latches.append(block)
                stack = [block]
                while stack:
                    member = stack.pop()
                    if member not in loop.blocks:
                        loop.blocks.add(member)
                        stack.extend(dominators.preds[member])
    for loop in loops.values():
        outside = [p for p in dominators.preds[loop.header] if p not in loop.blocks]
        loop.preds = list(dict.fromkeys(outside))
    ordered = sorted(loops.values(), key=lambda loop: -len(loop.blocks))
    for i, loop in enumerate(ordered):
        for outer in reversed(ordered[:i]):
            if loop.header in outer.blocks and outer.header is not loop.header:
                loop.parent = outer
                outer.inner.append(loop)
                break
    return ordered


def retreating_edges(dominators: Dominators) -> list[tuple[Block, Block]]:
    """Edges (from, to) that go back in reverse postorder: every cycle has at least one."""
    number = dominators.number
    return [
        (block, successor)
        for block in dominators.order
        for successor in block.successors()
        if number[successor] <= number[block]
    ]


def has_loops(function: Function) -> bool:
    """Whether some block of the function can be reached again from itself."""
    number = {block: i for i, block in enumerate(reverse_postorder(function))}
    return any(number[s] <= number[b] for b in number for s in b.successors())
