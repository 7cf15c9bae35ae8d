"""Dataflow over a region: which cells of guest state are live, and which must be written back.

A *cell* is a register, or one half of a 128-bit register that the region holds in two. Inside a
region a cell that has been changed is an LLVM variable; the `State` in memory has all of the truth
only at calls, system calls and exits. Three questions, all answered on bit masks (bit 2n: register
n or its low half, bit 2n + 1: its high half):

* dirty, forwards: which cells may differ from memory. A call or exit stores these and no others.
* live, backwards: which cells something may read, be it an instruction or the store at an exit.
  Only these get a variable, and dead flags are never computed.
* busy, backwards: the same without the exits. What is live but not busy is only wanted when the
  region is left, and is computed such that LLVM can move it out of loops.

Condition flags are not carried over a call, a return or a jump to another function's start: no
psABI lets the other side expect them, and computing them each time would cost more than all else
there. Nor are they over an exit to code that is known not to read them. `reads_flags_of_call` finds
code that breaks the rule behind a call, which is then run by the interpreter.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field

from hcc.emulator.jit.builder import (
    Back,
    Branch,
    End,
    Enter,
    Fall,
    GuestBlock,
    Jump,
    Leave,
    Load,
    Store,
    Syscall,
    TrapIf,
    Trapped,
    Unknown,
)
from hcc.emulator.jit.loops import natural_loops
from hcc.emulator.jit.nodes import PART, Node, half, low_bit, made
from hcc.emulator.jit.regions import Place, Region, pc_of, site_of
from hcc.isa.arch import RegisterFile
from hcc.isa.builder import JumpKind

Cell = int


@define(eq=False)
class Edge:
    """A way out of a block: to another block, or out of the region if `target` is None.

    `sets` are the values of cells that the block has changed by then. `stores` asks for dirty
    cells to be written to memory on the way, which leads through other code, `cold` if that has
    never run; `flags` is False where flags are not carried on.
    """

    target: Place | None
    sets: dict[Cell, Node]
    mask: int
    stores: bool = False
    flags: bool = True
    cold: bool = False
    dirty: int = 0


@define(eq=False)
class BlockFlow:
    """What the dataflow needs to know about a block."""

    block: GuestBlock
    sets: dict[Cell, Node]
    core: int = 0
    edges: list[Edge] = field(factory=list)
    side: dict[int, Edge] = field(factory=dict)
    live_in: int = 0
    busy_in: int = 0
    dirty_in: int = 0
    dirty_end: int = 0
    """Cells that differ from memory at the end of the block."""
    held: int = 0
    """Cells that the block finds in variables, not in memory."""


class Flow:
    """The dataflow of one region; `blocks` by start address."""

    def __init__(
        self,
        region: Region,
        registers: RegisterFile,
        is_cold: Callable[[int], bool] = lambda target: False,
        is_function: Callable[[int], bool] = lambda target: False,
        wants_flags: Callable[[int], bool] = lambda target: True,
    ) -> None:
        self.region = region
        self.registers = registers
        self._is_function = is_function
        self._wants_flags = wants_flags
        self.split = region.votes.split()
        self.flags = 0
        self._whole = 0  # high-half bits of registers held in one piece
        for i, register in enumerate(registers.registers):
            if register.flag and register.fixed is None:
                self.flags |= low_bit(i)
            if i not in self.split:
                self._whole |= low_bit(i) << 1
        self.blocks = {start: self._summary(b) for start, b in region.blocks.items()}
        self._spread_dirt()
        self._spread_life()
        self._make_wanted()
        for block in self.blocks.values():
            if _is_call_of(block.block.end, is_cold):
                block.edges[0].cold = True
        self._hold()

    def cells(self, deps: int) -> int:
        """The cells that `Node.deps` names."""
        return (deps | (deps & self._whole) >> 1) & ~self._whole

    def cell_sets(self, sets: dict[int, Node]) -> dict[Cell, Node]:
        """Values of registers as values of cells; halves that stay what they were are left out."""
        result: dict[Cell, Node] = {}
        for index, node in sets.items():
            if index not in self.split:
                if not (node.op == "reg" and node.attr == index):
                    result[2 * index] = node
                continue
            for which in (0, 1):
                value = half(node, which)
                if not (value.op == PART and value.attr == (index, which)):
                    result[2 * index + which] = value
        return result

    # ---- summaries ----

    def _edge(self, target: Place | None, sets: dict[Cell, Node], **kind: bool) -> Edge:
        mask = 0
        for cell in sets:
            mask |= 1 << cell
        return Edge(target if target in self.region.blocks else None, sets, mask, **kind)

    def _exit(self, block: GuestBlock, sets: dict[Cell, Node]) -> Edge:
        """The edge out of the region from a block. Where that belongs to a call in the region, the
        code outside returns to behind it."""
        return self._edge(self.region.returns.get(site_of(block.start)), sets, stores=True)

    def _way(self, block: GuestBlock, target: Place, sets: dict[Cell, Node]) -> Edge:
        """The edge to a place in the region or outside."""
        if target in self.region.blocks:
            return self._edge(target, sets)
        edge = self._exit(block, sets)
        pc = pc_of(target)
        edge.flags = self._wants_flags(pc) and not self._is_function(pc)
        edge.cold = pc in self.region.left
        return edge

    def _summary(self, block: GuestBlock) -> BlockFlow:
        flow = BlockFlow(block, self.cell_sets(block.sets))
        deps = 0
        for i, effect in enumerate(block.effects):
            match effect:
                case Load(addr=addr):
                    deps |= addr.deps
                case Store(addr=addr, value=value):
                    deps |= addr.deps | value.deps
                case Leave(condition=condition, target=target, sets=sets):
                    deps |= condition.deps
                    flow.side[i] = self._way(block, target, self.cell_sets(sets))
                case TrapIf(condition=condition, sets=sets):
                    deps |= condition.deps
                    flow.side[i] = self._edge(None, self.cell_sets(sets), stores=True)
        deps |= self._end(flow)
        flow.core = self.cells(deps)
        return flow

    def _end(self, flow: BlockFlow) -> int:
        """Add the edges at a block's end; returns the deps of what decides among them."""
        block, sets = flow.block, flow.sets
        match block.end:
            case Jump(target=target, kind=kind, next_pc=next_pc):
                switch = self.region.switches.get(block.start)
                if kind is JumpKind.CALL:
                    flow.edges.append(self._edge(next_pc, sets, stores=True, flags=False))
                elif kind is JumpKind.RETURN:
                    flow.edges.append(self._edge(None, sets, stores=True, flags=False))
                elif target.const is not None:
                    self._go(flow, target.const)
                elif switch is not None:
                    for pc in dict.fromkeys(switch.targets.values()):
                        self._go(flow, pc)
                    flow.edges.append(self._exit(block, sets))
                    deps = switch.index.deps | target.deps
                    for node, _ in switch.guards:
                        deps |= node.deps
                    return deps
                else:
                    flow.edges.append(self._exit(block, sets))
                return target.deps
            case Branch(condition=condition, target=taken, next_pc=next_pc):
                self._go(flow, taken)
                self._go(flow, next_pc)
                return condition.deps
            case Fall(next_pc=next_pc):
                self._go(flow, next_pc)
            case Syscall(next_pc=next_pc):
                flow.edges.append(self._edge(next_pc, sets, stores=True))
            case Enter(target=entry):
                flow.edges.append(self._edge(entry, sets, flags=False))
            case Back(target=target, next_pc=next_pc):
                flow.edges.append(self._edge(next_pc, sets, flags=False))
                flow.edges.append(self._edge(None, sets, stores=True, flags=False))
                return target.deps
            case Unknown():
                flow.edges.append(self._exit(block, sets))
            case Trapped():
                flow.edges.append(self._edge(None, sets, stores=True))
        return 0

    def _go(self, flow: BlockFlow, target: Place) -> None:
        flow.edges.append(self._way(flow.block, target, flow.sets))

    # ---- fixed points ----

    def _spread_dirt(self) -> None:
        queue = list(self.blocks)
        while queue:
            flow = self.blocks[queue.pop()]
            flow.dirty_end = flow.dirty_in
            for cell in flow.sets:
                flow.dirty_end |= 1 << cell
            for edge in (*flow.side.values(), *flow.edges):
                edge.dirty = flow.dirty_in | edge.mask
                if edge.target is None:
                    continue
                onward = 0 if edge.stores else self.stored(edge)
                after = self.blocks[edge.target]
                if onward & ~after.dirty_in:
                    after.dirty_in |= onward
                    queue.append(edge.target)

    def _spread_life(self) -> None:
        before: dict[int, set[int]] = {start: set() for start in self.blocks}
        for start, flow in self.blocks.items():
            for edge in (*flow.side.values(), *flow.edges):
                if edge.target is not None:
                    before[edge.target].add(start)
        queue = list(self.blocks)
        while queue:
            start = queue.pop()
            flow = self.blocks[start]
            live = busy = flow.core
            for edge in (*flow.side.values(), *flow.edges):
                wanted, busily = self.wanted(edge)
                live |= self._through(edge, wanted)
                busy |= self._through(edge, busily)
            if live != flow.live_in or busy != flow.busy_in:
                flow.live_in, flow.busy_in = live, busy
                queue.extend(before[start])

    def _make_wanted(self) -> None:
        """Compute what was put off and is wanted after all."""
        for flow in self.blocks.values():
            for edge in (*flow.side.values(), *flow.edges):
                wanted, _ = self.wanted(edge)
                for cell, node in edge.sets.items():
                    if wanted >> cell & 1:
                        edge.sets[cell] = made(node)

    def wanted(self, edge: Edge) -> tuple[int, int]:
        """The cells whose values matter on an edge, and those of them that are busy."""
        stored = self.stored(edge) if edge.stores else 0
        if edge.target is None or edge.stores:
            # After a call whatever is needed is loaded again.
            return stored, 0
        after = self.blocks[edge.target]
        carried = -1 if edge.flags else ~self.flags
        return after.live_in & carried, after.busy_in & carried

    def stored(self, edge: Edge) -> int:
        """The cells that are to be written to memory on an edge, or differ from it beyond."""
        return edge.dirty if edge.flags else edge.dirty & ~self.flags

    def _through(self, edge: Edge, wanted: int) -> int:
        """The cells that must be known at the block's start for `wanted` to be known at an edge."""
        result = wanted & ~edge.mask
        changed = wanted & edge.mask
        for cell, node in edge.sets.items():
            if changed >> cell & 1:
                result |= self.cells(node.deps)
        return result

    def _hold(self) -> None:
        """Choose what is held in variables: what may be dirty; and in a loop whose calls, and other
        ways through code elsewhere, are all cold, all that it needs, as LLVM moves no reading of
        memory out of a loop with calls."""
        calls: set[Place] = set()
        cold: set[Place] = set()
        for start, flow in self.blocks.items():
            flow.held = flow.dirty_in
            for edge in (*flow.side.values(), *flow.edges):
                if edge.stores and edge.target is not None:
                    (cold if edge.cold else calls).add(start)
        for head, body in natural_loops(self.region).items() if cold else ():
            if body & cold and not body & calls:
                for start in body:
                    self.blocks[start].held |= self.blocks[head].live_in

    def reads_flags_of_call(self) -> bool:
        """Whether code behind a call, or in a function that is part of the region, reads flags that
        it has not set itself."""
        places = set(self.region.returns.values())
        for flow in self.blocks.values():
            places |= {e.target for e in flow.edges if not e.flags and e.target is not None}
        return any(self.blocks[place].busy_in & self.flags for place in places)


class DirectFlow(Flow):
    """The dataflow of a region that holds nothing in variables: all cells stay in the `State`, and
    every block stores what it changes. What is left to know is which flags are live."""

    def _spread_dirt(self) -> None:
        for flow in self.blocks.values():
            for edge in (*flow.side.values(), *flow.edges):
                edge.dirty = edge.mask

    def _hold(self) -> None:
        pass

    def wanted(self, edge: Edge) -> tuple[int, int]:
        if edge.stores:
            wanted = edge.mask | self.flags
            return (wanted if edge.flags else wanted & ~self.flags), 0
        assert edge.target is not None
        after = self.blocks[edge.target]
        return after.live_in | ~self.flags & edge.mask, after.busy_in

    def kept(self, flow: BlockFlow) -> int:
        """The cells that a block must store at its end."""
        live = 0
        for edge in flow.edges:
            live |= self.wanted(edge)[0]
        return live


def _is_call(end: End) -> bool:
    return isinstance(end, Syscall) or (isinstance(end, Jump) and end.kind is JumpKind.CALL)


def _is_call_of(end: End, is_one: Callable[[int], bool]) -> bool:
    """Whether a block ends in a call of a known function, and that is one of some kind."""
    if not isinstance(end, Jump) or end.kind is not JumpKind.CALL or end.target.const is None:
        return False
    return is_one(end.target.const)
