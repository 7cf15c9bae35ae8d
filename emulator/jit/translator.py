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

from attrs import frozen

from hcc.emulator.jit import cache as disk
from hcc.emulator.jit import layout
from hcc.emulator.jit.flow import Flow
from hcc.emulator.jit.loops import innermost_loop
from hcc.emulator.jit.module import module_text
from hcc.emulator.jit.objects import Image, read_image
from hcc.emulator.jit.options import CodeSpan, Options, function_name
from hcc.emulator.jit.regions import Code, Discovery, Region
from hcc.emulator.jit.state import NativeState
from hcc.emulator.jit.support import Support, install, support_text
from hcc.emulator.memory import PAGE_BITS, READ, Memory
from hcc.isa import store
from hcc.isa.errors import FormatError

MODULE_INSNS = 500
"""About how many guest instructions are compiled at a time."""
SMALL = 60
"""Callees of at most so many instructions are compiled with their callers, to be inlined."""

_installing = Lock()


@cache
def _support() -> Support:
    text = support_text()
    key = store.digest_of([disk.host_digest(), disk.source_digest(), text.encode()])
    content = store.fetch(disk.KIND, key)
    if content is None:
        from hcc.emulator.jit import compiler

        content = compiler.compile_object(text)
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
    """Compiled code of one CPU."""

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
        self.discovery = Discovery(code, self.bounds_of)
        self.regions: dict[int, Region] = {}
        self.compiled: set[int] = set()
        self.refused: set[int] = set()
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
            layout.LIMIT: 1 << 32,
            layout.BASE: self.span.base,
            layout.ENTRIES: self.span.entries,
            layout.SHIFT: self.span.align.bit_length() - 1,
            layout.GUARD_START: self.memory.host_addr - guard,
            layout.GUARD_END: self.memory.host_addr + (1 << 32) + guard,
            layout.ON_SYSCALL: self.support.syscall,
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

    def start_for(self, place: int) -> int:
        """Where a region should start if `place` is hot: at the loop it is in, else the function.

        What is compiled for the head of a loop that begins no function is the loop alone.
        """
        low, _ = self.bounds_of(place)
        whole = self.region(low if self.is_function(low) else place)
        block = whole.block_of(place)
        if block is None:  # the function is too large for one region
            whole = self.region(place)
            block = place
        loop = innermost_loop(whole, block)
        if loop is None:
            return whole.start
        head, body = loop
        if not self.is_function(head) and head not in self.compiled:
            self.regions[head] = self.discovery.part(whole, head, body)
        return head

    def with_callees(self, starts: Iterable[int]) -> list[Region]:
        """The regions of some addresses and those of the small functions they call."""
        chosen: dict[int, Region] = {}
        queue = list(starts)
        total = 0
        while queue:
            start = queue.pop(0)
            if start in chosen or start in self.compiled or start in self.refused:
                continue
            if self.span.index(start) is None:
                continue
            region = self.region(start)
            if chosen and total + region.insn_count > MODULE_INSNS:
                continue
            if Flow(region, self.code.arch.registers).reads_flags_of_call():
                self.refused.add(start)
                continue
            chosen[start] = region
            total += region.insn_count
            for callee in sorted(region.call_targets()):
                if self._may_inline(callee):
                    queue.append(callee)
        return list(chosen.values())

    def _may_inline(self, start: int) -> bool:
        """Whether a small function begins here that has been executed."""
        low, high = self.bounds_of(start)
        return self.is_function(start) and high - low <= 4 * SMALL and self.code.is_warm(start)

    # ---- compiling ----

    def translate(self, places: Iterable[tuple[int, bool]]) -> tuple[str, tuple[int, ...]]:
        """The LLVM IR for what `Background.request` was asked, and where its functions start."""
        starts: list[int] = []
        for place, exactly in places:
            starts.append(place if exactly else self.start_for(place))
        regions = self.with_callees(starts)
        text = module_text(
            regions, self.code.arch.registers, self.state.layout, self.span, self.options
        )
        return text, tuple(region.start for region in regions)

    def compile(self, text: str, starts: tuple[int, ...]) -> list[int]:
        """Compile and install a module; returns the addresses that now have code."""
        from hcc.emulator.jit import compiler

        entry = disk.Entry(starts, compiler.compile_object(text))
        self._entries.append(entry)
        self._unsaved = True
        return self._install(entry)

    def _install(self, entry: disk.Entry) -> list[int]:
        image = read_image(entry.content)
        places = {start: self.span.index(start) for start in entry.starts}
        missing = [s for s in entry.starts if function_name(s) not in image.symbols]
        if missing or None in places.values():
            raise FormatError("compiled code is not that of this program")
        address = self.support.arena.place(image)
        self._placed.append(Placed(address, image, entry.content))
        for start, index in places.items():
            assert index is not None
            self._functions[start] = address + image.symbols[function_name(start)]
            if self.options.nest:
                self.table[index] = self._functions[start]
            self.compiled.add(start)
        return list(entry.starts)

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
            if self.compiled & set(entry.starts):
                continue
            try:
                starts += self._install(entry)
            except FormatError:
                continue
            self._entries.append(entry)
        return starts

    def save(self) -> None:
        """Put what was compiled into the cache."""
        if self._key is not None and self._unsaved:
            self._unsaved = False
            disk.save(self._key, self._entries)

    def give_back(self) -> None:
        """Free the memory of the code, which must not be run any more."""
        for placed in self._placed:
            self.support.arena.give_back(placed.address, placed.image)
        self._placed.clear()
        self._functions.clear()
        self.compiled.clear()
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
