"""The value of an `#if` expression (6.10.1): integer constants of 64 bits, by precedence climbing.

pcpp brings an evaluator too, but its conditional operator associates the wrong way and its errors
know no column.
"""

from __future__ import annotations

from attrs import define

from hcc.compiler.kernelc.constants import LiteralError, char_constant, integer_constant
from hcc.compiler.kernelc.tokens import CHAR, ID, NUMBER, Token

_MASK = (1 << 64) - 1
_PRECEDENCE = {
    "||": 1, "&&": 2, "|": 3, "^": 4, "&": 5, "==": 6, "!=": 6, "<": 7, "<=": 7, ">": 7,
    ">=": 7, "<<": 8, ">>": 8, "+": 9, "-": 9, "*": 10, "/": 10, "%": 10,
}  # fmt: skip


class ConditionError(Exception):
    """The expression is malformed, at a position."""

    def __init__(self, at: int, message: str) -> None:
        super().__init__(message)
        self.at = at
        self.message = message


@define
class _Value:
    value: int
    unsigned: bool = False

    @property
    def exact(self) -> int:
        value = self.value & _MASK
        return value if self.unsigned or value < 1 << 63 else value - (1 << 64)


def evaluate(tokens: list[Token], at: int) -> bool:
    """Whether the macro-expanded tokens of a condition are true; identifiers count as 0."""
    if not tokens:
        raise ConditionError(at, "#if with no expression")
    reader = _Reader(tokens)
    value = reader.conditional(True)
    if reader.next is not None:
        token = reader.next
        raise ConditionError(token.lineno, f"unexpected '{token.value}' in #if expression")
    return value.exact != 0


class _Reader:
    """Reads an expression; `live` is false where a value must not matter (1 || 1/0)."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._index = 0

    @property
    def next(self) -> Token | None:
        return self._tokens[self._index] if self._index < len(self._tokens) else None

    def take(self) -> Token:
        token = self.next
        if token is None:
            at = self._tokens[-1].lineno
            raise ConditionError(at, "expected a value at the end of the #if expression")
        self._index += 1
        return token

    def accept(self, text: str) -> bool:
        if self.next is not None and self.next.value == text:
            self._index += 1
            return True
        return False

    def expect(self, text: str) -> None:
        token = self.next
        if not self.accept(text):
            at = (token or self._tokens[-1]).lineno
            raise ConditionError(at, f"expected '{text}' in #if expression")

    def conditional(self, live: bool) -> _Value:
        """conditional = binary ("?" conditional ":" conditional)?"""
        condition = self.binary(1, live)
        if not self.accept("?"):
            return condition
        true = condition.exact != 0
        then = self.conditional(live and true)
        self.expect(":")
        otherwise = self.conditional(live and not true)
        unsigned = then.unsigned or otherwise.unsigned
        return _Value((then if true else otherwise).exact, unsigned)

    def binary(self, least: int, live: bool) -> _Value:
        left = self.unary(live)
        while (token := self.next) is not None:
            precedence = _PRECEDENCE.get(token.value, 0)
            if precedence < least:
                break
            self.take()
            op = token.value
            decided = (op == "&&" and not left.exact) or (op == "||" and left.exact != 0)
            right = self.binary(precedence + 1, live and not decided)
            left = self._apply(token, left, right, live)
        return left

    def _apply(self, token: Token, left: _Value, right: _Value, live: bool) -> _Value:
        op = token.value
        unsigned = left.unsigned or right.unsigned
        a = left.exact & _MASK if unsigned else left.exact
        b = right.exact & _MASK if unsigned else right.exact
        match op:
            case "||":
                return _Value(int(left.exact != 0 or right.exact != 0))
            case "&&":
                return _Value(int(left.exact != 0 and right.exact != 0))
            case "==" | "!=" | "<" | "<=" | ">" | ">=":
                results = {
                    "==": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b
                }  # fmt: skip
                return _Value(int(results[op]))
            case "<<" | ">>":
                count = right.exact & 63
                shifted = left.exact << count if op == "<<" else left.exact >> count
                return _Value(shifted, left.unsigned)
            case "/" | "%":
                if b == 0:
                    if live:
                        raise ConditionError(token.lineno, "division by zero in #if expression")
                    return _Value(0, unsigned)
                quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
                return _Value(quotient if op == "/" else a - b * quotient, unsigned)
        value = {"|": a | b, "^": a ^ b, "&": a & b, "+": a + b, "-": a - b, "*": a * b}[op]
        return _Value(value, unsigned)

    def unary(self, live: bool) -> _Value:
        token = self.take()
        match token.value:
            case "(":
                value = self.conditional(live)
                self.expect(")")
                return value
            case "!":
                return _Value(int(self.unary(live).exact == 0))
            case "~" | "-" | "+":
                operand = self.unary(live)
                exact = operand.exact
                result = {"~": ~exact, "-": -exact, "+": exact}[token.value]
                return _Value(result, operand.unsigned)
        try:
            if token.type == NUMBER:
                number, _ = integer_constant(token.value)
                return _Value(number, "u" in token.value.lower() or number >> 63 != 0)
            if token.type == CHAR:
                return _Value(char_constant(token.value)[0])
        except LiteralError as error:
            raise ConditionError(token.lineno, str(error)) from None
        if token.type == ID:
            if self.next is not None and self.next.value == "(":
                message = f"'{token.value}' is not a macro with arguments"
                raise ConditionError(token.lineno, message)
            return _Value(0)
        raise ConditionError(token.lineno, f"'{token.value}' is not valid in an #if expression")
