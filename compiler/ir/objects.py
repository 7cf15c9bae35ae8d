"""Which global object an access touches, and which objects are private to their module.

An access whose address is computed from a global's touches that object alone. A private object is
one that only one module knows and whose address is never taken: it cannot be reached through a
pointer, nor by any function of another module.

An address that is live at a site counts as taken: the resume function gets it from memory.
"""

from __future__ import annotations

from attrs import frozen

from hcc.compiler.ir.module import Function, Instr, Module, Operand, Symbol, Value
from hcc.compiler.ir.ops import Op

# Which operands of an operation are used as addresses only.
_ADDRESSES = {
    Op.LOAD: (0,),
    Op.STORE: (1,),
    Op.PTRADD: (0,),
    Op.MEMCPY: (0, 1),
    Op.MEMMOVE: (0, 1),
    Op.MEMSET: (0,),
}
_ACCESSES = frozenset({Op.LOAD, Op.STORE, Op.MEMSET})


@frozen
class Accesses:
    """The loads, stores and memsets of a module that name their object, and the private objects.
    What names none may touch any object that is not private; of copies nothing is known."""

    owners: dict[Instr, str]
    private: frozenset[str]

    @classmethod
    def of(cls, module: Module) -> Accesses:
        private = {name for name, g in module.globals.items() if not g.exported and not g.readonly}
        for item in module.globals.values():
            private -= {reloc.symbol for reloc in item.relocs}
        owners: dict[Instr, str] = {}
        for function in module.functions.values():
            _scan(function, private, owners)
        return cls(owners, frozenset(private))

    def may_meet(self, a: Instr, b: Instr) -> bool:
        """Whether two of the accesses may touch the same byte."""
        return self.may_overlap(self.owners.get(a), self.owners.get(b))

    def may_overlap(self, one: str | None, other: str | None) -> bool:
        """Whether accesses that name these objects, or none, may touch the same byte."""
        if one is not None and other is not None:
            return one == other
        return one not in self.private and other not in self.private


def _scan(function: Function, private: set[str], owners: dict[Instr, str]) -> None:
    """Find the accesses of one function; drop from `private` what it takes the address of."""
    derived: dict[Value, str] = {}
    pending = True
    while pending:  # definitions may stand after uses in block order
        pending = False
        for instr in function.instrs():
            if instr.op is Op.PTRADD and instr not in derived:
                owner = _owner(instr.args[0], derived)
                if owner is not None:
                    derived[instr] = owner
                    pending = True
    for instr in function.instrs():
        places = _ADDRESSES.get(instr.op, ())
        for i, operand in enumerate(instr.args):
            owner = _owner(operand, derived)
            if owner is None:
                continue
            if i not in places:
                private.discard(owner)
            elif instr.op in _ACCESSES:
                owners[instr] = owner
        escaping = [o for e in instr.targets for o in e.args]
        if instr.site is not None:
            escaping += instr.site.live
        for operand in escaping:
            owner = _owner(operand, derived)
            if owner is not None:
                private.discard(owner)


def _owner(operand: Operand, derived: dict[Value, str]) -> str | None:
    if isinstance(operand, Symbol):
        return operand.name
    return derived.get(operand) if isinstance(operand, Value) else None
