"""Value ranges: which accesses need no check, as their addresses end in or around guest memory.

Around guest memory lie zones of 256 GiB that fault (`memory.GUARD_SIZE`), so an address need not be
known well: a pointer that has been accessed plus 32 bits times eight ends there. What is known of
a register is the interval of its value as a signed integer. An access that did not fault tells one:
its address lay in guest memory, so the base did, less the displacement.

In a loop nothing would be known at first, as nothing is where it is entered, so it is assumed of
every register at a loop's head that it lies in `USUAL`, as pointers and indices do. What the way
back to the head does not bear out is assumed to lie in `WIDE`, and if that is not borne out either,
nothing is. What some access could be cleared by is tested once where the loop is entered
(`guards`); if the test fails, other code goes on. So a pointer that stays is in `USUAL`; one that
moves on with each access is in `WIDE`, since each access proves where it is; so is an index. At an
inner loop's head no more is assumed of such a one, so nothing is tested in the outer loop. A call
may change anything; but where the way goes on from one that has never run so far, as that of the
migration a poll may lead to, the same is assumed and tested.

All operations on intervals are exact integers; what does not fit in 64 bits is unknown, so nothing
here wraps. `deps` are the assumptions that a range follows from, a bit for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from attrs import define, field, frozen

from hcc.emulator.jit.builder import Load, Store
from hcc.emulator.jit.flow import BlockFlow, Cell, Edge, Flow
from hcc.emulator.jit.loops import reverse_postorder
from hcc.emulator.jit.nodes import REG, Node
from hcc.emulator.jit.regions import Place
from hcc.emulator.memory import GUARD_SIZE, SPACE_SIZE
from hcc.isa.builder import Op
from hcc.isa.values import Ty

DEPTH = 8
"""How many operations of an address are looked at, one in another."""
ROUNDS = 10
"""How often assumptions are dropped before none is made."""


class Range(NamedTuple):
    """The integers that a value, taken as signed, can be, and what that follows from."""

    low: int
    high: int
    deps: int = 0

    def within(self, low: int, high: int) -> bool:
        return low <= self.low and self.high <= high


NEAR = Range(-GUARD_SIZE, SPACE_SIZE + GUARD_SIZE - 64)
"""Where an access is caught if it is not in guest memory; 64 is more than any access has bytes."""
INSIDE = Range(0, SPACE_SIZE - 1)
USUAL = Range(-SPACE_SIZE // 2, SPACE_SIZE - 1)
"""What is assumed of registers, and tested: addresses in guest memory and integers of 32 bits."""
WIDE = Range(-SPACE_SIZE, 2 * SPACE_SIZE)
"""What is assumed of those that move. Sixteen times as much, added to as much, is still `NEAR`."""
REACH = GUARD_SIZE // 4
"""How far an index may lead from a base that is checked on its own."""
STEP = 1 << 31
"""What a displacement is less than."""

Env = dict[Cell, Range]

_BOOLEAN = Range(0, 1)
_DEFAULTS = {
    bits: Range(-1 << bits - 1, (1 << bits - 1) - 1) if bits > 1 else _BOOLEAN
    for bits in range(1, 65)
}
UNKNOWN = _DEFAULTS[64]


def default(ty: Ty) -> Range:
    """The range of all values of an integer type; unknown for anything else."""
    return UNKNOWN if ty.is_float or ty.lanes > 1 else _DEFAULTS.get(ty.bits, UNKNOWN)


class Values:
    """What is known of values at some point of a block: of cells at its start (`env`), and of nodes
    that an access has told something about."""

    def __init__(self, env: Env) -> None:
        self.env = env
        self._told: dict[Node, Range] = {}
        self._memo: dict[Node, Range] = {}

    def range(self, node: Node, depth: int = DEPTH) -> Range:
        """The range of an integer."""
        if node.const is not None:
            sign = 1 << node.ty.bits - 1
            value = (node.const ^ sign) - sign if node.ty.bits > 1 else node.const
            return Range(value, value)
        known = self._told.get(node) or self._memo.get(node)
        if known is None:
            known = self._compute(node, depth) if depth else default(node.ty)
            self._memo[node] = known
        return known

    def _compute(self, node: Node, depth: int) -> Range:
        ty = node.ty
        every = default(ty)
        if node.op == REG:
            return self.env.get(2 * node.attr, every)
        if ty.lanes > 1 or ty.is_float or ty.bits > 64 or node.op not in _KNOWN:
            return every
        a = self.range(node.args[-1 if node.op is Op.SELECT else 0], depth - 1)
        b = self.range(node.args[1], depth - 1) if len(node.args) > 1 else a
        deps = a.deps | b.deps
        by = node.args[1].const if len(node.args) > 1 else None
        result = every
        match node.op:
            case Op.ADD:
                result = Range(a.low + b.low, a.high + b.high, deps)
            case Op.SUB:
                result = Range(a.low - b.high, a.high - b.low, deps)
            case Op.SHL if by is not None and by < ty.bits:
                result = Range(a.low << by, a.high << by, deps)
            case Op.LSHR if by is not None and by < ty.bits:
                if a.low < 0:
                    a = Range(0, ty.mask)
                result = Range(a.low >> by, a.high >> by, a.deps)
            case Op.ASHR if by is not None and by < ty.bits:
                result = Range(a.low >> by, a.high >> by, a.deps)
            case Op.AND:
                masks = [r for r in (a, b) if r.low >= 0]
                if masks:
                    least = min(masks, key=lambda r: r.high)
                    result = Range(0, least.high, least.deps)
            case Op.OR | Op.XOR if a.low >= 0 and b.low >= 0:
                bits = max(a.high, b.high).bit_length()
                result = Range(0, (1 << bits) - 1, deps)
            case Op.SELECT:
                result = Range(min(a.low, b.low), max(a.high, b.high), deps)
            case Op.SEXT:
                result = Range(-1, 0) if node.args[0].ty.bits == 1 else a
            case Op.ZEXT:
                result = a if a.low >= 0 else Range(0, node.args[0].ty.mask)
            case Op.TRUNC:
                result = a
        return result if result.within(every.low, every.high) else every

    def narrow(self, node: Node, new: Range, depth: int = DEPTH) -> None:
        """Note that a value is known to be in a range, and what follows for what it is made of."""
        old = self.range(node)
        low, high = max(old.low, new.low), min(old.high, new.high)
        if low > high or (low, high) == old[:2] or not depth:
            return
        told = new if (low, high) == new[:2] else Range(low, high, old.deps | new.deps)
        if node.op == REG:
            self.env[2 * node.attr] = told
        elif node.const is None:
            self._told[node] = told
        self._memo.clear()
        if node.ty.bits != 64 or node.op not in (Op.ADD, Op.SUB, Op.SHL):
            return
        a, b = node.args
        first, second = self.range(a), self.range(b)
        deps = told.deps | first.deps | second.deps
        # A sum of 64 bits is exact but for multiples of 2^64, which intervals this small exclude;
        # a shift is only if it was known not to lose bits.
        match node.op:
            case Op.ADD:
                if second[:2] != UNKNOWN[:2]:
                    self.narrow(a, _if_fits(low - second.high, high - second.low, deps), depth - 1)
                if first[:2] != UNKNOWN[:2]:
                    self.narrow(b, _if_fits(low - first.high, high - first.low, deps), depth - 1)
            case Op.SUB:
                if second[:2] != UNKNOWN[:2]:
                    self.narrow(a, _if_fits(low + second.low, high + second.high, deps), depth - 1)
                if first[:2] != UNKNOWN[:2]:
                    self.narrow(b, _if_fits(first.low - high, first.high - low, deps), depth - 1)
            case Op.SHL if (
                b.const is not None
                and _if_fits(first.low << b.const, first.high << b.const, 0) is not UNKNOWN
            ):
                self.narrow(a, Range(-(-low >> b.const), high >> b.const, deps), depth - 1)


def _if_fits(low: int, high: int, deps: int) -> Range:
    return Range(low, high, deps) if UNKNOWN.low <= low and high <= UNKNOWN.high else UNKNOWN


_KNOWN = frozenset(
    (
        Op.ADD, Op.SUB, Op.SHL, Op.LSHR, Op.ASHR, Op.AND, Op.OR, Op.XOR, Op.SELECT, Op.SEXT,
        Op.ZEXT, Op.TRUNC,
    )
)  # fmt: skip


def range_of(node: Node) -> Range:
    """The range of a value of which nothing is known but how it is made."""
    return Values({}).range(node)


@frozen
class Ranges:
    """What a region's accesses and loops need: the accesses (block, number of the effect) that need
    no check, and by block the cells that must lie in `USUAL` where that is entered by one of the
    edges `entries`: from a block, or None where the region is entered, to this one."""

    safe: frozenset[tuple[Place, int]] = frozenset()
    guards: dict[Place, tuple[Cell, ...]] = field(factory=dict)
    entries: frozenset[tuple[Place | None, Place]] = frozenset()


def ranges_of(flow: Flow, assume: bool = True) -> Ranges:
    """Find the ranges of a region; with `assume` False without any guards."""
    analysis = _Analysis(flow, assume)
    for _ in range(ROUNDS):
        analysis.run()
        if not analysis.drop():
            return analysis.result()
    analysis.assumed.clear()
    analysis.run()
    return analysis.result()


class _Arrival(NamedTuple):
    """An edge into a block: where it comes from (None: from outside), what is known on it, and
    whether what is not can be tested there."""

    start: Place | None
    env: Env
    may_test: bool


@define(eq=False)
class _Analysis:
    """One region's ranges. Blocks in reverse postorder, so that at a head, and only there, edges
    come from blocks that were not seen yet: what is known at a head is what is assumed."""

    flow: Flow
    assumes: bool
    order: list[Place] = field(init=False)
    rank: dict[Place, int] = field(init=False)
    heads: frozenset[Place] = field(init=False)
    integers: dict[Place, tuple[Cell, ...]] = field(init=False)
    """The cells of 64-bit integers that are live where each block begins."""
    assumed: dict[Place, Env] = field(factory=dict)
    _numbers: dict[tuple[Place, Cell], int] = field(factory=dict)
    """The number of the bit for each assumption."""
    _safe: dict[tuple[Place, int], int] = field(factory=dict)
    """What each access that needs no check follows from."""
    _arriving: dict[Place, list[_Arrival]] = field(factory=dict)
    _cold: set[Place] = field(factory=set)
    """The blocks that only calls that have never run lead to."""

    def __attrs_post_init__(self) -> None:
        blocks = self.flow.blocks
        after = {
            start: [e.target for e in _edges(block) if e.target is not None]
            for start, block in blocks.items()
        }
        self.order = reverse_postorder(self.flow.region.start, after)
        self.rank = {start: i for i, start in enumerate(self.order)}
        self.heads = frozenset(
            target
            for start in self.order
            for target in after[start]
            if self._is_back(start, target)
        )
        plain = self._plain()
        self.integers = {
            start: tuple(cell for cell in plain if blocks[start].live_in >> cell & 1)
            for start in self.order
        }
        if self.assumes:
            self._assume()

    def _is_back(self, start: Place, target: Place) -> bool:
        return self.rank[target] <= self.rank[start]

    def _assume(self) -> None:
        """Assume at each head what may help; none where flags are live, which do not go over into
        other code."""
        for head in sorted(self.heads):
            if self.flow.blocks[head].live_in & self.flow.flags:
                continue
            env = self.assumed[head] = {}
            for cell in self.integers[head]:
                env[cell] = Range(USUAL.low, USUAL.high, self._bit(head, cell))

    def _bit(self, place: Place, cell: Cell) -> int:
        """What `deps` has for the assumption about a cell where a block begins."""
        return 1 << self._numbers.setdefault((place, cell), len(self._numbers))

    def _plain(self) -> list[Cell]:
        """The cells that hold integers of 64 bits."""
        flow = self.flow
        other = flow.split | flow.region.votes.floats
        registers = enumerate(flow.registers.registers)
        return [2 * i for i, register in registers if register.bits == 64 and i not in other]

    def run(self) -> None:
        """Go through all blocks once."""
        self._safe.clear()
        self._cold.clear()
        self._arriving = {start: [] for start in self.order}
        for start in self.order:
            self._visit(start)

    def _visit(self, start: Place) -> None:
        block = self.flow.blocks[start]
        values = Values(self._known_at(start))
        for i, effect in enumerate(block.block.effects):
            if isinstance(effect, Load | Store):
                self._access(start, i, effect.addr, values)
            elif i in block.side:
                self._leave(start, block.side[i], values)
        for edge in block.edges:
            self._leave(start, edge, values)

    def _known_at(self, start: Place) -> Env:
        """What is known where a block begins."""
        if start in self.heads:
            return dict(self.assumed.get(start, {}))
        arriving = self._arriving[start]
        usual = [arrival.env for arrival in arriving if not arrival.may_test]
        if arriving and not usual:
            self._cold.add(start)
        tested = 0 < len(usual) < len(arriving)
        if not tested or not self.assumes or self.flow.blocks[start].live_in & self.flow.flags:
            return _joined([arrival.env for arrival in arriving])
        env = _joined(usual)
        for cell, (low, high, deps) in env.items():
            low, high = min(low, USUAL.low), max(high, USUAL.high)
            env[cell] = Range(low, high, deps | self._bit(start, cell))
        return env

    def _access(self, start: Place, i: int, addr: Node, values: Values) -> None:
        found = values.range(addr)
        if found.within(NEAR.low, NEAR.high):
            self._safe[start, i] = found.deps
            values.narrow(addr, Range(INSIDE.low, INSIDE.high, found.deps))
        else:
            values.narrow(addr, INSIDE)

    def _leave(self, start: Place, edge: Edge, values: Values) -> None:
        """Note what is known on an edge: nothing after a call, which may change anything."""
        target = edge.target
        if target is None:
            return
        env: Env = {}
        if not edge.stores:
            for cell in self.integers[target]:
                node = edge.sets.get(cell)
                known = values.env.get(cell) if node is None else values.range(node)
                if known is not None and known[:2] != UNKNOWN[:2]:
                    env[cell] = known
        enters = target in self.heads and not self._is_back(start, target)
        may_test = edge.cold or start in self._cold or enters
        self._arriving[target].append(_Arrival(start, env, may_test))

    def drop(self) -> bool:
        """Assume less of what some way back to a head does not bear out, or what is known well
        enough without a test where it is entered; whether there was any."""
        dropped = False
        for head, env in self.assumed.items():
            arriving = self._arriving[head]
            backs = [arrival.env for arrival in arriving if not arrival.may_test]
            entries = [arrival.env for arrival in arriving if arrival.may_test]
            for cell, assumed in list(env.items()):
                found = [known.get(cell) for known in backs]
                before = [known[cell] for known in entries if cell in known]
                enough = _bear_out(before, assumed) or not _bear_out(before, WIDE)
                if enough and _bear_out(found, assumed):
                    continue
                dropped = True
                if _bear_out(found, WIDE):
                    env[cell] = Range(WIDE.low, WIDE.high, assumed.deps)
                else:
                    del env[cell]
        return dropped

    def result(self) -> Ranges:
        """What is safe, and the guards of all assumptions that something follows from."""
        names = list(self._numbers)
        used, todo = 0, 0
        for deps in self._safe.values():
            todo |= deps
        guards: dict[Place, set[Cell]] = {}
        entries: set[tuple[Place | None, Place]] = set()
        while todo:
            bit = todo & -todo
            used |= bit
            place, cell = names[bit.bit_length() - 1]
            assumed = self.assumed.get(place, {}).get(cell, USUAL)
            arriving = list(self._arriving[place])
            if place == self.flow.region.start:
                arriving.append(_Arrival(None, {}, True))
            for start, env, may_test in arriving:
                found = env.get(cell)
                if may_test and not _bear_out([found], assumed):
                    guards.setdefault(place, set()).add(cell)
                    entries.add((start, place))
                else:
                    assert found is not None
                    todo |= found.deps
            todo &= ~used
        cells = {place: tuple(sorted(found)) for place, found in guards.items()}
        return Ranges(frozenset(self._safe), cells, frozenset(entries))


def _bear_out(found: Sequence[Range | None], assumed: Range) -> bool:
    return all(known is not None and known.within(assumed.low, assumed.high) for known in found)


def _edges(block: BlockFlow) -> tuple[Edge, ...]:
    return (*block.side.values(), *block.edges)


def _joined(envs: list[Env]) -> Env:
    """What is known where several edges meet."""
    if not envs:
        return {}
    result = dict(envs[0])
    for env in envs[1:]:
        for cell in list(result):
            mine, other = result[cell], env.get(cell)
            if other is None:
                del result[cell]
            elif mine != other:
                low, high = min(mine.low, other.low), max(mine.high, other.high)
                result[cell] = Range(low, high, mine.deps | other.deps)
    return result
