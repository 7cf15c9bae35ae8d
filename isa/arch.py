"""What the rest of hcc asks of an instruction-set architecture: one record of facts and functions.

Every folder `isa/<arch>/` has the same files and ends in one `Arch`, so that learning one is
learning all; `isa.architectures` lists them. Nothing outside isa/ branches on an ISA's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from attrs import define, field, frozen

from hcc.isa.builder import Builder


@frozen
class Register:
    """One cell of architectural state.

    `flag` marks condition flags, which are often dead. `fixed` is the value of control state that
    programs leave alone (rounding modes, a zero register): what it has from the start.
    """

    name: str
    bits: int
    flag: bool = False
    fixed: int | None = None


@frozen
class RegisterFile:
    """The whole state of one CPU, in a fixed order: the order of traces and dumps."""

    registers: tuple[Register, ...]
    index: Mapping[str, int] = field(init=False, repr=False)

    @index.default
    def _index(self) -> Mapping[str, int]:
        return {register.name: i for i, register in enumerate(self.registers)}


@frozen
class Reg:
    """A register operand, as the decoder saw it: `name` is in the register file, `bits` is the
    part that takes part; `high` is set for x86's ah, bh, ch, dh; `lane` etc. are in `extra`."""

    name: str
    bits: int
    high: bool = False
    extra: Any = None


@frozen
class Imm:
    """An immediate operand; negative where the manual sign-extends it."""

    value: int


@frozen
class Mem:
    """A memory operand: base + index * scale + disp, `bits` wide.

    `base` and `index` name registers of the register file; `index_extend` and `writeback` carry
    AArch64's extended-register and pre/post-index forms, `segment` x86's fs and gs.
    """

    base: str | None
    disp: int = 0
    index: str | None = None
    scale: int = 1
    bits: int = 64
    segment: str | None = None
    extra: Any = None


Operand = Reg | Imm | Mem


@define
class Insn:
    """One decoded instruction. `mnemonic` is the key of the semantics table."""

    addr: int
    size: int
    mnemonic: str
    operands: tuple[Operand, ...]
    text: str = ""
    extra: Any = None

    @property
    def next_addr(self) -> int:
        return self.addr + self.size


Semantics = Callable[[Builder, Insn], None]


@frozen
class CallingConvention:
    """The part of the psABI that the runtime needs: where things are at a call or system call."""

    stack_pointer: str
    thread_pointer: str  # register that holds the thread pointer
    arguments: tuple[str, ...]  # integer argument registers, in order
    result: str
    return_addr_register: str | None  # link register; None: on the stack
    syscall_number: str
    syscall_arguments: tuple[str, ...]
    syscall_result: str
    stack_map_registers: Mapping[int, str]  # DWARF number of each register a stack map may use


Decoder = Callable[[bytes, int], Insn]
"""One instruction from bytes that start at an address; HccError if there is none."""


def late_decoder(isa: str) -> Decoder:
    """An ISA's decoder, imported with capstone when first used: many runs need neither."""

    @cache
    def decoder() -> Decoder:
        found: Decoder = import_module(f"hcc.isa.{isa}.decode").decode
        return found

    return lambda content, addr: decoder()(content, addr)


@frozen
class Arch:
    """An ISA: its names, state, decoder and semantics."""

    name: str
    elf_machine: int  # e_machine
    elf_flags: int  # e_flags of a static executable
    registers: RegisterFile
    convention: CallingConvention
    decode: Decoder
    semantics: Mapping[str, Semantics]
    max_insn_size: int
    insn_align: int
    syscalls: Mapping[int, str]
    """Linux system-call numbers of this ISA, by name (only those hcc's runtime knows)."""
    call_target: Callable[[Insn, Insn | None], int | None]
    """Where a direct call goes, given the instruction before it too; None if it is no such call."""
    has_sse_nans: bool = False
    """Whether a NaN among the results of arithmetic is the one that SSE and AVX give for the same
    operands in the same order (SDM vol. 1, 4.8.3.5)."""
    flags_copy: str | None = None
    """The register that a system call leaves a copy of the condition flags in."""
