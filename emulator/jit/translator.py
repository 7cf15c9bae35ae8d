"""From guest addresses to compiled code in the function table.

A `Translator` belongs to one CPU. It has code generated and compiled, puts the result into the
arena and makes the function table point there; what earlier runs compiled it takes from the cache.
The generator and LLVM are loaded when something is first compiled, not before.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from functools import cache, cached_property
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from hcc.emulator.jit import cache as disk
from hcc.emulator.jit import layout
from hcc.emulator.jit.functions import Functions
from hcc.emulator.jit.heat import Heat
from hcc.emulator.jit.objects import Image, read_image
from hcc.emulator.jit.options import Options, function_name
from hcc.emulator.jit.state import NativeState
from hcc.emulator.jit.support import Support, install, support_text
from hcc.emulator.jit.uncommon import Uncommon
from hcc.emulator.memory import GUARD_SIZE, PAGE_BITS, READ, SPACE_SIZE, Memory
from hcc.isa import store
from hcc.isa.errors import FormatError

if TYPE_CHECKING:
    from hcc.emulator.jit.generator import Draft, Generator
    from hcc.emulator.jit.regions import Code

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

    The guest's thread has quick code made, another thread optimised code. Each uses parts of the
    generator of its own; the lock is held while what both know changes.
    """

    def __init__(
        self,
        code: Code,
        ranges: Sequence[tuple[int, bytes]],
        memory: Memory,
        state: NativeState,
        functions: Functions,
        options: Options,
        cached: bool = True,
    ) -> None:
        self.code = code
        self.memory = memory
        self.state = state
        self.options = options
        self._ranges = ranges
        self._cached = cached
        self.functions = functions
        self.span = functions.span
        self.support = support()
        self.table = array("Q", [self.support.stub]) * self.span.entries
        self.heat = Heat(self.span)
        self.uncommon = Uncommon(self.span)
        self._lock = Lock()
        self.compiled: set[int] = set()
        """The addresses that compiled code may be entered at."""
        self.optimised: set[int] = set()
        """Those of optimised code."""
        self.doubted: set[int] = set()
        """Those that have had optimised code that assumed something of addresses that was wrong."""
        self.last_quick = monotonic()
        """When the guest last had to wait for code."""
        self._addresses: dict[int, int] = {}
        self._quick: dict[int, int] = {}
        self._placed: list[Placed] = []
        self._entries: list[disk.Entry] = []
        self._key: str | None = None
        self._unsaved = False
        self._write_words()

    def _write_words(self) -> None:
        table, _ = self.table.buffer_info()
        words = {
            layout.MEMORY: self.memory.host_addr,
            layout.TABLE: table,
            layout.COUNTERS: self.heat.address,
            layout.PASSED: self.uncommon.address,
            layout.LIMIT: SPACE_SIZE,
            layout.BASE: self.span.base,
            layout.ENTRIES: self.span.entries,
            layout.SHIFT: self.span.align.bit_length() - 1,
            layout.GUARD_START: self.memory.host_addr - GUARD_SIZE,
            layout.GUARD_END: self.memory.host_addr + SPACE_SIZE + GUARD_SIZE,
        }
        for offset, value in words.items():
            self.state.set_word(offset, value)

    # ---- generating ----

    @cached_property
    def generator(self) -> Generator:
        """What makes code."""
        from hcc.emulator.jit.generator import Generator

        return Generator(
            self.code,
            self.functions,
            self.span,
            self.state.layout,
            self.options,
            self.heat,
            self.uncommon,
            self.compiled,
            self.optimised,
            self.doubted,
        )

    def code_at(self, pc: int) -> int:
        """Host address of the code for an address; 0 if there is none."""
        return self._addresses[pc] if pc in self.compiled else 0

    def quicken(self, pc: int) -> list[int]:
        """Make quick code for an address and the function around it; returns the addresses that
        have code now, none if this one cannot be compiled."""
        flow = self.generator.quick_flow(pc)
        if flow is None:
            return []
        region = flow.region
        text = self.generator.text([flow])
        entered = [start for start, block in region.blocks.items() if block.addrs]
        noted = [pc for pc in entered if flow.blocks[pc].live_in & flow.flags]
        self.last_quick = monotonic()
        try:
            return self._compiled(text, [(region.start, *entered)], noted, quick=True)
        finally:
            self.last_quick = monotonic()

    # ---- compiling ----

    def compile(self, draft: Draft, doubted: Set[int]) -> list[int]:
        """Optimise and install a module; returns the addresses that now have code. `doubted` is
        what was so when the text was made: what has been doubted since keeps its quick code."""
        functions = [(start,) for start in draft.starts]
        return self._compiled(draft.text, functions, draft.left, quick=False, doubted=doubted)

    def _compiled(
        self,
        text: str,
        functions: Sequence[tuple[int, ...]],
        noted: Sequence[int],
        quick: bool,
        doubted: Set[int] = frozenset(),
    ) -> list[int]:
        from hcc.emulator.jit import compiler

        content = compiler.compile_quickly(text) if quick else compiler.compile_object(text)
        entry = disk.Entry(tuple(functions), content, quick, tuple(noted))
        with self._lock:
            self._entries = [e for e in self._entries if e.names != entry.names] + [entry]
            self._unsaved = True
            return self._install(entry, frozenset() if quick else self.doubted - doubted)

    def _install(self, entry: disk.Entry, doubted: Set[int] = frozenset()) -> list[int]:
        image = read_image(entry.content)
        indices = {pc: self.span.index(pc) for function in entry.functions for pc in function}
        names = [function_name(function[0]) for function in entry.functions]
        if None in indices.values() or not image.symbols.keys() >= set(names):
            raise FormatError("compiled code is not that of this program")
        address = self.support.arena.place(image)
        self._placed.append(Placed(address, image, entry.content))
        for name, function in zip(names, entry.functions, strict=True):
            for pc in function:
                if pc not in doubted:
                    self._enter_in_table(pc, address + image.symbols[name], entry.quick)
        if entry.quick:
            self.uncommon.add_quick(indices, set(entry.noted), entry.passed)
        else:
            self.uncommon.add_optimised(indices, entry.noted)
        return [pc for pc in indices if pc not in doubted]

    def _enter_in_table(self, pc: int, code: int, quick: bool) -> None:
        self.compiled.add(pc)
        if quick:
            self._quick[pc] = code
            if pc in self.optimised:
                return
        else:
            self.optimised.add(pc)
        self._point_to(pc, code)

    def _point_to(self, pc: int, code: int) -> None:
        self._addresses[pc] = code
        if self.options.nest:
            index = self.span.index(pc)
            assert index is not None
            self.table[index] = code

    def doubt(self, pc: int) -> bool:
        """Go back to quick code in place of optimised code that assumed too much; when that is hot,
        what is made of it assumes nothing. Whether there is quick code."""
        with self._lock:
            self.doubted.add(pc)
            self.optimised.discard(pc)
            quick = self._quick.get(pc)
            if quick is None:
                self.compiled.discard(pc)
            self._point_to(pc, quick or self.support.stub)
            return quick is not None

    @contextmanager
    def only(self, pc: int) -> Iterator[None]:
        """Within, the table knows the code of one address only."""
        index = self.span.index(pc)
        assert index is not None
        code = self._addresses[pc]
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
            self.functions.known,
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
            entries = [self._with_marks(entry) for entry in self._entries]
            unsaved, self._unsaved = self._unsaved, False
        if self._key is not None and unsaved:
            disk.save(self._key, entries)

    def _with_marks(self, entry: disk.Entry) -> disk.Entry:
        """An entry with the marks that its code has left."""
        if not entry.quick:
            return entry
        places = {pc for function in entry.functions for pc in function}
        return evolve(entry, passed=tuple(sorted(filter(self.uncommon.has_passed, places))))

    def give_back(self) -> None:
        """Free the memory of the code, which must not be run any more."""
        for placed in self._placed:
            self.support.arena.give_back(placed.address, placed.image)
        self._placed.clear()
        self._addresses.clear()
        self._quick.clear()
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


def read_constant(memory: Memory, addr: int, size: int) -> int | None:
    """The integer at an address of read-only memory; None elsewhere."""
    first, last = addr >> PAGE_BITS, (addr + size - 1) >> PAGE_BITS
    if not 0 <= first <= last < len(memory.pages):
        return None
    if memory.pages[first] != READ or memory.pages[last] != READ:
        return None
    return int.from_bytes(memory.data[addr : addr + size], "little")
