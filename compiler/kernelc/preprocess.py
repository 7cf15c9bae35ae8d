"""The preprocessor: directives, conditions and file inclusion, around pcpp's macro definitions.

pcpp as a whole would do all of this; what it lacks is positions with columns, diagnostics that are
collected instead of printed, and speed (a PLY lexer and an expander over every token of every
header). So the driver is ours, macros.py holds the macros, and a file is scanned at once.
"""

from __future__ import annotations

import re
from pathlib import Path

from hcc.compiler.diagnostics import Diagnostics, Severity, Span
from hcc.compiler.kernelc.conditions import ConditionError, evaluate
from hcc.compiler.kernelc.macros import FatalError, Macro, MacroTable
from hcc.compiler.kernelc.options import FrontEndOptions
from hcc.compiler.kernelc.positions import ONE_LINE, SourceFiles, line_of
from hcc.compiler.kernelc.predefined import predefined_macros
from hcc.compiler.kernelc.tokens import ID, NUMBER, STRING, Scan, Segment, Token, scan
from hcc.isa.errors import HccError
from hcc.isa.numerals import whole

_DEFINABLE = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*(\([A-Za-z0-9_$, .]*\))?")
MAX_INCLUDE_DEPTH = 200
MAX_FILE_SIZE = 64 << 20


_UNSUPPORTED_HEADERS = {
    "complex.h": "complex numbers are",
    "dlfcn.h": "shared libraries are",
    "fenv.h": "floating-point exceptions and rounding modes are",
    "locale.h": "locales are",
    "pthread.h": "threads are",
    "setjmp.h": "setjmp and longjmp are",
    "signal.h": "signals are",
    "stdatomic.h": "atomic types are",
    "tgmath.h": "type-generic mathematics is",
    "threads.h": "threads are",
    "wchar.h": "wide characters are",
    "wctype.h": "wide characters are",
}
"""Headers of C and POSIX that stand for what hcc does not do."""


class _Conditional:
    """One open #if: whether its group is active, and whether one was."""

    __slots__ = ("active", "at", "else_seen", "outer", "taken")

    def __init__(self, at: int, outer: bool, active: bool) -> None:
        self.at = at
        self.outer = outer
        self.active = active
        self.taken = active
        self.else_seen = False


class Preprocessor:
    """Turns a source file into its tokens, macros expanded and white space gone."""

    def __init__(
        self, options: FrontEndOptions, files: SourceFiles, diagnostics: Diagnostics
    ) -> None:
        self.macros = MacroTable(self._error)
        self._options = options
        self._files = files
        self._diagnostics = diagnostics
        self._out: list[Token] = []
        self._pending: list[Token] = []
        self._guards: dict[Path, str] = {}
        self._pushed: dict[str, list[Macro | None]] = {}
        """What push_macro has put away, by name."""
        self._depth = 0
        self._shift = 0
        files.add("<command line>")  # where the macros below are defined
        for definition in predefined_macros():
            self.macros.add_text(definition)
        for name, value in options.defines:
            if not _DEFINABLE.fullmatch(name):
                raise HccError(f"-D {name}: not the name of a macro")
            self.macros.add_text(f"{name} {value}")

    # ---- running ----

    def run(self, path: Path) -> list[Token]:
        """The tokens of a translation unit."""
        text = self._read(path)
        if text is None:
            reason = "is a directory" if path.is_dir() else "cannot be read"
            raise HccError(f"{path}: {reason if path.exists() else 'no such file'}")
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
        scanned = scan(text, base, runs=True)
        for at, problem in scanned.problems:
            self._error(at, problem)
        table = self.macros.table
        before = table.get("__FILE__")
        shift_before, self._shift = self._shift, 0
        self._set_file(name)
        self._depth += 1
        self._segments(scanned, path)
        self._flush()
        self._depth -= 1
        self._shift = shift_before
        if before is not None:
            table["__FILE__"] = before
        guard = _include_guard(scanned)
        if guard:
            self._guards[path] = guard

    def _set_file(self, name: str) -> None:
        quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        self.macros.table.pop("__FILE__", None)
        self.macros.add_text(f"__FILE__ {quoted}")

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
        return self.macros.is_defined(args[0].value) == (head.value == "ifdef")

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
            tokens = self.macros.expand(self._replace_defined(args))
            return evaluate(tokens, head.lineno)
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
            known = self.macros.is_defined(name)
            result.append(Token(NUMBER, str(int(known)), token.lineno, True))
        return result

    def _obey(self, name: str, head: Token, args: list[Token], path: Path) -> None:
        if name == "include":
            self._include(head, args, path)
        elif name == "pragma":
            self._pragma(args, path)
        elif name == "line":
            self._line(head, args)
        elif not args or args[0].type != ID:
            self._error(head.lineno, f"macro name missing in #{name}")
        elif args[0].value == "defined":
            self._error(args[0].lineno, f"'defined' cannot be used as a macro name in #{name}")
        elif name == "undef":
            self.macros.table.pop(args[0].value, None)
        else:
            self._define(args)

    def _pragma(self, args: list[Token], path: Path) -> None:
        """once, push_macro("NAME") and pop_macro("NAME"); others are ignored."""
        match [token.value for token in args]:
            case ["once", *_]:
                self._guards[path] = "__FILE__"
            case ["push_macro", "(", text, ")"]:
                name = text.strip('"')
                self._pushed.setdefault(name, []).append(self.macros.table.get(name))
            case ["pop_macro", "(", text, ")"] if self._pushed.get(text.strip('"')):
                name = text.strip('"')
                before = self._pushed[name].pop()
                self.macros.table.pop(name, None)
                if before is not None:
                    self.macros.table[name] = before

    def _define(self, args: list[Token]) -> None:
        name = args[0]
        if len(args) > 1 and args[1].value != "(":
            args[1].space = True
        before = self.macros.add(args)
        after = self.macros.table.get(name.value)
        if before is not None and after is not None and not before.same_as(after):
            self._diagnostics.warning(self._span(name), f"'{name.value}' macro redefined")

    def _line(self, head: Token, args: list[Token]) -> None:
        """#line: from the next line on, positions are as it says."""
        args = self.macros.expand(args)
        number = whole(args[0].value) if args else None
        if number is None or number > 0x7FFFFF:
            self._error(head.lineno, "#line wants a line number")
            return
        base = head.lineno - line_of(head.lineno) * ONE_LINE
        if len(args) > 1 and args[1].type == STRING:
            column = base & (ONE_LINE - 1)
            base = self._files.add(args[1].value[1:-1]) + column
            self._set_file(args[1].value[1:-1])
        wanted = base + number * ONE_LINE
        self._shift += wanted - (head.lineno + ONE_LINE)

    # ---- inclusion ----

    def _include(self, head: Token, args: list[Token], path: Path) -> None:
        if args and args[0].value != "<" and args[0].type != STRING:
            args = self.macros.expand(args)
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
            if guard is not None and self.macros.is_defined(guard):
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
        feature = _UNSUPPORTED_HEADERS.get(name)
        fact = f": {feature} not supported" if feature else " not found"
        self._error((args or [head])[0].lineno, f"include file '{name}'{fact}")
        raise FatalError

    def _flush(self) -> None:
        """Expand the text since the last directive into `_out`."""
        if self._pending:
            self._out += self.macros.expand(self._pending)
            self._pending = []

    # ---- diagnostics ----

    def _span(self, token: Token) -> Span:
        return self._files.span(token.lineno, len(token.value))

    def _error(self, at: int, message: str) -> None:
        self._diagnostics.error(self._files.span(at), message)


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
