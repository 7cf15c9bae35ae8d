"""The interpreter as the JIT wants it: in slices, and making way for compiled code."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hcc.emulator.interpreter import Block, CodeSpace, Interpreter
from hcc.emulator.jit.functions import Functions
from hcc.emulator.jit.options import MAX_INSNS
from hcc.emulator.jit.translator import read_constant
from hcc.emulator.memory import Memory
from hcc.emulator.translations import Translations
from hcc.isa.arch import Arch, Insn

TRIAL = 10
"""Instructions that are stepped through of any function, beyond twice as many as it has, before it
gets quick code. That costs as much as stepping through ten times as many, but a function that comes
back once will mostly do so often."""

_decoding = threading.Lock()


class SliceEnd(Exception):
    """A slice is over."""


class Returned(Exception):
    """The function that was to be interpreted has returned."""


class SlicedInterpreter(Interpreter):
    """The interpreter as the JIT wants it: stops between blocks, decodes under a lock, and asks
    for a `compiled` block before it translates one.

    Capstone's handles are shared by all CPUs of an ISA and not safe for threads.
    """

    slicing = False

    def __init__(
        self,
        arch: Arch,
        memory: Memory,
        code: CodeSpace,
        cached: bool,
        compiled: Callable[[int], Block | None],
        functions: Functions,
    ) -> None:
        kept = Translations.of(arch.name, code.ranges) if cached else None
        super().__init__(arch, memory, code, kept)
        self._compiled = compiled
        self._own: dict[int, Block] = {}
        self._functions = functions
        self.translated_count = 0
        """Blocks translated here, not by an earlier run."""
        self.stepped_count = 0
        """Instructions stepped through."""
        self._stepped_in: dict[int, int] = {}

    def _block_at(self, pc: int) -> Block | None:
        known = self._kept is not None and pc in self._kept.known
        if self.slicing and not known:
            block = self._compiled(pc)
            if block is not None:
                return block
        block = super()._block_at(pc)
        self.translated_count += block is not None and not known
        return block

    def _walk(self, pc: int, most: int) -> tuple[int, int]:
        after, done = super()._walk(pc, most)
        self.stepped_count += done
        start, _ = self._functions.bounds_of(pc)
        self._stepped_in[start] = self._stepped_in.get(start, 0) + done
        return after, done

    def is_tried(self, pc: int) -> bool:
        """Whether enough of the function around an address has been stepped through."""
        start, end = self._functions.bounds_of(pc)
        size = min((end - start) // 4, MAX_INSNS)
        return self._stepped_in.get(start, 0) > 2 * size + TRIAL

    def _single(self, pc: int) -> Block:
        if self.slicing:
            raise SliceEnd
        return super()._single(pc)

    def insn_at(self, pc: int) -> Insn:
        insn = self._insns.get(pc)
        if insn is not None:
            return insn
        with _decoding:
            return super().insn_at(pc)

    def translated(self, pc: int) -> Block:
        """The interpreter's own block at an address."""
        block = self._own.get(pc)
        if block is None:
            block = self._own[pc] = super()._translate(pc)
        return block

    def has_run(self, pc: int) -> bool:
        """Whether a block at an address has been executed."""
        return pc in self._blocks or pc in self._visits

    def put_block(self, pc: int, function: Callable[[list[int]], int]) -> None:
        """Run a function of ours wherever execution comes to an address."""
        self._blocks[pc] = function, 0

    def drop_block(self, pc: int) -> None:
        """Run an address's own code again, interpreted or compiled."""
        self._blocks.pop(pc, None)


class CodeReader:
    """Code and constants as the translator wants to read them."""

    def __init__(self, interpreter: SlicedInterpreter) -> None:
        self.arch = interpreter.arch
        self._interpreter = interpreter

    def insn_at(self, pc: int) -> Insn:
        return self._interpreter.insn_at(pc)

    def read_constant(self, addr: int, size: int) -> int | None:
        return read_constant(self._interpreter.memory, addr, size)

    def is_warm(self, pc: int) -> bool:
        return self._interpreter.has_run(pc)
