"""Conversions between types, implicit and written (6.3, 6.5.16.1), with constants folded."""

from __future__ import annotations

from hcc.compiler.kernelc.addresses import number_of
from hcc.compiler.kernelc.constants import round_to
from hcc.compiler.kernelc.fold import float_to_int
from hcc.compiler.kernelc.semantics import ListActions
from hcc.compiler.kernelc.syntax import (
    AddressOf,
    Convert,
    Deref,
    ErrorExpr,
    Expr,
    FloatConst,
    IntConst,
    MemberOf,
    Name,
    StringConst,
)
from hcc.compiler.kernelc.types import (
    CONST,
    ERROR,
    ULONG,
    VOLATILE,
    ArrayType,
    CType,
    FloatingType,
    IntegerType,
    PointerType,
    RecordType,
    all_quals,
    compatible,
    pointer_to,
    promoted,
)


def is_null_constant(expr: Expr) -> bool:
    """Whether an expression is a null pointer constant (6.3.2.3p3)."""
    if not isinstance(expr, IntConst) or expr.value != 0:
        return False
    type_ = expr.type
    if isinstance(type_, PointerType):
        return type_.target.is_void and type_.target.quals == 0
    return type_.is_integer


def promoted_operand(expr: Expr) -> CType:
    """The promoted type of an operand; a bit-field's depends on its width."""
    if isinstance(expr, MemberOf) and expr.member.width is not None:
        return promoted(expr.type, expr.member.width)
    return promoted(expr.type)


class Conversions(ListActions):
    """Conversion of expressions, and the checks of assignment."""

    def value(self, expr: Expr) -> Expr:
        """An expression in value context: arrays and functions become pointers."""
        type_ = expr.type
        if type_.is_array:
            assert isinstance(type_, ArrayType)
            return AddressOf(pointer_to(type_.element), expr.at, expr)
        if type_.is_function:
            return AddressOf(pointer_to(type_), expr.at, expr)
        return expr

    def convert(self, expr: Expr, to: CType) -> Expr:
        """An arithmetic or pointer value converted to a type; no questions asked."""
        to = to.unqual
        source = expr.type.unqual
        if source is to or source.is_error:
            return expr
        if to.is_error:
            return ErrorExpr(ERROR, expr.at)
        if isinstance(expr, IntConst):
            return self._convert_int(expr, to)
        if isinstance(expr, FloatConst):
            return self._convert_float(expr, to)
        if source.is_pointer and isinstance(to, IntegerType):
            number = number_of(expr)  # offsetof written by hand
            if number is not None:
                return self._convert_int(IntConst(ULONG, expr.at, number & (1 << 64) - 1), to)
        if (
            isinstance(expr, Convert)
            and isinstance(source, IntegerType)
            and isinstance(to, IntegerType)
            and isinstance(inner := expr.operand.type.unqual, IntegerType)
            and to.size <= inner.size <= source.size
            and not (to.is_bool or inner.is_bool or source.is_bool)
        ):
            return self.convert(expr.operand, to)  # widened only to be narrowed again
        return Convert(to, expr.at, expr)

    def _convert_int(self, expr: IntConst, to: CType) -> Expr:
        value = expr.value
        match to:
            case IntegerType():
                value = int(value != 0) if to.is_bool else to.wrap(value)
                return IntConst(to, expr.at, value)
            case PointerType():
                return IntConst(to, expr.at, value & (1 << 64) - 1)
            case FloatingType():
                return FloatConst(to, expr.at, round_to_once(value, to))
        return Convert(to, expr.at, expr)

    def _convert_float(self, expr: FloatConst, to: CType) -> Expr:
        match to:
            case FloatingType():
                return FloatConst(to, expr.at, round_to(expr.value, to))
            case IntegerType():
                return IntConst(to, expr.at, float_to_int(expr.value, to))
        return Convert(to, expr.at, expr)

    def scalar(self, expr: Expr, use: str) -> Expr:
        """A value that must be scalar: a condition, an operand of `!`."""
        expr = self.value(expr)
        type_ = expr.type
        if not type_.is_scalar:
            fact = "void" if type_.is_void else f"of type '{type_}'"
            self.error(expr.at, f"{use} must be a number or pointer, but is {fact}")
            return ErrorExpr(ERROR, expr.at)
        return expr

    # ---- assignment and its likes ----

    def assign_convert(self, expr: Expr, to: CType, at: int, use: str) -> Expr:
        """A value converted as by assignment to a type; `use` says where, for complaints:
        "assigning to", "initialising", "passing argument 1 of 'f' as", "returning"."""
        expr = self.value(expr)
        target = to.unqual
        source = expr.type.unqual
        if source is target or source.is_error or target.is_error:
            return expr
        if source.is_void:
            self.error(expr.at, f"{use} '{to}': the value is void")
            return ErrorExpr(ERROR, at)
        if target.is_arithmetic and source.is_arithmetic:
            return self.convert(expr, target)
        if isinstance(target, PointerType):
            return self._assign_pointer(expr, target, at, use)
        if source.is_pointer and isinstance(target, IntegerType):
            if not target.is_bool:
                message = (
                    f"{use} '{to}' makes an integer from a pointer ('{expr.type}') without a cast"
                )
                self.error(at, message)
            return self.convert(expr, target)
        if compatible(target, source):
            return expr
        self.error(at, f"{use} '{to}' from incompatible type '{expr.type}'")
        return ErrorExpr(ERROR, at)

    def _assign_pointer(self, expr: Expr, target: PointerType, at: int, use: str) -> Expr:
        source = expr.type.unqual
        if is_null_constant(expr):
            return IntConst(target, expr.at, 0)
        if isinstance(source, IntegerType):
            message = (
                f"{use} '{target}' makes a pointer from an integer ('{source}') without a cast"
            )
            self.error(at, message)
            return self.convert(expr, target)
        if not isinstance(source, PointerType):
            self.error(at, f"{use} '{target}' from incompatible type '{expr.type}'")
            return ErrorExpr(ERROR, at)
        to, of = target.target, source.target
        if not pointers_agree(to, of):
            self.error(at, f"{use} '{target}' from incompatible pointer type '{expr.type}'")
        else:
            lost = all_quals(of) & ~all_quals(to) & (CONST | VOLATILE)
            if lost and not of.is_function:
                word = "const" if lost & CONST else "volatile"
                self.warning(at, f"{use} '{target}' from '{expr.type}' discards '{word}'")
        return self.convert(expr, target)

    # ---- casts ----

    def cast(self, expr: Expr, to: CType, at: int) -> Expr:
        """A written conversion (6.5.4)."""
        if to.is_void:
            return Convert(to.unqual, at, self.value(expr))
        expr = self.value(expr)
        source = expr.type
        if source.is_error or to.is_error:
            return ErrorExpr(ERROR, at)
        if isinstance(to, RecordType) and to.unqual is source.unqual:
            return expr
        if not to.is_scalar:
            self.error(at, f"conversion to '{to}', which is neither number nor pointer")
            return ErrorExpr(ERROR, at)
        if not source.is_scalar:
            fact = "a void value" if source.is_void else f"'{source}'"
            self.error(at, f"conversion of {fact} to '{to}'")
            return ErrorExpr(ERROR, at)
        if (to.is_pointer and source.is_floating) or (to.is_floating and source.is_pointer):
            self.error(at, f"conversion of '{source}' to '{to}'")
            return ErrorExpr(ERROR, at)
        if to.variably_modified:
            return Convert(to.unqual, at, expr, evaluates=True)
        made = self.convert(expr, to)
        if made is expr and _is_lvalue(expr):
            made = Convert(to.unqual, at, expr)  # a cast's result is no lvalue
        return made


def round_to_once(value: int, type_: FloatingType) -> float:
    """An integer as a float of the type, rounded once, to nearest even."""
    bits = {2: 11, 4: 24, 8: 53}[type_.size]
    excess = abs(value).bit_length() - bits
    if excess > 0:
        unit = 1 << excess
        low = abs(value) // unit * unit
        rest = abs(value) - low
        odd = (low // unit) & 1
        if rest * 2 > unit or (rest * 2 == unit and odd):
            low += unit
        value = low if value > 0 else -low
    return round_to(float(value), type_)


def pointers_agree(to: CType, of: CType) -> bool:
    """Whether a pointer to `of` may become one to `to`, qualifiers aside. Characters and integers
    that differ in sign only are let through, as C compilers do."""
    a, b = to.unqual, of.unqual
    if a.is_void or b.is_void:
        return True
    if compatible(_bare(a), _bare(b)):
        return True
    if isinstance(a, IntegerType) and isinstance(b, IntegerType):
        return (
            a.size == b.size
            and not a.is_bool
            and not b.is_bool
            and (a.rank == b.rank or a.enum != "" or b.enum != "")
        )
    if isinstance(a, PointerType) and isinstance(b, PointerType):
        return (
            pointers_agree(a.target, b.target)
            and a.target.is_void == b.target.is_void
            and a.target.unqual.size == b.target.unqual.size
        )
    return False


def _bare(type_: CType) -> CType:
    """The type without qualifiers, those of array elements included."""
    if isinstance(type_, ArrayType) and all_quals(type_):
        return ArrayType(_bare(type_.element), type_.length, type_.vla)
    return type_.unqual


def _is_lvalue(expr: Expr) -> bool:
    return isinstance(expr, (Name, Deref, MemberOf, StringConst))
