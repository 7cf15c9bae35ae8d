"""Lowering of calls and builtins; see abi.py for what a call looks like."""

from __future__ import annotations

from hcc.compiler.ir.construct import float_const, int_const
from hcc.compiler.ir.module import Const, Instr, Operand, StackSlot
from hcc.compiler.ir.ops import Op
from hcc.compiler.ir.types import F32, I8, I32, I64, INT_OF_BITS, PTR, VOID, Type
from hcc.compiler.kernelc.abi import (
    MAX_RECORD_IN_WORDS,
    returns_through_memory,
    signature_of,
)
from hcc.compiler.kernelc.lower_base import NULL, Place, zero_of
from hcc.compiler.kernelc.lower_expressions import ExpressionLowering
from hcc.compiler.kernelc.lower_overflow import (
    NEVER,
    Wide,
    difference_of,
    differs,
    product_of,
    sum_of,
    widened,
)
from hcc.compiler.kernelc.scope import Function
from hcc.compiler.kernelc.syntax import Builtin, Call, Expr, IntConst, Name
from hcc.compiler.kernelc.types import (
    CONST_VOID_POINTER,
    DOUBLE,
    FLOAT,
    INT,
    ULONG,
    VOID_POINTER,
    VOID_TYPE,
    CType,
    FunctionType,
    IntegerType,
    PointerType,
    RecordType,
    compatible,
)

_COPY = FunctionType(VOID_POINTER, (VOID_POINTER, CONST_VOID_POINTER, ULONG), False, True)
_SET = FunctionType(VOID_POINTER, (VOID_POINTER, INT, ULONG), False, True)
_DOUBLE = FunctionType(DOUBLE, (DOUBLE,), False, True)
_FLOAT = FunctionType(FLOAT, (FLOAT,), False, True)
_DOUBLES = FunctionType(DOUBLE, (DOUBLE, DOUBLE), False, True)
_FLOATS = FunctionType(FLOAT, (FLOAT, FLOAT), False, True)
_POINT = FunctionType(VOID_TYPE, (), False, True)
_OPERATIONS: dict[str, tuple[FunctionType, Op]] = {
    "memcpy": (_COPY, Op.MEMCPY), "memmove": (_COPY, Op.MEMMOVE), "memset": (_SET, Op.MEMSET),
    "sqrt": (_DOUBLE, Op.SQRT), "sqrtf": (_FLOAT, Op.SQRT), "fabs": (_DOUBLE, Op.FABS),
    "fabsf": (_FLOAT, Op.FABS), "copysign": (_DOUBLES, Op.COPYSIGN),
    "copysignf": (_FLOATS, Op.COPYSIGN), "migrate_point": (_POINT, Op.POLL),
}  # fmt: skip
MAX_SYSCALL_ARGUMENTS = 6
# LLVM expands copies of this many bytes in line, so that even memcpy itself may use them.
SHORT_COPY = 16


def _is_short_copy(function: Function, expr: Call) -> bool:
    """A block operation of a small constant size, which is an operation even where the source
    defines the function: that is how a library writes its own memcpy."""
    known = _OPERATIONS.get(function.name)
    size = expr.args[2] if known is not None and len(expr.args) == 3 else None
    return isinstance(size, IntConst) and size.value <= SHORT_COPY


class CallLowering(ExpressionLowering):
    """Calls and builtins."""

    # ---- calls ----

    def call(self, expr: Call) -> Operand:
        """A call: its scalar result, or the address of its record result."""
        callee = expr.callee
        if isinstance(callee, Name) and isinstance(callee.symbol, Function):
            special = self._special(callee.symbol, expr)
            if special is not None:
                return special
            return self._direct(callee.symbol, expr)
        pointer = callee.type.unqual
        assert isinstance(pointer, PointerType) and isinstance(pointer.target, FunctionType)
        target = self.value(callee)
        return self._emit(target, pointer.target, expr, None)

    def _direct(self, function: Function, expr: Call) -> Operand:
        type_ = function.type
        symbol = self.module.function_symbol(function)
        result = self._emit(symbol, type_, expr, function)
        if type_.result.unqual is not expr.type.unqual and expr.type.is_scalar:
            # the call was written before the function turned out to have another type
            if type_.result.is_scalar:
                return self.convert(result, type_.result, expr.type)
            return zero_of(expr.type.ir)
        return result

    def _emit(
        self, target: Operand, type_: FunctionType, expr: Call, function: Function | None
    ) -> Operand:
        fixed, variadic, types = self._arguments(type_, expr.args)
        self.locate(expr.at)
        result = type_.result
        operands: list[Operand] = []
        address: Operand | None = None
        if returns_through_memory(result):
            address = self.alloca(result.size, max(result.align, 8), "result")
            operands.append(address)
        operands += fixed
        if type_.variadic:
            operands.append(self._variadic_slots(variadic))
        signature = signature_of(type_, types)
        leaf = function is not None and function.leaf
        noreturn = function is not None and function.noreturn
        made = self.cursor.call(target, operands, signature, leaf, noreturn)
        if noreturn:
            self.cursor.place(self.cursor.new_block("dead"))
            return self._nothing(result)
        return self._result(made, result, address)

    def _nothing(self, result: CType) -> Operand:
        """Stands for the result of a call that does not return."""
        if isinstance(result, RecordType):
            return self.alloca(result.size, result.align)
        return zero_of(result.ir) if result.is_scalar else NULL

    def _result(self, made: Instr, result: CType, address: Operand | None) -> Operand:
        if isinstance(result, RecordType):
            if address is None:
                address = self.alloca(8, 8, "result")
                if result.size:
                    self.cursor.store(made, address)
            return address
        return self.resize(made, result.ir, False) if result.ir.is_int else made

    def _arguments(
        self, type_: FunctionType, args: list[Expr]
    ) -> tuple[list[Operand], list[tuple[Operand, CType]], tuple[CType, ...] | None]:
        """The operands of the fixed arguments, and the variadic ones with their types. Without a
        prototype, also the types the arguments have, unless the definition has told them."""
        count = len(type_.params)
        fixed: list[Operand] = []
        variadic: list[tuple[Operand, CType]] = []
        unknown = not type_.prototyped and not type_.params
        for i, arg in enumerate(args):
            if unknown:
                fixed += self._passed(arg, arg.type)
            elif i < count:
                fixed += self._passed(arg, type_.params[i])
            elif type_.variadic:
                variadic.append((self._slot_value(arg), arg.type))
            else:
                self.effect(arg)  # more arguments than an old-style definition has
        if unknown:
            return fixed, variadic, tuple(arg.type for arg in args)
        for param in type_.params[len(args) :]:
            fixed += [zero_of(t) for t in signature_of(type_, (param,)).params[-1:]]
        return fixed, variadic, None

    def _passed(self, arg: Expr, to: CType) -> list[Operand]:
        """The operands that one argument becomes."""
        if isinstance(arg.type, RecordType):
            if arg.type.size > MAX_RECORD_IN_WORDS:
                copy = self.alloca_for(arg.type.unqual, "argument")
                self.copy(Place(copy), self.place(arg), arg.type)
                return [copy]
            return self.words(self.place(arg), arg.type)
        value = self.convert(self.value(arg), arg.type, to)  # differs for old-style functions only
        return [self._widened(value, to)]

    def _widened(self, value: Operand, type_: CType) -> Operand:
        if value.type.is_int and value.type.bits < 32:
            signed = isinstance(type_, IntegerType) and type_.signed
            return self.resize(value, I32, signed)
        return value

    def words(self, place: Place, type_: CType) -> list[Operand]:
        """A small record's bytes as i64s."""
        found: list[Operand] = []
        for start in range(0, type_.size, 8):
            left = min(8, type_.size - start)
            word: Operand | None = None
            done = 0
            while done < left:
                size = next(s for s in (8, 4, 2, 1) if s <= left - done)
                align = min(size, type_.align if not place.align else place.align)
                part = self.load_int(INT_OF_BITS[size * 8], place, start + done, align)
                part = self.shift(Op.SHL, self.resize(part, I64, False), done * 8)
                word = part if word is None else self.cursor.binary(Op.OR, word, part)
                done += size
            assert word is not None
            found.append(word)
        return found

    # ---- variadic arguments ----

    def _slot_value(self, arg: Expr) -> Operand:
        """A variadic argument as evaluated; records as an address of their own copy."""
        if not isinstance(arg.type, RecordType):
            return self.value(arg)
        copy = self.alloca_for(arg.type.unqual, "argument")
        self.copy(Place(copy), self.place(arg), arg.type)
        return copy

    def _variadic_slots(self, variadic: list[tuple[Operand, CType]]) -> Operand:
        """Store the variadic arguments into their slots; the address of the first. One array of
        slots serves all calls of a function, as its content is dead once a call returns."""
        if not variadic:
            return NULL
        if self.slots is None:
            self.slots = self.alloca(8, 8, "variadic")
        offset = 0
        for value, type_ in variadic:
            if isinstance(type_, RecordType) and type_.size > MAX_RECORD_IN_WORDS:
                self.copy(Place(self.offset_by(self.slots, offset), 0, 8), Place(value), type_)
                offset += type_.size + 7 & ~7
                continue
            if isinstance(type_, RecordType):
                for word in self.words(Place(value), type_):
                    self.cursor.store(word, self.offset_by(self.slots, offset))
                    offset += 8
                continue
            if value.type.is_int:
                signed = isinstance(type_, IntegerType) and type_.signed
                value = self.resize(value, I64, signed)
            self.cursor.store(value, self.offset_by(self.slots, offset))
            offset += 8
        if offset > self.slots_needed:
            self.slots_needed = offset
            self.slots.attr = StackSlot(offset, 8)
        return self.slots

    # ---- functions that are operations ----

    def _special(self, function: Function, expr: Call) -> Operand | None:
        """A call that is an operation of the IR; None if it is an ordinary one."""
        if function.linkage != "external":
            return None
        if function.body is not None and not _is_short_copy(function, expr):
            return None
        if function.name == "__hcc_syscall":
            return self._system_call(expr)
        known = _OPERATIONS.get(function.name)
        if (
            known is None
            or not compatible(known[0], function.type)
            or len(expr.args) != len(known[0].params)
        ):
            return None
        type_, op = known
        args = [
            self.convert(self.value(a), a.type, p)
            for a, p in zip(expr.args, type_.params, strict=True)
        ]
        self.locate(expr.at)
        match op:
            case Op.MEMCPY | Op.MEMMOVE:
                self.cursor.emit(op, VOID, args, 1)
                return args[0]
            case Op.MEMSET:
                args[1] = self.resize(args[1], I8, False)
                self.cursor.emit(op, VOID, args, 1)
                return args[0]
            case Op.POLL:
                return self.cursor.emit(op, VOID)
        return self.cursor.emit(op, type_.result.ir, args)

    def _system_call(self, expr: Call) -> Operand:
        number = expr.args[0]
        if not isinstance(number, IntConst):
            self.module.error(number.at, "the number of a system call must be constant")
            return int_const(I64, 0)
        if len(expr.args) > MAX_SYSCALL_ARGUMENTS + 1:
            self.module.error(expr.at, "a system call has at most six arguments")
        args: list[Operand] = []
        for arg in expr.args[1 : MAX_SYSCALL_ARGUMENTS + 1]:
            value = self.value(arg)
            if arg.type.is_pointer:
                value = self.convert(value, arg.type, ULONG)
            elif isinstance(arg.type, IntegerType):
                value = self.resize(value, I64, arg.type.signed)
            else:
                self.module.error(arg.at, "an argument of a system call is no integer or pointer")
                value = int_const(I64, 0)
            args.append(value)
        args += [int_const(I64, 0)] * (MAX_SYSCALL_ARGUMENTS - len(args))
        self.locate(expr.at)
        return self.cursor.emit(Op.SYSCALL, I64, args, number.value)

    # ---- builtins ----

    def builtin(self, expr: Builtin) -> Operand:
        """A `__builtin_` call."""
        name = expr.name.removeprefix("__builtin_")
        match name:
            case "va_start":
                return self._va_start(expr)
            case "va_end":
                self.effect(expr.args[0])
                return NULL
            case "unreachable" | "trap":
                self.locate(expr.at)
                self._stop("abort" if name == "trap" else "unreachable")
                return NULL
            case "add_overflow" | "sub_overflow" | "mul_overflow":
                return self._overflow(name, expr)
        args = [self.value(arg) for arg in expr.args]
        self.locate(expr.at)
        match name:
            case "expect" | "assume_aligned":
                return args[0]
            case "alloca":
                return self.data_stack(args[0])
        if name.startswith(("is", "signbit")):
            return self.widen_bool(self._classified(name, args), I32)
        if name.startswith("bswap"):
            return self.cursor.unary(Op.BSWAP, args[0])
        for prefix, op in (("sqrt", Op.SQRT), ("fabs", Op.FABS)):
            if name.startswith(prefix):
                return self.cursor.unary(op, args[0])
        if name.startswith("copysign"):
            return self.cursor.binary(Op.COPYSIGN, args[0], args[1])
        return self._bits(name, args[0])

    def _overflow(self, name: str, expr: Builtin) -> Operand:
        """Store a sum, difference or product; whether it did not fit, as a _Bool."""
        cursor = self.cursor
        left, right = (self._as_wide(self.value(arg), arg.type) for arg in expr.args[:2])
        pointer = expr.args[2]
        place = self.pointer_place(pointer)
        self.locate(expr.at)
        too_large: Operand = NEVER
        match name:
            case "add_overflow":
                wide = sum_of(cursor, left, right)
            case "sub_overflow":
                wide = difference_of(cursor, left, right)
            case _:
                wide, too_large = product_of(cursor, left, right)
        assert isinstance(pointer.type, PointerType)
        target = pointer.type.target
        result = self.resize(wide.low, target.ir, False)
        self.store(place, target, result)
        lost = differs(cursor, wide, self._as_wide(result, target))
        return self.widen_bool(cursor.binary(Op.OR, lost, too_large), I8)

    def _as_wide(self, value: Operand, type_: CType) -> Wide:
        signed = isinstance(type_, IntegerType) and type_.signed
        return widened(self.cursor, self.resize(value, I64, signed), signed)

    def _bits(self, name: str, value: Operand) -> Operand:
        """clz, ctz, popcount, parity, ffs: an int."""
        cursor = self.cursor
        if name.startswith("ffs"):
            trailing = cursor.unary(Op.CTTZ, value)
            position = cursor.binary(Op.ADD, trailing, int_const(value.type, 1))
            zero = cursor.compare(Op.EQ, value, zero_of(value.type))
            return self.resize(cursor.select(zero, zero_of(value.type), position), I32, False)
        op = {"cl": Op.CTLZ, "ct": Op.CTTZ}.get(name[:2], Op.CTPOP)
        count = cursor.unary(op, value)
        if name.startswith("parity"):
            count = cursor.binary(Op.AND, count, int_const(count.type, 1))
        return self.resize(count, I32, False)

    def _classified(self, name: str, args: list[Operand]) -> Operand:
        """isnan and its likes, as i1."""
        cursor, value = self.cursor, args[0]
        infinity = float_const(value.type, float("inf")) if value.type.is_float else NULL
        match name:
            case "isnan":
                return cursor.compare(Op.FUNO, value, value)
            case "isunordered":
                return cursor.compare(Op.FUNO, value, args[1])
            case "islessgreater":
                less = cursor.compare(Op.FLT, value, args[1])
                return cursor.binary(Op.OR, less, cursor.compare(Op.FGT, value, args[1]))
            case "isinf":
                return cursor.compare(Op.FEQ, cursor.unary(Op.FABS, value), infinity)
            case "isfinite":
                return cursor.compare(Op.FLT, cursor.unary(Op.FABS, value), infinity)
            case "isnormal":
                size = cursor.unary(Op.FABS, value)
                least = float_const(size.type, 2.0**-126 if size.type is F32 else 2.0**-1022)
                finite = cursor.compare(Op.FLT, size, infinity)
                return cursor.binary(Op.AND, finite, cursor.compare(Op.FGE, size, least))
        ir: Type = I32 if value.type is F32 else I64
        bits = cursor.emit(Op.BITCAST, ir, (value,))
        return cursor.compare(Op.SLT, bits, zero_of(ir))

    def _va_start(self, expr: Builtin) -> Operand:
        place = self.place(expr.args[0])
        self.locate(expr.at)
        assert self.variadic_address is not None
        self.store(place, expr.args[0].type, self.variadic_address)
        return NULL

    def _stop(self, code: str) -> None:
        self.cursor.emit(Op.TRAP, VOID, attr=code)
        self.cursor.emit(Op.UNREACHABLE, VOID)
        self.cursor.place(self.cursor.new_block("dead"))

    def data_stack(self, size: Operand) -> Operand:
        """Zeroed room on the data stack, aligned to 16 bytes."""
        cursor = self.cursor
        if isinstance(size, Const):
            rounded: Operand = int_const(I64, -(int(size.value) + 15 & -16))
        else:
            up = cursor.binary(Op.ADD, size, int_const(I64, 15))
            down = cursor.binary(Op.AND, up, int_const(I64, -16))
            rounded = cursor.binary(Op.SUB, int_const(I64, 0), down)
        top = cursor.emit(Op.DSP_GET, PTR)
        address = cursor.ptradd(top, rounded)
        cursor.emit(Op.DSP_SET, VOID, (address,))
        cursor.emit(Op.MEMSET, VOID, (address, int_const(I8, 0), size), 16)
        return address
