"""Migration-point insertion: puts polls where a running program can be asked to move.

A poll costs a load and a branch, and in an inner loop it would also keep LLVM from vectorising.
So the places are chosen such that every cycle of the program (through loops and calls) meets a
poll within some ten thousand instructions, and no more than that:

* function entries, where a call may lead back to the function: by recursion, or through code
  that is not known here;
* the latch of each loop, unless the loop is known to be short, or each round polls anyway (it
  calls a function that polls at its entry, or asks for a point by name);
* innermost loops without calls are strip-mined (`stripmine`) instead, so that the inner loop
  stays free of calls and the poll stands in a new outer loop;
* so are loops that count and whose rounds are mostly short: those with inner loops that are short
  or that not every round runs. A poll stands in front of each of the latter.

Requires: promoted IR. Establishes: polls; whether each function reaches a point is afterwards
`reaches_point`. With `Points.CALLS` loops are left alone, and every function polls at its entry
that calls something that may poll; with `Points.NONE` there are no points at all, and a program
built so cannot move.
"""

from __future__ import annotations

from enum import Enum

from hcc.compiler.ir.cfg import Dominators, Loop, find_loops, retreating_edges
from hcc.compiler.ir.module import Block, Edge, Function, Instr, Module, Symbol
from hcc.compiler.ir.ops import Op
from hcc.compiler.ir.types import VOID
from hcc.compiler.passes.stripmine import limited_exit, strip_mine, trip_count
from hcc.isa.errors import HccError

# Instructions between two polls of a strip-mined loop; a loop nest of fewer runs without a poll.
STRIP_WORK = 16384
FEWEST_ROUNDS = 8
"""Strips of fewer rounds than that cost as much as a poll in each round."""


class Points(Enum):
    """Where migration points go."""

    NONE = "none"
    CALLS = "calls"
    LOOPS = "loops"


def insert_points(module: Module, points: Points) -> None:
    """Insert the polls of a whole module."""
    if points is Points.NONE:
        for function in module.functions.values():
            for block in function.blocks:
                block.instrs = [i for i in block.instrs if i.op is not Op.POLL]
        return
    quiet = _functions_without_points(module, points)
    polling = {
        name
        for name, f in module.functions.items()
        if not f.leaf and name not in quiet and _calls_points(f, module, quiet)
    }
    if points is Points.LOOPS:
        polling &= _may_recur(module)
    for name, function in module.functions.items():
        if function.leaf or name in quiet:
            continue
        if points is Points.LOOPS:
            _poll_loops(function, polling)
        if name in polling:
            _poll_entry(function)


def reaches_point(module: Module) -> set[str]:
    """Names of the module's functions that may suspend: they poll or call what may."""
    return module.functions.keys() - _functions_without_points(module, Points.CALLS)


def may_suspend(instr: Instr, module: Module, quiet: set[str]) -> bool:
    """Whether a call or poll may reach a migration point; `quiet` names functions that do not."""
    if instr.op is Op.POLL:
        return True
    if instr.op is not Op.CALL or instr.attr.leaf:
        return False
    callee = instr.args[0]
    if isinstance(callee, Symbol):
        if callee.name in module.extern_functions:
            return not module.extern_functions[callee.name].leaf
        return callee.name not in quiet
    return True


def _calls_points(function: Function, module: Module, quiet: set[str]) -> bool:
    return any(i.op is Op.CALL and may_suspend(i, module, quiet) for i in function.instrs())


def _may_recur(module: Module) -> set[str]:
    """The functions that a call of theirs may lead back to: through direct calls within the
    module, or through code that is not known here (other modules, function pointers)."""
    calls: dict[str, set[str]] = {}
    found: set[str] = set()
    for name, function in module.functions.items():
        callees = calls.setdefault(name, set())
        for instr in function.instrs():
            if instr.op is not Op.CALL or instr.attr.leaf:
                continue
            callee = instr.args[0]
            if isinstance(callee, Symbol) and callee.name in module.functions:
                callees.add(callee.name)
            elif may_suspend(instr, module, set()):
                found.add(name)
    for name in calls:
        reached: set[str] = set()
        work = list(calls[name])
        while work and name not in reached:
            other = work.pop()
            if other not in reached:
                reached.add(other)
                work.extend(calls[other])
        if name in reached:
            found.add(name)
    return found


def _functions_without_points(module: Module, points: Points) -> set[str]:
    """The functions that neither poll nor call anything that may: the least such fixed point
    from below, so that recursion counts as reaching a point."""
    quiet: set[str] = set()
    candidates = set()
    for name, function in module.functions.items():
        if function.leaf:
            _check_leaf(function, module)
            quiet.add(name)
        elif not (points is Points.LOOPS and _needs_loop_poll(function)):
            candidates.add(name)
    changed = True
    while changed:
        changed = False
        for name in sorted(candidates - quiet):
            function = module.functions[name]
            if not any(may_suspend(i, module, quiet) for i in function.instrs()):
                quiet.add(name)
                changed = True
    return quiet


def _check_leaf(function: Function, module: Module) -> None:
    for instr in function.instrs():
        callee = instr.args[0] if instr.args else None
        leaf = True
        if instr.op is Op.POLL:
            leaf = False
        elif instr.op is Op.CALL and not instr.attr.leaf:
            name = callee.name if isinstance(callee, Symbol) else ""
            known = module.functions.get(name) or module.extern_functions.get(name)
            leaf = known is not None and known.leaf
        if not leaf:
            where = f"{module.name}:{instr.loc.line}" if instr.loc else module.name
            raise HccError(
                f"{where}: '{function.name}' is declared hcc_leaf but may reach a migration point"
            )


# ---- loops ----


def _needs_loop_poll(function: Function) -> bool:
    dominators = Dominators.of(function)
    edges = retreating_edges(dominators)
    if not edges:
        return False
    loops = find_loops(dominators)
    natural = {(latch, loop.header) for loop in loops for latch in loop.latches}
    if any(edge not in natural for edge in edges):
        return True
    return any(_work(loop) is None for loop in loops)


def _work(loop: Loop) -> int | None:
    """Instructions that one run of the loop executes at most, if known to be a short run."""
    trips = trip_count(loop)
    if trips is None:
        return None
    total = _own_work(loop)
    for inner in loop.inner:
        work = _work(inner)
        if work is None:
            return None
        total += work
    total *= max(trips, 1)
    return total if total <= STRIP_WORK else None


def _own_work(loop: Loop) -> int:
    """Instructions of one round outside of inner loops."""
    inside = {block for inner in loop.inner for block in inner.blocks}
    return sum(len(block.instrs) for block in loop.blocks - inside)


def _has_call_block(loop: Loop, dominators: Dominators, polling: set[str]) -> bool:
    """Whether every round of the loop polls: through a callee's entry or a point by name."""
    for block in loop.blocks:
        if any(_polls(i, polling) for i in block.instrs) and all(
            dominators.dominates(block, latch) for latch in loop.latches
        ):
            return True
    return False


def _polls(instr: Instr, polling: set[str]) -> bool:
    if instr.op is Op.POLL:
        return True
    callee = instr.args[0] if instr.op is Op.CALL else None
    return isinstance(callee, Symbol) and callee.name in polling


def _poll_loops(function: Function, polling: set[str]) -> None:
    dominators = Dominators.of(function)
    loops = find_loops(dominators)
    natural = {(latch, loop.header) for loop in loops for latch in loop.latches}
    irreducible = [e for e in retreating_edges(dominators) if e not in natural]
    for loop in loops:
        if _work(loop) is not None or _has_call_block(loop, dominators, polling):
            continue
        rounds = _rounds(loop, dominators)
        if rounds:
            strip_mine(function, loop, rounds)
            for inner in loop.inner:
                if _work(inner) is None:
                    _poll_before(function, inner)
        else:
            for latch in loop.latches:
                poll_edge(function, latch, loop.header)
    for source, target in irreducible:
        poll_edge(function, source, target)


def _rounds(loop: Loop, dominators: Dominators) -> int:
    """The rounds of a strip of the loop; 0 if it is better polled in each round."""
    if _has_calls(loop):
        return 0
    work = _own_work(loop)
    if not loop.inner:
        return _power_of_two(max(STRIP_WORK // work, 256))
    for inner in loop.inner:
        inner_work = _work(inner)
        if inner_work is not None:
            work += inner_work
        elif all(dominators.dominates(inner.header, latch) for latch in loop.latches):
            return 0
    if work > STRIP_WORK // FEWEST_ROUNDS:
        return 0
    rounds = _power_of_two(STRIP_WORK // work)
    return rounds if limited_exit(loop, rounds) is not None else 0


def _power_of_two(most: int) -> int:
    return 1 << most.bit_length() - 1


def _has_calls(loop: Loop) -> bool:
    return any(i.op is Op.CALL and not i.attr.leaf for b in loop.blocks for i in b.instrs)


def _poll_before(function: Function, loop: Loop) -> None:
    """Put a poll on the edges into a loop."""
    sources = [poll_edge(function, source, loop.header) for source in loop.preds]
    loop.preds = [block for blocks in sources for block in blocks]


def poll_edge(function: Function, source: Block, target: Block) -> list[Block]:
    """Put a poll on the edges from `source` to `target`; returns the blocks they now come from."""
    terminator = source.terminator
    loc = terminator.loc
    if terminator.op is Op.BR:
        source.instrs.insert(-1, Instr(VOID, op=Op.POLL, loc=loc))
        return [source]
    added = []
    for i, edge in enumerate(terminator.targets):
        if edge.block is target:
            middle = Block(function.fresh_name("poll"))
            jump = Instr(VOID, op=Op.BR, targets=[Edge(target, edge.args)], loc=loc)
            middle.instrs = [Instr(VOID, op=Op.POLL, loc=loc), jump]
            function.blocks.append(middle)
            terminator.targets[i] = Edge(middle)
            added.append(middle)
    return added


def _poll_entry(function: Function) -> None:
    entry = function.entry
    at = next((i for i, x in enumerate(entry.instrs) if x.op is not Op.ALLOCA), 0)
    if entry.instrs[at].op is not Op.POLL:
        entry.instrs.insert(at, Instr(VOID, op=Op.POLL, loc=function.loc))

