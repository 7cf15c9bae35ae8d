"""A region as one LLVM function: `i64 region(State *, i64 pc)`, which returns the next guest PC.

Calling convention of regions: all guest state is in the `State`. A guest call is a host call of
the callee's region, found in the function table by guest address; a guest return is a host return
of the address returned to. The caller compares that with the address it expects and hands
anything else on to its own caller: so anything may unwind to the dispatcher, whatever happens,
and no assumption about the guest's discipline is needed for correctness. Jumps to code outside of
the region are tail calls by the same table.
"""

from __future__ import annotations

from hcc.emulator import comparisons
from hcc.emulator.jit import layout
from hcc.emulator.jit.accesses import AccessPrinter
from hcc.emulator.jit.builder import (
    Back,
    Branch,
    Enter,
    Fall,
    Jump,
    Leave,
    Load,
    Store,
    Syscall,
    TrapIf,
    Trapped,
    Unknown,
)
from hcc.emulator.jit.chains import NONE
from hcc.emulator.jit.flow import BlockFlow, Edge, Flow
from hcc.emulator.jit.nodes import LOAD, Node, numbers
from hcc.emulator.jit.options import function_name
from hcc.emulator.jit.printer import LIKELY, RARELY, UNLIKELY, USUALLY, llvm_type
from hcc.emulator.jit.ranges import USUAL, Ranges, ranges_of
from hcc.emulator.jit.regions import Place, pc_of
from hcc.emulator.jit.variables import STATE, Module
from hcc.isa.builder import JumpKind, Trap
from hcc.isa.values import F64, I64

_TRAPS = tuple(Trap)


class RegionPrinter(AccessPrinter):
    """Prints one region."""

    def __init__(self, flow: Flow, module: Module, scope: str) -> None:
        super().__init__(flow, module, scope)
        self.span = module.span
        self.together = module.together
        self.ranges = self._find_ranges(module)
        self._block = next(iter(self.flow.blocks.values()))

    def _find_ranges(self, module: Module) -> Ranges:
        """What is known of addresses. Where a test of it fails, other code must go on, of which
        `lockstep` has none."""
        doubted = self.region.start in module.doubted
        return ranges_of(self.flow, assume=self.options.nest and not doubted)

    # ---- the function ----

    def function(self) -> list[str]:
        """The lines of the function's definition."""
        name = function_name(self.region.start)
        for flow in self.flow.blocks.values():
            self._print_block(flow)
        for loop in self.ranges.guards:
            self._print_guard(loop)
        body, self.lines = self.lines, []
        self._print_entry()
        entry, self.lines = self.lines, []
        self._print_end()
        end, self.lines = self.lines, []
        self._print_variables()
        state = f"ptr noalias dereferenceable({self.state.size}) %s"
        head = f"define hidden i64 @{name}({state}, i64 %pc) #0 !dbg {self.scope} {{"
        return [head, "entry:", *self.lines, *entry, *body, *self._late, *end, "}"]

    def _print_entry(self) -> None:
        self.line(f"%mem = load ptr, ptr %s, !invariant.load !0, {STATE}")
        table = self.field(layout.TABLE)
        self.line(f"%table = load ptr, ptr {table}, !invariant.load !0, {STATE}")
        limit = self.field(layout.LIMIT)
        self.line(f"%limit = load i64, ptr {limit}, !invariant.load !0, {STATE}")
        if self.region.returns or any(
            isinstance(b.end, Jump) and b.end.kind is JumpKind.CALL
            for b in self.region.blocks.values()
        ):
            self._check_stack()
        self._begin()

    def _print_variables(self) -> None:
        for cell in sorted(self.variables):
            self.line(f"%c{cell} = alloca {self.cell_type(cell)}")
            if cell in self.signed:
                self.line(f"%w{cell} = alloca i32")
            if cell in self.sums:
                kind = llvm_type(self.sums[cell])
                self.line(f"%late{cell} = alloca {kind}")
                self.line(f"%early{cell} = alloca {kind}")
        if self.options.count:
            self.line("%count = alloca i64")

    def _begin(self) -> None:
        """Go to the block that the function is entered at."""
        if self.options.count:
            self.reload_count()
        start = self.region.start
        self.reload(start)
        first = "p" if (None, start) in self.ranges.entries else "b"
        self.line(f"br label %{first}{start:x}")

    def _label(self, place: Place) -> str:
        """The label of a block that is gone to from the one being printed."""
        guarded = (self._block.block.start, place) in self.ranges.entries
        return f"{'p' if guarded else 'b'}{place:x}"

    def _print_guard(self, head: Place) -> None:
        """Before a loop is entered, test what its accesses rely on; if it does not hold, say so and
        go on in other code."""
        self.forget()
        self._block = self.flow.blocks[head]
        self.held = self._block.held
        self.start(f"p{head:x}")
        tests = []
        for cell in self.ranges.guards[head]:
            above = self.let(f"sub i64 {self.read_cell(cell)}, {USUAL.low}")
            tests.append(self.let(f"icmp ule i64 {above}, {USUAL.high - USUAL.low}"))
        every = tests[0]
        for test in tests[1:]:
            every = self.let(f"and i1 {every}, {test}")
        doubt = self.fresh_label()
        self.line(f"br i1 {every}, label %b{head:x}, label %{doubt}, {LIKELY}")
        self.start(doubt)
        for cell in self._cells(self._block.dirty_in & self._block.live_in):
            self.store_cell(cell, self.read_cell(cell))
        if self.options.count:
            self._store_count()
        place, own = pc_of(head), self.region.start
        current = self._listed(self._index(own))
        is_own = self.let(f"icmp eq ptr {current}, @{function_name(own)}")
        tell, told = self.fresh_label(), self.fresh_label()
        self.line(f"br i1 {is_own}, label %{tell}, label %{told}")
        self.start(told)  # by now there is other code, but not for who calls this directly
        self._go_over(current if place == own else self._listed(self._index(place)), place)
        self.start(tell)
        self.line(f"store i64 {own}, ptr {self.field(layout.DOUBTED)}, {STATE}")
        self._go_over(self._ask(place), place)

    def _listed(self, index: int | str) -> str:
        """The code that the function table has at a place."""
        slot = self.let(f"getelementptr ptr, ptr %table, i64 {index}")
        return self.let(f"load ptr, ptr {slot}, {STATE}")

    def _index(self, pc: int) -> int:
        """The place of an address in the function table."""
        index = self.span.index(pc)
        assert index is not None
        return index

    def _ask(self, pc: int) -> str:
        """Tell the engine something about the code here; the code to go on with."""
        return self._told("hcc_hot", pc)

    def _told(self, function: str, pc: int) -> str:
        """The code to go on with at an address, as a function of the support module says."""
        self._declarations.add(f"declare i64 @{function}(ptr, i64)")
        told = self.let(f"call i64 @{function}(ptr %s, i64 {pc}), {self._call_place()}")
        return self.let(f"inttoptr i64 {told} to ptr")

    def _check_stack(self) -> None:
        sp = self._stack_pointer()
        limit = self.let(f"load i64, ptr {self.field(layout.STACK_LIMIT)}, {STATE}")
        low = self.let(f"icmp ult i64 {sp}, {limit}")
        self.line(f"br i1 {low}, label %deep, label %shallow, {UNLIKELY}")
        self._late += ["deep:", "ret i64 %pc"]
        self.start("shallow")

    def _stack_pointer(self) -> str:
        read = self.intrinsic("llvm.read_register.i64", "i64", "metadata")
        return self.let(f"call i64 {read}(metadata !4)")

    def _call_place(self) -> str:
        """The debug location of a call: LLVM wants one, though no fault happens there."""
        return self.accesses.location(pc_of(self._block.block.start), 0, False, self.scope)

    def _print_end(self) -> None:
        """Nothing is to follow the blocks."""

    # ---- blocks ----

    def _print_block(self, flow: BlockFlow) -> None:
        self.forget()
        self.forget_accesses(flow.block.start)
        self._block = flow
        self.held = flow.held
        self.chain = self.chains.get(flow.block.start, NONE)
        block = flow.block
        self.start(f"b{block.start:x}")
        self._prefer_types(flow)
        self._begin_block()
        if self.options.count and block.addrs:
            old = self.let("load i64, ptr %count")
            new = self.let(f"add i64 {old}, {len(block.addrs)}")
            self.line(f"store i64 {new}, ptr %count")
            if not self.options.nest:  # for `lockstep`, which wants to know it at a fault too
                self.line(f"store volatile i64 {new}, ptr {self.field(layout.COUNT)}, {STATE}")
        for i, effect in enumerate(block.effects):
            match effect:
                case Load():
                    self._load(effect, (block.start, i) in self.ranges.safe)
                case Store():
                    self._store(effect, (block.start, i) in self.ranges.safe)
                case Leave(condition=condition, target=place):
                    self._leave(condition, flow.side[i], place)
                case TrapIf(pc=pc, condition=condition, kind=kind):
                    self._trap_if(pc, condition, kind, flow.side[i])
        self._end(flow)

    def _prefer_types(self, flow: BlockFlow) -> None:
        """Loads that go straight to a variable of a floating-point type are loads of that type."""
        for cell, node in flow.sets.items():
            if node.op == LOAD and node.ty is I64 and self.cell_type(cell) == "double":
                node.attr = F64

    def _end(self, flow: BlockFlow) -> None:
        block, edges = flow.block, flow.edges
        match block.end:
            case Branch(condition=condition):
                self._keep_for(flow, edges)
                opposite = comparisons.negated(condition)
                test = self._arg(opposite or condition)
                places = block.end.target, block.end.next_pc
                labels = [self._way(edge, pc) for edge, pc in zip(edges, places, strict=True)]
                if opposite is not None:
                    labels.reverse()
                hint = self._hint(edges if opposite is None else edges[::-1], *places)
                self.line(f"br i1 {test}, label %{labels[0]}, label %{labels[1]}{hint}")
            case Fall(next_pc=next_pc):
                self._go(flow, edges[0], next_pc)
            case Jump() as jump:
                self._jump(flow, jump)
            case Enter(target=entry):
                self._go(flow, edges[0], entry)
            case Back() as back:
                self._return_inside(flow, back)
            case Syscall(next_pc=next_pc):
                self._syscall(edges[0], next_pc)
            case Unknown(pc=pc):
                self._depart(edges[0], pc)
            case Trapped(kind=kind):
                self._trap(block.addrs[-1], kind, edges[0])

    def _hint(self, edges: list[Edge], target: int, next_pc: int) -> str:
        """What LLVM is told of which way a branch goes, of two `edges`."""
        taken, other = edges
        if taken.cold != other.cold:
            return f", {RARELY if taken.cold else USUALLY}"
        return ", !unpredictable !0" if self._skips_little(target, next_pc) else ""

    def _skips_little(self, target: int, next_pc: int) -> bool:
        """Whether a branch is a conditional move in effect: what it skips is one instruction that
        does no more than change registers. RISC-V compilers write so what they cannot predict."""
        skipped = self.region.blocks.get(next_pc)
        if skipped is None or len(skipped.addrs) != 1 or skipped.effects:
            return False
        return isinstance(skipped.end, Fall) and skipped.end.next_pc == target

    def _keep_for(self, flow: BlockFlow, edges: list[Edge]) -> None:
        """Assign the variables that the blocks at the ends of some edges want."""
        live = busy = 0
        for edge in edges:
            if not edge.stores:
                wanted, busily = self.flow.wanted(edge)
                live |= wanted
                busy |= busily
        mine = [n for c, n in flow.sets.items() if busy >> c & 1]
        others = [n for c, n in flow.sets.items() if live >> c & 1]
        self.settle([m for n in mine for m in numbers(n)], [m for n in others for m in numbers(n)])
        self.keep(flow.sets, live)
        self.fill(edges)

    def _go(self, flow: BlockFlow, edge: Edge, place: Place) -> None:
        if not edge.stores:
            self._keep_for(flow, [edge])
            self.line(f"br label %{self._label(place)}")
        else:
            self._depart(edge, pc_of(place))

    def _way(self, edge: Edge, place: Place) -> str:
        """The label to branch to for an edge whose variables are in place."""
        if not edge.stores:
            return self._label(place)
        label = self.fresh_label()
        with self.elsewhere(label):
            self._depart(edge, pc_of(place))
        return label

    def _begin_block(self) -> None:
        """Nothing is to be done where a block begins."""

    # ---- leaving ----

    def _depart(self, edge: Edge, target: int | str) -> None:
        """Leave the region for code elsewhere, at an address or what has that name, with the state
        complete in memory. If a function that is part of the region does so, what returns there
        returns to its caller."""
        self.write_back(edge)
        if not self._is_callable(target):
            self.line(f"ret i64 {target}")
            return
        if edge.cold and isinstance(target, int):
            code = self._told("hcc_uncommon", target)
        else:
            code = self._callee(target)
        if edge.target is None:
            self._go_over(code, target)
        else:
            self._call_guest(edge, code, target, edge.target)

    def _tail(self, target: int | str) -> None:
        """Go on at a guest address by a tail call."""
        if not self._is_callable(target):
            self.line(f"ret i64 {target}")
            return
        self._go_over(self._callee(target), target)

    def _go_over(self, code: str, pc: int | str) -> None:
        """Go on in other code for an address; the state is in memory."""
        call = f"musttail call i64 {code}(ptr %s, i64 {pc}), {self._call_place()}"
        self.line(f"ret i64 {self.let(call)}")

    def _call_guest(self, edge: Edge, code: str, target: int | str, next_place: Place) -> None:
        """Call the code for a guest address, which should return to a place, and go on there."""
        self._come_back(edge, f"call i64 {code}(ptr %s, i64 {target})", next_place)

    def _is_callable(self, target: int | str) -> bool:
        """Whether there may be a function for a guest address."""
        if not self.options.nest:
            return False
        return isinstance(target, str) or self.span.index(target) is not None

    def _callee(self, target: int | str) -> str:
        """The function for a guest address; an address that has none is returned."""
        if isinstance(target, int):
            if target in self.together:
                return f"@{function_name(target)}"
            return self._listed(self._index(target))
        offset = self.let(f"sub i64 {target}, {self.span.base}")
        index = offset
        shift = self.span.align.bit_length() - 1
        if shift:
            index = self._rotated(offset, shift)
        inside = self.let(f"icmp ult i64 {index}, {self.span.entries}")
        there, out = self.fresh_label(), self.fresh_label()
        self.line(f"br i1 {inside}, label %{there}, label %{out}")
        self.start(out)
        self.line(f"ret i64 {target}")
        self.start(there)
        return self._listed(index)

    def _rotated(self, offset: str, shift: int) -> str:
        """An offset over the bytes of an instruction, by which what lies between two is out of
        range."""
        rotate = self.intrinsic("llvm.fshr.i64", "i64", "i64, i64, i64")
        return self.let(f"call i64 {rotate}(i64 {offset}, i64 {offset}, i64 {shift})")

    # ---- jumps, calls, returns ----

    def _jump(self, flow: BlockFlow, jump: Jump) -> None:
        edge = flow.edges[-1]
        switch = self.region.switches.get(flow.block.start)
        constant_target = jump.target.const
        if jump.kind is JumpKind.CALL:
            target = self._address(jump.target)
            self.write_back(edge)
            if self._is_callable(target):
                self._call_guest(edge, self._callee(target), target, jump.next_pc)
            else:
                self.line(f"ret i64 {target}")
        elif jump.kind is JumpKind.RETURN:
            target = self._arg(jump.target)
            self.write_back(edge)
            self.line(f"ret i64 {target}")
        elif constant_target is not None:
            self._go(flow, edge, constant_target)
        elif switch is not None:
            self._keep_for(flow, flow.edges[:-1])
            target = self._arg(jump.target)
            default = self.fresh_label()
            with self.elsewhere(default):
                self._depart(edge, target)
            for node, value in switch.guards:
                fits = self.let(f"icmp eq {self.typed(node)}, {value}")
                onward = self.fresh_label()
                self.line(f"br i1 {fits}, label %{onward}, label %{default}")
                self.start(onward)
            kind = llvm_type(switch.index.ty)
            targets = dict.fromkeys(switch.targets.values())
            ways = zip(targets, flow.edges[:-1], strict=True)
            labels = {pc: self._way(edge, pc) for pc, edge in ways}
            cases = [f"{kind} {i}, label %{labels[pc]}" for i, pc in switch.targets.items()]
            index = self.typed(switch.index)
            self.line(f"switch {index}, label %{default} [ {' '.join(cases)} ]")
        else:
            self._depart(edge, self._arg(jump.target))

    def _address(self, target: Node) -> int | str:
        """The address that a jump goes to, or the name of it."""
        return self._arg(target) if target.const is None else target.const

    def _return_inside(self, flow: BlockFlow, back: Back) -> None:
        """Return from a function that is part of the region to the caller in it."""
        inside, outside = flow.edges
        self._keep_for(flow, [inside])
        target = self._arg(back.target)
        expected = self.let(f"icmp eq i64 {target}, {pc_of(back.next_pc)}")
        astray = self.fresh_label()
        with self.elsewhere(astray):
            self.write_back(outside)
            self.line(f"ret i64 {target}")
        onward = self._label(back.next_pc)
        self.line(f"br i1 {expected}, label %{onward}, label %{astray}, {LIKELY}")

    def _come_back(self, edge: Edge, call: str, next_place: Place) -> None:
        """Call something that should return to a place, and go on there."""
        result = self.let(f"{call}, {self._call_place()}")
        expected = self.let(f"icmp eq i64 {result}, {pc_of(next_place)}")
        back, astray = self.fresh_label(), self.fresh_label()
        self.line(f"br i1 {expected}, label %{back}, label %{astray}, {LIKELY}")
        self.start(astray)
        self.line(f"ret i64 {result}")
        self.start(back)
        if self.options.count:
            self.reload_count()
        if edge.target is None:
            self._tail(pc_of(next_place))
        else:
            self.reload(edge.target)
            self.line(f"br label %{self._label(edge.target)}")

    def _syscall(self, edge: Edge, next_place: Place) -> None:
        self.write_back(edge)
        self._declarations.add("declare i64 @hcc_syscall(ptr, i64)")
        call = f"call i64 @hcc_syscall(ptr %s, i64 {pc_of(next_place)})"
        self._come_back(edge, call, next_place)

    # ---- conditional exits and traps ----

    def _leave(self, condition: Node, edge: Edge, place: Place) -> None:
        test = self._arg(condition)
        away, stay = self.fresh_label(), self.fresh_label()
        self.line(f"br i1 {test}, label %{away}, label %{stay}")
        with self.elsewhere(away):
            if not edge.stores:
                self.keep(edge.sets, self.flow.wanted(edge)[0])
                self.fill([edge])
                self.line(f"br label %{self._label(place)}")
            else:
                self._depart(edge, pc_of(place))
        self.start(stay)

    def _trap_if(self, pc: int, condition: Node, kind: Trap, edge: Edge) -> None:
        test = self._arg(condition)
        away, stay = self.fresh_label(), self.fresh_label()
        self.line(f"br i1 {test}, label %{away}, label %{stay}, {UNLIKELY}")
        with self.elsewhere(away):
            self._trap(pc, kind, edge)
        self.start(stay)

    def _trap(self, pc: int, kind: Trap, edge: Edge) -> None:
        self.write_back(edge)
        for offset, value in (
            (layout.REASON, layout.REASON_TRAP),
            (layout.WHERE, pc),
            (layout.DETAIL, _TRAPS.index(kind)),
        ):
            self.line(f"store i64 {value}, ptr {self.field(offset)}, {STATE}")
        self.line("ret i64 -1")
