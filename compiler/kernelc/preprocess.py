"""The preprocessor: directives, file inclusion and conditions around pcpp's macro engine.

pcpp defines and expands macros (stringising, pasting, variadic arguments). What lies around that
is ours, for three reasons: positions (pcpp knows lines only; ours go through it as the packed
`lineno` of each token, so a token that comes out of a macro stands where the macro was used),
diagnostics (pcpp prints and goes on), and time (pcpp runs its expander over every token and a PLY
lexer over every header; here only macro calls reach it).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pcpp
from pcpp.parser import Macro

from hcc.compiler.diagnostics import Diagnostics, Severity
from hcc.compiler.kernelc.conditions import ConditionError, evaluate
from hcc.compiler.kernelc.options import FrontEndOptions
from hcc.compiler.kernelc.positions import ONE_LINE, SourceFiles, line_of
from hcc.compiler.kernelc.predefined import predefined_macros
from hcc.compiler.kernelc.tokens import (
    CHAR,
    DOUBLE_POUND,
    ID,
    NEWLINE,
    NUMBER,
    PUNCT,
    SPACE,
    STRING,
    PcppLexer,
    Scan,
    Segment,
    Token,
    scan,
)

MAX_INCLUDE_DEPTH = 200
MAX_FILE_SIZE = 64 << 20
_DYNAMIC = ("__LINE__", "__COUNTER__")


class FatalError(Exception):
    """Reported already; the rest of the file would only make nonsense."""


class _Conditional:
    """One open #if: whether its group is active, and whether one was."""

    __slots__ = ("active", "at", "else_seen", "outer", "taken")

    def __init__(self, at: int, outer: bool, active: bool) -> None:
        self.at = at
        self.outer = outer
        self.active = active
        self.taken = active
        self.else_seen = False


class Preprocessor(pcpp.Preprocessor):  # type: ignore[misc]
    """Turns a source file into its tokens, macros expanded and white space gone.

    pcpp's constructor is not called: it probes its lexer and builds an expression evaluator,
    neither of which is used. The attributes below are those its macro engine reads.
    """

    t_ID, t_INTEGER, t_STRING, t_CHAR = ID, NUMBER, STRING, CHAR
    t_SPACE, t_NEWLINE, t_LINECONT, t_DPOUND = SPACE, NEWLINE, "CPP_LINECONT", DOUBLE_POUND
    t_WS = (SPACE, NEWLINE)
    t_COMMENT: tuple[str, ...] = ()
    expand_linemacro = expand_countermacro = True

    def __init__(
        self, options: FrontEndOptions, files: SourceFiles, diagnostics: Diagnostics
    ) -> None:
        self.lexer = PcppLexer()
        self.macros: dict[str, Any] = {}
        self.linemacro = self.linemacrodepth = self.countermacro = 0
        self._options = options
        self._files = files
        self._diagnostics = diagnostics
        self._out: list[Token] = []
        self._pending: list[Token] = []
        self._guards: dict[Path, str] = {}
        self._depth = 0
        self._shift = 0
        for definition in predefined_macros():
            self.define(definition)
        for name, value in options.defines:
            self.define(f"{name} {value}")

    # ---- what pcpp calls ----

    @staticmethod
    def t_INTEGER_TYPE(value: str | int) -> str:  # noqa: N802  (pcpp's name)
        """The text of a number: for __LINE__, the line of a packed position."""
        if isinstance(value, str):
            return value
        return str(line_of(value)) if value >= ONE_LINE else str(value)

    def on_error(self, file: str, line: int, message: str) -> None:
        self._error(line, message[0].lower() + message[1:])

    def tokenize(self, text: str) -> list[Token]:
        return [t for s in scan(text, 0).segments for t in _with_spaces(s.tokens)]

    # ---- running ----

    def run(self, path: Path) -> list[Token]:
        """The tokens of a translation unit."""
        text = self._read(path)
        if text is None:
            self._diagnostics.error(self._files.span(self._files.add(str(path))), "no such file")
            raise FatalError
        self._file(path, text)
        return self._out

    def _read(self, path: Path) -> str | None:
        try:
            if path.stat().st_size > MAX_FILE_SIZE:
                self._bad_file(path, f"is larger than {MAX_FILE_SIZE >> 20} MiB")
            data = path.read_bytes()
        except (OSError, ValueError):
            return None
        if b"\0" in data:
            line = data[: data.index(b"\0")].count(b"\n") + 1
            self._bad_file(path, "contains a NUL byte; is it a text file?", line)
        text = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
        return text.replace("\r\n", "\n")

    def _bad_file(self, path: Path, fact: str, line: int = 1) -> None:
        at = self._files.add(str(path)) + line * ONE_LINE
        self._diagnostics.error(self._files.span(at), f"the file {fact}")
        raise FatalError

    def _file(self, path: Path, text: str) -> None:
        """Preprocess one file into `_out`."""
        name = str(path)
        base = self._files.add(name)
        self._diagnostics.add_source(name, text)
        scanned = scan(text, base)
        for at, problem in scanned.problems:
            self._error(at, problem)
        before = self.macros.get("__FILE__")
        shift_before, self._shift = self._shift, 0
        self._set_file(name)
        self._depth += 1
        self._segments(scanned, path)
        self._flush()
        self._depth -= 1
        self._shift = shift_before
        if before is not None:
            self.macros["__FILE__"] = before
        guard = _include_guard(scanned)
        if guard:
            self._guards[path] = guard

    def _set_file(self, name: str) -> None:
        quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        self.macros["__FILE__"] = Macro("__FILE__", [Token(STRING, quoted, 0)])

    def _segments(self, scanned: Scan, path: Path) -> None:
        conditions: list[_Conditional] = []
        active = True
        for segment in scanned.segments:
            if self._shift:
                for token in segment.tokens:
                    token.lineno += self._shift
            if not segment.directive:
                if active:
                    self._pending += segment.tokens
                continue
            active = self._directive(segment, conditions, active, path)
        for condition in conditions:
            self._error(condition.at, "unterminated conditional directive")

    def _directive(
        self, segment: Segment, conditions: list[_Conditional], active: bool, path: Path
    ) -> bool:
        """Obey a directive; return whether the text behind it counts."""
        if not segment.tokens:
            return active
        head, args = segment.tokens[0], segment.tokens[1:]
        name = head.value
        if name in ("if", "ifdef", "ifndef"):
            truth = active and self._condition(head, args)
            conditions.append(_Conditional(head.lineno, active, truth))
            return truth
        if name in ("elif", "else", "endif"):
            return self._next_group(head, args, conditions)
        if not active:
            return False
        if head.type == NUMBER:
            name, args = "line", segment.tokens
        match name:
            case "define" | "undef" | "include" | "line" | "pragma":
                self._flush()
                self._obey(name, head, args, path)
            case "error" | "warning":
                words = "".join(" " * t.space + t.value for t in args).strip()
                severity = Severity.ERROR if name == "error" else Severity.WARNING
                self._diagnostics.report(severity, self._span(head), f"#{name} {words}".rstrip())
            case "ident" | "sccs":
                pass
            case "include_next" | "import":
                self._error(head.lineno, f"#{name} is not supported; use #include")
            case _:
                self._error(head.lineno, f"invalid preprocessing directive '#{name}'")
        return True

    def _condition(self, head: Token, args: list[Token]) -> bool:
        if head.value in ("if", "elif"):
            return self._evaluate(args, head)
        if not args or args[0].type != ID:
            self._error(head.lineno, f"no macro name given in #{head.value}")
            return False
        defined = args[0].value in self.macros or args[0].value in _DYNAMIC
        return defined == (head.value == "ifdef")

    def _next_group(self, head: Token, args: list[Token], conditions: list[_Conditional]) -> bool:
        name = head.value
        if not conditions:
            self._error(head.lineno, f"#{name} without #if")
            return True
        condition = conditions[-1]
        if name == "endif":
            conditions.pop()
            return condition.outer
        if condition.else_seen:
            self._error(head.lineno, f"#{name} after #else")
        if name == "else":
            condition.else_seen = True
            condition.active = condition.outer and not condition.taken
        else:
            wanted = condition.outer and not condition.taken
            condition.active = wanted and self._evaluate(args, head)
        condition.taken |= condition.active
        return condition.active

    def _evaluate(self, args: list[Token], head: Token) -> bool:
        """The truth of an #if expression; an error counts as false."""
        try:
            tokens = self._replace_defined(args)
            tokens = self.expand_macros(_with_spaces(tokens))
            return evaluate([t for t in tokens if t.type != SPACE], head.lineno)
        except ConditionError as error:
            self._error(error.at, error.message)
            return False

    def _replace_defined(self, tokens: list[Token]) -> list[Token]:
        """Put 1 or 0 for each `defined X` and `defined(X)`."""
        result: list[Token] = []
        i = 0
        while i < len(tokens):
            token = tokens[i]
            i += 1
            if token.value != "defined" or token.type != ID:
                result.append(token)
                continue
            texts = [t.value for t in tokens[i : i + 3]]
            if texts and tokens[i].type == ID:
                name, i = texts[0], i + 1
            elif len(texts) == 3 and texts[0] == "(" and texts[2] == ")":
                name, i = texts[1], i + 3
            else:
                raise ConditionError(token.lineno, "operator 'defined' requires an identifier")
            known = name in self.macros or name in _DYNAMIC
            result.append(Token(NUMBER, str(int(known)), token.lineno, True))
        return result

    def _obey(self, name: str, head: Token, args: list[Token], path: Path) -> None:
        if name == "include":
            self._include(head, args, path)
        elif name == "pragma":
            if args and args[0].value == "once":
                self._guards[path] = "__FILE__"
        elif name == "line":
            self._line(head, args)
        elif not args or args[0].type != ID:
            self._error(head.lineno, f"macro name missing in #{name}")
        elif args[0].value == "defined":
            self._error(args[0].lineno, f"'defined' cannot be used as a macro name in #{name}")
        elif name == "undef":
            self.macros.pop(args[0].value, None)
        else:
            self._define(args)

    def _define(self, args: list[Token]) -> None:
        name = args[0]
        before = self.macros.get(name.value)
        if len(args) > 1 and args[1].value != "(" and not args[1].space:
            args[1].space = True
        tokens = _with_spaces(args)
        if before is not None:
            self._check_redefinition(name, before, tokens)
        else:
            self.define(tokens)

    def _check_redefinition(self, name: Token, before: Any, tokens: list[Token]) -> None:
        self.define(tokens)
        after = self.macros[name.value]
        if _macro_text(before) != _macro_text(after):
            self._diagnostics.warning(self._span(name), f"'{name.value}' macro redefined")

    def _line(self, head: Token, args: list[Token]) -> None:
        """#line: from the next line on, positions are as it says."""
        args = [t for t in self.expand_macros(_with_spaces(args)) if t.type != SPACE]
        if not args or not args[0].value.isdigit() or int(args[0].value) > 0x7FFFFF:
            self._error(head.lineno, "#line wants a line number")
            return
        base = head.lineno - line_of(head.lineno) * ONE_LINE
        if len(args) > 1 and args[1].type == STRING:
            column = base & (ONE_LINE - 1)
            base = self._files.add(args[1].value[1:-1]) + column
            self._set_file(args[1].value[1:-1])
        wanted = base + int(args[0].value) * ONE_LINE
        self._shift += wanted - (head.lineno + ONE_LINE)

    # ---- inclusion ----

    def _include(self, head: Token, args: list[Token], path: Path) -> None:
        if args and args[0].value != "<" and args[0].type != STRING:
            args = [t for t in self.expand_macros(_with_spaces(args)) if t.type != SPACE]
        if args and args[0].type == STRING:
            name, folders = args[0].value[1:-1], [path.parent, *self._options.folders()]
        else:
            texts = [t.value if i == 0 or not t.space else " " + t.value
                     for i, t in enumerate(args[1:])]  # fmt: skip
            if not args or args[0].value != "<" or ">" not in texts:
                self._error(head.lineno, '#include expects "file" or <file>')
                return
            name, folders = "".join(texts[: texts.index(">")]), list(self._options.folders())
        for folder in folders:
            file = folder / name
            guard = self._guards.get(file)
            if guard is not None and guard in self.macros:
                return
            if not file.is_file():
                continue
            text = self._read(file)
            if text is not None:
                if self._depth >= MAX_INCLUDE_DEPTH:
                    self._error(head.lineno, f"#include nested deeper than {MAX_INCLUDE_DEPTH}")
                    raise FatalError
                self._file(file, text)
                return
        self._error((args or [head])[0].lineno, f"include file '{name}' not found")
        raise FatalError

    # ---- expansion ----

    def _flush(self) -> None:
        """Expand the text since the last directive into `_out`."""
        tokens, self._pending = self._pending, []
        macros, out = self.macros, self._out
        i, count = 0, len(tokens)
        while i < count:
            token = tokens[i]
            if token.type == ID and (token.value in macros or token.value in _DYNAMIC):
                i = self._expand_at(tokens, i)
            else:
                out.append(token)
                i += 1

    def _expand_at(self, tokens: list[Token], i: int) -> int:
        """Expand the macro named at `i`, with its arguments; return where to go on."""
        run, i = [tokens[i]], i + 1
        name = run[0].value
        while name in self.macros and self.macros[name].arglist is not None:
            end = _invocation_end(tokens, i)
            if end is None:
                break
            if end < 0:
                self._error(run[0].lineno, f"unterminated argument list invoking macro '{name}'")
                return len(tokens)
            run += _with_spaces(tokens[i:end])
            i = end
            run = self._expand(run)
            name = _trailing_name(run)
        else:
            run = self._expand(run)
            if _trailing_name(run) in self.macros:
                return self._continue(run, tokens, i)
        self._out += [t for t in run if t.type != SPACE]
        return i

    def _continue(self, run: list[Token], tokens: list[Token], i: int) -> int:
        """The expansion ends in the name of a macro whose arguments may follow in the text."""
        name = _trailing_name(run)
        end = _invocation_end(tokens, i) if self.macros[name].arglist is not None else None
        while end is not None and end > 0:
            run = self._expand(run + _with_spaces(tokens[i:end]))
            i = end
            name = _trailing_name(run)
            known = name in self.macros and self.macros[name].arglist is not None
            end = _invocation_end(tokens, i) if known else None
        self._out += [t for t in run if t.type != SPACE]
        return i

    def _expand(self, run: list[Token]) -> list[Token]:
        expanded: list[Token] = self.expand_macros(run)
        return expanded

    # ---- diagnostics ----

    def _span(self, token: Token) -> Any:
        return self._files.span(token.lineno, len(token.value))

    def _error(self, at: int, message: str) -> None:
        self._diagnostics.error(self._files.span(at), message)


def _with_spaces(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with white space as tokens, which pcpp's macro engine wants."""
    result: list[Token] = []
    for token in tokens:
        if token.space and result:
            result.append(Token(SPACE, " ", token.lineno))
        result.append(token)
    return result


def _invocation_end(tokens: list[Token], i: int) -> int | None:
    """Behind the closing parenthesis of the arguments that start at `i`; None if none do,
    -1 if they do not end."""
    if i >= len(tokens) or tokens[i].value != "(" or tokens[i].type != PUNCT:
        return None
    depth = 0
    for j in range(i, len(tokens)):
        token = tokens[j]
        if token.type == PUNCT:
            if token.value == "(":
                depth += 1
            elif token.value == ")":
                depth -= 1
                if depth == 0:
                    return j + 1
    return -1


def _trailing_name(run: list[Token]) -> str:
    for token in reversed(run):
        if token.type != SPACE:
            blocked = token.value in getattr(token, "expanded_from", ())
            return token.value if token.type == ID and not blocked else ""
    return ""


def _macro_text(macro: Any) -> tuple[Any, ...]:
    return macro.arglist, [t.value for t in macro.value if t.type != SPACE]


def _include_guard(scanned: Scan) -> str:
    """The macro whose definition makes a second inclusion of this file empty, if there is one."""
    segments = [s for s in scanned.segments if s.directive or s.tokens]
    if len(segments) < 3 or not all(s.directive and s.tokens for s in (segments[0], segments[-1])):
        return ""
    first = [t.value for t in segments[0].tokens]
    if len(first) != 2 or first[0] != "ifndef" or segments[-1].tokens[0].value != "endif":
        return ""
    depth = 0
    for segment in segments[:-1]:
        if segment.directive and segment.tokens:
            word = segment.tokens[0].value
            depth += word in ("if", "ifdef", "ifndef")
            depth -= word == "endif"
            if depth == 0 or (depth == 1 and word in ("else", "elif")):
                return ""
    return first[1]
