"""Lowering of conversions and of arithmetic, with `_Float16` through float.

A `_Float16` value is its bits, an i16. Arithmetic extends to float, which is exact, and rounds the
result back, which is exact too for + - * /. The conversions are leaf functions of libhcc, not the
compiler-rt helpers LLVM would call.
"""

from __future__ import annotations

from hcc.compiler.ir.construct import float_const, int_const
from hcc.compiler.ir.module import Const, Operand, Signature, Symbol
from hcc.compiler.ir.ops import Op
from hcc.compiler.ir.types import F32, F64, I1, I16, I32, I64, PTR, Type
from hcc.compiler.kernelc.lower_base import NULL, Lowering, zero_of
from hcc.compiler.kernelc.types import FLOAT16, CType, FloatingType, IntegerType

_HALF = {
    "__hcc_f16_to_f32": Signature((I32,), F32),
    "__hcc_f32_to_f16": Signature((F32,), I32),
    "__hcc_f64_to_f16": Signature((F64,), I32),
}
_INT_OPS = {
    "+": (Op.ADD, Op.ADD), "-": (Op.SUB, Op.SUB), "*": (Op.MUL, Op.MUL), "&": (Op.AND, Op.AND),
    "|": (Op.OR, Op.OR), "^": (Op.XOR, Op.XOR), "<<": (Op.SHL, Op.SHL),
    ">>": (Op.LSHR, Op.ASHR), "/": (Op.UDIV, Op.SDIV), "%": (Op.UREM, Op.SREM),
}  # fmt: skip
_FLOAT_OPS = {"+": Op.FADD, "-": Op.FSUB, "*": Op.FMUL, "/": Op.FDIV}
_COMPARISONS = {  # unsigned and pointers, signed, floating
    "==": (Op.EQ, Op.EQ, Op.FEQ), "!=": (Op.NE, Op.NE, Op.FNE), "<": (Op.ULT, Op.SLT, Op.FLT),
    "<=": (Op.ULE, Op.SLE, Op.FLE), ">": (Op.UGT, Op.SGT, Op.FGT), ">=": (Op.UGE, Op.SGE, Op.FGE),
}  # fmt: skip


class Conversion(Lowering):
    """Conversions and arithmetic on operands."""

    def convert(self, value: Operand, source: CType, to: CType) -> Operand:
        """A scalar value of type `source` as type `to`."""
        source, to = source.unqual, to.unqual
        if source is to:
            return value
        if to.is_bool:
            return self.widen_bool(self.is_true(value, source), to.ir)
        if isinstance(source, FloatingType):
            if isinstance(to, FloatingType):
                return self._float_to_float(value, source, to)
            if isinstance(to, IntegerType):
                return self._float_to_int(self.as_float(value, source), to)
            return NULL
        if isinstance(to, FloatingType):
            return self._int_to_float(value, source, to)
        return self._int_or_pointer(value, source, to)

    def _int_or_pointer(self, value: Operand, source: CType, to: CType) -> Operand:
        if source.is_pointer:
            if to.is_pointer:
                return value
            if isinstance(value, Const):
                return int_const(to.ir, int(value.value))
            wide = self.cursor.emit(Op.PTRTOINT, I64, (value,))
            return self.resize(wide, to.ir, False)
        signed = isinstance(source, IntegerType) and source.signed
        if to.is_pointer:
            wide_int = self.resize(value, I64, signed)
            if isinstance(wide_int, Const):
                return Const(PTR, wide_int.value)
            return self.cursor.emit(Op.INTTOPTR, PTR, (wide_int,))
        return self.resize(value, to.ir, signed)

    # ---- floating point ----

    def half_call(self, name: str, value: Operand) -> Operand:
        signature = _HALF[name]
        self.module.extern_function(name, signature, leaf=True)
        return self.cursor.call(Symbol(name), (value,), signature, leaf=True)

    def as_float(self, value: Operand, type_: CType) -> Operand:
        """A floating value in an IR floating type: a `_Float16` as f32."""
        if type_.unqual is FLOAT16:
            return self.half_call("__hcc_f16_to_f32", self.resize(value, I32, False))
        return value

    def as_half(self, value: Operand) -> Operand:
        """An f32 or f64 rounded to `_Float16`."""
        name = "__hcc_f32_to_f16" if value.type is F32 else "__hcc_f64_to_f16"
        return self.resize(self.half_call(name, value), I16, False)

    def _float_to_float(self, value: Operand, source: CType, to: CType) -> Operand:
        if to is FLOAT16:
            return self.as_half(value)
        value = self.as_float(value, source)
        have, want = value.type, to.ir
        if have is want:
            return value
        op = Op.FPEXT if want.bits > have.bits else Op.FPTRUNC
        return self.cursor.convert(op, value, want)

    def _float_to_int(self, value: Operand, to: IntegerType) -> Operand:
        ir = to.ir if to.ir.bits >= 32 else I32
        unsigned = not to.signed and to.ir.bits >= 32
        whole = self.cursor.convert(Op.FPTOUI if unsigned else Op.FPTOSI, value, ir)
        return self.resize(whole, to.ir, False)

    def _int_to_float(self, value: Operand, source: CType, to: CType) -> Operand:
        signed = isinstance(source, IntegerType) and source.signed
        ir: Type = F64 if to is FLOAT16 else to.ir
        made = self.cursor.convert(Op.SITOFP if signed else Op.UITOFP, value, ir)
        return self.as_half(made) if to is FLOAT16 else made

    # ---- truth ----

    def is_true(self, value: Operand, type_: CType) -> Operand:
        """Whether a scalar is not zero, as i1."""
        if isinstance(value, Const):
            return Const(I1, int(value.value != 0))
        if isinstance(type_, FloatingType):
            value = self.as_float(value, type_)
            return self.cursor.compare(Op.FNE, value, zero_of(value.type))
        return self.cursor.compare(Op.NE, value, zero_of(value.type))

    def widen_bool(self, bit: Operand, ir: Type) -> Operand:
        """An i1 as an integer of another width."""
        if isinstance(bit, Const):
            return int_const(ir, int(bit.value))
        return bit if ir is I1 else self.cursor.convert(Op.ZEXT, bit, ir)

    # ---- operators ----

    def arithmetic(self, op: str, type_: CType, left: Operand, right: Operand) -> Operand:
        """`left op right` in a type; the right operand of a shift has the type's width."""
        if isinstance(type_, FloatingType):
            a, b = self.as_float(left, type_), self.as_float(right, type_)
            result = self.cursor.binary(_FLOAT_OPS[op], a, b)
            return self.as_half(result) if type_.unqual is FLOAT16 else result
        signed = isinstance(type_, IntegerType) and type_.signed
        return self.cursor.binary(_INT_OPS[op][signed], left, right)

    def compared(self, op: str, type_: CType, left: Operand, right: Operand) -> Operand:
        """`left op right` as i1."""
        if isinstance(type_, FloatingType):
            a, b = self.as_float(left, type_), self.as_float(right, type_)
            return self.cursor.compare(_COMPARISONS[op][2], a, b)
        signed = isinstance(type_, IntegerType) and type_.signed
        return self.cursor.compare(_COMPARISONS[op][signed], left, right)

    def negative(self, value: Operand, type_: CType) -> Operand:
        if isinstance(type_, FloatingType):
            if type_.unqual is FLOAT16:
                return self.cursor.binary(Op.XOR, value, int_const(I16, 0x8000))
            return self.cursor.unary(Op.FNEG, value)
        return self.cursor.binary(Op.SUB, zero_of(value.type), value)

    def one_of(self, type_: CType) -> Operand:
        if type_.unqual is FLOAT16:
            return int_const(I16, 0x3C00)
        return float_const(type_.ir, 1.0) if type_.is_floating else int_const(type_.ir, 1)
