"""Macros: pcpp reads their definitions, the expansion is done here.

pcpp's `define` parses a definition and finds the places where parameters, `#` and `##` stand in
its body; `_compile` turns that into a list of `_Item`s. pcpp's own expander is not used: it runs
over every token of a program, does not paste in macros without parameters, escapes backslashes
outside of literals, and loses a call whose arguments begin in another macro's expansion. The one
below is the algorithm of the C committee (Prosser's, with hide sets), over a stack of tokens.

Tokens from a macro's body stand at the place of the macro's use, those of its arguments at their
own place in the source.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

import pcpp
from attrs import define, field

from hcc.compiler.kernelc.positions import line_of
from hcc.compiler.kernelc.tokens import (
    CHAR,
    DOUBLE_POUND,
    ID,
    NEWLINE,
    NUMBER,
    PUNCT,
    RUN,
    SPACE,
    STRING,
    PcppLexer,
    Token,
    scan,
    split,
)

_WORD = r"[A-Za-z_$][A-Za-z0-9_$]*"
_PARAMETERS = re.compile(rf"(?:{_WORD} , )*(?:{_WORD}(?: \.\.\.)?|\.\.\.) |")  # pcpp trusts them
DYNAMIC = ("__LINE__", "__COUNTER__")
_NOTHING: frozenset[str] = frozenset()
MAX_EXPANSION = 1 << 22
"""How many tokens macros may give in one unit: a line of nested ones can ask for any number."""


class FatalError(Exception):
    """Reported already; the rest of the file would only make nonsense."""


@define(eq=False)
class _Item:
    """One place of a macro's body: a token, a parameter (`arg`), or a stringised one.

    `pasted`: it follows `##`. `raw`: the argument goes in unexpanded, next to a `##`.
    `va_comma`: a comma that goes away with empty variadic arguments."""

    token: Token
    arg: int = -1
    stringised: bool = False
    pasted: bool = False
    raw: bool = False
    va_comma: bool = False


@define(eq=False)
class Macro:
    """A compiled macro; `params` is None for one without parameter list."""

    name: str
    params: list[str] | None
    variadic: bool
    items: list[_Item]
    hides: frozenset[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.hides = frozenset((self.name,))

    def same_as(self, other: Macro) -> bool:
        """Whether a second definition repeats this one (6.10.3p2)."""

        def key(macro: Macro) -> list[tuple[str, bool, bool]]:
            return [(i.token.value, i.pasted, i.stringised) for i in macro.items]

        return self.params == other.params and key(self) == key(other)


class MacroTable(pcpp.Preprocessor):  # type: ignore[misc]
    """The macros defined now.

    pcpp's constructor is not called: it probes a lexer and builds an expression evaluator, and
    neither is used. The attributes below are those its `define` reads."""

    t_ID, t_INTEGER, t_STRING, t_CHAR = ID, NUMBER, STRING, CHAR
    t_SPACE, t_NEWLINE, t_LINECONT, t_DPOUND = SPACE, NEWLINE, "CPP_LINECONT", DOUBLE_POUND
    t_WS = (SPACE, NEWLINE)

    def __init__(self, report: Callable[[int, str], None]) -> None:
        self.lexer = PcppLexer()
        self.macros: dict[str, Any] = {}
        self.table: dict[str, Macro] = {}
        self._report = report
        self._counter = 0
        self._expanded = 0

    def on_error(self, file: str, line: int, msg: str) -> None:
        """pcpp's complaint about a definition; its line is our position."""
        self._report(line, msg[0].lower() + msg[1:])

    def add(self, tokens: list[Token]) -> Macro | None:
        """Define a macro from the tokens behind #define; return the one it replaces."""
        name = tokens[0].value
        before = self.table.get(name)
        if len(tokens) > 1 and tokens[1].value == "(" and not tokens[1].space:
            words = " ".join(t.value for t in tokens[2:]).partition(")")
            params = words[0].split()
            if not words[1] or not _PARAMETERS.fullmatch(words[0]) or _repeats(params):
                self._report(tokens[1].lineno, f"invalid parameter list of macro '{name}'")
                return None
        self.define(with_spaces(tokens))
        made = self.macros.pop(name, None)
        if made is not None:
            self.table[name] = _compile(made)
        return before

    def add_text(self, definition: str) -> None:
        """Define a macro from text, as -D and the predefined ones come."""
        self.add([t for s in scan(definition, 0).segments for t in s.tokens])

    def is_defined(self, name: str) -> bool:
        return name in self.table or name in DYNAMIC

    # ---- expansion ----

    def expand(self, tokens: list[Token]) -> list[Token]:
        """The tokens with all macros expanded."""
        table = self.table
        out: list[Token] = []
        work = tokens[::-1]
        while work:
            token = work.pop()
            if token.type is ID or token.type == ID:
                macro = table.get(token.value)
                if macro is not None:
                    if token.value not in token.hidden:
                        self._replace(macro, token, work, out)
                        continue
                elif token.value in DYNAMIC:
                    token = self._dynamic(token)
            out.append(token)
        return out

    def _dynamic(self, token: Token) -> Token:
        if token.value == "__LINE__":
            text = str(line_of(token.lineno))
        else:
            text = str(self._counter)
            self._counter += 1
        return Token(NUMBER, text, token.lineno, token.space)

    def _replace(self, macro: Macro, name: Token, work: list[Token], out: list[Token]) -> None:
        """Push what the macro at `name` stands for back on the stack."""
        args: list[list[Token]] = []
        hidden = name.hidden | macro.hides if name.hidden else macro.hides
        if macro.params is not None:
            if not work or work[-1].value != "(":
                out.append(name)
                return
            found = self._collect(macro, name, work)
            if found is None:  # complained about; a number does least harm to what follows
                out.append(Token(NUMBER, "0", name.lineno, name.space))
                return
            args, closing = found
            if name.hidden:
                hidden = (name.hidden & closing.hidden) | macro.hides
        body = self._substitute(macro, args, name)
        self._expanded += len(body)
        if self._expanded > MAX_EXPANSION:
            self._report(name.lineno, f"macros expand to more than {MAX_EXPANSION} tokens")
            raise FatalError
        for token in body:
            token.hidden = token.hidden | hidden if token.hidden else hidden
        if body:
            body[0].space = name.space
        body.reverse()
        work += body

    def _collect(
        self, macro: Macro, name: Token, work: list[Token]
    ) -> tuple[list[list[Token]], Token] | None:
        """Take the arguments off the stack; None (and a report) if they do not fit."""
        assert macro.params is not None
        work.pop()
        args: list[list[Token]] = [[]]
        wanted = len(macro.params)
        depth = 1
        while work:
            token = work.pop()
            if token.type == RUN:
                work += reversed(split(token))
                continue
            if token.type == PUNCT:
                if token.value == "(":
                    depth += 1
                elif token.value == ")":
                    depth -= 1
                    if depth == 0:
                        break
                elif (
                    token.value == ","
                    and depth == 1
                    and not (macro.variadic and len(args) == wanted)
                ):
                    args.append([])
                    continue
            args[-1].append(token)
        else:
            self._report(name.lineno, f"unterminated argument list of macro '{macro.name}'")
            return None
        if wanted == 0 and args == [[]]:
            args = []
        if macro.variadic and len(args) == wanted - 1:
            args.append([])
        if len(args) != wanted:
            least = f"at least {wanted - 1}" if macro.variadic else str(wanted)
            message = f"macro '{macro.name}' requires {least} arguments, but {len(args)} given"
            self._report(name.lineno, message)
            return None
        return args, token

    def _substitute(self, macro: Macro, args: list[list[Token]], use: Token) -> list[Token]:
        """The macro's body with the arguments put in, pasted: fresh tokens."""
        result: list[Token] = []
        expanded: dict[int, list[Token]] = {}
        empty_before = True  # whether the item before gave no token
        for item in macro.items:
            if item.va_comma and not args[-1]:
                continue
            if item.arg < 0:
                part = [copy.copy(item.token)]
                part[0].lineno = use.lineno
            elif item.stringised:
                text = _stringised(args[item.arg])
                part = [Token(STRING, text, use.lineno, item.token.space)]
            else:
                if not item.raw and item.arg not in expanded:
                    expanded[item.arg] = self.expand(args[item.arg])
                chosen = args[item.arg] if item.raw else expanded[item.arg]
                part = [copy.copy(t) for t in chosen]
                if part:
                    part[0].space = item.token.space
            if item.pasted and part and result and not empty_before:
                result += self._paste(result.pop(), part[0]) + part[1:]
            else:
                result += part
                empty_before = not part and (empty_before or not item.pasted)
        return result

    def _paste(self, left: Token, right: Token) -> list[Token]:
        text = left.value + right.value
        segments = scan(text, 0).segments
        tokens = [t for s in segments for t in s.tokens]
        if len(segments) > 1 and not tokens:
            tokens = [Token(PUNCT, "#", 0)]
        if len(segments) > 2 or len(tokens) != 1 or tokens[0].value != text:
            message = f"pasting '{left.value}' and '{right.value}' does not give a valid token"
            self._report(left.lineno, message)
            return [left, right]
        token = tokens[0]
        token.type = PUNCT if token.type == DOUBLE_POUND else token.type
        token.lineno, token.space, token.hidden = left.lineno, left.space, _NOTHING
        return [token]


def _compile(made: Any) -> Macro:
    """pcpp's macro, with its patch lists, as items."""
    patches = {}
    stringised = {}
    commas: list[int] = []
    if made.arglist is not None:
        patches = {i: (kind, arg) for kind, arg, i in made.patch}
        stringised = {i: arg for arg, i in made.str_patch}
        commas = made.var_comma_patch
    items: list[_Item] = []
    space = pasted = False
    for i, token in enumerate(made.value):
        if token.type == SPACE:
            space = True
            continue
        if token.type == DOUBLE_POUND and items and not pasted and i + 1 < len(made.value):
            pasted = True
            continue
        token.space = space
        item = _Item(token, pasted=pasted, va_comma=i in commas)
        if i in stringised:
            item.arg, item.stringised = stringised[i], True
        elif i in patches:
            kind, item.arg = patches[i]
            item.raw = kind == "t"
        if items and items[-1].va_comma:
            item.pasted = item.raw = False
        items.append(item)
        space = pasted = False
    return Macro(made.name, made.arglist, made.variadic, items)


def _repeats(params: list[str]) -> bool:
    names = [p for p in params if p != ","]
    return len(set(names)) < len(names)


def _stringised(tokens: list[Token]) -> str:
    """The `#` operator (6.10.3.2)."""
    text = ""
    for token in tokens:
        word = token.value
        if token.type in (STRING, CHAR):
            word = word.replace("\\", "\\\\").replace('"', '\\"')
        text += " " + word if token.space and text else word
    return f'"{text}"'


def with_spaces(tokens: list[Token]) -> list[Token]:
    """The tokens with white space as tokens between them, as pcpp wants them."""
    result: list[Token] = []
    for token in tokens:
        if token.space and result:
            result.append(Token(SPACE, " ", token.lineno))
        result.append(token)
    return result
