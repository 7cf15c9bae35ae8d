"""The loops of a region: what is optimised on its own where a loop is already running.

A function that is hot while it runs must be entered in the middle. Entering its whole region at an
inner loop would make that loop's head the only way into the outer ones too, and LLVM would see
one loop where there are several: nothing is hoisted, and the wrong registers are spilt. So the
loop is optimised alone: each region begins where LLVM, too, sees a loop begin.

Dominators by the iteration of Cooper, Harvey and Kennedy ("A simple, fast dominance algorithm",
2001); a loop is what reaches a back edge without passing its head.
"""

from __future__ import annotations

from hcc.emulator.jit.regions import Region, successors

Loops = dict[int, frozenset[int]]
"""The blocks of each loop, by the loop's head."""


def heads(region: Region) -> frozenset[int]:
    """The blocks that some path comes back to: what passes none of them comes to an end."""
    after = _successors(region)
    rank = {block: i for i, block in enumerate(reverse_postorder(region.start, after))}
    return frozenset(s for block in rank for s in after[block] if rank[s] <= rank[block])


def loops_around(loops: Loops, block: int) -> list[tuple[int, frozenset[int]]]:
    """Head and blocks of the loops that a block is in, the outermost first."""
    around = [(head, body) for head, body in loops.items() if block in body]
    return sorted(around, key=lambda loop: -len(loop[1]))


def natural_loops(region: Region) -> Loops:
    """The blocks of each loop of a region, by the loop's head."""
    after = _successors(region)
    order = reverse_postorder(region.start, after)
    before: dict[int, list[int]] = {start: [] for start in order}
    for start in order:
        for successor in after[start]:
            before[successor].append(start)
    idom = _dominators(order, before)
    bodies: dict[int, set[int]] = {}
    for start in order:
        for head in after[start]:
            if _dominates(head, start, idom):
                _grow(bodies.setdefault(head, {head}), start, before)
    return {head: frozenset(body) for head, body in bodies.items()}


def _successors(region: Region) -> dict[int, list[int]]:
    return {
        start: [s for s in successors(block, region.switches.get(start)) if s in region.blocks]
        for start, block in region.blocks.items()
    }


def _grow(body: set[int], start: int, before: dict[int, list[int]]) -> None:
    """Add to a loop what reaches the block `start`, which jumps back to its head."""
    stack = [start]
    while stack:
        block = stack.pop()
        if block not in body:
            body.add(block)
            stack += before[block]


def reverse_postorder(start: int, after: dict[int, list[int]]) -> list[int]:
    """The blocks that can be reached, each before what follows it but for the ways back."""
    seen, order = {start}, []
    stack = [(start, iter(after[start]))]
    while stack:
        block, rest = stack[-1]
        for successor in rest:
            if successor not in seen:
                seen.add(successor)
                stack.append((successor, iter(after[successor])))
                break
        else:
            order.append(block)
            stack.pop()
    order.reverse()
    return order


def _dominators(order: list[int], before: dict[int, list[int]]) -> dict[int, int]:
    """The immediate dominator of each block; the first one's is itself."""
    rank = {block: i for i, block in enumerate(order)}
    idom = {order[0]: order[0]}
    changed = True
    while changed:
        changed = False
        for block in order[1:]:
            known = [p for p in before[block] if p in idom]
            nearest = known[0]
            for other in known[1:]:
                while nearest != other:
                    while rank[other] > rank[nearest]:
                        other = idom[other]
                    while rank[nearest] > rank[other]:
                        nearest = idom[nearest]
            if idom.get(block) != nearest:
                idom[block] = nearest
                changed = True
    return idom


def _dominates(head: int, block: int, idom: dict[int, int]) -> bool:
    while block != head:
        if idom[block] == block:
            return False
        block = idom[block]
    return True
