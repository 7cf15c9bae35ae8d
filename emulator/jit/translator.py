"""From guest addresses to compiled code in the function table.

A `Translator` belongs to one CPU. It finds regions, has them compiled, puts the result into the
arena and makes the function table point there; what earlier runs compiled it takes from the cache.
LLVM is loaded when the first region is compiled, not before.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from threading import Lock
from time import monotonic

from attrs import frozen

from hcc.emulator.jit import cache as disk
from hcc.emulator.jit import layout
from hcc.emulator.jit.flow import DirectFlow, Flow
from hcc.emulator.jit.heat import Heat
from hcc.emulator.jit.loops import loops_around
from hcc.emulator.jit.module import module_text
from hcc.emulator.jit.objects import Image, read_image
from hcc.emulator.jit.options import CodeSpan, Options, function_name
from hcc.emulator.jit.regions import MAX_INSNS, Code, Discovery, Region
from hcc.emulator.jit.state import NativeState
from hcc.emulator.jit.support import Support, install, support_text
from hcc.emulator.memory import PAGE_BITS, READ, Memory
from hcc.isa import store
from hcc.isa.errors import FormatError

MODULE_INSNS = 500
"""About how many guest instructions are optimised at a time."""
SMALL = 60
"""Callees of at most so many instructions are optimised with their callers, to be inlined."""
WHOLE_INSNS = 1000
"""A larger function is not looked at as a whole; an instruction counts as 4 bytes."""
PIECE_INSNS = 100
"""How much is optimised of a function that is too large, where no loop is found."""
TURNS = 3
"""An outer loop that has turned so often is optimised with the hot one inside it."""

_installing = Lock()


@cache
def _support() -> Support:
    text = support_text()
    key = store.digest_of([disk.host_digest(), disk.source_digest(), text.encode()])
    content = store.fetch(disk.KIND, key)
    if content is None:
        from hcc.emulator.jit import compiler

        content = compiler.compile_quickly(text)
        store.keep(disk.KIND, key, content)
    return install(read_image(content))


def support() -> Support:
    """The support module of this process."""
    with _installing:
        return _support()


@frozen
class Placed:
    """A module in memory: its object is kept for its line table."""

    address: int
    image: Image
    content: bytes


class Translator:
    """Compiled code of one CPU.

    The guest's thread has quick code made, another thread optimised code. Each has discoveries of
    its own; the lock is held while what both know changes.
    """

    def __init__(
        self,
        code: Code,
        ranges: Sequence[tuple[int, bytes]],
        memory: Memory,
        state: NativeState,
        functions: Sequence[tuple[int, int]],
        options: Options,
        cached: bool = True,
    ) -> None:
        self.code = code
        self.memory = memory
        self.state = state
        self.options = options
        self.functions = sorted(functions)
        self._starts = [start for start, _ in self.functions]
        self._ranges = ranges
        self._cached = cached
        self.span = _span(ranges, code.arch.insn_align)
        self.support = support()
        self.table = array("Q", [self.support.stub]) * self.span.entries
        self.heat = Heat(self.span)
        self._lock = Lock()
        self.discovery = Discovery(code, self.bounds_of)
        self.regions: dict[int, Region] = {}
        self.compiled: set[int] = set()
        """The addresses that compiled code may be entered at."""
        self.last_quick = monotonic()
        """When the guest last had to wait for code."""
        self.optimised: set[int] = set()
        self.refused: set[int] = set()
        self._quick = Discovery(code, self.bounds_of, covered=self.compiled)
        self._whole = Discovery(code, self.bounds_of, WHOLE_INSNS)
        self._piece = Discovery(code, self.bounds_of, PIECE_INSNS, covered=self.optimised)
        self._wholes: dict[int, Region] = {}
        self._functions: dict[int, int] = {}
        self._placed: list[Placed] = []
        self._entries: list[disk.Entry] = []
        self._key: str | None = None
        self._unsaved = False
        self._write_words()

    def _write_words(self) -> None:
        table, _ = self.table.buffer_info()
        guard = 1 << 20
        words = {
            layout.MEMORY: self.memory.host_addr,
            layout.TABLE: table,
            layout.COUNTERS: self.heat.address,
            layout.LIMIT: 1 << 32,
            layout.BASE: self.span.base,
            layout.ENTRIES: self.span.entries,
            layout.SHIFT: self.span.align.bit_length() - 1,
            layout.GUARD_START: self.memory.host_addr - guard,
            layout.GUARD_END: self.memory.host_addr + (1 << 32) + guard,
        }
        for offset, value in words.items():
            self.state.set_word(offset, value)

    # ---- what to compile ----

    def bounds_of(self, pc: int) -> tuple[int, int]:
        """The range of the function around an address; all code where none is known."""
        i = bisect_right(self._starts, pc) - 1
        if i >= 0:
            start, size = self.functions[i]
            if pc < start + size:
                return start, start + size
        return self.span.base, self.span.base + self.span.size

    def is_function(self, pc: int) -> bool:
        """Whether a known function begins at an address."""
        i = bisect_right(self._starts, pc) - 1
        return i >= 0 and self._starts[i] == pc

    def region(self, start: int) -> Region:
        region = self.regions.get(start)
        if region is None:
            region = self.regions[start] = self.discovery.region(start)
        return region

    def with_callees(self, starts: Iterable[int]) -> list[Flow]:
        """The regions of some addresses and those of the small functions they call."""
        chosen: dict[int, Flow] = {}
        queue = list(starts)
        total = 0
        while queue:
            start = queue.pop(0)
            if start in chosen or start in self.refused:
                continue
            if self.span.index(start) is None:
                continue
            region = self.region(start)
            if chosen and total + region.insn_count > MODULE_INSNS:
                continue
            flow = self._flow(region)
            if flow is None:
                continue
            chosen[start] = flow
            total += region.insn_count
            for callee in sorted(region.call_targets()):
                if self._may_inline(callee):
                    queue.append(callee)
        return list(chosen.values())

    def _flow(self, region: Region, kind: type[Flow] = Flow) -> Flow | None:
        """The dataflow of a region that is one for compiled code; others are refused for good."""
        if region.blocks[region.start].addrs:
            flow = kind(region, self.code.arch.registers, self._is_cold)
            if not flow.reads_flags_of_call():
                return flow
        self.refused.add(region.start)
        return None

    def _is_cold(self, pc: int) -> bool:
        """Whether nothing has run at an address so far."""
        return pc not in self.compiled and not self.code.is_warm(pc)

    def _may_inline(self, start: int) -> bool:
        """Whether a small function begins here that has been executed."""
        low, high = self.bounds_of(start)
        if not self.is_function(start) or high - low > 4 * SMALL:
            return False
        if start in self.optimised and not self.options.nest:  # calls are not inlined then
            return False
        return start in self.compiled or self.code.is_warm(start)

    # ---- quick code ----

    def code_at(self, pc: int) -> int:
        """Host address of the code for an address; 0 if there is none."""
        return self._functions[pc] if pc in self.compiled else 0

    def quicken(self, pc: int) -> list[int]:
        """Make quick code for an address and the function around it; returns the addresses that
        have code now, none if this one cannot be compiled."""
        flow = self._quick_flow(pc)
        if flow is None:
            return []
        region = flow.region
        text = self._text([flow])
        entered = [start for start, block in region.blocks.items() if block.addrs]
        self.last_quick = monotonic()
        try:
            return self._compiled(text, [(region.start, *entered)], quick=True)
        finally:
            self.last_quick = monotonic()

    def _quick_flow(self, pc: int) -> Flow | None:
        """The region to make quick code for if there is none for an address."""
        if pc in self.compiled or pc in self.refused or self.span.index(pc) is None:
            return None
        low, high = self.bounds_of(pc)
        if not self.is_function(low) or low in self.compiled or high - low > 4 * MAX_INSNS:
            low = pc
        region = self._quick.region(low)
        if pc not in region.blocks:
            region = self._quick.region(pc)
        flow = self._flow(region, DirectFlow)
        if flow is None:
            self.refused.add(pc)
        return flow

    def _region_around(self, pc: int) -> Region:
        """The function that an address is in, or what can be reached from it."""
        low, high = self.bounds_of(pc)
        if self.is_function(low) and high - low <= 4 * WHOLE_INSNS:
            region = self._whole_region(low)
            if pc in region.blocks:
                return region
        return self.region(pc)

    def _whole_region(self, start: int) -> Region:
        region = self._wholes.get(start)
        if region is None:
            region = self._wholes[start] = self._whole.region(start)
        return region

    # ---- optimised code ----

    def start_for(self, pc: int) -> int | None:
        """Where to begin optimising if quick code is hot at an address: at its function, if that is
        called time and again, or at a loop around the place, the outermost that has turned some
        times, or else right there; None if all that is optimised."""
        region = self._region_around(pc)
        start = region.start
        called = region.insn_count <= MAX_INSNS and self.heat.passes(start) > TURNS
        if self.is_function(start) and (called or pc == start) and self._is_wanting(start):
            return start
        for head, body in loops_around(region, pc):
            turned = head == pc or self.heat.passes(head) > TURNS
            if not turned or not self._is_wanting(head):
                continue
            if sum(len(region.blocks[block].addrs) for block in body) <= MAX_INSNS:
                self.regions[head] = self.discovery.part(region, head, body)
                return head
            if head == pc:
                return head
        if not self._is_wanting(pc):
            return None
        self.regions[pc] = self._piece.region(pc)
        return pc

    def _is_wanting(self, start: int) -> bool:
        """Whether what begins at an address can be optimised and is not yet."""
        return start not in self.optimised and start not in self.refused

    def optimise(self, places: Iterable[int]) -> tuple[str, tuple[int, ...]]:
        """The LLVM IR of better code for places where quick code is hot, and where its functions
        begin. A place for which there is none will not ask again."""
        starts: dict[int, None] = {}
        for place in places:
            start = self.start_for(place)
            if start is None:
                self.heat.silence(place)
            else:
                starts[start] = None
        return self.translate(starts)

    # ---- compiling ----

    def translate(self, starts: Iterable[int]) -> tuple[str, tuple[int, ...]]:
        """The LLVM IR for what begins at some addresses and its callees, and where its functions
        begin."""
        flows = self.with_callees(starts)
        return self._text(flows), tuple(flow.region.start for flow in flows)

    def _text(self, flows: Sequence[Flow]) -> str:
        registers = self.code.arch.registers
        return module_text(flows, registers, self.state.layout, self.span, self.options)

    def compile(self, text: str, starts: Iterable[int]) -> list[int]:
        """Optimise and install a module; returns the addresses that now have code."""
        return self._compiled(text, [(start,) for start in starts], quick=False)

    def _compiled(self, text: str, functions: Sequence[tuple[int, ...]], quick: bool) -> list[int]:
        from hcc.emulator.jit import compiler

        content = compiler.compile_quickly(text) if quick else compiler.compile_object(text)
        entry = disk.Entry(tuple(functions), content, quick)
        with self._lock:
            self._entries.append(entry)
            self._unsaved = True
            return self._install(entry)

    def _install(self, entry: disk.Entry) -> list[int]:
        image = read_image(entry.content)
        indices = {pc: self.span.index(pc) for function in entry.functions for pc in function}
        names = [function_name(function[0]) for function in entry.functions]
        if None in indices.values() or not image.symbols.keys() >= set(names):
            raise FormatError("compiled code is not that of this program")
        address = self.support.arena.place(image)
        self._placed.append(Placed(address, image, entry.content))
        for name, function in zip(names, entry.functions, strict=True):
            for pc in function:
                self._enter_in_table(pc, address + image.symbols[name], entry.quick)
        return list(indices)

    def _enter_in_table(self, pc: int, code: int, quick: bool) -> None:
        self.compiled.add(pc)
        if quick and pc in self.optimised:
            return
        if not quick:
            self.optimised.add(pc)
        self._functions[pc] = code
        if self.options.nest:
            index = self.span.index(pc)
            assert index is not None
            self.table[index] = code

    @contextmanager
    def only(self, pc: int) -> Iterator[None]:
        """Within, the table knows the code of one address only."""
        index = self.span.index(pc)
        assert index is not None
        code = self._functions[pc]
        self.table[index] = code
        try:
            yield
        finally:
            self.table[index] = self.support.stub

    # ---- the cache ----

    def load(self) -> list[int]:
        """Take what the cache has for this program; returns the addresses that have code."""
        if not self._cached:
            return []
        self._key = disk.bundle_key(
            self.code.arch.name,
            self._ranges,
            self._constants(),
            self.functions,
            self.span,
            self.options,
        )
        starts: list[int] = []
        for entry in disk.load(self._key):
            try:
                starts += self._install(entry)
            except FormatError:
                continue
            self._entries.append(entry)
        if starts:
            self.heat.begin_again()
        return starts

    def save(self) -> None:
        """Put what was compiled into the cache."""
        with self._lock:
            entries = list(self._entries)
            unsaved, self._unsaved = self._unsaved, False
        if self._key is not None and unsaved:
            disk.save(self._key, entries)

    def give_back(self) -> None:
        """Free the memory of the code, which must not be run any more."""
        for placed in self._placed:
            self.support.arena.give_back(placed.address, placed.image)
        self._placed.clear()
        self._functions.clear()
        self.compiled.clear()
        self.optimised.clear()
        self.table[:] = array("Q", [self.support.stub]) * len(self.table)

    def _constants(self) -> list[tuple[int, bytes]]:
        """The read-only memory, which jump tables are read from."""
        return [
            (start, self.memory.read(start, end - start))
            for start, end, access in self.memory.mapped_ranges()
            if access == READ
        ]

    # ---- faults ----

    def placed_at(self, host_pc: int) -> tuple[Placed, int] | None:
        """The module that a host address lies in, and the offset in it."""
        for placed in self._placed:
            offset = host_pc - placed.address
            if 0 <= offset < placed.image.code_size:
                return placed, offset
        return None


def _span(ranges: Sequence[tuple[int, bytes]], align: int) -> CodeSpan:
    """The addresses for which the table has entries: the first range of code."""
    start, content = ranges[0]
    return CodeSpan(start, -(-len(content) // 16) * 16, align)


def read_constant(memory: Memory, addr: int, size: int) -> int | None:
    """The integer at an address of read-only memory; None elsewhere."""
    first, last = addr >> PAGE_BITS, (addr + size - 1) >> PAGE_BITS
    if not 0 <= first <= last < len(memory.pages):
        return None
    if memory.pages[first] != READ or memory.pages[last] != READ:
        return None
    return int.from_bytes(memory.data[addr : addr + size], "little")
