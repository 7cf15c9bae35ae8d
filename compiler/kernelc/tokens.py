"""Preprocessing tokens and the scanner that finds them in a file.

The scanner is one regular expression over the whole text. Its tokens have the attributes that
pcpp works with (`type`, `value`, `lineno`, `source`); `lineno` holds a packed position, so that
pcpp carries file, line and column along without knowing.
White space is not a token but a flag of the token behind it.

A line splice (backslash, newline) counts as white space; one in the middle of a word or operator
is removed first, at the price of columns in that line.

Tables of numbers can be most of a program's text. So what a line has of them, integers with commas
and braces between, may be taken as one token, a RUN; `split` makes the usual tokens of it. A run
has no names, so macros do not concern it; it never crosses a line, so directives end where they
should; and none of its integers is malformed. literal_tables.py is where runs go.
"""

from __future__ import annotations

import re

from attrs import define, field

from hcc.compiler.kernelc.positions import COLUMN_MASK, ONE_LINE

ID, NUMBER, STRING, CHAR, PUNCT, SPACE, OTHER = (
    "CPP_ID",
    "CPP_INTEGER",
    "CPP_STRING",
    "CPP_CHAR",
    "CPP_PUNCT",
    "CPP_WS",
    "CPP_OTHER",
)
DOUBLE_POUND = "CPP_DPOUND"
NEWLINE = "CPP_NEWLINE"
RUN = "RUN"

PLAIN_INTEGER = r"""(?:0[xX][0-9a-fA-F]{1,16}|0[0-7]{0,20}|[1-9][0-9]{0,17})
    (?:[uU](?:ll?|LL?)?|(?:ll?|LL?)[uU]?)?(?![\w.$])(?!(?<=[eEpP])[+-])"""
"""A constant that fits its type: no number that goes on behind it, like 0x1p+4 or 0xe+1."""

_RUN = rf"(?:[ \t]*+(?:[{{}},]|-?{PLAIN_INTEGER})){{6,}}+"
_IN_RUN = re.compile(r"[ \t]*(?:([{},-])|([0-9]\w*))")
_SCANNER = re.compile(
    r"""[ \t\f\v]*(?:
      (?P<CPP_ID>     (?!(?:[LUu]|u8)["'])[A-Za-z_$][A-Za-z0-9_$]*)
    | (?P<RUN>        @RUN@)
    | (?P<CPP_INTEGER> \.?[0-9](?:[eEpP][+-]|[A-Za-z0-9_.])*)
    | (?P<newline>    \n)
    | (?P<comment>    //(?:[^\n\\]|\\(?:\n|.|\Z))*|/\*.*?(?:\*/|\Z))
    | (?P<CPP_DPOUND> \#\#|%:%:)
    | (?P<CPP_PUNCT>  <<=|>>=|\.\.\.|->|\+\+|--|<<|>>|[<>=!+\-*/%&|^]=|&&|\|\||<:|:>|<%|%>|%:
                      |[][(){}.,;:?~!+\-*/%&|^<>=\#])
    | (?P<CPP_STRING> (?:[LUu]|u8)?"(?:[^"\\\n]|\\.)*")
    | (?P<CPP_CHAR>   [LUu]?'(?:[^'\\\n]|\\.)*')
    | (?P<splice>     \\[ \t]*(?:\n|\Z))
    | (?P<CPP_OTHER>  .)
    )""".replace("@RUN@", _RUN),
    re.VERBOSE | re.DOTALL,
)
_SPLIT_WORD = re.compile(r"(?<=[^\s\\])\\[ \t]*\n(?=\S)")
_NOTHING: frozenset[str] = frozenset()
_DIGRAPHS = {"<:": "[", ":>": "]", "<%": "{", "%>": "}", "%:": "#"}


class Token:
    """A preprocessing token; `hidden` are the macros it may not be expanded by. `kind` is what
    the parser calls it, once lexer.py has decided."""

    __slots__ = ("hidden", "kind", "lineno", "source", "space", "type", "value")

    def __init__(self, type: str, value: str, lineno: int, space: bool = False) -> None:  # noqa: A002
        self.type = type
        self.value: str = value
        self.lineno = lineno
        self.space = space
        self.source = ""
        self.kind = ""
        self.hidden: frozenset[str] = _NOTHING

    def __copy__(self) -> Token:
        token = Token(self.type, self.value, self.lineno, self.space)
        token.hidden = self.hidden
        return token

    def __repr__(self) -> str:
        return f"Token({self.type}, {self.value!r})"


@define(eq=False)
class Segment:
    """A run of text lines, or one directive line without its `#`."""

    tokens: list[Token]
    directive: bool
    at: int = 0


@define
class Scan:
    """A scanned file: its segments, and problems as (position, message)."""

    segments: list[Segment] = field(factory=list)
    problems: list[tuple[int, str]] = field(factory=list)


def scan(text: str, base: int, runs: bool = False) -> Scan:
    """Split a file's text into segments; `base` is the position of its line 0. With `runs`, the
    text outside of directives may have RUN tokens."""
    if "\\" in text and _SPLIT_WORD.search(text):
        text = _join_split_words(text)
    if not text.endswith("\n"):
        text += "\n"
    result = Scan()
    tokens: list[Token] = []
    segment = Segment(tokens, False)
    result.segments.append(segment)
    line = base + ONE_LINE
    line_start = -1
    fresh = True
    space = False
    end = 0
    for match in _SCANNER.finditer(text):
        kind = match.lastgroup
        before = end
        if kind == "newline":
            end = match.end()
            line += ONE_LINE
            line_start = end - 1
            fresh = True
            if segment.directive:
                tokens = []
                segment = Segment(tokens, False)
                result.segments.append(segment)
            space = True
            continue
        assert kind is not None
        start, end = match.span(kind)
        value = text[start:end]
        column = start - line_start
        at = line + (column if column <= COLUMN_MASK else COLUMN_MASK)
        if kind == "comment" or kind == "splice":
            if kind == "comment" and value.startswith("/*") and not _is_closed(value):
                result.problems.append((at, "unterminated comment"))
            if "\n" in value:
                line += ONE_LINE * value.count("\n")
                line_start = start + value.rindex("\n")
            space = True
            continue
        if kind == PUNCT:
            value = _DIGRAPHS.get(value, value)
        if fresh:
            fresh = False
            if value == "#":
                tokens = []
                segment = Segment(tokens, True, at)
                result.segments.append(segment)
                space = False
                continue
        tokens.append(Token(kind, value, at, space or before != start))
        space = False
        if kind == RUN:
            if segment.directive or not runs:
                tokens += split(tokens.pop())
        elif kind in (STRING, CHAR) and "\n" in value:
            line += ONE_LINE * value.count("\n")
            line_start = start + value.rindex("\n")
            tokens[-1].value = re.sub(r"\\[ \t]*\n", "", value)
    return result


def split(run: Token) -> list[Token]:
    """The tokens a RUN stands for."""
    line, column = run.lineno & ~COLUMN_MASK, run.lineno & COLUMN_MASK
    tokens: list[Token] = []
    for match in _IN_RUN.finditer(run.value):
        group = match.lastindex
        assert group is not None
        start = match.start(group)
        at = line + min(column + start, COLUMN_MASK)
        kind = PUNCT if group == 1 else NUMBER
        tokens.append(Token(kind, match[group], at, match.start() != start))
    tokens[0].space = run.space
    return tokens


def _is_closed(comment: str) -> bool:
    return comment.endswith("*/") and len(comment) >= 4


def _join_split_words(text: str) -> str:
    """Remove splices within words; the lines taken away come back behind the joined line."""
    lines: list[str] = []
    pending, removed = "", 0
    for line in text.split("\n"):
        stripped = line.rstrip(" \t")
        if stripped.endswith("\\"):
            pending += stripped[:-1]
            removed += 1
            continue
        lines.append(pending + line)
        lines += [""] * removed
        pending, removed = "", 0
    if removed:
        lines.append(pending)
    return "\n".join(lines)


class PcppLexer:
    """The part of a PLY lexer that pcpp uses, over the scanner above: to look at pasted tokens."""

    def __init__(self) -> None:
        self._tokens: list[Token] = []

    def clone(self) -> PcppLexer:
        return PcppLexer()

    def input(self, text: str) -> None:
        found = scan(text, 0).segments
        self._tokens = [t for segment in found for t in segment.tokens]
        if len(found) > 1:  # pasted to a lone '#'
            self._tokens.insert(0, Token(PUNCT, "#", 0))

    def token(self) -> Token | None:
        return self._tokens.pop(0) if self._tokens else None
