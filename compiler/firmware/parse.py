"""Firmware text to a syntax tree, with errors at file:line:column.

lark parses (LALR) and an indenter makes blocks of indentation, as in Python. The tree that
lark gives is measured before anything recursive touches it: text that nests more than
MAX_DEPTH levels is refused, so no input can exhaust the stack. Nothing is executed here or
later: `evaluate` interprets the tree under its own limits.
"""

from __future__ import annotations

import ast
import functools
import keyword
from pathlib import Path

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from lark.indenter import DedentError, Indenter

from . import syntax
from .diagnostics import FirmwareError, Span

MAX_TEXT = 1 << 18
MAX_DEPTH = 60

_SOFT = {"True", "False", "None"}
_RESERVED = frozenset(keyword.kwlist) - _SOFT


class _Blocks(Indenter):
    NL_type = "_NEWLINE"
    OPEN_PAREN_types = ["LPAR", "LSQB"]  # noqa: RUF012 (lark reads these as plain class attributes)
    CLOSE_PAREN_types = ["RPAR", "RSQB"]  # noqa: RUF012
    INDENT_type = "_INDENT"
    DEDENT_type = "_DEDENT"
    tab_len = 8


@functools.cache
def _parser() -> Lark:
    grammar = (Path(__file__).parent / "firmware.lark").read_text(encoding="utf-8")
    return Lark(
        grammar, parser="lalr", postlex=_Blocks(), propagate_positions=True, maybe_placeholders=True
    )


def parse_firmware(text: str, file: str) -> tuple[syntax.Statement, ...]:
    """The statements of a firmware text; FirmwareError with its place for anything else."""
    if len(text) > MAX_TEXT:
        raise FirmwareError(f"{file}: firmware text of {len(text)} characters (limit {MAX_TEXT})")
    lines = text.splitlines()
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise FirmwareError("NUL character in firmware text", Span(file, line, 1))
    try:
        tree = _parser().parse(text + "\n")
    except UnexpectedInput as error:
        raise _syntax_error(error, file, lines) from None
    except DedentError:
        raise _dedent_error(lines, file) from None
    _check_depth(tree, file, lines)
    return _Builder(file, lines).block(tree.children)


def _span(file: str, lines: list[str], line: int, column: int) -> Span:
    shown = lines[line - 1] if 0 < line <= len(lines) else ""
    return Span(file, max(line, 1), max(column, 1), shown)


def _syntax_error(error: UnexpectedInput, file: str, lines: list[str]) -> FirmwareError:
    line, column = error.line, error.column
    if line < 1 or line > len(lines):
        line, column = max(1, len(lines)), len(lines[-1]) + 1 if lines else 1
    span = _span(file, lines, line, column)
    if isinstance(error, UnexpectedCharacters):
        return FirmwareError(f"unexpected character {error.char!r}", span)
    if not isinstance(error, UnexpectedToken):
        return FirmwareError("unexpected end of the text", span)
    token = error.token
    match token.type:
        case "$END":
            return FirmwareError("unexpected end of the text", span)
        case "_INDENT":
            return FirmwareError("unexpected indentation", span)
        case "_DEDENT" | "_NEWLINE":
            return FirmwareError("unexpected end of the line or block", span)
    before = (lines[line - 1][: column - 1] if line <= len(lines) else "").split()
    for word in (str(token), before[-1] if before else ""):
        if word in _RESERVED and word not in _KNOWN_WORDS:
            return FirmwareError(f"'{word}' is not part of the firmware language", span)
    return FirmwareError(f"unexpected '{str(token)[:40]}'", span)


_KNOWN_WORDS = frozenset(
    {
        *("def", "if", "elif", "else", "for", "in", "not", "and", "or", "is"),
        *("return", "pass", "assert", "import", "from", "as"),
    }
)


def _dedent_error(lines: list[str], file: str) -> FirmwareError:
    """The place of an indentation that closes no open block, found by replaying them."""
    stack = [0]
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        width = len(line.expandtabs(8)) - len(line.expandtabs(8).lstrip())
        if width > stack[-1]:
            stack.append(width)
            continue
        while stack[-1] > width:
            stack.pop()
        if stack[-1] != width:
            return FirmwareError(
                "this indentation matches no block around it", _span(file, lines, number, 1)
            )
    return FirmwareError(f"{file}: indentation matches no block around it")


def _check_depth(tree: Tree[Token], file: str, lines: list[str]) -> None:
    stack: list[tuple[Tree[Token] | Token | None, int]] = [(tree, 0)]
    while stack:
        node, depth = stack.pop()
        if not isinstance(node, Tree):
            continue
        if depth > MAX_DEPTH:
            meta = node.meta
            place = (1, 1) if meta.empty else (meta.line, meta.column)
            raise FirmwareError(
                f"nested more than {MAX_DEPTH} levels deep", _span(file, lines, *place)
            )
        stack.extend((child, depth + 1) for child in node.children)


Node = Tree[Token] | Token | None


class _Builder:
    """lark's tree to ours. Requires a tree no deeper than MAX_DEPTH."""

    def __init__(self, file: str, lines: list[str]) -> None:
        self.file, self.lines = file, lines

    def span(self, node: Node) -> Span:
        if isinstance(node, Token):
            return _span(self.file, self.lines, node.line or 1, node.column or 1)
        if node is None or node.meta.empty:
            return Span(self.file, 1, 1)
        return _span(self.file, self.lines, node.meta.line, node.meta.column)

    def word(self, node: Node) -> str:
        name = str(node)
        if name in _RESERVED:
            raise FirmwareError(f"'{name}' is not part of the firmware language", self.span(node))
        return name

    # Statements

    def block(self, nodes: list[Tree[Token] | Token]) -> tuple[syntax.Statement, ...]:
        found: list[syntax.Statement] = []
        for node in nodes:
            if not isinstance(node, Tree):
                continue
            if node.data in ("simple_statements", "block"):
                found += self.block(node.children)
            else:
                found.append(self.statement(node))
        return tuple(found)

    def statement(self, node: Tree[Token]) -> syntax.Statement:
        span, children = self.span(node), node.children
        match str(node.data):
            case "function":
                parameters = self.parameters(children[1])
                body = self.block([_tree(children[3])])
                return syntax.Function(span, self.word(children[0]), parameters, body)
            case "if_statement":
                return self.if_statement(node)
            case "for_statement":
                over = self.expression(children[1])
                return syntax.For(
                    span, self.word(children[0]), over, self.block([_tree(children[2])])
                )
            case "assignment":
                return syntax.Assign(span, self.word(children[0]), "", self.expression(children[2]))
            case "augmented":
                operator = str(children[1])[:-1]
                return syntax.Assign(
                    span, self.word(children[0]), operator, self.expression(children[2])
                )
            case "expression_statement":
                return syntax.Evaluate(span, self.expression(children[0]))
            case "return_statement":
                value = None if children[0] is None else self.expression(children[0])
                return syntax.Return(span, value)
            case "assert_statement":
                message = None if children[1] is None else self.expression(children[1])
                return syntax.Assert(span, self.expression(children[0]), message)
        return syntax.Skip(span)

    def parameters(self, node: Node) -> tuple[syntax.Parameter, ...]:
        if not isinstance(node, Tree):
            return ()
        found: list[syntax.Parameter] = []
        for child in node.children:
            if not isinstance(child, Tree):
                continue
            name = self.word(child.children[0])
            if name in {parameter.name for parameter in found}:
                raise FirmwareError(f"two parameters are named '{name}'", self.span(child))
            default = child.children[2]
            value = None if default is None else self.expression(default)
            if value is None and found and found[-1].default is not None:
                raise FirmwareError(
                    f"parameter '{name}' without a default follows one with", self.span(child)
                )
            found.append(syntax.Parameter(self.span(child), name, value))
        return tuple(found)

    def if_statement(self, node: Tree[Token]) -> syntax.If:
        children = node.children
        last = children[-1]
        otherwise: tuple[syntax.Statement, ...] = ()
        if isinstance(last, Tree) and last.data == "else_block":
            otherwise = self.block(last.children)
        pairs = [child for child in children[:-1] if child is not None]
        branches = [
            (self.expression(pairs[i]), self.block([_tree(pairs[i + 1])]))
            for i in range(0, len(pairs), 2)
        ]
        return syntax.If(self.span(node), tuple(branches), otherwise)

    # Expressions

    def expression(self, node: Node) -> syntax.Expression:
        assert isinstance(node, Tree)
        span, children = self.span(node), node.children
        match str(node.data):
            case "name":
                return syntax.Name(span, self.word(children[0]))
            case "integer" | "real" | "string" | "true" | "false" | "none":
                return syntax.Literal(span, self.literal(node))
            case "sequence":
                return syntax.Sequence(
                    span, tuple(self.expression(c) for c in children if c is not None)
                )
            case "negation":
                return syntax.Unary(span, "not", self.expression(children[0]))
            case "unary":
                return syntax.Unary(span, str(children[0]), self.expression(children[1]))
            case "arithmetic" | "compare":
                kind = syntax.Compare if node.data == "compare" else syntax.Binary
                rest = tuple(
                    (_operator(children[i]), self.expression(children[i + 1]))
                    for i in range(1, len(children), 2)
                )
                return kind(span, self.expression(children[0]), rest)
            case "power":
                pair = ("**", self.expression(children[1]))
                return syntax.Binary(span, self.expression(children[0]), (pair,))
            case "any_of" | "all_of":
                word = "or" if node.data == "any_of" else "and"
                return syntax.Logic(span, word, tuple(self.expression(c) for c in children))
            case "ternary":
                value, condition, otherwise = (self.expression(c) for c in children)
                return syntax.Ternary(span, value, condition, otherwise)
            case "call":
                return self.call(node)
            case "attribute":
                return syntax.Attribute(span, self.expression(children[0]), str(children[1]))
            case "index":
                left, right = (self.expression(c) for c in children)
                return syntax.Index(span, left, right)
        raise AssertionError(f"no such node: {node.data}")

    def call(self, node: Tree[Token]) -> syntax.Call:
        positional: list[syntax.Expression] = []
        named: list[tuple[str, syntax.Expression]] = []
        arguments = node.children[1]
        for child in arguments.children if isinstance(arguments, Tree) else []:
            if not isinstance(child, Tree):
                continue
            if child.data == "keyword":
                name = self.word(child.children[0])
                if name in dict(named):
                    raise FirmwareError(f"argument '{name}' is given twice", self.span(child))
                named.append((name, self.expression(child.children[1])))
            elif named:
                raise FirmwareError("a positional argument after a named one", self.span(child))
            else:
                positional.append(self.expression(child))
        function = self.expression(node.children[0])
        return syntax.Call(self.span(node), function, tuple(positional), tuple(named))

    def literal(self, node: Tree[Token]) -> int | float | bool | str | None:
        match str(node.data):
            case "true" | "false":
                return node.data == "true"
            case "none":
                return None
        text = "".join(str(child) for child in node.children)
        if node.data == "string":
            return "".join(self.string(child) for child in node.children)
        try:
            return int(text, 0) if node.data == "integer" else float(text)
        except ValueError:
            raise FirmwareError(f"'{text[:40]}' is not a number", self.span(node)) from None

    def string(self, node: Node) -> str:
        """The text of one string token; the braces of an f-string stay as they are."""
        token = str(node)
        quote = min(token.find(q) for q in "'\"" if q in token)
        prefix = token[:quote].lower().replace("f", "").replace("b", "").replace("u", "")
        try:
            value = ast.literal_eval(prefix + token[quote:])
        except (SyntaxError, ValueError):
            raise FirmwareError(f"malformed string {token[:40]}", self.span(node)) from None
        return str(value)


def _tree(node: Node) -> Tree[Token]:
    assert isinstance(node, Tree)
    return node


def _operator(node: Node) -> str:
    if isinstance(node, Tree):
        return " ".join(str(child) for child in node.children)
    return str(node)
