"""A region as one LLVM function: `i64 region(State *, i64 pc)`, which returns the next guest PC.

Calling convention of regions: all guest state is in the `State`. A guest call is a host call of
the callee's region, found in the function table by guest address; a guest return is a host return
of the address returned to. The caller compares that with the address it expects and hands
anything else on to its own caller: so anything may unwind to the dispatcher, whatever happens,
and no assumption about the guest's discipline is needed for correctness. Jumps to code outside of
the region are tail calls by the same table.

Guest memory is accessed with `volatile`: a fault must find memory as the program order has it,
and must be the first of the faults there would be.

Addresses are 64 bits wide, the reservation 4 GiB with inaccessible zones around it. Unless it is
known to be below 4 GiB, the base of an address is compared with that limit, once in a block; what
is beyond is a fault. Small displacements need no check of their own: they end in the zones.
"""

from __future__ import annotations

from attrs import define, field, frozen

from hcc.emulator.jit import layout
from hcc.emulator.jit.builder import (
    Branch,
    Fall,
    Jump,
    Leave,
    Load,
    Store,
    Syscall,
    Trapped,
    TrapIf,
    Unknown,
)
from hcc.emulator.jit.flow import BlockFlow, Cell, Edge, Flow
from hcc.emulator.jit.nodes import LOAD, NUMBER, PART, Node
from hcc.emulator.jit.printer import UNLIKELY, Printer, llvm_type
from hcc.emulator.jit.regions import Region
from hcc.isa.arch import RegisterFile
from hcc.isa.builder import JumpKind, Op, Trap
from hcc.isa.values import I64, int_type

SPACE = 1 << 32
GUARD = 1 << 20
"""Bytes before and behind guest memory that fault; displacements below it need no check."""

_STATE, _GUEST = "!tbaa !2", "!tbaa !3"
_TRAPS = tuple(Trap)


@frozen
class CodeSpan:
    """The guest addresses that the function table covers."""

    base: int
    size: int
    align: int

    @property
    def entries(self) -> int:
        return self.size // self.align

    def index(self, pc: int) -> int | None:
        """The place of an address in the table; None if it has none."""
        offset = pc - self.base
        if 0 <= offset < self.size and not offset % self.align:
            return offset // self.align
        return None


@frozen
class Options:
    """What kind of code to make.

    `count` keeps the exact number of instructions executed. Without `nest`, calls, returns and
    jumps out of a region all return to the engine.
    """

    count: bool = False
    nest: bool = True


def function_name(start: int) -> str:
    return f"r{start:x}"


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


class RegionPrinter(Printer):
    """Prints one region."""

    def __init__(
        self,
        region: Region,
        registers: RegisterFile,
        state: layout.Layout,
        span: CodeSpan,
        options: Options,
        together: frozenset[int],
        declarations: set[str],
        accesses: Accesses,
        scope: str,
    ) -> None:
        super().__init__(declarations)
        self.region = region
        self.registers = registers
        self.flow = Flow(region, registers)
        self.state = state
        self.span = span
        self.options = options
        self.together = together
        self.accesses = accesses
        self.scope = scope
        self._cell_types: dict[Cell, str] = {}
        self._checked: set[Node] = set()
        self._late: list[str] = []
        self._block = next(iter(self.flow.blocks.values()))
        self._votes = region.votes.floats

    # ---- the function ----

    def function(self) -> list[str]:
        """The lines of the function's definition."""
        name = function_name(self.region.start)
        for flow in self.flow.blocks.values():
            self._print_block(flow)
        body = self.lines
        self.lines = []
        self._print_entry()
        head = f"define hidden i64 @{name}(ptr noalias %s, i64 %pc) #0 !dbg {self.scope} {{"
        return [head, "entry:", *self.lines, *body, *self._late, "}"]

    def _print_entry(self) -> None:
        self.line(f"%mem = load ptr, ptr %s, !invariant.load !0, {_STATE}")
        table = self.field(layout.TABLE)
        self.line(f"%table = load ptr, ptr {table}, !invariant.load !0, {_STATE}")
        limit = self.field(layout.LIMIT)
        self.line(f"%limit = load i64, ptr {limit}, !invariant.load !0, {_STATE}")
        if any(isinstance(b.end, Jump) and b.end.kind is JumpKind.CALL
               for b in self.region.blocks.values()):  # fmt: skip
            self._check_stack()
        for cell, text in self._cell_types.items():
            self.line(f"%c{cell} = alloca {text}")
        if self.options.count:
            self.line("%count = alloca i64")
            self._reload_count()
        start = self.region.start
        live = self.flow.blocks[start].live_in
        self._reload(live)
        self.line(f"br label %b{start:x}")

    def _check_stack(self) -> None:
        read = self.intrinsic("llvm.read_register.i64", "i64", "metadata")
        sp = self.let(f"call i64 {read}(metadata !4)")
        limit = self.let(f"load i64, ptr {self.field(layout.STACK_LIMIT)}, {_STATE}")
        low = self.let(f"icmp ult i64 {sp}, {limit}")
        self.line(f"br i1 {low}, label %deep, label %shallow, {UNLIKELY}")
        self._late += ["deep:", "ret i64 %pc"]
        self.start("shallow")

    def _place(self) -> str:
        """The debug location of a call: LLVM wants one, though no fault happens there."""
        return self.accesses.location(self._block.block.start, 0, False, self.scope)

    def field(self, offset: int) -> str:
        """A pointer to a word of the state."""
        return self.let(f"getelementptr i8, ptr %s, i64 {offset}")

    # ---- cells ----

    def _cell_type(self, cell: Cell) -> str:
        text = self._cell_types.get(cell)
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
            self._cell_types[cell] = text
        return text

    def _cell_offset(self, cell: Cell) -> int:
        index, which = divmod(cell, 2)
        return self.state.offsets[index] + 8 * which

    def _memory_type(self, cell: Cell) -> str:
        """The type of a cell in the state: narrow registers are stored zero-extended."""
        text = self._cell_type(cell)
        return "i64" if text in ("i1", "i32") else text

    def _read_cell(self, cell: Cell) -> str:
        """What a cell held at the start of the block, even if its variable is changed by now."""
        name = self.cells.get(cell)
        if name is None:
            name = self.cells[cell] = self.let(f"load {self._cell_type(cell)}, ptr %c{cell}")
        return name

    def register(self, node: Node, text: str) -> str:
        if node.op == PART:
            index, which = node.attr
            return self._cast(self._read_cell(2 * index + which), 2 * index + which, text)
        index = node.attr
        if index in self.flow.split:
            low, high = (self._as_word(2 * index + which) for which in (0, 1))
            one = self.let(f"insertelement <2 x i64> poison, i64 {low}, i32 0")
            return self.let(f"insertelement <2 x i64> {one}, i64 {high}, i32 1")
        return self._cast(self._read_cell(2 * index), 2 * index, text)

    def _as_word(self, cell: Cell) -> str:
        return self._cast(self._read_cell(cell), cell, "i64")

    def _cast(self, name: str, cell: Cell, text: str) -> str:
        own = self._cell_type(cell)
        return name if own == text else self.let(f"bitcast {own} {name} to {text}")

    def low_cell(self, node: Node) -> str | None:
        if node.attr in self.flow.split:
            return self._as_word(2 * node.attr)
        return None

    def _cells(self, mask: int) -> list[Cell]:
        return [i for i in range(mask.bit_length()) if mask >> i & 1]

    def _reload(self, mask: int) -> None:
        """Take cells from the state into their variables."""
        for cell in self._cells(mask):
            text, kept = self._cell_type(cell), self._memory_type(cell)
            pointer = self.field(self._cell_offset(cell))
            name = self.let(f"load {kept}, ptr {pointer}, align 8, {_STATE}")
            if kept != text:
                name = self.let(f"trunc {kept} {name} to {text}")
            self.line(f"store {text} {name}, ptr %c{cell}")

    def _write_back(self, edge: Edge) -> None:
        """Store what differs from the state."""
        for cell in self._cells(self.flow.stored(edge)):
            text, kept = self._cell_type(cell), self._memory_type(cell)
            node = edge.sets.get(cell)
            name = self._read_cell(cell) if node is None else self.value(node, text)
            if kept != text:
                name = self.let(f"zext {text} {name} to {kept}")
            pointer = self.field(self._cell_offset(cell))
            self.line(f"store {kept} {name}, ptr {pointer}, align 8, {_STATE}")

    def _keep(self, sets: dict[Cell, Node], mask: int) -> None:
        """Put new values of cells into their variables."""
        pairs = [
            (cell, self.value(node, self._cell_type(cell)))
            for cell, node in sets.items()
            if mask >> cell & 1
        ]
        for cell, _ in pairs:
            self._read_cell(cell)
        for cell, name in pairs:
            self.line(f"store {self._cell_type(cell)} {name}, ptr %c{cell}")

    # ---- counting ----

    def _reload_count(self) -> None:
        name = self.let(f"load i64, ptr {self.field(layout.COUNT)}, {_STATE}")
        self.line(f"store i64 {name}, ptr %count")

    def _write_count(self) -> None:
        if self.options.count:
            name = self.let("load i64, ptr %count")
            self.line(f"store i64 {name}, ptr {self.field(layout.COUNT)}, {_STATE}")

    # ---- blocks ----

    def _print_block(self, flow: BlockFlow) -> None:
        self.forget()
        self._checked.clear()
        self._block = flow
        block = flow.block
        self.start(f"b{block.start:x}")
        self._prefer_types(flow)
        if self.options.count and block.addrs:
            old = self.let("load i64, ptr %count")
            new = self.let(f"add i64 {old}, {len(block.addrs)}")
            self.line(f"store i64 {new}, ptr %count")
        for i, effect in enumerate(block.effects):
            match effect:
                case Load(pc=pc, node=node, addr=addr):
                    self._load(pc, node, addr)
                case Store(pc=pc, addr=addr, value=value):
                    self._store(pc, addr, value)
                case Leave(condition=condition):
                    self._leave(condition, flow.side[i])
                case TrapIf(pc=pc, condition=condition, kind=kind):
                    self._trap_if(pc, condition, kind, flow.side[i])
        self._end(flow)

    def _prefer_types(self, flow: BlockFlow) -> None:
        """Loads that go straight to a variable of a floating-point type are loads of that type."""
        for cell, node in flow.sets.items():
            if node.op == LOAD and node.ty is I64 and self._cell_type(cell) == "double":
                node.attr = 64

    def _end(self, flow: BlockFlow) -> None:
        block, edges = flow.block, flow.edges
        match block.end:
            case Branch(condition=condition):
                self._keep_for(flow, edges)
                test = self._arg(condition)
                labels = [self._way(edge, pc) for edge, pc in
                          zip(edges, (block.end.target, block.end.next_pc), strict=True)]  # fmt: skip
                self.line(f"br i1 {test}, label %{labels[0]}, label %{labels[1]}")
            case Fall(next_pc=next_pc):
                self._go(flow, edges[0], next_pc)
            case Jump() as jump:
                self._jump(flow, jump)
            case Syscall(next_pc=next_pc):
                self._syscall(edges[0], next_pc)
            case Unknown(pc=pc):
                self._depart(edges[0], str(pc))
            case Trapped(kind=kind):
                self._trap(block.addrs[-1], kind, edges[0])

    def _keep_for(self, flow: BlockFlow, edges: list[Edge]) -> None:
        """Assign the variables that the blocks at the ends of some edges want."""
        live = busy = 0
        for edge in edges:
            if edge.target is not None:
                wanted, busily = self.flow.wanted(edge)
                live |= wanted
                busy |= busily
        mine = [n for c, n in flow.sets.items() if busy >> c & 1]
        self.settle([m for n in mine for m in _numbers(n)])
        self._keep(flow.sets, live)

    def _go(self, flow: BlockFlow, edge: Edge, pc: int) -> None:
        if edge.target is not None:
            self._keep_for(flow, [edge])
            self.line(f"br label %b{edge.target:x}")
        else:
            self._depart(edge, str(pc))

    def _way(self, edge: Edge, pc: int) -> str:
        """The label to branch to for an edge whose variables are in place."""
        if edge.target is not None:
            return f"b{edge.target:x}"
        label = self.fresh_label()
        with self._elsewhere(label):
            self._depart(edge, str(pc))
        return label

    def _elsewhere(self, label: str) -> _Elsewhere:
        return _Elsewhere(self, label)

    def add_late(self, lines: list[str]) -> None:
        self._late += lines

    # ---- leaving ----

    def _depart(self, edge: Edge, pc: str) -> None:
        """Leave the region for code elsewhere, with the state complete in memory."""
        target = None
        if pc.isdigit():
            target = int(pc)
        self._write_back(edge)
        self._write_count()
        self._tail(pc, target)

    def _tail(self, pc: str, target: int | None) -> None:
        """Go on at a guest address by a tail call."""
        if not self.options.nest or (target is not None and self.span.index(target) is None):
            self.line(f"ret i64 {pc}")
            return
        function = self._callee(pc, target)
        result = self.let(f"musttail call i64 {function}(ptr %s, i64 {pc}), {self._place()}")
        self.line(f"ret i64 {result}")

    def _callee(self, pc: str, target: int | None) -> str:
        """The function for a guest address; an address that has none is returned."""
        if target is not None:
            if target in self.together:
                return f"@{function_name(target)}"
            index = str(self.span.index(target))
        else:
            offset = self.let(f"sub i64 {pc}, {self.span.base}")
            index = offset
            shift = self.span.align.bit_length() - 1
            if shift:
                rotate = self.intrinsic("llvm.fshr.i64", "i64", "i64, i64, i64")
                index = self.let(f"call i64 {rotate}(i64 {offset}, i64 {offset}, i64 {shift})")
            inside = self.let(f"icmp ult i64 {index}, {self.span.entries}")
            there, out = self.fresh_label(), self.fresh_label()
            self.line(f"br i1 {inside}, label %{there}, label %{out}")
            self.start(out)
            self.line(f"ret i64 {pc}")
            self.start(there)
        pointer = self.let(f"getelementptr ptr, ptr %table, i64 {index}")
        return self.let(f"load ptr, ptr {pointer}, {_STATE}")

    # ---- jumps, calls, returns ----

    def _jump(self, flow: BlockFlow, jump: Jump) -> None:
        edge = flow.edges[-1]
        switch = self.region.switches.get(flow.block.start)
        constant_target = jump.target.const
        if jump.kind is JumpKind.CALL:
            self._call_guest(edge, jump)
        elif jump.kind is JumpKind.RETURN:
            target = self._arg(jump.target)
            self._write_back(edge)
            self._write_count()
            self.line(f"ret i64 {target}")
        elif constant_target is not None:
            self._go(flow, edge, constant_target)
        elif switch is not None:
            self._keep_for(flow, flow.edges[:-1])
            target = self._arg(jump.target)
            default = self.fresh_label()
            with self._elsewhere(default):
                self._depart(edge, target)
            for node, value in switch.guards:
                fits = self.let(f"icmp eq {self.typed(node)}, {value}")
                onward = self.fresh_label()
                self.line(f"br i1 {fits}, label %{onward}, label %{default}")
                self.start(onward)
            kind = llvm_type(switch.index.ty)
            cases = []
            for i, pc in enumerate(switch.targets):
                place = f"b{pc:x}" if pc in self.flow.blocks else default
                cases.append(f"{kind} {i}, label %{place}")
            index = self.typed(switch.index)
            self.line(f"switch {index}, label %{default} [ {' '.join(cases)} ]")
        else:
            self._depart(edge, self._arg(jump.target))

    def _call_guest(self, edge: Edge, jump: Jump) -> None:
        target = self._arg(jump.target)
        self._write_back(edge)
        self._write_count()
        known = jump.target.const
        if not self.options.nest or (known is not None and self.span.index(known) is None):
            self.line(f"ret i64 {target}")
            return
        function = self._callee(target, known)
        self._come_back(edge, f"call i64 {function}(ptr %s, i64 {target})", jump.next_pc)

    def _come_back(self, edge: Edge, call: str, next_pc: int) -> None:
        """Call something that should return `next_pc`, and go on there."""
        result = self.let(f"{call}, {self._place()}")
        expected = self.let(f"icmp eq i64 {result}, {next_pc}")
        back, astray = self.fresh_label(), self.fresh_label()
        self.line(f"br i1 {expected}, label %{back}, label %{astray}, !prof !5")
        self.start(astray)
        self.line(f"ret i64 {result}")
        self.start(back)
        if self.options.count:
            self._reload_count()
        if edge.target is None:
            self._tail(str(next_pc), next_pc)
        else:
            self._reload(self.flow.blocks[edge.target].live_in)
            self.line(f"br label %b{edge.target:x}")

    def _syscall(self, edge: Edge, next_pc: int) -> None:
        self._write_back(edge)
        self._write_count()
        function = self.let(f"load ptr, ptr {self.field(layout.ON_SYSCALL)}, {_STATE}")
        self._come_back(edge, f"call i64 {function}(ptr %s, i64 {next_pc})", next_pc)

    # ---- conditional exits and traps ----

    def _leave(self, condition: Node, edge: Edge) -> None:
        test = self._arg(condition)
        away, stay = self.fresh_label(), self.fresh_label()
        self.line(f"br i1 {test}, label %{away}, label %{stay}")
        with self._elsewhere(away):
            if edge.target is not None:
                self._keep(edge.sets, self.flow.blocks[edge.target].live_in)
                self.line(f"br label %b{edge.target:x}")
            else:
                leave = next(
                    e for i, e in enumerate(self._block.block.effects)
                    if self._block.side.get(i) is edge
                )  # fmt: skip
                assert isinstance(leave, Leave)
                self._depart(edge, str(leave.target))
        self.start(stay)

    def _trap_if(self, pc: int, condition: Node, kind: Trap, edge: Edge) -> None:
        test = self._arg(condition)
        away, stay = self.fresh_label(), self.fresh_label()
        self.line(f"br i1 {test}, label %{away}, label %{stay}, {UNLIKELY}")
        with self._elsewhere(away):
            self._trap(pc, kind, edge)
        self.start(stay)

    def _trap(self, pc: int, kind: Trap, edge: Edge) -> None:
        self._write_back(edge)
        self._write_count()
        for offset, value in (
            (layout.REASON, layout.REASON_TRAP),
            (layout.WHERE, pc),
            (layout.DETAIL, _TRAPS.index(kind)),
        ):
            self.line(f"store i64 {value}, ptr {self.field(offset)}, {_STATE}")
        self.line("ret i64 -1")

    # ---- memory ----

    def _load(self, pc: int, node: Node, addr: Node) -> None:
        kind = _memory_type(node)
        where = self.accesses.location(pc, node.ty.bits // 8, False, self.scope)
        pointer = self._pointer(pc, addr, node.ty.bits // 8, False)
        name = self.let(f"load volatile {kind}, ptr {pointer}, align 1, {_GUEST}, {where}")
        self.know(node, kind, name)

    def _store(self, pc: int, addr: Node, value: Node) -> None:
        self.settle(_numbers(value))
        content = self.typed(value)
        size = value.ty.bits // 8
        where = self.accesses.location(pc, size, True, self.scope)
        pointer = self._pointer(pc, addr, size, True)
        self.line(f"store volatile {content}, ptr {pointer}, align 1, {_GUEST}, {where}")

    def _pointer(self, pc: int, addr: Node, size: int, writes: bool) -> str:
        """The host address of a guest address, which is known to lie in or around guest memory."""
        root, step = _displaced(addr)
        if not _bounded(root) and root not in self._checked:
            self._check(pc, root, step, size << 1 | writes)
        name = self._arg(root)
        pointer = self.let(f"getelementptr i8, ptr %mem, i64 {name}")
        return self.let(f"getelementptr i8, ptr {pointer}, i64 {step}") if step else pointer

    def _check(self, pc: int, root: Node, step: int, column: int) -> None:
        name = self._arg(root)
        fits = self.let(f"icmp ult i64 {name}, %limit")
        fine, wild = self.fresh_label(), self.fresh_label()
        self.line(f"br i1 {fits}, label %{fine}, label %{wild}, !prof !5")
        with self._elsewhere(wild):
            whole = self.let(f"add i64 {name}, {step}") if step else name
            self._declarations.add("declare void @hcc_wild(ptr, i64, i64, i64) #1")
            where = self.accesses.location(pc, column >> 1, bool(column & 1), self.scope)
            self.line(f"call void @hcc_wild(ptr %s, i64 {pc}, i64 {whole}, i64 {column}), {where}")
            self.line("unreachable")
        self.start(fine)
        self._checked.add(root)


class _Elsewhere:
    """Writes lines into a block apart, for what does not happen often."""

    def __init__(self, printer: RegionPrinter, label: str) -> None:
        self.printer = printer
        self.label = label
        self._side = printer.side_path()

    def __enter__(self) -> None:
        p = self.printer
        self._lines, self._outer = p.lines, p.label
        p.lines = []
        self._side.__enter__()
        p.start(self.label)

    def __exit__(self, *error: object) -> None:
        p = self.printer
        self._side.__exit__(None, None, None)
        p.add_late(p.lines)
        p.lines, p.label = self._lines, self._outer


def _memory_type(node: Node) -> str:
    """The type a load is done in."""
    if node.attr is not None:
        return {32: "float", 64: "double"}[node.attr]
    return llvm_type(node.ty)


def _numbers(node: Node) -> list[Node]:
    """The floating-point results that a value is put together from."""
    found = []
    stack = [node]
    while stack:
        node = stack.pop()
        if node.op == NUMBER:
            found.append(node)
        elif node.op in _CARRIERS:
            stack.extend(node.args)
    return found


_CARRIERS = frozenset((Op.BITCAST, Op.BUILD, "insert", Op.ZEXT))


def _displaced(addr: Node) -> tuple[Node, int]:
    """An address as a base and a displacement that the guard zones cover."""
    if addr.op is Op.ADD and addr.args[1].const is not None:
        step = addr.args[1].const
        if step >> 63:
            step -= 1 << 64
        if -GUARD < step < GUARD:
            return addr.args[0], step
    return addr, 0


def _bounded(addr: Node) -> bool:
    """Whether an address is below 4 GiB by the way it is made."""
    if addr.const is not None:
        return addr.const < SPACE
    return addr.op is Op.ZEXT and addr.args[0].ty.bits <= 32

