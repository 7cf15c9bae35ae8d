"""Unroll-and-jam: several rounds of an outer loop share one run of the loop inside.

    for (j = a; j < n; j++) {                for (; j < n - 3; j += 4) {
        s = 0                                    s0 = s1 = s2 = s3 = 0
        for (k = 0; k < m; k++)        ->        for (k = 0; k < m; k++)
            s += x[k] * y[k][j]                      s0 += x[k] * y[k][j], ..., s3 += ...
        z[j] = s                                 z[j] = s0, ..., z[j + 3] = s3
    }                                        }
                                             for (; j < n; j++) ...

Floats may not be reassociated, so a sum of them is a chain in which each addition waits for the
one before. Several sums at a time hide that, share the loads that they have in common, and become
vectors where LLVM finds them side by side. Every sum is still added in its own order. It has to be
done before points are inserted, since a poll between the two loops would keep LLVM from it.

What is jammed: an outer loop that counts by a constant step at its header, around one inner loop
without branches that carries floats and runs equally often each time. Between them stands
straight-line code. The inner loop and what is before it only compute and load, and no store behind
it may write what they read (`ir.objects`).

Requires: promoted IR. Establishes: what is left of a loop that was jammed has few rounds to do.
"""

from __future__ import annotations

from attrs import define, field, frozen

from hcc.compiler.ir.cfg import Dominators, Loop, find_loops
from hcc.compiler.ir.construct import int_const
from hcc.compiler.ir.module import Block, Const, Edge, Function, Instr, Module, Operand, Value
from hcc.compiler.ir.objects import Accesses
from hcc.compiler.ir.ops import DIVISIONS, Op
from hcc.compiler.ir.types import I1, PTR, VOID
from hcc.compiler.passes.stripmine import CountedExit, as_signed, counted_exit

FACTOR = 4
"""Rounds that are done together."""
CARRIED = 3
"""Values that rounds of an inner loop may hand on, so that all copies of them find registers."""
SIZE = 60
"""Instructions that an inner loop may have."""


def jam_loops(module: Module) -> None:
    """Unroll-and-jam the loops of a module where that is possible and pays."""
    accesses = Accesses.of(module)
    for function in module.functions.values():
        for loop in find_loops(Dominators.of(function)):
            nest = _nest_of(loop, accesses)
            if nest is not None:
                _jam(function, nest)


@frozen(eq=False)
class _Nest:
    """A loop that can be jammed, by its parts: `head` tests, `before` leads to the inner loop,
    whose first block is its header, and `behind` leads back to `head`."""

    loop: Loop
    exit: CountedExit
    before: list[Block]
    inner: list[Block]
    behind: Block
    changing: set[Operand]
    """What may differ between rounds of the outer loop that are done together."""

    @property
    def head(self) -> Block:
        return self.loop.header


def _nest_of(loop: Loop, accesses: Accesses) -> _Nest | None:
    """The loop as a nest, if it is one that can be jammed and profits."""
    exit_ = counted_exit(loop)
    if exit_ is None or len(loop.inner) != 1:
        return None
    (inner,) = loop.inner
    before = _way(loop.header.terminator.targets[exit_.stays].block, inner.header)
    behind = _only_exit(inner)
    if before is None or behind is None:
        return None
    parts = list(dict.fromkeys((inner.header, *inner.latches)))
    if {loop.header, *before, *parts, behind} != loop.blocks or behind is not loop.latches[0]:
        return None
    nest = _Nest(loop, exit_, before, parts, behind, _changing(loop, behind))
    possible = _counts_simply(nest) and _runs_equally(nest) and _may_move(nest, accesses)
    return nest if possible and _pays(nest) else None


def _way(block: Block, to: Block) -> list[Block] | None:
    """The straight-line blocks from one block to another, which is not among them."""
    found: list[Block] = []
    while block is not to:
        if block in found or block.terminator.op is not Op.BR:
            return None
        found.append(block)
        block = block.terminator.targets[0].block
    return found


def _only_exit(loop: Loop) -> Block | None:
    """Where a loop of one or two blocks leads, if that is one place on one edge."""
    if len(loop.latches) != 1 or loop.blocks != {loop.header, loop.latches[0]}:
        return None
    leaving = [e for b in loop.blocks for e in b.terminator.targets if e.block not in loop.blocks]
    return leaving[0].block if len(leaving) == 1 else None


def _changing(loop: Loop, behind: Block) -> set[Operand]:
    """What may differ between rounds of a loop that are done together: the header's parameters and
    what depends on them. What counts in the inner loop alone is not among it, nor is what is
    loaded from one place: nothing is stored before what is `behind` the inner loop."""
    changing: set[Operand] = set(loop.header.params)
    sources: dict[Value, list[Operand]] = {}
    for block in loop.blocks:
        for instr in block.instrs:
            sources[instr] = instr.args
            if not _is_pure(instr) and (instr.op is not Op.LOAD or block is behind):
                changing.add(instr)
            for edge in instr.targets:
                for param, arg in zip(edge.block.params, edge.args, strict=True):
                    sources.setdefault(param, []).append(arg)
    size = 0
    while len(changing) > size:
        size = len(changing)
        changing |= {v for v, args in sources.items() if not changing.isdisjoint(args)}
    return changing


def _counts_simply(nest: _Nest) -> bool:
    """Whether the rounds still to be done can be told from the header's variable alone."""
    exit_ = nest.exit
    type_, step = exit_.variable.type, exit_.step
    return (
        exit_.block is nest.head
        and exit_.tested is exit_.variable
        and type_ is not PTR
        and exit_.strict is exit_.op
        and isinstance(step, Const)
        and FACTOR * int(step.value) < 1 << type_.bits - 1
        and not any(exit_.bound in block.instrs for block in nest.loop.blocks)
    )


def _runs_equally(nest: _Nest) -> bool:
    """Whether the inner loop runs equally often in each round."""
    ends = [block.terminator for block in nest.inner]
    return all(e.op in (Op.BR, Op.CBR) and nest.changing.isdisjoint(e.args) for e in ends)


def _may_move(nest: _Nest, accesses: Accesses) -> bool:
    """Whether what is before and in the inner loop may be done ahead of what is behind it."""
    first = [i for b in (nest.head, *nest.before, *nest.inner) for i in b.instrs[:-1]]
    then = nest.behind.instrs[:-1]
    if any(not _is_pure(i) and not _is_plain(i) for i in (*first, *then)):
        return False
    reads = [i for i in first if i.op is Op.LOAD]
    writes = [i for i in then if i.op is Op.STORE]
    return not (
        any(i.op is Op.STORE for i in first)
        or any(accesses.may_meet(a, b) for a in reads for b in writes)
    )


def _is_pure(instr: Instr) -> bool:
    return instr.op.is_pure or (instr.op in DIVISIONS and not instr.may_trap)


def _is_plain(instr: Instr) -> bool:
    return instr.op in (Op.LOAD, Op.STORE) and not instr.attr.volatile


def _pays(nest: _Nest) -> bool:
    size = sum(len(block.instrs) for block in nest.inner)
    carried = [p for p in nest.inner[0].params if p in nest.changing]
    return any(p.type.is_float for p in carried) and len(carried) <= CARRIED and size <= SIZE


class _NotReady(Exception):
    """A value is wanted before the inner loop that comes from behind it."""


@define(eq=False)
class _Copies:
    """The rounds of a nest as they are done together: what each value is in the round `number`."""

    nest: _Nest
    params: list[Value]
    """The header's parameters in round 0."""
    instrs: list[Instr] = field(factory=list)
    """Where what is copied goes."""
    known: dict[tuple[Value, int], Operand] = field(factory=dict)
    is_behind: bool = False
    """Whether the inner loop is done."""
    _home: dict[Value, Block] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        for block in self.nest.loop.blocks:
            for value in (*block.params, *block.instrs):
                self._home[value] = block

    def at(self, operand: Operand, number: int) -> Operand:
        """A value of the nest in some round; it is computed now if it has not been.

        Raises _NotReady before the inner loop for what depends on that."""
        block = self._home.get(operand) if isinstance(operand, Value) else None
        if block is None:
            return operand
        assert isinstance(operand, Value)
        if operand not in self.nest.changing:
            number = 0
        found = self.known.get((operand, number))
        if found is None:
            found = self.known[operand, number] = self._made(operand, block, number)
        return found

    def _made(self, value: Value, block: Block, number: int) -> Operand:
        nest = self.nest
        if block in nest.inner:
            raise _NotReady
        if isinstance(value, Instr):
            if block is nest.behind and not self.is_behind and not _is_pure(value):
                raise _NotReady
            return self.copy(value, number)
        place = block.params.index(value)
        if block is nest.head:
            if number == 0:
                return self.params[place]
            return self.at(nest.behind.terminator.targets[0].args[place], number - 1)
        return self.at(_edge_to(nest, block).args[place], number)

    def copy(self, instr: Instr, number: int) -> Instr:
        """The same instruction in some round."""
        args = [self.at(arg, number) for arg in instr.args]
        twin = Instr(instr.type, instr.name, op=instr.op, args=args, attr=instr.attr, loc=instr.loc)
        self.instrs.append(twin)
        return twin


def _edge_to(nest: _Nest, block: Block) -> Edge:
    """The edge to a block before or behind the inner loop."""
    sources = (nest.head, *nest.before, *nest.inner)
    edges = (e for source in sources for e in source.terminator.targets)
    return next(edge for edge in edges if edge.block is block)


def _jam(function: Function, nest: _Nest) -> None:
    """Put a loop of joined rounds before the loop, which does those that are left."""
    try:
        blocks = _joined(function, nest)
    except _NotReady:
        return
    entry = blocks[0]
    for edge in nest.loop.entries():
        edge.block = entry
    at = function.blocks.index(nest.head)
    function.blocks[at:at] = blocks


def _joined(function: Function, nest: _Nest) -> list[Block]:
    """The new loop: an entry, its header, what is before the inner loop, that, what is behind."""
    name = function.fresh_name("jam")
    loc = nest.head.terminator.loc
    params = nest.head.params
    entry = Block(name, [Value(p.type, p.name) for p in params])
    head = Block(f"{name}.head", [Value(p.type, p.name) for p in params])
    before, behind = Block(f"{name}.before"), Block(f"{name}.behind")
    inner = {block: Block(f"{name}.{block.name}") for block in nest.inner}

    place = params.index(nest.exit.variable)
    starts = [edge.args[place] for edge in nest.loop.entries()]
    start = starts[0] if len(starts) == 1 else entry.params[place]
    bound = _known_bound(start, nest.exit) or _bound(entry, start, nest)
    entry.instrs.append(Instr(VOID, op=Op.BR, targets=[Edge(head, list(entry.params))], loc=loc))
    test = Instr(I1, op=nest.exit.op, args=[head.params[place], bound], loc=loc)
    ways = [Edge(before), Edge(nest.head, list(head.params))]
    head.instrs = [test, Instr(VOID, op=Op.CBR, args=[test], targets=ways, loc=loc)]

    copies = _Copies(nest, head.params, before.instrs)
    for number in range(FACTOR):
        for block in nest.before:
            for instr in block.instrs[:-1]:
                copies.at(instr, number)
    inner_head = nest.inner[0]
    edge = _edge_to(nest, inner_head)
    carried = [copies.at(arg, number) for arg, number in _each(edge.args, inner_head, nest)]
    jump = Instr(VOID, op=Op.BR, targets=[Edge(inner[inner_head], carried)], loc=loc)
    _copy_inner(copies, inner, behind)
    before.instrs.append(jump)

    copies.is_behind = True
    copies.instrs = behind.instrs
    for number in range(FACTOR):
        for instr in nest.behind.instrs[:-1]:
            if (instr, number) not in copies.known:
                copies.at(instr, number)
    back = nest.behind.terminator
    again = [copies.at(arg, FACTOR - 1) for arg in back.targets[0].args]
    behind.instrs.append(Instr(VOID, op=Op.BR, targets=[Edge(head, again)], loc=back.loc))
    return [entry, head, before, *inner.values(), behind]


def _each(operands: list[Operand], block: Block, nest: _Nest) -> list[tuple[Operand, int]]:
    """What an edge to a block of the inner loop carries: once what is the same in all rounds."""
    result = []
    for operand, param in zip(operands, block.params, strict=True):
        rounds = FACTOR if param in nest.changing else 1
        result += [(operand, number) for number in range(rounds)]
    return result


def _copy_inner(copies: _Copies, inner: dict[Block, Block], behind: Block) -> None:
    """Fill the copies of the inner loop's blocks."""
    nest = copies.nest
    outside = copies.instrs
    for block, twin in inner.items():
        for param, number in _each(list(block.params), block, nest):
            assert isinstance(param, Value)
            made = Value(param.type, param.name)
            twin.params.append(made)
            copies.known[param, number] = made
    for block, twin in inner.items():
        for instr in block.instrs[:-1]:
            for number in range(FACTOR if instr in nest.changing else 1):
                # What the copy uses from before the loop is computed there.
                copies.instrs = outside
                for arg in instr.args:
                    copies.at(arg, number)
                copies.instrs = twin.instrs
                copies.known[instr, number] = copies.copy(instr, number)
    copies.instrs = outside
    for block, twin in inner.items():
        end = block.terminator
        targets = []
        for edge in end.targets:
            if edge.block in inner:
                args = [copies.at(a, n) for a, n in _each(edge.args, edge.block, nest)]
                targets.append(Edge(inner[edge.block], args))
            else:
                targets.append(Edge(behind))
        args = [copies.at(arg, 0) for arg in end.args]
        twin.instrs.append(Instr(VOID, op=end.op, args=args, targets=targets, loc=end.loc))


def _known_bound(start: Operand, exit_: CountedExit) -> Const | None:
    """What `_bound` computes, where that is known now."""
    bound, step = exit_.bound, exit_.step
    if not (isinstance(start, Const) and isinstance(bound, Const) and isinstance(step, Const)):
        return None
    type_ = bound.type
    first, last = int(start.value), int(bound.value)
    if exit_.op in (Op.SLT, Op.SGT):
        first, last = as_signed(first, type_), as_signed(last, type_)
    rest = last - first if exit_.up else first - last
    if exit_.op is Op.NE:
        rest %= 1 << type_.bits
    together = FACTOR * int(step.value)
    rounds = -(-max(rest, 0) // int(step.value)) // FACTOR
    return int_const(type_, first + (rounds * together if exit_.up else -rounds * together))


def _bound(entry: Block, start: Operand, nest: _Nest) -> Operand:
    """The bound of the joined rounds: as far before the loop's own as lets the last of them begin,
    or the start if there are fewer."""
    exit_ = nest.exit
    type_, bound = start.type, exit_.bound
    assert isinstance(exit_.step, Const)
    far = (FACTOR - 1) * int(exit_.step.value)

    def emit(op: Op, *args: Operand) -> Operand:
        result = I1 if op in (Op.UGT, exit_.op) else args[-1].type
        instr = Instr(result, op=op, args=list(args), loc=nest.head.terminator.loc)
        entry.instrs.append(instr)
        return instr

    rest = emit(Op.SUB, bound, start) if exit_.up else emit(Op.SUB, start, bound)
    if exit_.op is Op.NE:  # the step is 1: the rounds are the rest
        whole = emit(Op.AND, rest, int_const(type_, -FACTOR))
        return emit(Op.ADD if exit_.up else Op.SUB, start, whole)
    enough = emit(Op.UGT, rest, int_const(type_, far))
    enough = emit(Op.AND, enough, emit(exit_.op, start, bound))
    nearer = emit(Op.SUB if exit_.up else Op.ADD, bound, int_const(type_, far))
    return emit(Op.SELECT, enough, nearer, start)
