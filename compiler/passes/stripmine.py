"""Strip-mining of counted loops: a poll every few thousand rounds, the inner loop untouched.

    for (i = a; i < n; i += s) body
becomes
    i = a
    do {
        limit = the smaller of n and i + strip * s, in the loop's own arithmetic
        for (; i < limit; i += s) body
    } while (i < n and (poll, true))

A loop counts if one of its exits, taken at the header before anything else happens or at the
only latch, compares an induction variable (a header parameter that the latch changes by a fixed
step) with a fixed value. Fixed are constants, values from outside the loop, and what is computed
from such alone. Other exits may exist: they leave as before.

A step that is no constant may turn out not to lead towards the bound, or to lead beyond the end of
the type. Then the limit lets no round through but the first, for which the test is `i < n`. So it
is with constants that no step leads beyond, as in `i >= 0u`. (A constant step only goes on forever
if the bound turns out to be at the end of the type, as in `i <= n`; such a loop runs on without a
poll, because the first round's own test would keep LLVM from vectorising.)

A loop that does not count gets a counter of its own:

    do {
        left = strip
        while (condition && left != 0) { left--; body }
    } while (not done and (poll, true))
"""

from __future__ import annotations

from attrs import frozen

from hcc.compiler.ir.cfg import Loop
from hcc.compiler.ir.construct import int_const
from hcc.compiler.ir.module import (
    Block,
    Const,
    Edge,
    Function,
    Instr,
    Location,
    Operand,
    Symbol,
    Value,
)
from hcc.compiler.ir.ops import Op
from hcc.compiler.ir.types import I1, I32, I64, PTR, VOID, Type

_UP = {Op.SLT, Op.SLE, Op.ULT, Op.ULE}
_DOWN = {Op.SGT, Op.SGE, Op.UGT, Op.UGE}
_SWAPPED = {
    Op.SLT: Op.SGT, Op.SLE: Op.SGE, Op.ULT: Op.UGT, Op.ULE: Op.UGE,
    Op.SGT: Op.SLT, Op.SGE: Op.SLE, Op.UGT: Op.ULT, Op.UGE: Op.ULE,
    Op.NE: Op.NE, Op.EQ: Op.EQ,
}  # fmt: skip
_STRICT = {Op.SLE: Op.SLT, Op.SGE: Op.SGT, Op.ULE: Op.ULT, Op.UGE: Op.UGT}
_INVERSE = {
    Op.SLT: Op.SGE, Op.SLE: Op.SGT, Op.ULT: Op.UGE, Op.ULE: Op.UGT,
    Op.SGT: Op.SLE, Op.SGE: Op.SLT, Op.UGT: Op.ULE, Op.UGE: Op.ULT,
    Op.NE: Op.EQ, Op.EQ: Op.NE,
}  # fmt: skip
# What may be computed in front of a loop, whether or not its rounds would come to compute it.
_CHEAP = {
    Op.ADD, Op.SUB, Op.MUL, Op.AND, Op.OR, Op.XOR, Op.SHL, Op.LSHR, Op.ASHR,
    Op.TRUNC, Op.ZEXT, Op.SEXT, Op.PTRADD, Op.PTRTOINT,
}  # fmt: skip


@frozen(eq=False)
class CountedExit:
    """The exit test of a counted loop: stay while `op(tested, bound)`."""

    block: Block
    op: Op
    tested: Value
    bound: Operand
    variable: Value  # the header parameter
    step: Operand  # how far a round goes
    up: bool
    stays: int  # which target of the block's terminator stays in the loop
    at_latch: bool  # or else at the header, where the first round is tested too

    @property
    def may_pass(self) -> bool:
        """Whether rounds may lead past the bound, or never to it; see above."""
        step, type_ = _amount(self.step), self.tested.type
        if step is None:
            return True
        if self.op is Op.NE or type_ is PTR or not isinstance(self.bound, Const):
            return False
        low, high = self.range
        bound = int(self.bound.value)
        bound = as_signed(bound, type_) if low else bound
        room = high - bound if self.up else bound - low
        return room < step - (self.strict is self.op)

    @property
    def range(self) -> tuple[int, int]:
        """The least and the greatest value in the order of the test."""
        bits = 64 if self.tested.type is PTR else self.tested.type.bits
        if self.op in (Op.SLT, Op.SLE, Op.SGT, Op.SGE):
            return -(1 << bits - 1), (1 << bits - 1) - 1
        return 0, (1 << bits) - 1

    @property
    def strict(self) -> Op:
        """The same test, but for equal values."""
        return _STRICT.get(self.op, self.op)


def counted_exit(loop: Loop) -> CountedExit | None:
    """The exit by which the loop counts, if it has one."""
    if len(loop.latches) != 1:
        return None
    latch = loop.latches[0]
    for block in dict.fromkeys((loop.header, latch)):
        found = _exit_at(loop, block, latch)
        if found is not None:
            return found
    return None


def limited_exit(loop: Loop, strip: int) -> CountedExit | None:
    """The exit at which strips of so many rounds can be limited, if there is one."""
    exit_ = counted_exit(loop)
    if exit_ is None or (_amount(exit_.step) or 0) > _longest_step(exit_.step, strip):
        return None
    return exit_


def _exit_at(loop: Loop, block: Block, latch: Block) -> CountedExit | None:
    terminator = block.terminator
    if terminator.op is not Op.CBR:
        return None
    inside = [edge.block in loop.blocks for edge in terminator.targets]
    if inside[0] == inside[1]:
        return None
    stays = 0 if inside[0] else 1
    if block is not latch and any(not _is_harmless(i) for i in block.instrs[:-1]):
        return None
    if block is latch and terminator.targets[stays].block is not loop.header:
        return None
    condition = terminator.args[0]
    if not isinstance(condition, Instr) or condition.op not in _INVERSE:
        return None
    op = condition.op if stays == 0 else _INVERSE[condition.op]
    inner = _inner_values(loop)
    a, b = condition.args
    for tested, bound, test in ((a, b, op), (b, a, _SWAPPED[op])):
        if not isinstance(tested, Value) or not _is_fixed(bound, inner):
            continue
        for variable, step, up, after in _inductions(loop, latch, inner):
            towards = test in (_UP if up else _DOWN) or (test is Op.NE and _amount(step) == 1)
            if towards and (tested is variable or tested is after):
                at_latch = block is latch
                return CountedExit(block, test, tested, bound, variable, step, up, stays, at_latch)
    return None


def _is_harmless(instr: Instr) -> bool:
    return instr.op.is_pure


def _inner_values(loop: Loop) -> set[Operand]:
    return {v for b in loop.blocks for v in (*b.params, *b.instrs)}


def _is_fixed(operand: Operand, inner: set[Operand]) -> bool:
    """Whether an operand has the same value in each round."""
    if operand not in inner:
        return True
    return (
        isinstance(operand, Instr)
        and operand.op in _CHEAP
        and all(_is_fixed(arg, inner) for arg in operand.args)
    )


def _inductions(
    loop: Loop, latch: Block, inner: set[Operand]
) -> list[tuple[Value, Operand, bool, Instr]]:
    """Header parameters that every round changes by a fixed step: (parameter, step, whether it
    goes up, new value)."""
    result = []
    for edge in latch.terminator.targets:
        if edge.block is not loop.header:
            continue
        for param, new in zip(loop.header.params, edge.args, strict=True):
            if not isinstance(new, Instr) or new.op not in (Op.ADD, Op.SUB, Op.PTRADD):
                continue
            base, amount = new.args
            if base is not param and new.op is Op.ADD:
                base, amount = amount, base
            up = new.op is not Op.SUB
            if base is not param or not _is_fixed(amount, inner):
                continue
            if isinstance(amount, Const):
                step = as_signed(int(amount.value), amount.type)
                if step == 0:
                    continue
                up = up == (step > 0)
                amount = int_const(amount.type, abs(step))
            result.append((param, amount, up, new))
    return result


def _amount(step: Operand) -> int | None:
    """A step that is known."""
    return int(step.value) if isinstance(step, Const) else None


def as_signed(value: int, type_: Type) -> int:
    """A constant's bits as a signed number."""
    return value - (1 << type_.bits) if value >> (type_.bits - 1) else value


def trip_count(loop: Loop) -> int | None:
    """A bound on the rounds of a loop whose start and end are constants; else None."""
    if len(loop.latches) != 1:
        return None
    latch = loop.latches[0]
    for block in dict.fromkeys((loop.header, latch)):
        exit_ = _exit_at(loop, block, latch)
        if exit_ is None or not isinstance(exit_.bound, Const):
            continue
        step = _amount(exit_.step)
        if step is None:
            continue
        starts = _start_values(loop, exit_.variable)
        if not starts or not all(isinstance(s, Const) for s in starts):
            continue
        type_ = exit_.bound.type
        signed = exit_.op in (Op.SLT, Op.SLE, Op.SGT, Op.SGE, Op.NE)
        ends = int(exit_.bound.value)
        end = as_signed(ends, type_) if signed else ends
        lowest = -(1 << (type_.bits - 1)) if signed else 0
        beyond = end + step if exit_.up else end - step
        if exit_.op is not Op.NE and not lowest <= beyond < lowest + (1 << type_.bits):
            return None  # the variable may wrap around before the test fails
        worst = 0
        for start in starts:
            assert isinstance(start, Const)
            first = as_signed(int(start.value), type_) if signed else int(start.value)
            if exit_.tested is not exit_.variable:
                first += step if exit_.up else -step
                if not lowest <= first < lowest + (1 << type_.bits):
                    return None  # it wraps around before the first test
            distance = end - first if exit_.up else first - end
            if distance < 0 and exit_.op is Op.NE:
                return None
            worst = max(worst, distance)
        return worst // step + 2
    return None


def _start_values(loop: Loop, variable: Value) -> list[Operand]:
    """What the edges into the loop give the header parameter; empty if unknown."""
    index = loop.header.params.index(variable)
    return [edge.args[index] for edge in loop.entries()]


def strip_mine(function: Function, loop: Loop, strip: int) -> None:
    """Split a loop into strips of `strip` rounds with a poll between them."""
    exit_ = limited_exit(loop, strip)
    if exit_ is None:
        _count_rounds(function, loop, strip)
    else:
        _limit_strips(function, loop, exit_, strip)


def _count_rounds(function: Function, loop: Loop, strip: int) -> None:
    """Strip-mine a loop that does not count, by a counter of its own."""
    header = loop.header
    outer = Block(function.fresh_name("strip"), [Value(p.type, p.name) for p in header.params])
    for edge in loop.entries():
        edge.block = outer
    start: list[Operand] = [*outer.params, int_const(I32, strip)]
    outer.instrs = [Instr(VOID, op=Op.BR, targets=[Edge(header, start)])]
    state: list[Operand] = list(header.params)
    left = Value(I32, "left")
    header.params.append(left)
    ends = [latch.terminator for latch in loop.latches]
    backs = [(end, e) for end in ends for e in end.targets if e.block is header]
    stays = _tested_at_header(loop)
    if stays is not None:
        # Behind the loop's own test, so that LLVM still rotates the loop by that.
        fewer = Instr(I32, "left", op=Op.SUB, args=[left, int_const(I32, 1)])
        for _, edge in backs:
            edge.args.append(fewer)
        onward = Edge(stays.block, stays.args)
        check = _check(function, outer, fewer, onward, state, 0)
        check.instrs.insert(0, fewer)
        stays.block, stays.args = check, []
    else:
        for number, (terminator, edge) in enumerate(backs):
            fewer = Instr(I32, "left", op=Op.SUB, args=[left, int_const(I32, 1)])
            again = Edge(header, [*edge.args, fewer])
            check = _check(function, outer, fewer, again, list(edge.args), number)
            check.instrs.insert(0, fewer)
            edge.block, edge.args = check, []
            check.instrs[-1].loc = terminator.loc
    function.blocks.insert(function.blocks.index(header), outer)


def _tested_at_header(loop: Loop) -> Edge | None:
    """The edge on which the loop goes on, if its header does nothing but test; else None."""
    header = loop.header
    terminator = header.terminator
    if terminator.op is not Op.CBR or header in loop.latches:
        return None
    inside = [edge for edge in terminator.targets if edge.block in loop.blocks]
    quiet = all(
        i.op.is_pure or (i.op is Op.LOAD and not i.attr.volatile) for i in header.instrs[:-1]
    )
    return inside[0] if len(inside) == 1 and quiet else None


def _check(
    function: Function, outer: Block, left: Value, onward: Edge, state: list[Operand], number: int
) -> Block:
    """A block that goes on along an edge while rounds are left, and else polls and starts the
    next strip with `state`."""
    check = Block(f"{outer.name}.count{number}")
    poll = Block(f"{outer.name}.poll{number}")
    more = Instr(I1, op=Op.NE, args=[left, int_const(I32, 0)])
    check.instrs = [more, Instr(VOID, op=Op.CBR, args=[more], targets=[onward, Edge(poll)])]
    back = Instr(VOID, op=Op.BR, targets=[Edge(outer, state)])
    poll.instrs = [Instr(VOID, op=Op.POLL), back]
    function.blocks += [check, poll]
    return check


def _limit_strips(function: Function, loop: Loop, exit_: CountedExit, strip: int) -> None:
    """Strip-mine a counted loop, by a nearer bound."""
    header = loop.header
    outer = Block(function.fresh_name("strip"), [Value(p.type, p.name) for p in header.params])
    for edge in loop.entries():
        edge.block = outer
    start = outer.params[header.params.index(exit_.variable)]
    inner = {instr: block for block in loop.blocks for instr in block.instrs}
    for fixed in (exit_.bound, exit_.step):
        _move_out(fixed, inner, outer)
    limit = _limit(outer, start, exit_, strip)
    entry = Edge(header, list(outer.params))
    outer.instrs.append(Instr(VOID, op=Op.BR, targets=[entry]))

    # The test of the inner loop, and after it the test of the whole.
    terminator = exit_.block.terminator
    loc = terminator.loc
    op = exit_.strict if exit_.may_pass else exit_.op
    test = Instr(I1, op=op, args=[exit_.tested, limit], loc=loc)
    leaves = terminator.targets[1 - exit_.stays]
    stays = terminator.targets[exit_.stays]
    again = Block(outer.name + ".end")
    poll = Block(outer.name + ".poll")
    del exit_.block.instrs[-1]
    state: list[Operand] = list(stays.args) if stays.block is header else list(header.params)
    tests = [test]
    if exit_.may_pass and not exit_.at_latch:
        tests += _tests_of_first_round(loop, entry, exit_, test)
    branch = Instr(VOID, op=Op.CBR, args=[tests[-1]], targets=[stays, Edge(again)], loc=loc)
    exit_.block.instrs += [*tests, branch]
    more = Instr(I1, op=exit_.op, args=[exit_.tested, exit_.bound], loc=loc)
    branch = Instr(VOID, op=Op.CBR, args=[more], targets=[Edge(poll), leaves], loc=loc)
    again.instrs = [more, branch]
    poll.instrs = [
        Instr(VOID, op=Op.POLL, loc=loc),
        Instr(VOID, op=Op.BR, targets=[Edge(outer, state)], loc=loc),
    ]
    at = function.blocks.index(header)
    function.blocks[at:at] = [outer]
    function.blocks += [again, poll]


def _tests_of_first_round(loop: Loop, entry: Edge, exit_: CountedExit, test: Instr) -> list[Instr]:
    """The loop's own test where a strip begins, and else the one given. LLVM makes two tests of
    it when it rotates the loop."""
    header = loop.header
    first = Value(I1, "first")
    entry.args = [*entry.args, Const(I1, 1)]
    for edge in loop.latches[0].terminator.targets:
        if edge.block is header:
            edge.args = [*edge.args, Const(I1, 0)]
    header.params.append(first)
    own = Instr(I1, op=exit_.op, args=[exit_.tested, exit_.bound], loc=test.loc)
    return [own, Instr(I1, op=Op.SELECT, args=[first, own, test], loc=test.loc)]


def _longest_step(step: Operand, strip: int) -> int:
    """The longest step of which a strip can be made without overflow."""
    type_ = PTR if isinstance(step, Symbol) else step.type
    return (1 << type_.bits - 1) // strip - 1


def _move_out(operand: Operand, inner: dict[Instr, Block], outer: Block) -> None:
    """Move what computes a fixed value out of the loop."""
    if isinstance(operand, Instr) and operand in inner:
        for arg in operand.args:
            _move_out(arg, inner, outer)
        inner.pop(operand).instrs.remove(operand)
        outer.instrs.append(operand)


class _Emitter:
    """Appends instructions to a block, at one place of the source."""

    def __init__(self, block: Block, loc: Location | None) -> None:
        self.block, self.loc = block, loc

    def __call__(self, op: Op, type_: Type, *args: Operand) -> Instr:
        instr = Instr(type_, op=op, args=list(args), loc=self.loc)
        self.block.instrs.append(instr)
        return instr


def _limit(outer: Block, start: Value, exit_: CountedExit, strip: int) -> Operand:
    """min(bound, first + strip * step) without overflow, in the order of the exit's test, where
    `first` is what that compares first (it may have wrapped around by then). If rounds may pass the
    bound, it is out itself and may let no round through."""
    emit = _Emitter(outer, exit_.block.terminator.loc)
    type_, bound = start.type, exit_.bound
    first = start if exit_.tested is exit_.variable else _stepped(emit, exit_, start)
    from_, to = first, bound
    if type_ is PTR:
        from_, to = emit(Op.PTRTOINT, I64, first), emit(Op.PTRTOINT, I64, bound)
    word = from_.type
    rest = emit(Op.SUB, word, to, from_) if exit_.up else emit(Op.SUB, word, from_, to)
    step = _amount(exit_.step)
    if step is not None:
        distance: Operand = int_const(word, strip * step)
        back: Operand = int_const(word, -strip * step)
    else:
        distance = emit(Op.MUL, word, exit_.step, int_const(word, strip))
        back = emit(Op.SUB, word, int_const(word, 0), distance)
    far = emit(Op.UGT, I1, rest, distance)
    if exit_.op is not Op.NE:
        far = emit(Op.AND, I1, far, emit(exit_.op, I1, first, bound))
    end = _end(emit, exit_) if exit_.may_pass else bound
    add = Op.PTRADD if type_ is PTR else Op.ADD
    moved = emit(add, type_, first, distance if exit_.up else back)
    limit = emit(Op.SELECT, type_, far, moved, end)
    if not exit_.may_pass:
        return limit
    leads = emit(exit_.strict, I1, first, limit)
    if step is None:
        # A step of 0 or less becomes a large number here.
        less = emit(Op.SUB, word, exit_.step, int_const(word, 1))
        onward = emit(Op.ULT, I1, less, int_const(word, _longest_step(exit_.step, strip)))
        leads = emit(Op.AND, I1, leads, onward)
    # Not the least value of the type: LLVM would ask in each round whether the limit is that.
    nowhere = first if exit_.at_latch else _stepped(emit, exit_, first)
    return emit(Op.SELECT, type_, leads, limit, nowhere)


def _stepped(emit: _Emitter, exit_: CountedExit, value: Operand) -> Operand:
    """What a value of the loop's variable is a round later."""
    step = exit_.step
    if exit_.variable.type is not PTR:
        return emit(Op.ADD if exit_.up else Op.SUB, exit_.variable.type, value, step)
    if not exit_.up:
        step = emit(Op.SUB, I64, int_const(I64, 0), step)
    return emit(Op.PTRADD, PTR, value, step)


def _end(emit: _Emitter, exit_: CountedExit) -> Operand:
    """The limit of a last strip if rounds may pass the bound: none passes this one."""
    bound, type_ = exit_.bound, exit_.tested.type
    onward = 1 if exit_.up else -1
    out = 0 if exit_.strict is exit_.op else onward  # from the bound to the first value that is out
    if type_ is PTR:  # objects do not lie at the end of the address space
        return emit(Op.PTRADD, PTR, bound, int_const(I64, out)) if out else bound
    last = int_const(type_, exit_.range[1 if exit_.up else 0])
    less = emit(Op.SUB, type_, exit_.step, int_const(type_, 1))
    safe = emit(Op.SUB if exit_.up else Op.ADD, type_, last, less)
    inside = emit(exit_.strict, I1, bound, safe)
    end = emit(Op.ADD, type_, bound, int_const(type_, out)) if out else bound
    return emit(Op.SELECT, type_, inside, end, safe)
