"""Quick code: guest code as LLVM compiles it without optimising, to begin with.

It differs from optimised code (`function`) in five things. Registers stay in the `State`, and
every block stores what it changes, so that there is little to translate. The code may be entered
at each of its blocks: a guest is taken over in the middle of a loop, and what leaves an optimised
loop goes on in compiled code. It counts how often it is called and how often it passes the head of
each loop, and asks the engine when a counter has run out. And it looks into the function table at
each head: where there is better code by now, that goes on in its place. Each block leaves a mark
that it has run (see `uncommon`).

LLVM moves and merges nothing at this level, so accesses need no marks.
"""

from __future__ import annotations

from collections.abc import Iterable

from hcc.emulator import comparisons
from hcc.emulator.jit import layout
from hcc.emulator.jit.builder import Branch, Jump
from hcc.emulator.jit.flow import BlockFlow, Cell, DirectFlow, Edge
from hcc.emulator.jit.function import RegionPrinter
from hcc.emulator.jit.loops import heads
from hcc.emulator.jit.nodes import Node, numbers
from hcc.emulator.jit.options import function_name
from hcc.emulator.jit.ranges import Ranges
from hcc.emulator.jit.variables import STATE, Module


class QuickPrinter(RegionPrinter):
    """Prints one region for a module that is not optimised."""

    flow: DirectFlow

    def __init__(self, flow: DirectFlow, module: Module, scope: str) -> None:
        super().__init__(flow, module, scope)
        self._heads = heads(self.region)
        self._own = f"@{function_name(self.region.start)}"
        self._overs: list[tuple[str, str, int | str]] = []
        """Where other code is gone on in: the block that does so, the code, and its place."""
        self._kept = False  # the block has stored what it changes

    def _find_ranges(self, module: Module) -> Ranges:
        return Ranges()

    # ---- state ----

    def _print_variables(self) -> None:
        if self.options.count:
            self.line(f"%count = getelementptr i8, ptr %s, i64 {layout.COUNT}")

    def reload_count(self) -> None:
        pass

    def reload(self, start: int) -> None:
        pass

    def fill(self, edges: Iterable[Edge]) -> None:
        pass

    def read_cell(self, cell: Cell) -> str:
        name = self.cells.get(cell)
        if name is None:
            name = self.cells[cell] = self.load_cell(cell)
        return name

    def keep(self, sets: dict[Cell, Node], mask: int) -> None:
        for cell, name in self.new_values(sets, mask):
            self.store_cell(cell, name)

    def write_back(self, edge: Edge) -> None:
        if not self._kept:
            self.keep(edge.sets, self.flow.stored(edge))

    def _keep_for(self, flow: BlockFlow, edges: list[Edge]) -> None:
        pass

    def _end(self, flow: BlockFlow) -> None:
        """Store what the block has changed, after computing what depends on how it was before."""
        kept = self.flow.kept(flow)
        changed = (node for cell, node in flow.sets.items() if kept >> cell & 1)
        self.settle([number for node in changed for number in numbers(node)])
        match flow.block.end:
            case Branch(condition=condition):
                self._arg(comparisons.negated(condition) or condition)
            case Jump(target=target):
                self._arg(target)
                switch = self.region.switches.get(flow.block.start)
                for node in () if switch is None else (switch.index, *dict(switch.guards)):
                    self.typed(node)
        self.keep(flow.sets, kept)
        self._kept = True
        super()._end(flow)

    # ---- entries ----

    def _begin(self) -> None:
        start = self.region.start
        counters = self.field(layout.COUNTERS)
        self.line(f"%counters = load ptr, ptr {counters}, !invariant.load !0, {STATE}")
        passed = self.field(layout.PASSED)
        self.line(f"%passed = load ptr, ptr {passed}, !invariant.load !0, {STATE}")
        first = self.let(f"icmp eq i64 %pc, {start}")
        self.line(f"br i1 {first}, label %called, label %entered")
        self.start("called")
        hot, over = self.fresh_label(), self.fresh_label()
        self.line(f"br i1 {self._runs_out(start)}, label %{hot}, label %b{start:x}")
        self.start(hot)
        code = self._ask(start)
        self.line(f"br i1 {self._is_own(code)}, label %b{start:x}, label %{over}")
        self.start(over)
        self._go_over(code, start)
        self._choose("entered", sorted(self.flow.blocks))

    def _choose(self, label: str, places: list[int]) -> None:
        """Go to the one of some blocks that `%pc` is the place of: by halves, as LLVM would make a
        chain of a `switch`."""
        self.start(label)
        if len(places) == 1:
            self.line(f"br label %b{places[0]:x}")
            return
        half = len(places) // 2
        lower, upper = self.fresh_label(), self.fresh_label()
        less = self.let(f"icmp ult i64 %pc, {places[half]}")
        self.line(f"br i1 {less}, label %{lower}, label %{upper}")
        self._choose(lower, places[:half])
        self._choose(upper, places[half:])

    # ---- blocks ----

    def _begin_block(self) -> None:
        self._kept = False
        start = self._block.block.start
        mark = self.let(f"getelementptr i8, ptr %passed, i64 {self._index(start)}")
        self.line(f"store i8 1, ptr {mark}, {STATE}")
        if start not in self._heads:
            return
        hot, cool, see, stay, over = (self.fresh_label() for _ in range(5))
        self.line(f"br i1 {self._runs_out(start)}, label %{hot}, label %{cool}")
        self.start(cool)
        listed = self._listed(self._index(start))
        self.line(f"br label %{see}")
        self.start(hot)
        told = self._ask(start)
        self.line(f"br label %{see}")
        self.start(see)
        code = self.let(f"phi ptr [ {listed}, %{cool} ], [ {told}, %{hot} ]")
        self.line(f"br i1 {self._is_own(code)}, label %{stay}, label %{over}")
        self.start(over)
        self._go_over(code, start)
        self.start(stay)

    # ---- parts of both ----

    def _runs_out(self, pc: int) -> str:
        """Count a pass; whether it was the last one before the engine wants to know."""
        place = self.let(f"getelementptr i32, ptr %counters, i64 {self._index(pc)}")
        left = self.let(f"load i32, ptr {place}, {STATE}")
        less = self.let(f"sub i32 {left}, 1")
        self.line(f"store i32 {less}, ptr {place}, {STATE}")
        return self.let(f"icmp slt i32 {less}, 0")

    def _is_own(self, code: str) -> str:
        return self.let(f"icmp eq ptr {code}, {self._own}")

    def _go_over(self, code: str, pc: int | str) -> None:
        """All go by one call: LLVM does not compile calls that end a function quickly."""
        self._overs.append((self.label, code, pc))
        self.line("br label %over")

    def _print_end(self) -> None:
        if not self._overs:
            return
        self.start("over")
        codes = ", ".join(f"[ {code}, %{label} ]" for label, code, _ in self._overs)
        places = ", ".join(f"[ {pc}, %{label} ]" for label, _, pc in self._overs)
        self.line(f"%code = phi ptr {codes}")
        self.line(f"%place = phi i64 {places}")
        super()._go_over("%code", "%place")

    def _stack_pointer(self) -> str:
        """About where the stack pointer is. Reading that is nothing that LLVM compiles quickly."""
        return self.let(f"ptrtoint ptr {self.let('alloca i8')} to i64")

    def _rotated(self, offset: str, shift: int) -> str:
        low = self.let(f"lshr i64 {offset}, {shift}")
        high = self.let(f"shl i64 {offset}, {64 - shift}")
        return self.let(f"or i64 {low}, {high}")

    # ---- memory ----

    def _mark(self, pc: int) -> None:
        pass

    def _set_apart(self, node: Node, name: str, kind: str, where: str) -> str:
        return name
