"""The builder that does at once what it is asked for: executes instructions one by one.

Translating a block takes as long as executing it in this way ten times, so code that runs once
or twice, as most of a program does, is better stepped through. A value is a Python number, as
the translated code has it, and an operation is the same text (`pyops`), compiled once for the
types it is used at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from hcc.emulator.faults import FaultKind, TrapRaised
from hcc.emulator.memory import Memory
from hcc.emulator.pyops import NAMESPACE, SPELLINGS, through
from hcc.isa.arch import Insn, RegisterFile, Semantics
from hcc.isa.builder import Builder, JumpKind, Op, Trap
from hcc.isa.values import Ty, int_type, vec


class Scalar:
    """A number and its type."""

    __slots__ = ("number", "ty")

    def __init__(self, ty: Ty, number: Any) -> None:
        self.ty = ty
        self.number = number


class Lanes:
    """A vector of scalars."""

    __slots__ = ("lanes", "ty")

    def __init__(self, lanes: tuple[Scalar, ...]) -> None:
        self.lanes = lanes
        self.ty = vec(lanes[0].ty, len(lanes))


AnyValue = Scalar | Lanes
Function = Callable[..., Any]


class _Left(Exception):
    """The instruction has gone elsewhere before its end."""


class _Later(tuple[Function, tuple[Scalar, ...]]):
    """What computes a flag that has not been asked for, and from what."""

    __slots__ = ()


_functions: dict[tuple[Op, Ty, Ty, Any], Function] = {}


def _function(op: Op, ty: Ty, types: Sequence[Ty], attr: Any) -> Function:
    """What computes an operation at some types."""
    names = ["a", "b", "c"][: len(types)]
    text = SPELLINGS[op](ty, names, list(types), attr)
    if op is not Op.BITCAST and through(op, ty, types[0]):
        text = f"f32({text})"
    function: Function = eval(f"lambda {', '.join(names)}: {text}", NAMESPACE)
    return function


class Stepper(Builder):
    """Executes instructions on the registers and the memory it is given. Registers change when an
    instruction is over: one that faults or is broken off has not changed any.

    `traps` are the faults of the traps. `target` is where the last instruction goes on, the
    complement of it for a system call; None if that is the instruction behind it.
    """

    def __init__(
        self,
        registers: RegisterFile,
        state: list[Any],
        memory: Memory,
        traps: Mapping[Trap, FaultKind],
    ) -> None:
        self.pc = self.next_pc = 0
        self.target: int | None = None
        self._state = state
        self._written: dict[int, Any] = {}
        self._flags = frozenset(i for i, r in enumerate(registers.registers) if r.flag)
        self._memory = memory
        self._traps = traps
        self._index = registers.index
        self._types = [int_type(register.bits) for register in registers.registers]

    def execute(self, insn: Insn, semantics: Semantics) -> int | None:
        """Execute an instruction; where it transfers control to, as `target`. Until `settle` the
        flags it sets may not be computed."""
        self.pc, self.next_pc, self.target = insn.addr, insn.next_addr, None
        written = self._written
        written.clear()
        with suppress(_Left):
            semantics(self, insn)
        state = self._state
        for index, number in written.items():
            state[index] = number
        return self.target

    def settle(self) -> None:
        """Compute the flags that have been put off."""
        for index in self._flags:
            if type(self._state[index]) is _Later:
                self._state[index] = self._made(self._state[index])

    # ---- values ----

    def const(self, ty: Ty, value: int) -> Scalar:
        return Scalar(ty, value & ty.mask)

    def emit(self, op: Op, ty: Ty, args: Sequence[Any], attr: Any = None) -> AnyValue:
        function = _functions.get((op, ty, args[-1].ty, attr))
        if function is not None:
            return Scalar(ty, function(*[a.number for a in args]))
        first = args[0]
        match op:
            case Op.BITCAST:
                return self._bitcast(first, ty)
            case Op.BUILD:
                return Lanes(tuple(args))
            case Op.EXTRACT:
                lane: Scalar = first.lanes[attr]
                return lane
            case Op.SHUFFLE:
                both = first.lanes + args[1].lanes
                return Lanes(tuple([both[i] for i in attr]))
        if ty.lanes == 1:
            return self._scalar(op, ty, args, attr)
        columns = [a.lanes if isinstance(a, Lanes) else (a,) * ty.lanes for a in args]
        element = ty.element
        function = self._function(op, element, [column[0].ty for column in columns], attr)
        rows = zip(*columns, strict=True)
        return Lanes(tuple([Scalar(element, function(*[a.number for a in row])) for row in rows]))

    def _scalar(self, op: Op, ty: Ty, args: Sequence[Scalar], attr: Any = None) -> Scalar:
        function = self._function(op, ty, [a.ty for a in args], attr)
        return Scalar(ty, function(*[a.number for a in args]))

    def _function(self, op: Op, ty: Ty, types: list[Ty], attr: Any) -> Function:
        """What does an operation of scalars to a type."""
        key = op, ty, types[-1], attr
        function = _functions.get(key)
        if function is None:
            function = _functions[key] = _function(op, ty, types, attr)
        return function

    def _bitcast(self, a: AnyValue, ty: Ty) -> AnyValue:
        element = ty.element
        if isinstance(a, Lanes):
            if a.ty.lanes == ty.lanes:
                return Lanes(tuple([self._reread(lane, element) for lane in a.lanes]))
            width, whole = a.ty.bits, 0
            for i, lane in enumerate(a.lanes):
                whole |= self._reread(lane, int_type(width)).number << i * width
            a = Scalar(int_type(ty.size_bits), whole)
        if ty.lanes == 1:
            return self._reread(a, ty)
        whole, narrow = self._reread(a, int_type(ty.size_bits)).number, int_type(ty.bits)
        parts = [Scalar(narrow, whole >> i & ty.mask) for i in range(0, ty.size_bits, ty.bits)]
        return Lanes(tuple([self._reread(part, element) for part in parts]))

    def _reread(self, a: Scalar, ty: Ty) -> Scalar:
        """A scalar's bits as another scalar type."""
        if a.ty.is_float is ty.is_float:
            return a
        return self._scalar(Op.BITCAST, ty, (a,))

    # ---- effects ----

    def get(self, register: str) -> Scalar:
        index = self._index[register]
        number = self._written.get(index)
        if number is None:
            number = self._state[index]
        if type(number) is _Later:
            number = self._written[index] = self._made(number)
        return Scalar(self._types[index], number)

    def set_later(self, register: str, compute: Function, *args: Any) -> None:
        index = self._index[register]
        if index in self._flags:
            self._written[index] = _Later((compute, args))
        else:
            self.set(register, compute(self, *args))

    def _made(self, later: _Later) -> int:
        compute, args = later
        number: int = +compute(self, *args).number
        return number

    def set(self, register: str, value: Any) -> None:
        self._written[self._index[register]] = +value.number

    def load(self, addr: Any, bits: int) -> Scalar:
        return Scalar(int_type(bits), self._memory.load(addr.number, bits // 8))

    def store(self, addr: Any, value: Any) -> None:
        self._memory.store(addr.number, value.ty.bits // 8, value.number)

    def jump(self, target: Any, kind: JumpKind = JumpKind.PLAIN) -> None:
        self.target = target.number

    def branch(self, condition: Any, target: int) -> None:
        self.target = target if condition.number else self.next_pc

    def exit_if(self, condition: Any, target: int) -> None:
        if condition.number:
            self.target = target
            raise _Left

    def syscall(self) -> None:
        self.target = ~self.next_pc

    def trap(self, kind: Trap) -> None:
        raise TrapRaised(self._traps[kind])

    def trap_if(self, condition: Any, kind: Trap) -> None:
        if condition.number:
            raise TrapRaised(self._traps[kind])
