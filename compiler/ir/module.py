"""The IR's data: modules of functions and globals, functions of blocks, blocks of instructions.

The IR is typed SSA with block parameters instead of phi nodes: an edge to a block carries one
operand per parameter. An instruction is at the same time the value it produces. Objects are
compared by identity; passes change them in place.

A *site* is an instruction at which a program may be suspended: a poll, or a call to a function
that may reach one. After `passes.sites` each site has an id, unique in its function, and the list
of values that are live after it: together the ISA-neutral activation record of the function
there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from hcc.compiler.ir.ops import DIVISIONS, Op
from hcc.compiler.ir.types import PTR, VOID, Type

if TYPE_CHECKING:
    from hcc.isa.pim.section import SectionKernel


@define(eq=False, repr=False)
class Value:
    """Something with a type that instructions can use: a block or function parameter, or an
    instruction. `name` is a hint for readers, not an identity."""

    type: Type
    name: str = ""


@frozen
class Const:
    """A constant: an int in [0, 2^bits), a float, or a pointer given as an address."""

    type: Type
    value: int | float = field(eq=repr)  # by text, since 0.0 == -0.0


@frozen
class Symbol:
    """The address of a function or global, plus an offset in bytes."""

    name: str
    offset: int = 0

    @property
    def type(self) -> Type:
        return PTR


Operand = Value | Const | Symbol


@frozen
class Signature:
    """Types of a function's parameters and result, after lowering of aggregates and varargs."""

    params: tuple[Type, ...]
    result: Type = VOID


@frozen
class MemoryAccess:
    """How a load or store touches memory: `align` in bytes, `volatile` as in C."""

    align: int
    volatile: bool = False


@frozen
class StackSlot:
    """The object of an `alloca`: bytes and alignment; `volatile` objects stay in memory."""

    size: int
    align: int
    volatile: bool = False


@frozen
class CallSite:
    """What a call knows of its callee. `leaf`: it reaches no migration point."""

    signature: Signature
    leaf: bool = False
    noreturn: bool = False


@define(eq=False, repr=False)
class Site:
    """The activation record of a function at one of its sites."""

    id: int
    live: list[Operand]


@frozen
class Location:
    """A place in a source file, both counted from 1."""

    file: str
    line: int
    column: int = 0


@define(eq=False, repr=False)
class Edge:
    """A transfer to a block, with an operand for each of its parameters."""

    block: Block
    args: list[Operand] = field(factory=list)


@define(eq=False, repr=False)
class Instr(Value):
    """An operation on `args`. Terminators have `targets`; `attr` depends on the operation:
    StackSlot, MemoryAccess, CallSite, a system-call number, a trap code (`trap`), or for `switch`
    the tuple of case values, whose targets follow the default's."""

    op: Op = field(kw_only=True)
    args: list[Operand] = field(factory=list, kw_only=True)
    attr: Any = field(default=None, kw_only=True)
    targets: list[Edge] = field(factory=list, kw_only=True)
    loc: Location | None = field(default=None, kw_only=True)
    site: Site | None = field(default=None, kw_only=True)

    def operands(self) -> Sequence[Operand]:
        """Everything the instruction uses: arguments, edge operands, values live at its site."""
        if not self.targets and self.site is None:
            return self.args
        found = list(self.args)
        for edge in self.targets:
            found += edge.args
        if self.site is not None:
            found += self.site.live
        return found

    @property
    def may_trap(self) -> bool:
        """Whether this is a division that may stop the program."""
        if self.op not in DIVISIONS:
            return False
        divisor = self.args[1]
        if not isinstance(divisor, Const):
            return True
        return divisor.value in (0, (1 << divisor.type.bits) - 1)

    def replace_operands(self, mapping: dict[Value, Operand]) -> None:
        """Use `mapping[x]` wherever x was used."""

        get = mapping.get
        if self.args:
            self.args = [get(o, o) if isinstance(o, Value) else o for o in self.args]
        for edge in self.targets:
            if edge.args:
                edge.args = [get(o, o) if isinstance(o, Value) else o for o in edge.args]
        if self.site is not None:
            live = self.site.live
            self.site.live = [get(o, o) if isinstance(o, Value) else o for o in live]


@define(eq=False, repr=False)
class Block:
    """Straight-line code: parameters, then instructions of which the last is the terminator."""

    name: str
    params: list[Value] = field(factory=list)
    instrs: list[Instr] = field(factory=list)

    @property
    def terminator(self) -> Instr:
        return self.instrs[-1]

    def successors(self) -> list[Block]:
        return [edge.block for edge in self.instrs[-1].targets]


@define(eq=False, repr=False)
class Function:
    """A function with a body. `leaf` says that the source promises no migration point inside.

    `exported` functions can be called from other modules; the names of others carry their file's
    name, because every symbol of a program is unique (the linker lays them all out).
    """

    name: str
    signature: Signature
    params: list[Value]
    blocks: list[Block] = field(factory=list)
    exported: bool = True
    leaf: bool = False
    noreturn: bool = False
    noinline: bool = False
    loc: Location | None = None
    resumes: str | None = None
    """For a resume function: the function whose activation records it takes over."""

    @property
    def entry(self) -> Block:
        return self.blocks[0]

    def instrs(self) -> Iterator[Instr]:
        for block in self.blocks:
            yield from block.instrs

    def fresh_name(self, hint: str) -> str:
        """A block name that the function does not have yet."""
        names = {b.name for b in self.blocks}
        number = len(names)
        while f"{hint}{number}" in names:
            number += 1
        return f"{hint}{number}"


@frozen
class DataReloc:
    """At `offset` in a global's bytes: the 8-byte address of a symbol plus `addend`."""

    offset: int
    symbol: str
    addend: int = 0


@define(eq=False, repr=False)
class Global:
    """An object with static storage. `init` may be shorter than `size`: the rest is zero.

    `tentative` marks a C tentative definition, which yields to a real one of another module.
    """

    name: str
    size: int
    align: int
    init: bytes = b""
    relocs: list[DataReloc] = field(factory=list)
    readonly: bool = False
    exported: bool = True
    tentative: bool = False


@frozen
class ExternFunction:
    """A function that another module defines."""

    name: str
    signature: Signature
    leaf: bool = False
    noreturn: bool = False


@frozen
class ExternData:
    """An object that another module defines."""

    name: str
    align: int = 1
    readonly: bool = False


@define(eq=False, repr=False)
class Module:
    """One translation unit."""

    name: str
    functions: dict[str, Function] = field(factory=dict)
    globals: dict[str, Global] = field(factory=dict)
    extern_functions: dict[str, ExternFunction] = field(factory=dict)
    extern_data: dict[str, ExternData] = field(factory=dict)
    pim: list[SectionKernel] = field(factory=list)
    """Microkernels for the section `.hcc.pim`."""

    def defines(self, name: str) -> bool:
        return name in self.functions or name in self.globals

    def declares(self, name: str) -> bool:
        return self.defines(name) or name in self.extern_functions or name in self.extern_data
