"""Chains of loads: exclusive-ors in the order that keeps a loop from waiting.

The next turn of `crc = table[(crc ^ byte) & 255] ^ crc >> 8` cannot begin before what this one
loads has come and two exclusive-ors are done. Only one has to come after the load:
`early = crc >> 8 ^ byte` does not need it, and `late ^ early` is the index. For that a loop carries
two values beside their sum, which costs an operation that nothing waits for. LLVM does not do it,
as it takes a value that is used twice for a whole; nor do the compilers that make the guest's code.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, field

from hcc.emulator.jit.builder import GuestBlock, Load
from hcc.emulator.jit.nodes import LOAD, REG, Node
from hcc.isa.builder import Op
from hcc.isa.values import I32, I64, Ty

_WORDS = (I32, I64)

Parts = tuple[Node, Node]
"""The operands of an exclusive-or: what comes late, and what is there early."""


@define(eq=False)
class Chain:
    """What a block that jumps back to itself hands on from load to load.

    `carried` are the registers in which a turn leaves a sum for the next, with the sum's type: it
    is in the low 32 bits, or in all 64.
    """

    carried: dict[int, Ty] = field(factory=dict)
    _ranks: dict[Node, int] = field(factory=dict)

    def rank(self, node: Node) -> int:
        """How many loads of the chain a value waits for, and one; 0 if it is not of the chain."""
        stack = [node]
        while stack:
            top = stack[-1]
            missing = [a for a in top.args if a not in self._ranks]
            if missing:
                stack += missing
                continue
            stack.pop()
            if top not in self._ranks:
                begins = top.op == REG and top.attr in self.carried
                ranks = (self._ranks[a] for a in top.args)
                self._ranks[top] = 1 if begins else max(ranks, default=0)
        return self._ranks[node]

    def loaded(self, load: Load) -> None:
        """Note a load, in the order of the program."""
        rank = self.rank(load.addr)
        self._ranks[load.node] = rank + 1 if rank else 0

    def parts_of(self, node: Node) -> Parts | None:
        """What an exclusive-or is made of, if one operand is what the chain loads last for it."""
        if node.op is Op.XOR and node.ty in _WORDS:
            for late, early in (node.args, node.args[::-1]):
                if _is_loaded(late) and self.rank(late) > self.rank(early):
                    return late, early
        return None

    def reordered(self, node: Node) -> tuple[Node, Node] | None:
        """The operands of an exclusive-or if it is better done with the parts of one of them: that
        one, which has `parts_of` or is a register that a sum is carried in, and another that has
        nothing to do with the chain. No more of the first is used than the type of `node`."""
        if not self.carried:
            return None
        for operand, aside in (node.args, node.args[::-1]):
            whole = operand.args[0] if operand.op is Op.TRUNC else operand
            if whole.op == REG:
                carried = self.carried.get(whole.attr)
                fits = carried is not None and node.ty.bits <= carried.bits
            else:
                fits = self.parts_of(whole) is not None
            if fits and self.rank(aside) == 0:
                return whole, aside
        return None


NONE = Chain()


def chain_of(block: GuestBlock, types: Mapping[int, Ty]) -> Chain:
    """The chain of a block that jumps back to itself. `types` are those of the sums that other
    blocks carry: a register has one."""
    totals = {index: total(node) for index, node in block.sets.items()}
    sums = {index: node.ty for index, node in totals.items() if node.op is Op.XOR}
    chain = Chain({index: ty for index, ty in sums.items() if types.get(index, ty) is ty})
    if chain.carried:
        for effect in block.effects:
            if isinstance(effect, Load):
                chain.loaded(effect)
        chain.carried = {i: ty for i, ty in chain.carried.items() if chain.parts_of(totals[i])}
    return chain


def total(node: Node) -> Node:
    """What a register is given, or what that is an extension of."""
    return node.args[0] if node.op in (Op.ZEXT, Op.SEXT) else node


def _is_loaded(node: Node) -> bool:
    """Whether a value is what was loaded, or low bits or an extension of that."""
    while node.op in (Op.ZEXT, Op.SEXT, Op.TRUNC):
        node = node.args[0]
    return node.op == LOAD
