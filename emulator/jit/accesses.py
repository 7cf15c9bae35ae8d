"""Accesses to guest memory in compiled code.

Guest memory is accessed with `volatile`: a fault must find memory as the program order has it, and
must be the first of the faults there would be. The second use that each loaded value has
(`llvm.fake.use`, which is no instruction) keeps the load an instruction of its own: one that LLVM
makes the operand of another would lose the debug location that tells which access it was. Narrow
loads, and those that bit operations are done on, go through empty assembly instead, since LLVM
would widen them to what those need. Equal accesses in the two arms of a branch are kept from being
merged by marks around them: empty assembly with the guest PC for an operand, which no other arm
has.

Addresses are 64 bits wide, the reservation 4 GiB with inaccessible zones around it. Where an
address is not known to end in those (see `ranges`), its base is compared with 4 GiB, once in a
block; what is beyond is a fault, unless an index or displacement brings it back. Displacements and
indices of 32 bits need no check of their own.
"""

from __future__ import annotations

from hcc.emulator.jit.builder import Load, Store
from hcc.emulator.jit.flow import Flow
from hcc.emulator.jit.nodes import Node, numbers
from hcc.emulator.jit.printer import LIKELY, UNLIKELY, llvm_type
from hcc.emulator.jit.ranges import NEAR, REACH, STEP, range_of
from hcc.emulator.jit.regions import Place, pc_of
from hcc.emulator.jit.variables import GUEST, Module, StatePrinter
from hcc.isa.builder import Op
from hcc.isa.values import Ty


class AccessPrinter(StatePrinter):
    """Prints what a region does with guest memory; `scope` is that of its debug locations."""

    def __init__(self, flow: Flow, module: Module, scope: str) -> None:
        super().__init__(flow, module)
        self.accesses = module.accesses
        self.scope = scope
        self._start = 0
        self._checked: set[Node] = set()
        self._pointers: dict[Node, str] = {}
        """The host addresses of the bases that the block has used so far."""
        self._marked = False

    def forget_accesses(self, start: Place) -> None:
        """Begin a guest block: no address has been checked."""
        self._start = pc_of(start)
        self._checked.clear()
        self._pointers.clear()
        self._marked = False

    def _load(self, load: Load, safe: bool) -> None:
        pc, node = load.pc, load.node
        kind = _memory_type(node)
        self._mark_first()
        size = node.ty.bits // 8
        where = self.accesses.location(pc, size, False, self.scope)
        pointer = self._pointer(pc, load.addr, None if safe else size << 1)
        name = self.let(f"load volatile {kind}, ptr {pointer}, align 1, {GUEST}, {where}")
        self.know(node, kind, self._set_apart(node, name, kind, where))
        self._places[node] = f", {where}"
        self._mark(pc)

    def _set_apart(self, node: Node, name: str, kind: str, where: str) -> str:
        """A loaded value under a name that keeps LLVM from making its load part of anything."""
        bits = node.ty.bits
        if bits < 32 or (bits == 32 and isinstance(node.attr, Op)):
            # LLVM widens what is computed from it down to the load itself: hide it from that.
            half = 1 << bits - 1
            word, low = ("sext", -half) if node.attr is Op.SEXT else ("zext", 0)
            wide = self.let(f"{word} {kind} {name} to i64, {where}")
            limits = f"range(i64 {low}, {low + 2 * half})"
            hidden = self.let(f'call {limits} i64 asm "", "=r,0"(i64 {wide}) #3, {where}')
            return self.let(f"trunc i64 {hidden} to {kind}")
        self._declarations.add("declare void @llvm.fake.use(...)")
        self.line(f"call void (...) @llvm.fake.use({kind} {name}), {where}")
        return name

    def _store(self, store: Store, safe: bool) -> None:
        pc, value = store.pc, store.value
        self.settle(numbers(value))
        size = value.ty.bits // 8
        self._mark_first()
        where = self.accesses.location(pc, size, True, self.scope)
        pointer = self._pointer(pc, store.addr, None if safe else size << 1 | 1)
        content = self.typed(value)
        self.line(f"store volatile {content}, ptr {pointer}, align 1, {GUEST}, {where}")
        self._mark(pc)

    def _mark(self, pc: int) -> None:
        """A place that LLVM takes for unlike any other."""
        self.line(f'call void asm sideeffect "", "i"(i64 {pc}) #2')
        self._marked = True

    def _mark_first(self) -> None:
        if not self._marked:
            self._mark(self._start)

    def _pointer(self, pc: int, addr: Node, column: int | None) -> str:
        """The host address of a guest address, which is made sure to lie in or around guest memory;
        `column` describes the access if it has to be checked."""
        base, index, step = _parts(addr)
        if column is not None and base not in self._checked and not _is_near(base):
            self._check(pc, addr, base, column)
        pointer = self._pointers.get(base)
        if pointer is None:
            pointer = self.let(f"getelementptr i8, ptr %mem, i64 {self._arg(base)}")
            self._pointers[base] = pointer
        if index is not None:
            pointer = self.let(f"getelementptr i8, ptr {pointer}, i64 {self._arg(index)}")
        return self.let(f"getelementptr i8, ptr {pointer}, i64 {step}") if step else pointer

    def _check(self, pc: int, addr: Node, base: Node, column: int) -> None:
        fits = self.let(f"icmp ult i64 {self._arg(base)}, %limit")
        fine, wild = self.fresh_label(), self.fresh_label()
        self.line(f"br i1 {fits}, label %{fine}, label %{wild}, {LIKELY}")
        with self.elsewhere(wild):
            whole = self._arg(addr)
            if addr is not base:
                back, beyond = self.let(f"icmp ult i64 {whole}, %limit"), self.fresh_label()
                self.line(f"br i1 {back}, label %{fine}, label %{beyond}, {UNLIKELY}")
                self.start(beyond)
            self._declarations.add("declare void @hcc_wild(ptr, i64, i64, i64) #1")
            where = self.accesses.location(pc, column >> 1, bool(column & 1), self.scope)
            self.line(f"call void @hcc_wild(ptr %s, i64 {pc}, i64 {whole}, i64 {column}), {where}")
            self.line("unreachable")
        self.start(fine)
        self._checked.add(base)


def _memory_type(node: Node) -> str:
    """The type a load is done in."""
    return llvm_type(node.attr if isinstance(node.attr, Ty) else node.ty)


def _parts(addr: Node) -> tuple[Node, Node | None, int]:
    """An address as a base, an index and a displacement, of which the guard zones cover the
    latter two."""
    base, step = addr, 0
    if addr.op is Op.ADD and addr.args[1].const is not None:
        step = addr.args[1].const
        if step >> 63:
            step -= 1 << 64
        if -STEP < step < STEP:
            base = addr.args[0]
        else:
            step = 0
    if base.op is Op.ADD:
        for part, index in (base.args, base.args[::-1]):
            if range_of(index).within(-REACH, REACH):
                return part, index, step
    return base, None, step


def _is_near(base: Node) -> bool:
    """Whether an address cannot be far from guest memory, by the way it is made."""
    return range_of(base).within(NEAR.low + REACH + STEP, NEAR.high - REACH - STEP)
