"""Tables of integers: initialisers in braces in which every item is an integer constant.

A dictionary, a Unicode property, a CRC: real programs carry tables of a hundred thousand numbers,
and to take each through tokens, grammar, conversion and the syntax tree costs a hundred times what
there is to do. So such an initialiser is one token for the parser (`TABLE`), with its numbers as
nested lists: the text of a table of C, its braces written as brackets and its numbers as decimal,
is JSON, and the standard library reads JSON fast and strictly. What JSON does not take is no table
and goes the usual way, as does everything that has a name, an operator or a designator in it.

A table remembers its tokens. Where its numbers are not to be had in one go (images.py), and after
a syntax error, they are made after all, and nothing is different from what it was without.
"""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import Any

from hcc.compiler.kernelc.constants import integer_constant
from hcc.compiler.kernelc.syntax import InitItem, InitList, IntConst
from hcc.compiler.kernelc.tokens import NUMBER, PLAIN_INTEGER, PUNCT, RUN, Token, split

TABLE = "TABLE"
MAX_DEPTH = 30

_PLAIN = re.compile(PLAIN_INTEGER, re.VERBOSE)
_FOREIGN = re.compile(r"(?<!\w)(-?)(?:0[xX]([0-9a-fA-F]+)|0([0-7]+)|([0-9]+)(?=[uUlL]))[uUlL]*")
_TRAILING = re.compile(r",\s*\]")
_NO_ITEM = re.compile(r"[\[,]\s*,")
_NO_BRACES = re.compile(r"[^{}]+")
_TO_JSON = str.maketrans("{}", "[]")


class TableToken(Token):
    """An initialiser as one token: its numbers, and the tokens it is made of."""

    __slots__ = ("pieces", "rows")

    def __init__(self, pieces: list[Token], rows: list[Any]) -> None:
        first = pieces[0]
        super().__init__(PUNCT, "{", first.lineno, first.space)
        self.kind = TABLE
        self.pieces = pieces
        self.rows = rows

    def items(self) -> list[InitItem]:
        """The items of the table, as the grammar's actions would make them."""
        outer: list[list[InitItem]] = []
        items: list[InitItem] = []
        minus = None
        for token in tokens_of(self.pieces):
            match token.value:
                case "{":
                    outer.append(items)
                    inner: list[InitItem] = []
                    items.append(InitItem([], InitList(token.lineno, inner)))
                    items = inner
                case "}":
                    items = outer.pop()
                case "-":
                    minus = token
                case ",":
                    pass
                case text:
                    value, type_ = integer_constant(text)
                    at = token.lineno
                    if minus is not None:
                        value, at, minus = type_.wrap(-value), minus.lineno, None
                    items.append(InitItem([], IntConst(type_, at, value)))
        table = items[0].value
        assert isinstance(table, InitList)
        return table.items


def tokens_of(pieces: list[Token]) -> list[Token]:
    """The tokens with those that runs stand for in place of the runs."""
    tokens: list[Token] = []
    for piece in pieces:
        if piece.type == RUN:
            tokens += split(piece)
        else:
            tokens.append(piece)
    return tokens


def with_tables(tokens: list[Token]) -> list[Token]:
    """The tokens with initialisers that are tables as one each, and no runs any more."""
    places = [i for i, token in enumerate(tokens) if token.type == RUN]
    if not places:
        return tokens
    out: list[Token] = []
    done = 0
    for place in places:
        if place < done:
            continue
        start = place
        while start > done and _is_piece(tokens[start - 1]):
            start -= 1
        out += tokens[done:start]
        end = place + 1
        while end < len(tokens) and _is_piece(tokens[end]):
            end += 1
        pieces = tokens[start:end]
        rows = _rows(pieces) if start > 0 and tokens[start - 1].value == "=" else None
        if rows is not None:
            out.append(TableToken(pieces, rows))
        else:
            out += tokens_of(pieces)
        done = end
    out += tokens[done:]
    return out


def _is_piece(token: Token) -> bool:
    """Whether a token can be within a table."""
    if token.type == PUNCT:
        return token.value in ("{", "}", ",", "-")
    return token.type == RUN or (token.type == NUMBER and _PLAIN.fullmatch(token.value) is not None)


def _rows(pieces: list[Token]) -> list[Any] | None:
    """The numbers of a table as nested lists; None if the tokens are no table."""
    text = " ".join([piece.value for piece in pieces])
    if text[0] != "{" or text[-1] != "}":
        return None
    braces = _NO_BRACES.sub("", text)
    depths = list(accumulate(1 if brace == "{" else -1 for brace in braces))
    if max(depths) > MAX_DEPTH or 0 in depths[:-1]:
        return None
    text = _FOREIGN.sub(_decimal, text).translate(_TO_JSON)
    if _NO_ITEM.search(text):
        return None
    try:
        rows: list[Any] = json.loads(_TRAILING.sub("]", text))
    except ValueError:
        return None
    return rows


def _decimal(match: re.Match[str]) -> str:
    """A constant that JSON writes otherwise. One with a sign is left, and refused: negative it may
    be a large unsigned number."""
    sign, hexadecimal, octal, decimal = match.groups()
    if sign:
        return match[0]
    if hexadecimal:
        return str(int(hexadecimal, 16))
    return str(int(octal, 8)) if octal else decimal
