"""The parse tables: made by lark from grammar.lark, compacted, and cached.

lark analyses the grammar and builds the LALR(1) automaton; its own parser loop is not used,
because it hashes a rule object at every reduction and knows no error recovery. What is kept per
state: an action for each terminal (a state to shift to, or ~rule to reduce by), a state for each
nonterminal, and the one rule by which the state reduces whatever comes, if there is such a rule.
A step through a rule that only hands its value on and is forced anyway is taken out beforehand.

The cache lies in the user's cache folder under a name made of the grammar and lark's version; it
is written in one step, and whatever cannot be read is made anew.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import tempfile
from importlib.util import find_spec
from operator import itemgetter
from pathlib import Path
from typing import Any

from attrs import frozen

GRAMMAR = Path(__file__).with_name("grammar.lark")
FORMAT = 3
STARTS = ("translation_unit", "conditional")

Rule = tuple[str, int, str]
"""A rule's nonterminal, the length of its right-hand side, and its action's name."""


@frozen(eq=False)
class Tables:
    """The automaton; `starts` maps a start symbol to its first and its accepting state."""

    actions: list[dict[str, int]]
    gotos: list[dict[str, int]]
    defaults: list[int]
    rules: list[Rule]
    starts: dict[str, tuple[int, int]]


def load_tables() -> Tables:
    """The tables of the grammar, from the cache if they are there."""
    grammar = GRAMMAR.read_bytes()
    key = hashlib.sha256(b"%d " % FORMAT + _lark_version() + grammar).hexdigest()
    file = cache_folder() / f"kernelc-{key[:24]}.tables"
    cached = read_cache(file)
    if isinstance(cached, tuple) and len(cached) == 5:
        return Tables(*cached)
    tables = build_tables(grammar.decode())
    data = (tables.actions, tables.gotos, tables.defaults, tables.rules, tables.starts)
    write_cache(file, data)
    return tables


def _lark_version() -> bytes:
    """What tells one release of lark from another: the file that states its version. (The
    packaging metadata would say it too, but takes longer to import than all of this module.)"""
    spec = find_spec("lark")
    if spec is None or spec.origin is None:
        return b""
    return Path(spec.origin).read_bytes()


def cache_folder() -> Path:
    """Where caches go: $HCC_CACHE_DIR, else hcc under $XDG_CACHE_HOME or ~/.cache."""
    own = os.environ.get("HCC_CACHE_DIR")
    if own:
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "hcc"
    except RuntimeError:  # no home folder
        return Path(tempfile.gettempdir()) / f"hcc-{os.getuid()}"


def read_cache(file: Path) -> Any:
    """What was cached, or None if it is not there or not whole."""
    try:
        data = file.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(data[32:]).digest() != data[:32]:
        return None
    try:
        return marshal.loads(data[32:])
    except (ValueError, EOFError, TypeError):
        return None


def write_cache(file: Path, data: Any) -> None:
    """Write a cache file in one step; a folder that cannot be written to is no error."""
    content = marshal.dumps(data)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=file.name)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(hashlib.sha256(content).digest() + content)
        Path(name).replace(file)
    except OSError:
        return


def build_tables(grammar: str) -> Tables:
    """Have lark analyse a grammar."""
    from lark import Lark
    from lark.lexer import Lexer
    from lark.parsers.lalr_analysis import Shift

    class NoLexer(Lexer):
        def __init__(self, conf: Any) -> None: ...

        def lex(self, lexer_state: Any, parser_state: Any) -> Any:
            return iter(())

    made: Any = Lark(grammar, parser="lalr", lexer=NoLexer, start=list(STARTS))
    table = made.parser.parser._parse_table
    text_of = {t.name: t.pattern.value for t in made.terminals if t.pattern is not None}
    rules: list[Rule] = []
    index: dict[int, int] = {}
    actions: list[dict[str, int]] = [{} for _ in table.states]
    gotos: list[dict[str, int]] = [{} for _ in table.states]
    numbers = {state: i for i, state in enumerate(table.states)}
    for state, entries in table.states.items():
        for name, (action, arg) in sorted(
            ((str(n), e) for n, e in entries.items()), key=itemgetter(0)
        ):
            if action is not Shift:
                if id(arg) not in index:
                    index[id(arg)] = len(rules)
                    rules.append((str(arg.origin.name), len(arg.expansion), str(arg.alias or "")))
                actions[numbers[state]][text_of.get(name, name)] = ~index[id(arg)]
            elif name in text_of or name.isupper() or name == "$END":
                actions[numbers[state]][text_of.get(name, name)] = numbers[arg]
            else:
                gotos[numbers[state]][name] = numbers[arg]
    starts = {s: (numbers[table.start_states[s]], numbers[table.end_states[s]]) for s in STARTS}
    defaults = [_only_rule(entries) for entries in actions]
    for accepting in (end for _, end in starts.values()):
        defaults[accepting] = -1
    _shorten(actions, gotos, defaults, rules)
    return Tables(actions, gotos, defaults, rules, starts)


def _only_rule(entries: dict[str, int]) -> int:
    """The rule a state reduces by whatever comes; -1 if that depends."""
    values = set(entries.values())
    value = values.pop() if len(values) == 1 else 0
    return ~value if value < 0 else -1


def _shorten(
    actions: list[dict[str, int]],
    gotos: list[dict[str, int]],
    defaults: list[int],
    rules: list[Rule],
) -> None:
    """Where a step leads to a state that only hands its value on, go to where that leads."""

    def passed(state: int, target: int) -> int:
        rule = defaults[target]
        while rule >= 0 and rules[rule][1] == 1 and not rules[rule][2]:
            target = gotos[state][rules[rule][0]]
            rule = defaults[target]
        return target

    for state, entries in enumerate(gotos):
        for name, target in entries.items():
            entries[name] = passed(state, target)
    for state, terminals in enumerate(actions):
        for kind, target in terminals.items():
            if target >= 0:
                terminals[kind] = passed(state, target)
