"""Which accesses touch which private objects: alias scopes for LLVM.

hcc has no type-based aliasing, so to LLVM every store through a pointer might change every
global. But an object that only this module knows and whose address is never taken cannot be
reached through a pointer. Accesses to such an object get an alias scope of their own, and all
others are declared not to touch it.

An address that is live at a site counts as taken: the resume function gets it from memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from attrs import define, field

from hcc.compiler.ir.module import Function, Instr, Module, Operand, Symbol, Value
from hcc.compiler.ir.ops import Op

# The scope lists grow with the square of the objects.
MAX_OBJECTS = 48

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


@define
class AliasScopes:
    """The private objects of a module, in the order of their scopes, and what accesses them."""

    objects: list[str] = field(factory=list)
    _owners: dict[Instr, str] = field(factory=dict)
    _numbers: dict[str, int] = field(factory=dict)

    def metadata(self, instr: Instr) -> str:
        """What to append to a load, store or memset; empty where there is nothing to say."""
        if not self.objects:
            return ""
        owner = self._owners.get(instr)
        if owner is None or owner not in self._numbers:
            return ", !noalias !2"
        number = self._numbers[owner]
        if len(self.objects) == 1:
            return f", !alias.scope !{_SCOPE_LISTS + number}"
        return f", !alias.scope !{_SCOPE_LISTS + number}, !noalias !{_OTHERS + number}"

    def definitions(self) -> list[str]:
        """The metadata nodes that `metadata` refers to."""
        if not self.objects:
            return []
        count = len(self.objects)
        lines = ["!1 = distinct !{!1}", f"!2 = !{{{_references(range(count))}}}"]
        for i in range(count):
            lines.append(f"!{_SCOPES + i} = distinct !{{!{_SCOPES + i}, !1}}")
            lines.append(f"!{_SCOPE_LISTS + i} = !{{!{_SCOPES + i}}}")
            if count > 1:
                others = _references(j for j in range(count) if j != i)
                lines.append(f"!{_OTHERS + i} = !{{{others}}}")
        return lines


_SCOPES, _SCOPE_LISTS, _OTHERS = 100, 200, 300


def _references(numbers: Iterable[int]) -> str:
    return ", ".join(f"!{_SCOPES + i}" for i in numbers)


def alias_scopes(module: Module) -> AliasScopes:
    """The scopes of a module whose passes are done."""
    candidates = {
        name for name, g in module.globals.items() if not g.exported and not g.readonly
    }
    for item in module.globals.values():
        candidates -= {reloc.symbol for reloc in item.relocs}
    if not candidates:
        return AliasScopes()
    uses: Counter[str] = Counter()
    owners: dict[Instr, str] = {}
    for function in module.functions.values():
        _scan(function, candidates, owners, uses)
    objects = [n for n, _ in uses.most_common() if n in candidates][:MAX_OBJECTS]
    return AliasScopes(objects, owners, {name: i for i, name in enumerate(objects)})


def _scan(
    function: Function, candidates: set[str], owners: dict[Instr, str], uses: Counter[str]
) -> None:
    """Find the accesses of one function; drop the objects whose address it takes."""
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
                candidates.discard(owner)
            elif instr.op in _ACCESSES:
                owners[instr] = owner
                uses[owner] += 1
        escaping = [o for e in instr.targets for o in e.args]
        if instr.site is not None:
            escaping += instr.site.live
        for operand in escaping:
            owner = _owner(operand, derived)
            if owner is not None:
                candidates.discard(owner)


def _owner(operand: Operand, derived: dict[Value, str]) -> str | None:
    if isinstance(operand, Symbol):
        return operand.name
    return derived.get(operand) if isinstance(operand, Value) else None
