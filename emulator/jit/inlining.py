"""Small functions as part of the regions that call them.

Between regions all guest state is in memory: a call writes what has changed, the callee reads what
it needs, and the return does both again, which for a function of ten instructions is most of its
time. So the code of small functions is taken into a region once for each call there. What passes
between caller and callee then is variables of one LLVM function, which forgets what nobody reads.

The return address is compared with the one that is expected as for any call, and whatever the guest
does instead of returning leaves the region. A callee that goes on in code that is not part of it (a
jump to another function) calls that: what returns from there has returned from the callee.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush

from attrs import evolve

from hcc.emulator.jit.builder import (
    Back,
    Branch,
    End,
    Enter,
    Fall,
    GuestBlock,
    Jump,
    Leave,
    Syscall,
    Votes,
)
from hcc.emulator.jit.loops import loops_around, natural_loops
from hcc.emulator.jit.regions import Place, Region, place, site_of
from hcc.isa.builder import JumpKind


def with_inlined(region: Region, callee: Callable[[int], Region | None], most: int) -> Region:
    """A region and the code of the functions it calls: those that `callee` has a region for, a call
    in an inner loop before others, as long as all has `most` instructions at most."""
    merged = Region(
        region.start,
        region.bounds,
        dict(region.blocks),
        _all_votes([region]),
        dict(region.switches),
        region.insn_count,
        left=set(region.left),
    )
    callers: dict[int, frozenset[int]] = {0: frozenset((region.start, region.bounds[0]))}
    queue = _calls(region, 0, 0)
    heapify(queue)
    while queue:
        shallow, where, target = heappop(queue)
        block = merged.blocks[where]
        site = site_of(where)
        assert isinstance(block.end, Jump)
        if block.end.next_pc not in merged.blocks or target in callers[site]:
            continue
        inner = callee(target)
        if inner is None or merged.insn_count + inner.insn_count > most:
            continue
        number = len(callers)
        callers[number] = callers[site] | {target}
        merged.returns[number] = block.end.next_pc
        merged.blocks[where] = evolve(block, end=Enter(place(number, target)))
        for start, other in inner.blocks.items():
            merged.blocks[place(number, start)] = _moved(other, number, block.end.next_pc)
        for start, switch in inner.switches.items():
            targets = {i: place(number, pc) for i, pc in switch.targets.items()}
            merged.switches[place(number, start)] = evolve(switch, targets=targets)
        merged.votes = _all_votes([merged, inner])
        merged.insn_count += inner.insn_count
        merged.left |= inner.left
        for call in _calls(inner, number, shallow):
            heappush(queue, call)
    return merged if merged.returns else region


def _calls(region: Region, site: int, shallow: int) -> list[tuple[int, Place, int]]:
    """The calls of known functions in a region, to be sorted: minus the number of loops around
    each, the place of its block, and its target."""
    loops = natural_loops(region)
    return [
        (shallow - len(loops_around(loops, start)), place(site, start), end.target.const)
        for start, block in region.blocks.items()
        if isinstance(end := block.end, Jump)
        and end.kind is JumpKind.CALL
        and end.target.const is not None
    ]


def _all_votes(regions: list[Region]) -> Votes:
    votes = Votes()
    for other in (region.votes for region in regions):
        votes.vector |= other.vector
        votes.scalar |= other.scalar
        votes.floats |= other.floats
        votes.wide |= other.wide
        votes.copies += other.copies
    return votes


def _moved(block: GuestBlock, site: int, back: Place) -> GuestBlock:
    """A block of a function as part of the code that is there for a call, which returns to
    `back`."""
    effects = [
        evolve(effect, target=place(site, effect.target)) if isinstance(effect, Leave) else effect
        for effect in block.effects
    ]
    end = _moved_end(block.end, site, back)
    return GuestBlock(place(site, block.start), block.addrs, effects, block.sets, end)


def _moved_end(end: End, site: int, back: Place) -> End:
    match end:
        case Jump(target=target, kind=JumpKind.RETURN):
            return Back(target, back)
        case Jump(target=target, kind=JumpKind.PLAIN) if target.const is not None:
            return Fall(place(site, target.const))
        case Branch(target=target):
            return evolve(end, target=place(site, target), next_pc=place(site, end.next_pc))
        case Jump() | Fall() | Syscall():
            return evolve(end, next_pc=place(site, end.next_pc))
    return end
