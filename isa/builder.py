"""The abstract builder: the vocabulary in which the meaning of instructions is written.

An instruction's semantics is one function `f(m, insn)` over a `Builder` m. The function never
computes anything itself: it asks m for constants, registers and operations and gets handles
(`Value`) back, so one text serves every engine. The interpreter's builder turns the handles into
Python source, the JIT's into LLVM IR; both therefore agree by construction.

What a semantics function may rely on, and must keep to:

* Python `if`, `for` and arithmetic act at *translation* time, on what the decoder knows (operands,
  sizes, addresses). What depends on guest state is a `Value`, and choices on it are `select`,
  `branch`, `exit_if` or `trap_if`.
* Both arms of a `select` may be evaluated: guard divisors and shift counts before the operation.
  `shl`, `lshr` and `ashr` want counts below the width; `udiv` … `srem` a divisor that is not zero
  (and not INT_MIN / -1 for the signed ones).
* Registers hold integers of their declared width, whatever they are used for; floating-point and
  vector values are reached by `bitcast`. `get` after `set` sees the new value.
* Loads, stores, traps and exits happen in the order they are asked for. An instruction that can
  fault must ask for its loads, stores and traps before it sets registers, so that a fault leaves
  the state as it was before the instruction.
* Every instruction ends by falling through to the next unless it calls one of `jump`, `branch`,
  `syscall` or `trap`, each at most once and last.

Floating-point operations round to nearest even; NaN results have whatever payload the host gives
them, so each ISA applies its own rule for NaNs on top (x86-64 SDM vol. 1 4.8.3.5, Arm ARM
FPProcessNaNs, RISC-V F 11.3).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Protocol

from hcc.isa.values import F32, F64, I1, I64, Ty, int_type, vec


class Op(Enum):
    """The pure operations. Integer ones wrap; comparisons give i1 (per lane for vectors)."""

    __hash__ = object.__hash__  # as good as Enum's own, which is a Python function

    # integer arithmetic and logic; both operands and the result have one type
    ADD = "add"
    SUB = "sub"
    MUL = "mul"
    UDIV = "udiv"
    UREM = "urem"
    SDIV = "sdiv"
    SREM = "srem"
    AND = "and"
    OR = "or"
    XOR = "xor"
    SHL = "shl"
    LSHR = "lshr"
    ASHR = "ashr"
    # integer, one operand
    CTLZ = "ctlz"  # of zero: the width
    CTTZ = "cttz"  # of zero: the width
    CTPOP = "ctpop"
    BSWAP = "bswap"
    BITREVERSE = "bitreverse"
    # comparisons
    EQ = "eq"
    NE = "ne"
    ULT = "ult"
    ULE = "ule"
    SLT = "slt"
    SLE = "sle"
    FEQ = "feq"  # ordered and equal
    FLT = "flt"  # ordered and less
    FLE = "fle"  # ordered and less or equal
    FUNO = "funo"  # either is NaN
    # choice and conversion
    SELECT = "select"
    ZEXT = "zext"
    SEXT = "sext"
    TRUNC = "trunc"
    BITCAST = "bitcast"
    # floating point
    FADD = "fadd"
    FSUB = "fsub"
    FMUL = "fmul"
    FDIV = "fdiv"
    FSQRT = "fsqrt"
    FMA = "fma"  # a * b + c, rounded once
    FPEXT = "fpext"
    FPTRUNC = "fptrunc"
    SITOFP = "sitofp"
    UITOFP = "uitofp"
    FPTOSI = "fptosi"  # toward zero, saturating, NaN gives 0
    FPTOUI = "fptoui"  # toward zero, saturating, NaN gives 0
    FROUND = "fround"  # to an integral value, attr: Rounding
    # vectors
    BUILD = "build"  # one scalar per lane
    EXTRACT = "extract"  # attr: lane
    SHUFFLE = "shuffle"  # attr: lanes of (a ++ b)


class Rounding(Enum):
    """Directions of rounding to an integral value (IEEE 754-2008, 4.3)."""

    NEAREST_EVEN = "rne"
    NEAREST_AWAY = "rmm"
    TOWARD_ZERO = "rtz"
    DOWN = "rdn"
    UP = "rup"


class Trap(Enum):
    """Reasons for which an instruction itself stops the program."""

    DIVIDE = "division by zero or overflow in division"
    ILLEGAL = "illegal instruction"
    BREAKPOINT = "breakpoint instruction"
    ABORT = "trap"
    ALIGN = "misaligned atomic access"


class JumpKind(Enum):
    """What an unconditional transfer is for; engines use it to keep calls and returns fast."""

    PLAIN = "jump"
    CALL = "call"
    RETURN = "return"


class Value(Protocol):
    """What every engine's handles have. `const` is set where the bits are known in advance."""

    ty: Ty
    const: int | None


class Builder(ABC):
    """The vocabulary. Engines implement the abstract methods; the rest is built on them.

    `pc` is the address of the instruction being translated and `next_pc` that of its successor
    in memory.
    """

    pc: int
    next_pc: int

    # ---- what an engine provides ----

    @abstractmethod
    def emit(self, op: Op, ty: Ty, args: Sequence[Any], attr: Any = None) -> Any:
        """The result, of type `ty`, of a pure operation."""

    @abstractmethod
    def const(self, ty: Ty, value: int) -> Any:
        """A scalar integer constant (taken modulo the width)."""

    @abstractmethod
    def get(self, register: str) -> Any:
        """The integer a register holds, at the width of the register file's declaration."""

    @abstractmethod
    def set(self, register: str, value: Any) -> None:
        """Change a register; `value` has its declared width."""

    def set_later(self, register: str, compute: Callable[..., Any], *args: Any) -> None:
        """Change a register to `compute(self, *args)`, an operation on values. An engine may put
        that off until the register is read: most condition flags never are."""
        self.set(register, compute(self, *args))

    @abstractmethod
    def load(self, addr: Any, bits: int) -> Any:
        """The integer of `bits` bits (8 to 128) at the i64 address, little-endian."""

    @abstractmethod
    def store(self, addr: Any, value: Any) -> None:
        """Write an integer of 8 to 128 bits to the i64 address, little-endian."""

    @abstractmethod
    def jump(self, target: Any, kind: JumpKind = JumpKind.PLAIN) -> None:
        """Go on at an i64 address. A CALL is expected to return to `next_pc`."""

    @abstractmethod
    def branch(self, condition: Any, target: int) -> None:
        """Go on at `target` if the i1 holds, else at `next_pc`."""

    @abstractmethod
    def exit_if(self, condition: Any, target: int) -> None:
        """Leave for `target` now if the i1 holds; otherwise the instruction goes on."""

    @abstractmethod
    def syscall(self) -> None:
        """Hand over to the operating system, which goes on at `next_pc`."""

    @abstractmethod
    def trap(self, kind: Trap) -> None:
        """Stop with a fault."""

    @abstractmethod
    def trap_if(self, condition: Any, kind: Trap) -> None:
        """Stop with a fault if the i1 holds; otherwise the instruction goes on."""

    # ---- constants ----

    def i64(self, value: int) -> Any:
        return self.const(I64, value)

    def same(self, value: Any, number: int) -> Any:
        """The constant `number` in the scalar integer type of `value`."""
        return self.const(value.ty, number)

    def splat(self, value: Any, lanes: int) -> Any:
        """A vector with `value` in every lane."""
        return self.build([value] * lanes)

    # ---- integers ----

    def _binary(self, op: Op, a: Any, b: Any) -> Any:
        if a.ty is not b.ty:
            raise TypeError(f"{op.value}: operands of types {a.ty} and {b.ty}")
        return self.emit(op, a.ty, (a, b))

    def add(self, a: Any, b: Any) -> Any:
        return self._binary(Op.ADD, a, b)

    def sub(self, a: Any, b: Any) -> Any:
        return self._binary(Op.SUB, a, b)

    def mul(self, a: Any, b: Any) -> Any:
        return self._binary(Op.MUL, a, b)

    def udiv(self, a: Any, b: Any) -> Any:
        return self._binary(Op.UDIV, a, b)

    def urem(self, a: Any, b: Any) -> Any:
        return self._binary(Op.UREM, a, b)

    def sdiv(self, a: Any, b: Any) -> Any:
        return self._binary(Op.SDIV, a, b)

    def srem(self, a: Any, b: Any) -> Any:
        return self._binary(Op.SREM, a, b)

    def and_(self, a: Any, b: Any) -> Any:
        return self._binary(Op.AND, a, b)

    def or_(self, a: Any, b: Any) -> Any:
        return self._binary(Op.OR, a, b)

    def xor(self, a: Any, b: Any) -> Any:
        return self._binary(Op.XOR, a, b)

    def shl(self, a: Any, count: Any) -> Any:
        return self._binary(Op.SHL, a, count)

    def lshr(self, a: Any, count: Any) -> Any:
        return self._binary(Op.LSHR, a, count)

    def ashr(self, a: Any, count: Any) -> Any:
        return self._binary(Op.ASHR, a, count)

    def not_(self, a: Any) -> Any:
        ones = self.const(a.ty.element, a.ty.mask)
        return self.xor(a, ones if a.ty.lanes == 1 else self.splat(ones, a.ty.lanes))

    def neg(self, a: Any) -> Any:
        zero = self.const(a.ty.element, 0)
        return self.sub(zero if a.ty.lanes == 1 else self.splat(zero, a.ty.lanes), a)

    def ctlz(self, a: Any) -> Any:
        return self.emit(Op.CTLZ, a.ty, (a,))

    def cttz(self, a: Any) -> Any:
        return self.emit(Op.CTTZ, a.ty, (a,))

    def ctpop(self, a: Any) -> Any:
        return self.emit(Op.CTPOP, a.ty, (a,))

    def bswap(self, a: Any) -> Any:
        return self.emit(Op.BSWAP, a.ty, (a,))

    def bitreverse(self, a: Any) -> Any:
        return self.emit(Op.BITREVERSE, a.ty, (a,))

    # ---- comparisons ----

    def _compare(self, op: Op, a: Any, b: Any) -> Any:
        if a.ty is not b.ty:
            raise TypeError(f"{op.value}: operands of types {a.ty} and {b.ty}")
        return self.emit(op, a.ty.with_element(I1), (a, b))

    def eq(self, a: Any, b: Any) -> Any:
        return self._compare(Op.EQ, a, b)

    def ne(self, a: Any, b: Any) -> Any:
        return self._compare(Op.NE, a, b)

    def ult(self, a: Any, b: Any) -> Any:
        return self._compare(Op.ULT, a, b)

    def ule(self, a: Any, b: Any) -> Any:
        return self._compare(Op.ULE, a, b)

    def slt(self, a: Any, b: Any) -> Any:
        return self._compare(Op.SLT, a, b)

    def sle(self, a: Any, b: Any) -> Any:
        return self._compare(Op.SLE, a, b)

    def feq(self, a: Any, b: Any) -> Any:
        return self._compare(Op.FEQ, a, b)

    def flt(self, a: Any, b: Any) -> Any:
        return self._compare(Op.FLT, a, b)

    def fle(self, a: Any, b: Any) -> Any:
        return self._compare(Op.FLE, a, b)

    def funo(self, a: Any, b: Any) -> Any:
        return self._compare(Op.FUNO, a, b)

    # ---- choice and conversion; widening or narrowing to the same width is the identity ----

    def select(self, condition: Any, a: Any, b: Any) -> Any:
        """`a` where the i1 holds, else `b`; the condition may be one i1 or one per lane."""
        if a.ty is not b.ty:
            raise TypeError(f"select: arms of types {a.ty} and {b.ty}")
        return self.emit(Op.SELECT, a.ty, (condition, a, b))

    def zext(self, a: Any, bits: int) -> Any:
        return self._resize(Op.ZEXT, a, bits)

    def sext(self, a: Any, bits: int) -> Any:
        return self._resize(Op.SEXT, a, bits)

    def trunc(self, a: Any, bits: int) -> Any:
        return self._resize(Op.TRUNC, a, bits)

    def _resize(self, op: Op, a: Any, bits: int) -> Any:
        """Change the width of every lane to `bits`."""
        if a.ty.bits == bits:
            return a
        return self.emit(op, a.ty.with_element(int_type(bits)), (a,))

    def bitcast(self, a: Any, ty: Ty) -> Any:
        """The same bits as another type of the same size."""
        if a.ty is ty:
            return a
        if a.ty.size_bits != ty.size_bits:
            raise TypeError(f"bitcast: {a.ty} to {ty}")
        return self.emit(Op.BITCAST, ty, (a,))

    # ---- floating point ----

    def fadd(self, a: Any, b: Any) -> Any:
        return self._binary(Op.FADD, a, b)

    def fsub(self, a: Any, b: Any) -> Any:
        return self._binary(Op.FSUB, a, b)

    def fmul(self, a: Any, b: Any) -> Any:
        return self._binary(Op.FMUL, a, b)

    def fdiv(self, a: Any, b: Any) -> Any:
        return self._binary(Op.FDIV, a, b)

    def fsqrt(self, a: Any) -> Any:
        return self.emit(Op.FSQRT, a.ty, (a,))

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        return self.emit(Op.FMA, a.ty, (a, b, c))

    def fround(self, a: Any, mode: Rounding) -> Any:
        return self.emit(Op.FROUND, a.ty, (a,), mode)

    def fpext(self, a: Any) -> Any:
        """f32 to f64, per lane."""
        return self.emit(Op.FPEXT, a.ty.with_element(F64), (a,))

    def fptrunc(self, a: Any) -> Any:
        """f64 to f32, per lane."""
        return self.emit(Op.FPTRUNC, a.ty.with_element(F32), (a,))

    def sitofp(self, a: Any, element: Ty) -> Any:
        return self.emit(Op.SITOFP, a.ty.with_element(element), (a,))

    def uitofp(self, a: Any, element: Ty) -> Any:
        return self.emit(Op.UITOFP, a.ty.with_element(element), (a,))

    def fptosi(self, a: Any, bits: int) -> Any:
        return self.emit(Op.FPTOSI, a.ty.with_element(int_type(bits)), (a,))

    def fptoui(self, a: Any, bits: int) -> Any:
        return self.emit(Op.FPTOUI, a.ty.with_element(int_type(bits)), (a,))

    def float_bits(self, value: Any, nan: Any) -> Any:
        """The bits of a floating-point result; where (per lane) it is NaN, the bits `nan` instead.

        `nan` is whatever NaN the ISA's rules give there: it must be a NaN, because an engine may
        go on computing with `value` where these bits are read as a number again.
        """
        bits = self.bitcast(value, value.ty.with_element(int_type(value.ty.bits)))
        return self.select(self.feq(value, value), bits, nan)

    # ---- vectors ----

    def build(self, lanes: Sequence[Any]) -> Any:
        """A vector of the scalars given, lane 0 first."""
        element = lanes[0].ty
        return self.emit(Op.BUILD, vec(element, len(lanes)), tuple(lanes))

    def extract(self, a: Any, lane: int) -> Any:
        return self.emit(Op.EXTRACT, a.ty.element, (a,), lane)

    def insert(self, a: Any, lane: int, value: Any) -> Any:
        """`a` with one lane replaced."""
        lanes = [value if i == lane else self.extract(a, i) for i in range(a.ty.lanes)]
        return self.build(lanes)

    def shuffle(self, a: Any, b: Any, lanes: Sequence[int]) -> Any:
        """The given lanes of `a` followed by `b`; the result has `len(lanes)` of them."""
        return self.emit(Op.SHUFFLE, vec(a.ty.element, len(lanes)), (a, b), tuple(lanes))
