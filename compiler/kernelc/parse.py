"""The parser: runs the LALR tables over the tokens, calls the actions, recovers from errors.

The lookahead is only consulted where the tables need it, so an identifier is classified (type
name or not) after the actions of everything before it have run. Where the grammar has no use for
a type name, an identifier that is one counts as plain: so a typedef name can be redeclared.

After a syntax error, first a forgotten `;`, `)` or `]` is put in or a superfluous closing bracket
left out, if the parse can go on then. Otherwise the stack is popped to the innermost list of
statements, members or declarations, and tokens are skipped to the next place where an element of
such a list can start. Errors right behind another are not reported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hcc.compiler.kernelc.lexer import END, IDENT, TYPE_NAME, convert
from hcc.compiler.kernelc.literal_tables import TableToken
from hcc.compiler.kernelc.positions import COLUMN_BITS
from hcc.compiler.kernelc.scope import Scope, Typedef
from hcc.compiler.kernelc.semantics import Mark, Semantics
from hcc.compiler.kernelc.tables import Tables
from hcc.compiler.kernelc.tokens import Token

_LISTS = ("block_item", "member", "external")
_LEAVES = {"CONSTANT": "constant", "IDENT": "identifier", "STRING": "string"}
"""The tokens that are expressions on their own, and the actions that make them so."""
_ITEM = "item"
_QUIET_TOKENS = 3
_STARTERS = frozenset(
    [
        "if",
        "while",
        "for",
        "do",
        "switch",
        "return",
        "break",
        "continue",
        "goto",
        "case",
        "default",
        "STORAGE",
        "BUILTIN",
        "STRUCT",
        "enum",
    ]
)
_CLOSERS = (")", "]")
_CANDIDATES = (")", "]", ",", ":", "}", "=", "{", "(", "while", "STRING")


class UnexpectedEnd(Exception):
    """Nothing is left to go on with after a syntax error, which has been reported."""


class SyntaxFault(Exception):
    """A syntax error in a token sequence parsed on its own (an attribute's argument)."""


class Parser:
    """Parses token lists with one set of actions."""

    def __init__(self, tables: Tables, semantics: Semantics) -> None:
        self._tables = tables
        self._semantics = semantics
        self._scope: Scope = semantics.scope
        self._methods: list[tuple[str, int, Callable[..., Any] | None]] = [
            (origin, size, getattr(semantics, f"on_{name}") if name else None)
            for origin, size, name in tables.rules
        ]

        self._leaves: dict[str, Callable[[Token], Any]] = {
            kind: getattr(semantics, f"on_{name}") for kind, name in _LEAVES.items()
        }
        self._on_item: Callable[[Any], Any] = getattr(semantics, f"on_{_ITEM}")
        self._items = frozenset(
            state for state, entries in enumerate(tables.gotos) if _ITEM in entries
        )
        self._running: _Run | None = None

    def parse(self, tokens: list[Token], start: str, strict: bool = False) -> Any:
        """The value of the start symbol. `strict` raises `SyntaxFault` instead of recovering."""
        last = tokens[-1].lineno if tokens else 0
        end = Token("CPP_END", "", last)
        end.kind = END
        outer = self._running
        self._running = _Run(self, [*tokens, end], start, strict)
        try:
            return self._running.run()
        finally:
            self._running = outer

    def next_kind(self) -> str:
        """The kind of the first token that no action has seen yet."""
        running = self._running
        return running.tokens[running.index].kind if running is not None else END


class _Run:
    """One parse."""

    def __init__(self, parser: Parser, tokens: list[Token], start: str, strict: bool) -> None:
        self.tables = parser._tables
        self.semantics = parser._semantics
        self.scope = parser._scope
        self.methods = parser._methods
        self.leaves = parser._leaves
        self.item_states = parser._items
        self.on_item = parser._on_item
        self.tokens = tokens
        self.index = 0
        self.strict = strict
        first, self.accepting = self.tables.starts[start]
        self.states = [first]
        self.values: list[Any] = []
        self.quiet_until = -1
        self.stuck_at = -1
        self.panicked_at = -1

    def run(self) -> Any:
        """The main loop: shift and reduce until the start symbol is complete."""
        states, values, tokens = self.states, self.values, self.tokens
        actions, gotos, defaults = self.tables.actions, self.tables.gotos, self.tables.defaults
        methods, item_states = self.methods, self.item_states
        names = self.scope.names
        while True:
            state = states[-1]
            rule = defaults[state]
            if rule < 0:
                token = tokens[self.index]
                kind = token.kind
                choices = actions[state]
                if kind == "IDENT" and "TYPE_NAME" in choices:
                    entity = names.get(token.value)
                    if entity.__class__ is Typedef or (
                        entity is None and self._is_unknown_type(state)
                    ):
                        kind = "TYPE_NAME"
                action = choices.get(kind)
                if action is None:
                    if state == self.accepting and kind == END:
                        return values[-1]
                    self._recover()
                    continue
                if action >= 0:
                    states.append(action)
                    values.append(token)
                    self.index += 1
                    if action in item_states:
                        self._take_items()
                    continue
                rule = ~action
            origin, size, method = methods[rule]
            if size == 1:
                if method is not None:
                    values[-1] = method(values[-1])
                states[-1] = gotos[states[-2]][origin]
            elif size:
                value = method(*values[-size:]) if method is not None else values[-1]
                del states[-size:]
                values[-size:] = [value]
                states.append(gotos[states[-1]][origin])
            else:
                values.append(method() if method is not None else None)
                states.append(gotos[state][origin])

    def _take_items(self) -> None:
        """Behind `{` or `,` of an initialiser, take the items that are one token, as the rules
        from `item` down to `postfix` would: most items of most tables are like that."""
        states, values, tokens = self.states, self.values, self.tokens
        leaves, on_item = self.leaves, self.on_item
        gotos, actions = self.tables.gotos, self.tables.actions
        while True:
            token = tokens[self.index]
            leaf = leaves.get(token.kind)
            if leaf is None:
                return
            following = tokens[self.index + 1]
            if following.kind != "," and following.kind != "}":
                return
            self.index += 1
            item = on_item(leaf(token))
            opening = values.pop()
            if opening.kind == "{":
                values += (opening, [item])
                states.append(gotos[states[-1]]["items"])
            else:
                values[-1].append(item)
                states.pop()
            if following.kind == "}":
                return
            states.append(actions[states[-1]][","])
            values.append(following)
            self.index += 1

    # ---- unknown type names ----

    def _is_unknown_type(self, state: int) -> bool:
        """Whether the identifier here was surely meant as a type: say so and declare it one."""
        token = self.tokens[self.index]
        if "STORAGE" not in self.tables.actions[state]:
            return False
        following = [t.kind for t in self.tokens[self.index + 1 : self.index + 4]]
        if following[:1] == [IDENT] or (
            following[:2] == ["*", IDENT] and following[2:] and following[2] in "=;,)["
        ):
            self.semantics.unknown_type(token)
            return True
        return False

    # ---- error recovery ----

    def _accepts(self, *kinds: str) -> bool:
        """Whether the parse could go on with these tokens."""
        states = list(self.states)
        tables = self.tables
        for kind in kinds:
            while True:
                rule = tables.defaults[states[-1]]
                if rule < 0:
                    action = tables.actions[states[-1]].get(kind)
                    if action is None:
                        return kind == END and states[-1] == self.accepting
                    if action >= 0:
                        states.append(action)
                        break
                    rule = ~action
                origin, size, _ = tables.rules[rule]
                if size:
                    del states[-size:]
                states.append(tables.gotos[states[-1]][origin])
        return True

    def _kind(self, token: Token) -> str:
        if token.kind == IDENT and isinstance(self.scope.names.get(token.value), Typedef):
            return TYPE_NAME
        return token.kind

    def _recover(self) -> None:
        """Report a syntax error, unless it follows another at once, and find a way to go on."""
        token = self.tokens[self.index]
        if self.strict:
            raise SyntaxFault
        if self._opens_tables():
            return
        quiet = self.index < self.quiet_until
        self.quiet_until = self.index + _QUIET_TOKENS
        if self.index != self.stuck_at:
            self.stuck_at = self.index
            if self._insert(token, quiet):
                return
        if not quiet:
            self.semantics.error(*self._message(token))
        following = self.tokens[self.index + 1].kind if token.kind != END else END
        if token.kind in _CLOSERS and self._accepts(following):
            self.index += 1
            return
        self._panic()

    def _opens_tables(self) -> bool:
        """Put the tokens of tables in their places, from the one before on: recovery points behind
        that and counts braces. Whether one is right here: with its tokens the parse might go on."""
        at, first = self.index, max(self.index - 1, 0)
        here = isinstance(self.tokens[at], TableToken)
        opened: list[Token] = []
        for i, token in enumerate(self.tokens[first:], first):
            if i == at:
                self.index = first + len(opened)
            if isinstance(token, TableToken):
                opened += convert(token.pieces, self.semantics.error)
            else:
                opened.append(token)
        self.tokens[first:] = opened
        return here

    def _insert(self, token: Token, quiet: bool) -> bool:
        """Put in a forgotten `;`, `)` or `]` if that lets the parse go on."""
        kind = self._kind(token)
        for missing in (";", *_CLOSERS):
            if self._accepts(missing, kind) or (
                kind == TYPE_NAME and self._accepts(missing, IDENT)
            ):
                break
        else:
            return False
        before = self.tokens[self.index - 1] if self.index else token
        at = before.lineno + len(before.value) if missing == ";" else token.lineno
        if not quiet:
            self.semantics.error(at, f"expected '{missing}' before {self._shown(token)}")
        made = Token("CPP_PUNCT", missing, at)
        made.kind = missing
        self.tokens.insert(self.index, made)
        self.quiet_until = self.index
        return True

    def _panic(self) -> None:
        """Drop the construct in which the error is."""
        gotos = self.tables.gotos
        keep = len(self.states) - 1
        while keep > 0 and not any(name in gotos[self.states[keep]] for name in _LISTS):
            keep -= 1
        popped = self.values[keep:]
        at_file_level = "external" in gotos[self.states[keep]] or keep == 0
        del self.states[keep + 1 :]
        del self.values[keep:]
        marks = [value for value in popped if isinstance(value, Mark)]
        if marks:
            self.semantics.restore(marks[0])
        open_braces = sum(m.braces for m in marks) + sum(
            1 for v in popped if isinstance(v, Token) and v.kind == "{"
        )
        before = self.index
        self._skip(open_braces, at_file_level)
        if self.tokens[self.index].kind == "else" or self.index == self.panicked_at:
            self.index += 1  # the second time at one token there is nothing to hope for from it
        self.panicked_at = before
        if self.index >= len(self.tokens) or self.tokens[self.index].kind == END:
            raise UnexpectedEnd
        self.quiet_until = self.index + 1

    def _skip(self, owed: int, at_file_level: bool) -> None:
        """Skip to where the next statement, member or declaration may start. `owed` braces were
        opened by what is dropped: an initialiser's or an enumeration's, so no `;` is in them."""
        depth = 0
        first = self.index
        while (token := self.tokens[self.index]).kind != END:
            kind = token.kind
            if depth == 0 and self.index > first and kind in _STARTERS and self._starts_line():
                return
            if kind == "}" and depth == 0 and owed == 0 and not at_file_level:
                return
            self.index += 1
            if kind == "{":
                depth += 1
            elif kind == ";" and depth == 0:
                return
            elif kind == "}":
                if depth == 0 and owed:
                    owed -= 1
                elif depth <= 1:
                    if self.tokens[self.index].kind == ";":
                        self.index += 1
                    return
                else:
                    depth -= 1

    def _starts_line(self) -> bool:
        here, before = self.tokens[self.index], self.tokens[self.index - 1]
        return here.lineno >> COLUMN_BITS != before.lineno >> COLUMN_BITS

    # ---- messages ----

    def _shown(self, token: Token) -> str:
        return f"'{token.value}'" if token.kind != END else "end of file"

    def _message(self, token: Token) -> tuple[int, str]:
        """Where to point and what to say of an unexpected token."""
        shown = self._shown(token)
        before = self.tokens[self.index - 1] if self.index else token
        if self._accepts(";") and not self._accepts("while"):
            return before.lineno + len(before.value), f"expected ';' before {shown}"
        if self._accepts("CONSTANT"):
            if self._accepts("while"):
                if token.kind == END:
                    return token.lineno, "expected '}' at end of file"
                return token.lineno, f"expected a statement before {shown}"
            return token.lineno, f"expected an expression before {shown}"
        wanted = self._wanted()
        if self._accepts(IDENT):
            if token.kind != IDENT and not token.value[:1].isalpha():
                return token.lineno, f"expected a name before {shown}"
            return token.lineno, f"unexpected {shown}; a name is expected here"
        if wanted:
            words = " or ".join(f"'{w}'" if w != "STRING" else "a string" for w in wanted[:3])
            return token.lineno, f"expected {words} before {shown}"
        return token.lineno, f"unexpected {shown}"

    def _wanted(self) -> list[str]:
        """Some tokens that could come now: closing ones and separators, if there are such."""
        found = [kind for kind in _CANDIDATES if self._accepts(kind)]
        return [kind for kind in found if kind in ")],:}"] or found
