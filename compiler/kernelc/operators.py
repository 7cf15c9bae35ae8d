"""The typing of unary and binary operators, assignment and the conditional (6.5.3 to 6.5.17)."""

from __future__ import annotations

from hcc.compiler.kernelc.addresses import distance
from hcc.compiler.kernelc.conversions import (
    Conversions,
    is_null_constant,
    pointers_agree,
    promoted_operand,
)
from hcc.compiler.kernelc.fold import fold_compare, fold_float, fold_int
from hcc.compiler.kernelc.scope import Function, Variable
from hcc.compiler.kernelc.syntax import (
    AddressOf,
    Binary,
    Comma,
    Compare,
    CompoundAssign,
    CompoundLiteral,
    Conditional,
    Deref,
    ErrorExpr,
    Expr,
    FloatConst,
    IntConst,
    Logical,
    LogicalNot,
    MemberOf,
    Name,
    PointerAdd,
    PointerDifference,
    Step,
    StringConst,
    Unary,
)
from hcc.compiler.kernelc.syntax import Assign as AssignExpr
from hcc.compiler.kernelc.types import (
    CONST,
    ERROR,
    INT,
    LONG,
    VOID_POINTER,
    VOID_TYPE,
    CType,
    IntegerType,
    PointerType,
    RecordType,
    all_quals,
    compatible,
    composite,
    pointer_to,
    promoted,
    qualified,
    usual_conversion,
)

PRECEDENCE = {
    "||": 1, "&&": 2, "|": 3, "^": 4, "&": 5, "==": 6, "!=": 6, "<": 7, "<=": 7, ">": 7,
    ">=": 7, "<<": 8, ">>": 8, "+": 9, "-": 9, "*": 10, "/": 10, "%": 10,
}  # fmt: skip
_COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))
_INTEGER_ONLY = frozenset(("%", "&", "|", "^", "<<", ">>"))


class Operators(Conversions):
    """Makes operator nodes of typed operands."""

    # ---- binary ----

    def binary(self, op: str, left: Expr, right: Expr, at: int) -> Expr:
        """`left op right`."""
        left, right = self.value(left), self.value(right)
        a, b = left.type, right.type
        if a.is_error or b.is_error:
            return ErrorExpr(ERROR, at)
        if op in ("&&", "||"):
            return self._logical(op, left, right, at)
        if op in _COMPARISONS:
            return self._compare(op, left, right, at)
        if a.is_arithmetic and b.is_arithmetic:
            if op in _INTEGER_ONLY and (a.is_floating or b.is_floating):
                return self._invalid(op, left, right, at)
            return self._arithmetic(op, left, right, at)
        if op == "+":
            if a.is_pointer and b.is_integer:
                return self.pointer_add(left, right, at)
            if a.is_integer and b.is_pointer:
                return self.pointer_add(right, left, at)
        elif op == "-" and a.is_pointer:
            if b.is_integer:
                return self.pointer_add(left, right, at, negative=True)
            if b.is_pointer:
                return self._difference(left, right, at)
        return self._invalid(op, left, right, at)

    def _invalid(self, op: str, left: Expr, right: Expr, at: int) -> Expr:
        message = f"invalid operands to binary '{op}' ('{left.type}' and '{right.type}')"
        self.error(at, message)
        return ErrorExpr(ERROR, at)

    def _arithmetic(self, op: str, left: Expr, right: Expr, at: int) -> Expr:
        a, b = promoted_operand(left), promoted_operand(right)
        if op in ("<<", ">>"):
            left, right = self.convert(left, a), self.convert(right, b)
            self._check_shift(a, right)
            common = a
        else:
            common = usual_conversion(a, b)
            left, right = self.convert(left, common), self.convert(right, common)
        if isinstance(right, IntConst):
            if right.value == 0 and op in ("/", "%"):
                self.warning(at, "division by zero")
            if isinstance(left, IntConst):
                assert isinstance(common, IntegerType)
                folded = fold_int(op, left.value, right.value, common)
                if folded is not None:
                    return IntConst(common, at, folded)
        elif isinstance(left, FloatConst) and isinstance(right, FloatConst):
            return FloatConst(common, at, fold_float(op, left.value, right.value, common))
        return Binary(common, at, op, left, right)

    def _check_shift(self, type_: CType, count: Expr) -> None:
        if isinstance(count, IntConst) and not 0 <= count.value < type_.size * 8:
            fact = "negative" if count.value < 0 else f"not less than the width of '{type_}'"
            self.warning(count.at, f"shift count is {fact}; it is taken modulo the width")

    def pointer_add(self, pointer: Expr, index: Expr, at: int, negative: bool = False) -> Expr:
        """A pointer plus or minus an integer."""
        type_ = pointer.type.unqual
        assert isinstance(type_, PointerType)
        if not self._has_size(type_, at):
            return ErrorExpr(ERROR, at)
        if isinstance(index, IntConst):
            if index.value == 0:
                index = IntConst(LONG, index.at, 0)
            elif isinstance(pointer, IntConst) and not type_.variably_modified:
                step = index.value * (type_.target.size or 1) * (-1 if negative else 1)
                return IntConst(type_, at, (pointer.value + step) & (1 << 64) - 1)
        return PointerAdd(type_, at, pointer, index, negative)

    def _has_size(self, pointer: PointerType, at: int) -> bool:
        target = pointer.target
        if not target.complete and not target.is_void:
            self.error(at, f"arithmetic on a pointer to incomplete type '{target}'")
            return False
        return True

    def _difference(self, left: Expr, right: Expr, at: int) -> Expr:
        a, b = left.type.unqual, right.type.unqual
        assert isinstance(a, PointerType) and isinstance(b, PointerType)
        if not self._has_size(a, at):
            return ErrorExpr(ERROR, at)
        if not compatible(a.target.unqual, b.target.unqual) and not pointers_agree(
            a.target, b.target
        ):
            self.error(at, f"'{left.type}' and '{right.type}' are not pointers to compatible types")
            return ErrorExpr(ERROR, at)
        step = a.target.size or 1
        known = None if a.variably_modified else distance(left, right)
        if known is not None and known % step == 0:
            return IntConst(LONG, at, known // step)
        return PointerDifference(LONG, at, left, right)

    def _logical(self, op: str, left: Expr, right: Expr, at: int) -> Expr:
        left = self.scalar(left, f"an operand of '{op}'")
        right = self.scalar(right, f"an operand of '{op}'")
        if left.type.is_error or right.type.is_error:
            return ErrorExpr(ERROR, at)
        known = truth(left)
        if known is not None:
            if known == (op == "||"):
                return IntConst(INT, at, int(known))
            other = truth(right)
            if other is not None:
                return IntConst(INT, at, int(other))
        return Logical(INT, at, op, left, right)

    def _compare(self, op: str, left: Expr, right: Expr, at: int) -> Expr:
        a, b = left.type, right.type
        if a.is_arithmetic and b.is_arithmetic:
            common = usual_conversion(promoted_operand(left), promoted_operand(right))
            left, right = self.convert(left, common), self.convert(right, common)
            if isinstance(left, (IntConst, FloatConst)) and isinstance(
                right, (IntConst, FloatConst)
            ):
                return IntConst(INT, at, fold_compare(op, left.value, right.value))
            return Compare(INT, at, op, left, right)
        equality = op in ("==", "!=")
        if isinstance(a, PointerType) and isinstance(b, PointerType):
            if not pointers_agree(a.target, b.target) and not (
                is_null_constant(left) or is_null_constant(right)
            ):
                message = f"comparison of distinct pointer types ('{a}' and '{b}')"
                self.warning(at, message)
        elif (a.is_pointer and b.is_integer) or (a.is_integer and b.is_pointer):
            number = right if a.is_pointer else left
            if not is_null_constant(number):
                self.warning(at, f"comparison between pointer and integer ('{a}' and '{b}')")
            elif not equality:
                self.warning(at, "ordered comparison of a pointer with zero")
        else:
            return self._invalid(op, left, right, at)
        left, right = self.convert(left, VOID_POINTER), self.convert(right, VOID_POINTER)
        if isinstance(left, IntConst) and isinstance(right, IntConst):
            return IntConst(INT, at, fold_compare(op, left.value, right.value))
        known = distance(left, right)
        if known is not None:
            return IntConst(INT, at, fold_compare(op, known, 0))
        return Compare(INT, at, op, left, right)

    # ---- unary ----

    def negated(self, op: str, operand: Expr, at: int) -> Expr:
        """`+x`, `-x` and `~x`."""
        operand = self.value(operand)
        type_ = operand.type
        if type_.is_error:
            return ErrorExpr(ERROR, at)
        if not type_.is_arithmetic or (op == "~" and type_.is_floating):
            self.error(at, f"invalid operand to unary '{op}' ('{type_}')")
            return ErrorExpr(ERROR, at)
        to = promoted_operand(operand)
        operand = self.convert(operand, to)
        if op == "+":
            return operand if not is_lvalue(operand) else self.cast(operand, to, at)
        if isinstance(operand, IntConst):
            assert isinstance(to, IntegerType)
            value = -operand.value if op == "-" else ~operand.value
            return IntConst(to, at, to.wrap(value))
        if isinstance(operand, FloatConst):
            return FloatConst(to, at, -operand.value)
        return Unary(to, at, op, operand)

    def logical_not(self, operand: Expr, at: int) -> Expr:
        operand = self.scalar(operand, "the operand of '!'")
        if operand.type.is_error:
            return operand
        known = truth(operand)
        if known is not None:
            return IntConst(INT, at, int(not known))
        return LogicalNot(INT, at, operand)

    def dereferenced(self, operand: Expr, at: int) -> Expr:
        """`*p`, also of arrays and functions."""
        operand = self.value(operand)
        type_ = operand.type.unqual
        if type_.is_error:
            return ErrorExpr(ERROR, at)
        if not isinstance(type_, PointerType):
            self.error(at, f"'*' applied to a value that is no pointer ('{type_}')")
            return ErrorExpr(ERROR, at)
        if isinstance(operand, AddressOf) and operand.operand.type is type_.target:
            return operand.operand
        return Deref(type_.target, at, operand)

    def address(self, operand: Expr, at: int) -> Expr:
        """`&x`."""
        if operand.type.is_error:
            return ErrorExpr(ERROR, at)
        if isinstance(operand, MemberOf) and operand.member.width is not None:
            self.error(at, f"cannot take the address of bit-field '{operand.member.name}'")
            return ErrorExpr(ERROR, at)
        if isinstance(operand, Name) and isinstance(operand.symbol, Variable):
            if operand.symbol.is_register:
                self.error(at, f"address of register variable '{operand.symbol.name}' requested")
                return ErrorExpr(ERROR, at)
        elif not (is_lvalue(operand) or operand.type.is_function):
            self.error(at, f"cannot take the address of a value ('{operand.type}')")
            return ErrorExpr(ERROR, at)
        if isinstance(operand, Deref):
            made = operand.pointer
            return made if not is_lvalue(made) else self.cast(made, made.type, at)
        return AddressOf(pointer_to(operand.type), at, operand)

    # ---- assignment ----

    def assignable(self, target: Expr, at: int, verb: str) -> bool:
        """Whether a target can be stored to; complains if not."""
        type_ = target.type
        if type_.is_error:
            return False
        if not is_lvalue(target):
            self.error(at, f"cannot {verb} this: it is a value, not an object")
            return False
        if type_.is_array or type_.is_function:
            self.error(at, f"cannot {verb} an array or function ('{type_}')")
            return False
        if all_quals(type_) & CONST:
            name = f" '{target.symbol.name}'" if isinstance(target, Name) else ""
            notes = []
            if isinstance(target, Name):
                notes.append(
                    self.note(target.symbol.at, f"'{target.symbol.name}' is declared here")
                )
            self.error(at, f"cannot {verb}{name or ' this'}: it is const", *notes)
            return False
        if isinstance(type_, RecordType) and type_.record.has_const:
            self.error(at, f"cannot {verb} this: '{type_}' has a const member")
            return False
        if not type_.complete:
            self.error(at, f"cannot {verb} an object of incomplete type '{type_}'")
            return False
        return True

    def assigned(self, target: Expr, value: Expr, at: int) -> Expr:
        """`target = value`."""
        if not self.assignable(target, at, "assign to"):
            return ErrorExpr(ERROR, at)
        value = self.assign_convert(value, target.type, at, "assigning to")
        if value.type.is_error:
            return ErrorExpr(ERROR, at)
        return AssignExpr(target.type.unqual, at, target, value)

    def compound_assigned(self, op: str, target: Expr, value: Expr, at: int) -> Expr:
        """`target op= value`."""
        if not self.assignable(target, at, "assign to") or value.type.is_error:
            return ErrorExpr(ERROR, at)
        value = self.value(value)
        type_ = target.type.unqual
        if isinstance(type_, PointerType) and op in "+-" and value.type.is_integer:
            if not self._has_size(type_, at):
                return ErrorExpr(ERROR, at)
            return CompoundAssign(type_, at, op, target, value, type_)
        if not type_.is_arithmetic or not value.type.is_arithmetic:
            return self._invalid(f"{op}=", target, value, at)
        a, b = promoted_operand(target), promoted(value.type)
        if op in _INTEGER_ONLY and (a.is_floating or b.is_floating):
            return self._invalid(f"{op}=", target, value, at)
        if op in ("<<", ">>"):
            operation = a
            value = self.convert(value, b)
            self._check_shift(a, value)
        else:
            operation = usual_conversion(a, b)
            value = self.convert(value, operation)
            if op in "/%" and isinstance(value, IntConst) and value.value == 0:
                self.warning(at, "division by zero")
        return CompoundAssign(type_, at, op, target, value, operation)

    def stepped(self, target: Expr, delta: int, prefix: bool, at: int) -> Expr:
        """`++x`, `x--` and so on."""
        verb = "increment" if delta > 0 else "decrement"
        if not self.assignable(target, at, verb):
            return ErrorExpr(ERROR, at)
        type_ = target.type.unqual
        if not type_.is_scalar or (
            isinstance(type_, PointerType) and not self._has_size(type_, at)
        ):
            if not type_.is_pointer:
                self.error(at, f"cannot {verb} a value of type '{type_}'")
            return ErrorExpr(ERROR, at)
        return Step(type_, at, target, delta, prefix)

    # ---- choice and sequence ----

    def chosen(self, condition: Expr, then: Expr | None, otherwise: Expr, at: int) -> Expr:
        """`condition ? then : otherwise`; `then` is None in GNU's `condition ?: otherwise`."""
        condition = self.scalar(condition, "the condition of '?:'")
        first = self.value(condition if then is None else then)
        otherwise = self.value(otherwise)
        if condition.type.is_error or first.type.is_error or otherwise.type.is_error:
            return ErrorExpr(ERROR, at)
        type_ = self._choice_type(first, otherwise, at)
        if type_ is None:
            a, b = first.type, otherwise.type
            self.error(at, f"incompatible types of the two choices of '?:' ('{a}' and '{b}')")
            return ErrorExpr(ERROR, at)
        if type_.is_scalar:
            first, otherwise = self.convert(first, type_), self.convert(otherwise, type_)
        elif type_.is_void:
            first, otherwise = self.cast(first, type_, at), self.cast(otherwise, type_, at)
        known = truth(condition)
        if known is not None and type_.is_scalar:
            picked = first if known else otherwise
            if isinstance(picked, (IntConst, FloatConst)):
                # the null pointer constant must not leak out of a choice that is no constant
                other_is_constant = isinstance(
                    otherwise if known else first, (IntConst, FloatConst)
                )
                if other_is_constant or not picked.type.is_pointer:
                    return picked
        if then is None:
            return Conditional(type_, at, condition, None, otherwise)
        return Conditional(type_, at, condition, first, otherwise)

    def _choice_type(self, first: Expr, second: Expr, at: int) -> CType | None:
        """The type of a conditional expression (6.5.15p5), or None."""
        a, b = first.type.unqual, second.type.unqual
        if a.is_arithmetic and b.is_arithmetic:
            return usual_conversion(promoted_operand(first), promoted_operand(second))
        if a.is_void or b.is_void:
            return VOID_TYPE
        if a.is_record or b.is_record:
            return a if a is b else None
        if is_null_constant(first) and b.is_pointer:
            return b
        if is_null_constant(second) and a.is_pointer:
            return a
        if isinstance(a, PointerType) and isinstance(b, PointerType):
            quals = a.target.quals | b.target.quals
            if a.target.is_void or b.target.is_void:
                return pointer_to(qualified(VOID_TYPE, quals))
            if compatible(a.target.unqual, b.target.unqual):
                return pointer_to(qualified(composite(a.target.unqual, b.target.unqual), quals))
            self.warning(at, f"pointer type mismatch in '?:' ('{a}' and '{b}')")
            return VOID_POINTER
        if (a.is_pointer and b.is_integer) or (a.is_integer and b.is_pointer):
            self.warning(at, f"pointer and integer mismatch in '?:' ('{a}' and '{b}')")
            return a if a.is_pointer else b
        return None

    def sequence(self, left: Expr, right: Expr, at: int) -> Expr:
        """`left, right`."""
        right = self.value(right)
        if left.type.is_error or right.type.is_error:
            return ErrorExpr(ERROR, at)
        return Comma(right.type.unqual, at, left, right)


def truth(expr: Expr) -> bool | None:
    """Whether a constant is true; None if the expression is no constant."""
    if isinstance(expr, (IntConst, FloatConst)):
        return expr.value != 0
    if isinstance(expr, AddressOf):
        inner = expr.operand
        if isinstance(inner, StringConst) or (
            isinstance(inner, Name) and not isinstance(inner.symbol, Function)
        ):
            return True
    return None


def is_lvalue(expr: Expr) -> bool:
    """Whether an expression designates an object."""
    if isinstance(expr, MemberOf):
        return is_lvalue(expr.base)
    if isinstance(expr, Name):
        return isinstance(expr.symbol, Variable)
    return isinstance(expr, (Deref, StringConst, CompoundLiteral))
