"""Which accesses touch which private objects: alias scopes for LLVM.

hcc has no type-based aliasing, so to LLVM every store through a pointer might change every
global. Accesses to a private object (`ir.objects`) get an alias scope of their own, and all others
are declared not to touch it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from attrs import define, field

from hcc.compiler.ir.module import Instr, Module
from hcc.compiler.ir.objects import Accesses

# The scope lists grow with the square of the objects.
MAX_OBJECTS = 48


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
    accesses = Accesses.of(module)
    owners = {i: name for i, name in accesses.owners.items() if name in accesses.private}
    objects = [name for name, _ in Counter(owners.values()).most_common(MAX_OBJECTS)]
    return AliasScopes(objects, owners, {name: i for i, name in enumerate(objects)})
