"""Lowering of expressions: values and places.

Operands are evaluated strictly from left to right. Of an assignment, the place assigned to comes
first, then the value; a compound assignment reads its target after that, just before it stores.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from hcc.compiler.ir.construct import float_const, int_const
from hcc.compiler.ir.module import Operand
from hcc.compiler.ir.ops import Op
from hcc.compiler.ir.types import I16, I32, I64, PTR
from hcc.compiler.kernelc.constants import half_bits
from hcc.compiler.kernelc.lower_base import Place
from hcc.compiler.kernelc.lower_conditions import BOOLEANS, ConditionLowering
from hcc.compiler.kernelc.scope import Function, Variable
from hcc.compiler.kernelc.syntax import (
    AddressOf,
    Assign,
    Binary,
    Builtin,
    Call,
    Comma,
    Compare,
    CompoundAssign,
    CompoundLiteral,
    Conditional,
    Convert,
    Deref,
    Expr,
    FloatConst,
    IntConst,
    Logical,
    LogicalNot,
    MemberOf,
    Name,
    PointerAdd,
    PointerDifference,
    StatementExpr,
    Step,
    StringConst,
    Unary,
    VaArg,
    VlaSize,
)
from hcc.compiler.kernelc.types import (
    FLOAT16,
    INT,
    ArrayType,
    CType,
    IntegerType,
    PointerType,
)


class ExpressionLowering(ConditionLowering):
    """Expressions, except calls."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._values: dict[type, Callable[[Any], Operand]] = {
            IntConst: self._int_const,
            FloatConst: self._float_const,
            Name: self._load,
            Deref: self._load,
            MemberOf: self._load,
            CompoundLiteral: self._load,
            AddressOf: self._pointer,
            PointerAdd: self._pointer,
            Unary: self._unary,
            Binary: self._binary,
            Compare: self._boolean,
            Logical: self._boolean,
            LogicalNot: self._boolean,
            PointerDifference: self._difference,
            Conditional: self.conditional,
            Comma: self._comma,
            Assign: self._assign,
            CompoundAssign: self._compound_assign,
            Step: self._step,
            Convert: self._convert,
            Call: self.call,
            Builtin: self.builtin,
            VaArg: self._va_arg,
            VlaSize: self._vla_size,
            StatementExpr: self._statement_value,
        }

    @abstractmethod
    def call(self, expr: Call) -> Operand: ...

    @abstractmethod
    def builtin(self, expr: Builtin) -> Operand: ...

    @abstractmethod
    def literal(self, variable: Variable) -> Place: ...

    def value(self, expr: Expr) -> Operand:
        """The value of a scalar expression."""
        return self._values[expr.__class__](expr)

    # ---- constants ----

    def _int_const(self, expr: IntConst) -> Operand:
        return int_const(expr.type.ir, expr.value)

    def _float_const(self, expr: FloatConst) -> Operand:
        if expr.type.unqual is FLOAT16:
            return int_const(I16, half_bits(expr.value))
        return float_const(expr.type.ir, expr.value)

    # ---- places ----

    def _load(self, expr: Expr) -> Operand:
        place = self.place(expr)
        self.locate(expr.at)
        return self.load(place, expr.type)

    def place(self, expr: Expr) -> Place:
        """Where an lvalue, or a record value, is."""
        match expr:
            case Name(symbol=Variable() as variable):
                return self._variable_place(variable)
            case Name(symbol=Function() as function):
                return Place(self.module.function_symbol(function))
            case Deref():
                return self.pointer_place(expr.pointer)
            case MemberOf():
                return self._member_place(expr)
            case StringConst():
                return Place(self.module.string(expr))
            case CompoundLiteral():
                return self.literal(expr.variable)
        return Place(self.record(expr))

    def _variable_place(self, variable: Variable) -> Place:
        if variable.static:
            return Place(self.module.variable_symbol(variable))
        assert variable.slot is not None, variable.name
        if variable.vla is not None:
            return Place(self.cursor.load(PTR, variable.slot))
        return Place(variable.slot)

    def _member_place(self, expr: MemberOf) -> Place:
        base = self.place(expr.base)
        member = expr.member
        if member.width is not None:
            align = 1 if member.packed else base.align
            return Place(base.base, base.offset, align, member, expr.base.type.size)
        packed = member.packed and member.type.align > 1
        return Place(base.base, base.offset + member.offset, 1 if packed else base.align)

    def pointer_place(self, expr: Expr) -> Place:
        """Where a pointer points."""
        if isinstance(expr, AddressOf):
            return self.place(expr.operand)
        if isinstance(expr, PointerAdd):
            return self._sum_place(expr)
        if isinstance(expr, Convert) and expr.operand.type.is_pointer and expr.type.is_pointer:
            if expr.evaluates:
                self.evaluate_type(expr.type)
            return self.pointer_place(expr.operand)
        return Place(self.value(expr))

    def _sum_place(self, expr: PointerAdd) -> Place:
        place = self.pointer_place(expr.pointer)
        pointer = expr.type
        assert isinstance(pointer, PointerType)
        target = pointer.target
        fixed = not (isinstance(target, ArrayType) and target.is_vla)
        if isinstance(expr.index, IntConst) and fixed:
            step = expr.index.value * (target.size or 1)
            return Place(place.base, place.offset + (-step if expr.negative else step), place.align)
        index_type = expr.index.type
        index = self.value(expr.index)
        self.locate(expr.at)
        signed = isinstance(index_type, IntegerType) and index_type.signed
        index = self.resize(index, I64, signed)
        moved = self._scaled(index, target)
        if expr.negative:
            moved = self.cursor.binary(Op.SUB, int_const(I64, 0), moved)
        return Place(self.cursor.ptradd(place.base, moved), place.offset, place.align)

    def _scaled(self, index: Operand, target: CType) -> Operand:
        """An index times the size of what is indexed."""
        if isinstance(target, ArrayType) and target.is_vla:
            return self.cursor.binary(Op.MUL, index, self.size_of(target))
        size = target.size or 1
        if size & (size - 1) == 0:
            return self.shift(Op.SHL, index, size.bit_length() - 1)
        return self.cursor.binary(Op.MUL, index, int_const(I64, size))

    def _pointer(self, expr: Expr) -> Operand:
        return self.address(self.pointer_place(expr))

    def record(self, expr: Expr) -> Operand:
        """The address of a record value."""
        match expr:
            case Call():
                return self.call(expr)
            case Assign():
                to = self.place(expr.target)
                self.copy(to, self.place(expr.value), expr.type)
                return self.address(to)
            case Comma():
                self.effect(expr.left)
                return self.record(expr.right)
            case Conditional() if expr.then is not None:
                return self.choose(expr, PTR, self.record)
            case Convert():
                return self.record(expr.operand)
            case VaArg():
                return self._va_slot(expr)
            case StatementExpr():
                return self._statement_record(expr)
        return self.address(self.place(expr))

    # ---- operators ----

    def _unary(self, expr: Unary) -> Operand:
        operand = self.value(expr.operand)
        self.locate(expr.at)
        if expr.op == "-":
            return self.negative(operand, expr.type)
        return self.cursor.binary(Op.XOR, operand, int_const(operand.type, -1))

    def _binary(self, expr: Binary) -> Operand:
        """A chain like a + b + c is taken as a loop, however long it is."""
        chain = [expr]
        while isinstance(expr.left, Binary):
            expr = expr.left
            chain.append(expr)
        left = self.value(expr.left)
        while chain:
            expr = chain.pop()
            right = self.value(expr.right)
            if expr.op in ("<<", ">>"):
                right = self.resize(right, left.type, False)
            self.locate(expr.at)
            left = self.arithmetic(expr.op, expr.type, left, right)
        return left

    def _boolean(self, expr: Expr) -> Operand:
        return self.widen_bool(self.condition(expr), I32)

    def _difference(self, expr: PointerDifference) -> Operand:
        pointer = expr.left.type.unqual
        assert isinstance(pointer, PointerType)
        left = self.cursor.emit(Op.PTRTOINT, I64, (self.value(expr.left),))
        right = self.cursor.emit(Op.PTRTOINT, I64, (self.value(expr.right),))
        self.locate(expr.at)
        distance = self.cursor.binary(Op.SUB, left, right)
        target = pointer.target
        if isinstance(target, ArrayType) and target.is_vla:
            return self.cursor.binary(Op.SDIV, distance, self.size_of(target))
        size = target.size or 1
        if size & (size - 1) == 0:
            return self.shift(Op.ASHR, distance, size.bit_length() - 1)
        return self.cursor.binary(Op.SDIV, distance, int_const(I64, size))

    def _comma(self, expr: Comma) -> Operand:
        self.effect(expr.left)
        return self.value(expr.right)

    def _statement_value(self, expr: StatementExpr) -> Operand:
        assert expr.result is not None
        with self.statements_of(expr):
            return self.value(expr.result)

    def _statement_record(self, expr: StatementExpr) -> Operand:
        """A copy: the record may be in a variable-length array of the block, or be changed."""
        assert expr.result is not None
        copy = self.alloca_for(expr.type, "result")
        with self.statements_of(expr):
            self.copy(Place(copy), self.place(expr.result), expr.type)
        return copy

    def _convert(self, expr: Convert) -> Operand:
        inner = expr.operand
        to = expr.type
        if expr.evaluates:
            self.evaluate_type(to)
        if isinstance(inner, BOOLEANS) and to.is_integer:
            return self.widen_bool(self.condition(inner), to.ir)
        value = self.value(inner)
        self.locate(expr.at)
        return self.convert(value, inner.type, to)

    # ---- assignment ----

    def _assign(self, expr: Assign) -> Operand:
        place = self.place(expr.target)
        value = self.value(expr.value)
        self.locate(expr.at)
        return self.store(place, expr.target.type, value)

    def _compound_assign(self, expr: CompoundAssign) -> Operand:
        target = expr.target
        place = self.place(target)
        value = self.value(expr.value)
        type_ = target.type.unqual
        self.locate(expr.at)
        old = self.load(place, target.type)
        if isinstance(type_, PointerType):
            index_type = expr.value.type
            signed = isinstance(index_type, IntegerType) and index_type.signed
            moved = self._scaled(self.resize(value, I64, signed), type_.target)
            if expr.op == "-":
                moved = self.cursor.binary(Op.SUB, int_const(I64, 0), moved)
            return self.store(place, target.type, self.cursor.ptradd(old, moved))
        operation = expr.operation_type
        left = self.convert(old, type_, operation)
        if expr.op in ("<<", ">>"):
            value = self.resize(value, left.type, False)
        result = self.arithmetic(expr.op, operation, left, value)
        return self.store(place, target.type, self.convert(result, operation, type_))

    def _step(self, expr: Step) -> Operand:
        old, new = self.stepped(expr)
        return new if expr.prefix else old

    def stepped(self, expr: Step) -> tuple[Operand, Operand]:
        """Step a place; the values before and after."""
        target = expr.target
        place = self.place(target)
        self.locate(expr.at)
        old = self.load(place, target.type)
        type_ = target.type.unqual
        if isinstance(type_, PointerType):
            if isinstance(type_.target, ArrayType) and type_.target.is_vla:
                moved = self._scaled(int_const(I64, expr.delta), type_.target)
                new = self.cursor.ptradd(old, moved)
            else:
                new = self.cursor.ptradd(old, expr.delta * (type_.target.size or 1))
        elif type_.is_bool:
            wide = self.convert(old, type_, INT)
            new = self.convert(
                self.cursor.binary(Op.ADD, wide, int_const(I32, expr.delta)), INT, type_
            )
        elif type_.is_floating:
            op = "+" if expr.delta > 0 else "-"
            new = self.arithmetic(op, type_, old, self.one_of(type_))
        else:
            new = self.cursor.binary(Op.ADD, old, int_const(old.type, expr.delta))
        return old, self.store(place, target.type, new)

    # ---- variable-length types ----

    def evaluate_type(self, type_: CType) -> None:
        """Evaluate the lengths of a variably modified type, those not evaluated yet."""
        while type_.variably_modified:
            if isinstance(type_, PointerType):
                type_ = type_.target
            elif isinstance(type_, ArrayType):
                if type_.vla is not None and id(type_.vla) not in self.lengths:
                    length = self.value(type_.vla)
                    slot = self.alloca(8, 8, "length")
                    self.cursor.store(length, slot)
                    self.lengths[id(type_.vla)] = slot
                type_ = type_.element

    def size_of(self, type_: CType) -> Operand:
        """The size of a type as i64, computed where it is variable."""
        if not (isinstance(type_, ArrayType) and type_.is_vla):
            return int_const(I64, type_.size)
        self.evaluate_type(type_)
        element = self.size_of(type_.element)
        if type_.vla is None:
            length: Operand = int_const(I64, type_.length or 0)
        else:
            length = self.cursor.load(I64, self.lengths[id(type_.vla)])
        return self.cursor.binary(Op.MUL, length, element)

    def _vla_size(self, expr: VlaSize) -> Operand:
        self.locate(expr.at)
        return self.size_of(expr.of)

    # ---- variadic arguments ----

    def _va_slot(self, expr: VaArg) -> Operand:
        """The address of the next argument; the list moves on."""
        place = self.place(expr.list_)
        self.locate(expr.at)
        slot = self.load(place, expr.list_.type)
        size = expr.type.size + 7 & ~7 if expr.type.is_record else 8
        self.store(place, expr.list_.type, self.cursor.ptradd(slot, size))
        return slot

    def _va_arg(self, expr: VaArg) -> Operand:
        return self.load(Place(self._va_slot(expr)), expr.type)
