"""The interpreter's builder: turns the semantics of a run of instructions into Python source.

Interpreting by calling the semantics at every step would pay for them at every step; instead a
straight run of guest instructions (a block) is translated once, into one Python function
`block(r)` over the list of registers that returns the next PC. Operations become nodes of a
graph (`pynodes`), and only what an effect needs is printed (`pyprinter`): flags that the block
overwrites before anything reads them vanish, with the arithmetic that made them.

Vectors are tuples of scalar nodes: lane-wise operations are scalar operations per lane.

Effects (register writes, memory, exits) keep their order. Register writes happen at once, so a
fault finds the registers as they were before the instruction that faulted; condition flags are
the exception: those that are dead anyway are not kept. `line_pcs` tells the address of
the instruction that each line of the function belongs to.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from hcc.emulator.pynodes import AnyValue, Graph, Node, Vector
from hcc.emulator.pyprinter import Printer, count_uses
from hcc.isa.arch import RegisterFile
from hcc.isa.builder import Builder, JumpKind, Op, Trap
from hcc.isa.values import Ty, int_type


class PyBuilder(Builder):
    """Collects the effects of a block; `source` prints them as one Python function."""

    def __init__(self, registers: RegisterFile, checked: bool = False) -> None:
        self.registers = registers
        self.pc = self.next_pc = 0
        self.ends = False  # the instruction transferred control
        self.left = False  # the instruction may have left the block: end it here
        self.calls = False  # the transfer is a call
        self._checked = checked
        self._graph = Graph()
        self._cache: dict[str, AnyValue] = {}
        self._effects: list[tuple[Any, ...]] = []

    # ---- values ----

    def const(self, ty: Ty, value: int) -> Node:
        return self._graph.constant(ty, value)

    def emit(self, op: Op, ty: Ty, args: Sequence[Any], attr: Any = None) -> AnyValue:
        match op:
            case Op.BITCAST:
                return self._bitcast(args[0], ty)
            case Op.BUILD:
                return Vector(tuple(args))
            case Op.EXTRACT:
                lane: Node = args[0].lanes[attr]
                return lane
            case Op.SHUFFLE:
                both = args[0].lanes + args[1].lanes
                return Vector(tuple(both[i] for i in attr))
        if ty.lanes == 1:
            return self._graph.operation(op, ty, tuple(args), attr)
        element = ty.element
        lanes = []
        for i in range(ty.lanes):
            operands = tuple(a.lanes[i] if isinstance(a, Vector) else a for a in args)
            lanes.append(self._graph.operation(op, element, operands, attr))
        return Vector(tuple(lanes))

    def _bitcast(self, a: AnyValue, ty: Ty) -> AnyValue:
        graph = self._graph
        if isinstance(a, Node):
            if ty.lanes == 1:
                return graph.bitcast(a, ty)
            element = ty.element
            return Vector(tuple(graph.bitcast(part, element) for part in graph.split(a, ty.bits)))
        if ty.lanes == a.ty.lanes:
            return Vector(tuple(graph.bitcast(lane, ty.element) for lane in a.lanes))
        return self._bitcast(graph.pack(tuple(graph.as_int(lane) for lane in a.lanes)), ty)

    def float_bits(self, value: Any, nan: Any) -> Any:
        bits = super().float_bits(value, nan)
        for node, image in zip(_lanes(bits), _lanes(value), strict=True):
            node.image = image
        return bits

    # ---- effects ----

    def _effect(self, *parts: Any) -> None:
        self._effects.append((self.pc, *parts))

    def get(self, register: str) -> AnyValue:
        cached = self._cache.get(register)
        if cached is None:
            index = self.registers.index[register]
            bits = self.registers.registers[index].bits
            cached = Node(int_type(bits))
            self._effect("get", index, cached)
            self._cache[register] = cached
        return cached

    def set(self, register: str, value: Any) -> None:
        index = self.registers.index[register]
        declared = self.registers.registers[index]
        if value.ty is not int_type(declared.bits):
            raise TypeError(f"{register} has {declared.bits} bits, not {value.ty}")
        self._cache[register] = value
        self._effect("set", index, value)

    def load(self, addr: Any, bits: int) -> Node:
        node = Node(int_type(bits))
        self._effect("load", node, addr)
        return node

    def store(self, addr: Any, value: Any) -> None:
        self._effect("store", addr, value)

    def jump(self, target: Any, kind: JumpKind = JumpKind.PLAIN) -> None:
        self._effect("jump", target)
        self.ends, self.calls = True, kind is JumpKind.CALL

    def branch(self, condition: Any, target: int) -> None:
        self._effect("branch", condition, target, self.next_pc)
        self.ends = True

    def exit_if(self, condition: Any, target: int) -> None:
        self._effect("exit_if", condition, target)
        self.left = True

    def syscall(self) -> None:
        self._effect("syscall", self.next_pc)
        self.ends = True

    def trap(self, kind: Trap) -> None:
        self._effect("trap", kind)
        self.ends = True

    def trap_if(self, condition: Any, kind: Trap) -> None:
        self._effect("trap_if", condition, kind)

    # ---- printing ----

    def source(self, name: str, live_flags: frozenset[int]) -> tuple[str, list[int]]:
        """The block as Python source, and the guest PC of each of its lines.

        `live_flags` are the indices of the flag registers whose values matter after the block.
        """
        effects = self._used_effects(live_flags)
        printer = Printer(self._checked)
        for effect in effects:
            printer.effect(*effect)
        if not self.ends:
            printer.line(self.pc, f"return {self.next_pc}")
        return f"def {name}(r):\n" + "\n".join(printer.lines), [self.pc_of_head(), *printer.pcs]

    def flags_used(self, flags: frozenset[int], live_flags: frozenset[int]) -> frozenset[int]:
        """The flags whose values at the beginning matter, if `live_flags` do after the block."""
        effects = self._used_effects(live_flags)
        read = frozenset(
            e[2] for e in effects if e[1] == "get" and e[2] in flags and e[3].uses
        )
        _, writes = self.flag_effects(flags)
        return read | (live_flags - writes)

    def successors(self) -> list[int] | None:
        """The addresses the block may go on at; None where one is not known before it runs."""
        targets = []
        for effect in self._effects:
            match effect[1]:
                case "jump":
                    if effect[2].const is None:
                        return None
                    targets.append(effect[2].const)
                case "branch":
                    targets += [effect[3], effect[4]]
                case "exit_if":
                    targets.append(effect[3])
                case "syscall":
                    return None
        return targets if self.ends else [*targets, self.next_pc]

    def flag_effects(self, flags: frozenset[int]) -> tuple[frozenset[int], frozenset[int]]:
        """The flags read before the block writes them, and the flags it writes in any case: not
        those behind an exit, as of a repeated comparison of nothing."""
        reads = frozenset(e[2] for e in self._effects if e[1] == "get" and e[2] in flags)
        certain = takewhile(lambda e: e[1] != "exit_if", self._effects)
        return reads, frozenset(e[2] for e in certain if e[1] == "set" and e[2] in flags)

    def pc_of_head(self) -> int:
        return self._effects[0][0] if self._effects else self.pc

    def _used_effects(self, live_flags: frozenset[int]) -> list[tuple[Any, ...]]:
        """The effects that something can observe; their nodes know how often they are used."""
        effects = self._without_dead_sets(live_flags)
        for effect in effects:
            for part in effect[2:]:
                if (
                    isinstance(part, Node)
                    and effect[1] != "get"
                    and not (effect[1] == "load" and part is effect[2])
                ):
                    count_uses(part)
        return effects

    def _without_dead_sets(self, live_flags: frozenset[int]) -> list[tuple[Any, ...]]:
        """The effects without register writes that nothing can observe."""
        flags = {i for i, register in enumerate(self.registers.registers) if register.flag}
        dead = flags - live_flags
        kept = []
        for effect in reversed(self._effects):
            if effect[1] == "set":
                index = effect[2]
                if index in dead:
                    continue
                dead.add(index)
            elif effect[1] == "exit_if":
                dead.clear()
            elif effect[1] in ("load", "store", "trap_if"):
                dead &= flags
            kept.append(effect)
        kept.reverse()
        return kept


def _lanes(value: AnyValue) -> tuple[Node, ...]:
    return value.lanes if isinstance(value, Vector) else (value,)
