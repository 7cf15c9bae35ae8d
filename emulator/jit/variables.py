"""Guest state in compiled code: variables of the region, and the state they are taken from.

A cell (see `flow`) that may differ from the state at the start of a block is in an LLVM variable in
a type of its own there; so is the instruction count where there is one. Other cells are read from
the state where they are needed, and nowhere else: of the many registers that a function keeps over
a call, few are wanted on any one way from there. Within a block a cell is read once, before
anything changes it.

A cell of 64 bits that is given 32 extended by their sign, as RISC-V does with every `int`, has a
second variable for the 32 bits: the chain of a loop's operations then is one of 32 bits, and the
extension, which takes a cycle, is left to where the loop ends. A cell that a loop leaves a sum in
that it waits for (see `chains`) has two more variables, for the parts of the sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Set

from attrs import define, field

from hcc.emulator.jit import layout
from hcc.emulator.jit.chains import NONE, Chain, chain_of, total
from hcc.emulator.jit.flow import Cell, Edge, Flow
from hcc.emulator.jit.nodes import PART, Node
from hcc.emulator.jit.options import CodeSpan, Options
from hcc.emulator.jit.printer import Printer, llvm_type
from hcc.isa.arch import RegisterFile
from hcc.isa.builder import Op
from hcc.isa.values import I32, I64, Ty, int_type

STATE, GUEST = "!tbaa !2", "!tbaa !3"
"""What the state and guest memory are to LLVM's alias analysis."""


@define(eq=False)
class Accesses:
    """Numbers for the memory accesses of a module: debug line and column of each.

    The line is the guest PC, the column the size of the access and whether it writes.
    """

    rows: dict[tuple[int, int, str], int] = field(factory=dict)
    first: int = 100

    def location(self, pc: int, size: int, writes: bool, scope: str) -> str:
        key = pc, size << 1 | writes, scope
        number = self.rows.setdefault(key, self.first + len(self.rows))
        return f"!dbg !{number}"

    def metadata(self) -> list[str]:
        return [
            f"!{number} = !DILocation(line: {pc}, column: {column}, scope: {scope})"
            for (pc, column, scope), number in self.rows.items()
        ]


@define(eq=False)
class Module:
    """What the functions of one module share. `together` are the guest addresses where those begin
    that call each other directly. With `own_nans` the host's instructions give the guest's NaNs. Of
    the addresses in the `doubted` regions nothing is to be assumed."""

    registers: RegisterFile
    state: layout.Layout
    span: CodeSpan
    options: Options
    together: frozenset[int]
    accesses: Accesses
    own_nans: bool
    doubted: Set[int]
    declarations: set[str] = field(factory=set)


class StatePrinter(Printer):
    """Prints what a region does with guest state."""

    def __init__(self, flow: Flow, module: Module) -> None:
        super().__init__(module.declarations, module.own_nans)
        self.flow = flow
        self.region = flow.region
        self.registers = module.registers
        self.state = module.state
        self.options = module.options
        self.cell_types: dict[Cell, str] = {}
        self.variables: set[Cell] = set()
        self.held = 0
        """The cells that the block finds in variables, see `BlockFlow.held`."""
        self._votes = flow.region.votes.floats
        self.signed = {c for c in _sign_extended(flow) if self.cell_type(c) == "i64"}
        """The cells with a variable for their low 32 bits, which is known as `~cell`."""
        self.chains = _chains(flow)
        carried = (pair for chain in self.chains.values() for pair in chain.carried.items())
        self.sums = {2 * i: ty for i, ty in carried if self.cell_type(2 * i) == "i64"}
        """The cells with variables for the parts of a sum, and its type."""
        self.chain = NONE
        """What the block hands on to its next turn."""
        self._parts: dict[Cell, tuple[str, str]] = {}

    def field(self, offset: int) -> str:
        """A pointer to a word of the state."""
        return self.let(f"getelementptr i8, ptr %s, i64 {offset}")

    # ---- cells ----

    def cell_type(self, cell: Cell) -> str:
        text = self.cell_types.get(cell)
        if text is None:
            index, which = divmod(cell, 2)
            if index in self.flow.split:
                text = "i64" if which else "double"
            else:
                bits = self.registers.registers[index].bits
                if bits == 64 and index in self._votes:
                    text = "double"
                else:
                    text = llvm_type(int_type(bits))
            self.cell_types[cell] = text
        return text

    def load_cell(self, cell: Cell) -> str:
        """What the state has for a cell."""
        text, kept = self.cell_type(cell), self._memory_type(cell)
        pointer = self.field(self._cell_offset(cell))
        name = self.let(f"load {kept}, ptr {pointer}, align 8, {STATE}")
        return name if kept == text else self.let(f"trunc {kept} {name} to {text}")

    def store_cell(self, cell: Cell, name: str) -> None:
        """Change a cell in the state."""
        text, kept = self.cell_type(cell), self._memory_type(cell)
        if kept != text:
            name = self.let(f"zext {text} {name} to {kept}")
        pointer = self.field(self._cell_offset(cell))
        self.line(f"store {kept} {name}, ptr {pointer}, align 8, {STATE}")

    def _cell_offset(self, cell: Cell) -> int:
        index, which = divmod(cell, 2)
        return self.state.offsets[index] + 8 * which

    def _memory_type(self, cell: Cell) -> str:
        """The type of a cell in the state: narrow registers are stored zero-extended."""
        text = self.cell_type(cell)
        return "i64" if text in ("i1", "i32") else text

    def read_cell(self, cell: Cell) -> str:
        """What a cell held at the start of the block, even if its variable is changed by now."""
        name = self.cells.get(cell)
        if name is None:
            if self.held >> cell & 1:
                self.variables.add(cell)
                name = self.let(f"load {self.cell_type(cell)}, ptr %c{cell}")
                if cell in self.signed:
                    self.cells[~cell] = self.let(f"load i32, ptr %w{cell}")
                if cell in self.sums:
                    kind = llvm_type(self.sums[cell])
                    late = self.let(f"load {kind}, ptr %late{cell}")
                    self._parts[cell] = late, self.let(f"load {kind}, ptr %early{cell}")
            else:
                name = self.load_cell(cell)
            self.cells[cell] = name
        return name

    def assign(self, cell: Cell, name: str, node: Node | None = None) -> None:
        """Change a cell's variable; `node` is the new value if it is the block's own."""
        self.variables.add(cell)
        self.line(f"store {self.cell_type(cell)} {name}, ptr %c{cell}")
        if cell in self.signed:
            low = self.let(f"trunc i64 {name} to i32")
            self.line(f"store i32 {low}, ptr %w{cell}")
        if cell in self.sums:
            self._assign_parts(cell, name, node)

    def _assign_parts(self, cell: Cell, name: str, node: Node | None) -> None:
        ty = self.sums[cell]
        kind, parts = llvm_type(ty), None
        if node is not None and cell // 2 in self.chain.carried and total(node).ty is ty:
            parts = self.chain.parts_of(total(node))
        if parts is not None:
            late, early = (self.value(part, kind) for part in parts)
        else:
            late, early = name if kind == "i64" else self.let(f"trunc i64 {name} to {kind}"), "0"
        self.line(f"store {kind} {late}, ptr %late{cell}")
        self.line(f"store {kind} {early}, ptr %early{cell}")

    def reordered(self, node: Node) -> str | None:
        operands = self.chain.reordered(node)
        if operands is None:
            return None
        whole, aside = operands
        kind, own = llvm_type(whole.ty), llvm_type(node.ty)
        parts = self.chain.parts_of(whole)
        if parts is not None:
            late, early = (self.value(part, kind) for part in parts)
        elif self.held >> 2 * whole.attr & 1 and 2 * whole.attr in self.sums:
            kind = llvm_type(self.sums[2 * whole.attr])
            self.read_cell(2 * whole.attr)
            late, early = self._parts[2 * whole.attr]
        else:
            return None
        other = self.value(aside, own)
        if own != kind:
            other = self.let(f"zext {own} {other} to {kind}")
        first = self.let(f"xor {kind} {early}, {other}")
        # LLVM would put the operands in order again if it knew where this comes from.
        hidden = self.let(f'call {kind} asm "", "=r,0"({kind} {first}) #3')
        both = self.let(f"xor {kind} {late}, {hidden}")
        return both if own == kind else self.let(f"trunc {kind} {both} to {own}")

    def low_word(self, node: Node) -> str | None:
        cell = 2 * node.attr
        if cell not in self.signed or not self.held >> cell & 1:
            return None
        self.read_cell(cell)
        return self.cells[~cell]

    def register(self, node: Node, text: str) -> str:
        if node.op == PART:
            index, which = node.attr
            return self._part(index, which, text)
        index = node.attr
        if index in self.flow.split:
            low, high = (self._as_word(2 * index + which) for which in (0, 1))
            one = self.let(f"insertelement <2 x i64> poison, i64 {low}, i32 0")
            return self.let(f"insertelement <2 x i64> {one}, i64 {high}, i32 1")
        return self._cast(self.read_cell(2 * index), 2 * index, text)

    def _part(self, index: int, which: int, text: str) -> str:
        if index in self.flow.split:
            return self._cast(self.read_cell(2 * index + which), 2 * index + which, text)
        whole = self.read_cell(2 * index)  # a register in two halves was computed from this one
        word = self.let(f"extractelement <2 x i64> {whole}, i32 {which}")
        return word if text == "i64" else self.let(f"bitcast i64 {word} to {text}")

    def _as_word(self, cell: Cell) -> str:
        return self._cast(self.read_cell(cell), cell, "i64")

    def _cast(self, name: str, cell: Cell, text: str) -> str:
        own = self.cell_type(cell)
        return name if own == text else self.let(f"bitcast {own} {name} to {text}")

    def low_cell(self, node: Node) -> str | None:
        if node.attr in self.flow.split:
            return self._as_word(2 * node.attr)
        return None

    def _cells(self, mask: int) -> list[Cell]:
        return [i for i in range(mask.bit_length()) if mask >> i & 1]

    def reload(self, start: int) -> None:
        """With the state complete in memory, fill the variables for the block that begins at
        `start`."""
        after = self.flow.blocks[start]
        for cell in self._cells(after.live_in & after.held):
            self.assign(cell, self.load_cell(cell))

    def fill(self, edges: Iterable[Edge]) -> None:
        """Fill the variables in which blocks at the ends of some edges expect what this block
        has found in the state, and has not changed."""
        missing = 0
        for edge in edges:
            if edge.target is not None:
                after = self.flow.blocks[edge.target]
                missing |= after.live_in & after.held & ~(edge.mask | self.held)
        for cell in self._cells(missing):
            self.assign(cell, self.read_cell(cell))

    def write_back(self, edge: Edge) -> None:
        """Store what differs from the state, and the count."""
        names: list[tuple[Cell, str]] = []
        for cell in self._cells(self.flow.stored(edge)):
            node = edge.sets.get(cell)
            known = self.read_cell(cell) if node is None else self.value(node, self.cell_type(cell))
            names.append((cell, known))
        for cell, name in names:
            self.store_cell(cell, name)
        if self.options.count:
            self._store_count()

    def _store_count(self) -> None:
        name = self.let("load i64, ptr %count")
        self.line(f"store i64 {name}, ptr {self.field(layout.COUNT)}, {STATE}")

    def new_values(self, sets: dict[Cell, Node], mask: int) -> list[tuple[Cell, str]]:
        """The names of the new values of some cells."""
        return [
            (cell, self.value(node, self.cell_type(cell)))
            for cell, node in sets.items()
            if mask >> cell & 1
        ]

    def keep(self, sets: dict[Cell, Node], mask: int) -> None:
        """Put new values of cells into their variables."""
        pairs = self.new_values(sets, mask)
        for cell, _ in pairs:
            if self.held >> cell & 1:
                self.read_cell(cell)
        for cell, name in pairs:
            self.assign(cell, name, sets[cell])

    # ---- counting ----

    def reload_count(self) -> None:
        name = self.let(f"load i64, ptr {self.field(layout.COUNT)}, {STATE}")
        self.line(f"store i64 {name}, ptr %count")


def _chains(flow: Flow) -> dict[int, Chain]:
    """The chains of the blocks that jump back to themselves, by where those begin: of those that
    find something in variables, as quick code never does."""
    chains: dict[int, Chain] = {}
    types: dict[int, Ty] = {}
    for start, block in flow.blocks.items():
        if block.held and any(edge.target == start for edge in block.edges):
            chain = chain_of(block.block, types)
            if chain.carried:
                chains[start] = chain
                types.update(chain.carried)
    return chains


def _sign_extended(flow: Flow) -> set[Cell]:
    """The cells that some block gives 32 bits extended by their sign, and of which no block uses
    more than those."""
    wide = flow.region.votes.wide
    return {
        cell
        for block in flow.blocks.values()
        for cell, node in block.sets.items()
        if node.op is Op.SEXT and node.ty is I64 and node.args[0].ty is I32
        if cell // 2 not in wide
    }
