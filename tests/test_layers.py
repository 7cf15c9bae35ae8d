"""The floors of the house: a room imports only from below, and fenced libraries stay fenced."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = {"isa": 0, "compiler": 1, "emulator": 1, "runtime": 2}

# Library: the only places that may import it, as path prefixes.
FENCES = {
    "llvmlite": ("compiler/codegen/llvm.py", "emulator/"),
    "lark": ("compiler/",),
    "pcpp": ("compiler/kernelc/",),
    "elftools": ("compiler/link/lines.py", "emulator/jit/", "runtime/bench/"),
    "capstone": ("isa/",),
}


def modules() -> Iterator[Path]:
    for room in FLOORS:
        yield from sorted((ROOT / room).rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.lineno, node.module


@pytest.mark.parametrize("path", list(modules()), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_keep_floors_and_fences(path: Path) -> None:
    relative = path.relative_to(ROOT)
    room = relative.parts[0]
    for line, name in imports(path):
        parts = name.split(".")
        if parts[0] == "hcc":
            target = parts[1]
            allowed = target == room or FLOORS[target] < FLOORS[room]
            assert allowed, f"{relative}:{line} imports {name}"
        for library, places in FENCES.items():
            if parts[0] == library:
                assert str(relative).startswith(places), f"{relative}:{line} imports {name}"
