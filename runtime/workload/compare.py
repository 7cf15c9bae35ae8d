"""Comparing results: with a reference, with patterns, and with each other.

A reference is a tree that must be found among the results; what the results hold beyond it does
not matter. Files must be equal byte for byte, as text without regard to a missing last newline;
of a log, the reference's lines must stand in it one after another, whole. Carriage returns of a
log do not count. With a tolerance, numbers may be off by so much and all else must be equal.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from hcc.isa.errors import HccError
from hcc.runtime.workload.console import program_part
from hcc.runtime.workload.tasks import LOG, MANIFEST

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_WIDTH = 44
_CONTEXT = 2
# What our own runtime and QEMU say, on the program's stream, about its death.
_EPITAPH = re.compile(rb"(?:^|(?<=\n))(?:hcc: |qemu: uncaught )[^\n]*\n?\Z")
_FIRST_SIGNAL = 128

Same = Callable[[str, str], bool]


@frozen
class Rules:
    """How results are compared. Tolerances are relative and absolute."""

    strip: bool = True
    log: str = "contiguous"
    relative: float = 0.0
    absolute: float = 0.0
    match: Mapping[str, tuple[str, ...]] | None = None
    absent: Mapping[str, tuple[str, ...]] | None = None

    @property
    def same(self) -> Same:
        """Whether two lines are equal under these rules."""
        if not self.relative and not self.absolute:
            return str.__eq__
        return self._near

    def _near(self, expected: str, found: str) -> bool:
        if expected == found:
            return True
        if _NUMBER.split(expected) != _NUMBER.split(found):
            return False
        pairs = zip(_NUMBER.findall(expected), _NUMBER.findall(found), strict=True)
        return all(
            math.isclose(float(a), float(b), rel_tol=0.0, abs_tol=self._allowed(float(a)))
            for a, b in pairs
        )

    def _allowed(self, expected: float) -> float:
        return max(self.absolute, self.relative * abs(expected))


def lines_of(content: bytes) -> list[str]:
    """The lines of a text; the last need not end."""
    return content.decode(errors="surrogateescape").split("\n") if content else []


def _without_last_newline(content: bytes) -> bytes:
    return content[:-1] if content.endswith(b"\n") else content


def log_text(content: bytes, strip: bool, status: int | None = None) -> bytes:
    """A log as it is compared: without carriage returns, and if `strip` only what the program
    printed."""
    if strip:
        content = program_part(content)
        if status is not None and status > _FIRST_SIGNAL:
            content = _EPITAPH.sub(b"", content)
    return content.replace(b"\r", b"")


def compare_log(reference: bytes, log: bytes, rules: Rules, name: str) -> str | None:
    """How a log misses its reference, or None."""
    wanted = lines_of(_without_last_newline(reference.replace(b"\r", b"")))
    found = lines_of(_without_last_newline(log))
    same = rules.same
    match rules.log:
        case "exact":
            if len(wanted) == len(found) and all(map(same, wanted, found)):
                return None
            return side_by_side(wanted, found, "reference", name, same)
        case "ordered":
            at = 0
            for number, line in enumerate(wanted):
                at = next((i + 1 for i in range(at, len(found)) if same(line, found[i])), 0)
                if not at:
                    return f"{name}: line {number + 1} of the reference is not in it: {line!r}"
            return None
    if not wanted:
        return None
    best, best_at = -1, 0
    for start in range(max(1, len(found) - len(wanted) + 1)):
        length = 0
        for line, other in zip(wanted, found[start:], strict=False):
            if not same(line, other):
                break
            length += 1
        if length == len(wanted):
            return None
        if length > best:
            best, best_at = length, start
    return side_by_side(wanted, found[best_at:], "reference", name, same, best_at)


def compare_file(reference: bytes, found: bytes, rules: Rules, name: str) -> str | None:
    """How a file differs from its reference, or None."""
    if reference == found:
        return None
    if b"\0" in reference or b"\0" in found:
        at = next(
            (i for i, (a, b) in enumerate(zip(reference, found, strict=False)) if a != b),
            min(len(reference), len(found)),
        )
        return f"{name}: differs from byte {at} on ({len(reference)} and {len(found)} bytes)"
    wanted = lines_of(_without_last_newline(reference))
    lines = lines_of(_without_last_newline(found))
    if len(wanted) == len(lines) and all(map(rules.same, wanted, lines)):
        return None
    return side_by_side(wanted, lines, "reference", name, rules.same)


def side_by_side(
    left: Sequence[str],
    right: Sequence[str],
    left_name: str,
    right_name: str,
    same: Same = str.__eq__,
    offset: int = 0,
) -> str:
    """The first difference of two texts, in two columns with line numbers."""
    count = max(len(left), len(right))
    first = next(
        (
            i
            for i in range(count)
            if i >= len(left) or i >= len(right) or not same(left[i], right[i])
        ),
        count,
    )
    rows = [f"first difference, in line {first + 1} of {left_name}:"]
    rows.append(f"      {left_name[:_WIDTH]:<{_WIDTH}}   {right_name[:_WIDTH]}")
    for i in range(max(0, first - _CONTEXT), min(count, first + _CONTEXT + 1)):
        a = f"{i + 1:4} {left[i]}" if i < len(left) else "     (the end)"
        b = f"{i + 1 + offset:4} {right[i]}" if i < len(right) else "     (the end)"
        mark = "!" if i == first else " "
        rows.append(f"{mark} {_shown(a):<{_WIDTH + 4}} | {_shown(b)}")
    return "\n".join(rows)


def _shown(text: str) -> str:
    clean = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return clean if len(clean) <= _WIDTH + 4 else clean[: _WIDTH + 3] + "…"


def compare_tree(reference: Path, result: Path, rules: Rules, status: int | None) -> list[str]:
    """What of a reference is not in a job's results."""
    problems = []
    for path in sorted(reference.rglob("*")):
        name = path.relative_to(reference).as_posix()
        place = result / name
        if path.is_dir():
            if not place.is_dir():
                problems.append(f"{name}: no such folder among the results")
            continue
        if not place.is_file():
            problems.append(f"{name}: no such file among the results")
            continue
        expected, found = path.read_bytes(), place.read_bytes()
        if path.name == LOG:
            problem = compare_log(expected, log_text(found, rules.strip, status), rules, name)
        else:
            problem = compare_file(expected, found, rules, name)
        if problem is not None:
            problems.append(problem)
    return problems


def check_patterns(result: Path, rules: Rules, status: int | None) -> list[str]:
    """Patterns that are not found in a job's results, or are though they must not be."""
    problems = []
    for wanted, patterns in ((True, rules.match), (False, rules.absent)):
        for name, expressions in (patterns or {}).items():
            place = result / name
            if not place.is_file():
                problems.append(f"{name}: no such file among the results")
                continue
            content = place.read_bytes()
            if place.name == LOG:
                content = log_text(content, rules.strip, status)
            text = content.decode(errors="surrogateescape")
            for expression in expressions:
                found = re.search(expression, text, re.MULTILINE)
                if wanted and found is None:
                    problems.append(f"{name}: nothing in it matches {expression!r}")
                elif not wanted and found is not None:
                    line = text.count("\n", 0, found.start()) + 1
                    problems.append(
                        f"{name}:{line}: matches {expression!r}, which must be absent: "
                        f"{found.group()[:60]!r}"
                    )
    return problems


def results_of(folder: Path, status: int | None) -> dict[str, bytes]:
    """A job's results as cells compare them: the log's program part, and the files."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != MANIFEST:
            content = path.read_bytes()
            found[name] = log_text(content, True, status) if name == LOG else content
    return found


def disagreement(
    first: tuple[str, Path, int | None], second: tuple[str, Path, int | None], rules: Rules
) -> str | None:
    """The first thing in which two cells' results (name, folder, status) differ, or None."""
    (a_name, a_folder, a_status), (b_name, b_folder, b_status) = first, second
    if a_status != b_status:
        return f"exit status {a_status} on {a_name}, {b_status} on {b_name}"
    try:
        a, b = results_of(a_folder, a_status), results_of(b_folder, b_status)
    except OSError as error:
        raise HccError(f"{error.filename}: {error.strerror}") from error
    for name in sorted(a.keys() | b.keys()):
        if name not in a or name not in b:
            there, lacking = (a_name, b_name) if name in a else (b_name, a_name)
            return f"{name}: {there} has it, {lacking} has not"
        problem = compare_file(a[name], b[name], rules, f"{name} on {b_name}")
        if problem is not None:
            return problem.replace("reference", f"{name} on {a_name}")
    return None
