"""Whatever is given as a source: a module or a clean error, never a traceback, never a hang."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from hcc.compiler.diagnostics import CompileError
from hcc.compiler.ir.verifier import verify
from hcc.compiler.kernelc import FrontEndOptions, compile_c
from hcc.isa.errors import HccError
from tests.kernelc.building import LIBRARY, PROGRAMS

_TOKEN = re.compile(
    r"""\s+|[A-Za-z_]\w*|\.?\d[\w.]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|.""", re.DOTALL
)
_WORDS = (
    "{ } ( ) [ ] ; , * & = int struct typedef static if else for return case default goto x 0 1 "
    '"s" -> . ... # sizeof void double const extern union enum switch do while : ? ++ \\ " \' /* '
    "## @ é _Float16 char unsigned __attribute__((packed)) 1.5 0x"
)
_LINES = ("\n#if 1\n", "\n#endif\n", "\n#define X(a) a\n", "\n#include <stdio.h>\n", "")
_SPICE = [*_WORDS.split(), *_LINES]


def _compiles(path: Path, content: str | bytes) -> bool:
    """Whether content compiles; anything but a module or an HccError fails the test."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        module = compile_c(path, FrontEndOptions(include_dirs=(LIBRARY,)), "t")
    except HccError as error:
        assert str(error)
        return False
    verify(module)
    return True


def _mutated(rng: random.Random, text: str) -> str:
    tokens = _TOKEN.findall(text)
    for _ in range(rng.choice([1, 1, 1, 2, 3, 6])):
        at = rng.randrange(len(tokens))
        match rng.randrange(6):
            case 0:
                del tokens[at]
            case 1:
                tokens.insert(at, rng.choice(_SPICE))
            case 2:
                tokens.insert(at, rng.choice(tokens))
            case 3:
                tokens[at] = rng.choice(_SPICE)
            case 4:
                other = rng.randrange(len(tokens))
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case 5:
                del tokens[at : at + rng.randrange(1, 30)]
    return "".join(tokens)


def _mutate_and_compile(seed: int, count: int, path: Path) -> None:
    rng = random.Random(seed)
    sources = sorted([*PROGRAMS.glob("*.c"), *LIBRARY.glob("*.c")])
    texts = [s.read_text() for s in sources if s.stat().st_size < 20_000]
    for i in range(count):
        text = _mutated(rng, rng.choice(texts))
        try:
            _compiles(path, text)
        except Exception as error:
            error.add_note(f"seed {seed}, mutation {i}; the source is {path}")
            raise


@pytest.mark.parametrize("seed", range(4))
def test_mutated_sources(seed: int, tmp_path: Path) -> None:
    _mutate_and_compile(seed, 30, tmp_path / "t.c")


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 105))
def test_many_mutated_sources(seed: int, tmp_path: Path) -> None:
    _mutate_and_compile(seed, 300, tmp_path / "t.c")


@pytest.mark.parametrize("seed", range(5))
def test_random_bytes(seed: int, tmp_path: Path) -> None:
    data = random.Random(seed).randbytes(3000)

    assert not _compiles(tmp_path / "t.c", data)
    assert not _compiles(tmp_path / "t.c", data.replace(b"\0", b" "))
    assert not _compiles(tmp_path / "t.c", b"\x7fELF\x02\x01\x01" + data)


def test_a_truncated_source_at_every_place(tmp_path: Path) -> None:
    text = (PROGRAMS / "c_vla.c").read_text()

    for end in range(0, len(text), 97):
        _compiles(tmp_path / "t.c", text[:end])


def test_bytes_that_are_no_utf8_are_let_through_in_comments_and_strings(tmp_path: Path) -> None:
    assert _compiles(tmp_path / "t.c", b'/* caf\xe9 */ char s[] = "\xe9";\r\n')
    assert not _compiles(tmp_path / "t.c", b"int \xe9;\n")


def test_a_nul_byte_is_an_error_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "t.c"
    path.write_bytes(b"int a;\nint b\0;\n")

    with pytest.raises(CompileError, match=r"t\.c:2: error: the file contains a NUL byte"):
        compile_c(path, FrontEndOptions(), "t")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(HccError, match=r"none\.c: no such file"):
        compile_c(tmp_path / "none.c", FrontEndOptions(), "t")
    with pytest.raises(HccError, match="is a directory"):
        compile_c(tmp_path, FrontEndOptions(), "t")


_DEEP = 2500
DEEP = {
    "parentheses": "int x = " + "(" * _DEEP + "1" + ")" * _DEEP + ";",
    "signs": "int f(int a) { return " + "-~" * _DEEP + "a; }",
    "sum": "int f(int a) { return a" + " + a" * _DEEP + "; }",
    "conditions": "int f(int a) { return a" + " && a" * _DEEP + "; }",
    "choices": "int f(int a) { return " + "a ? 1 : " * _DEEP + "2; }",
    "assignments": "int f(int a) { return " + "a = " * _DEEP + "2; }",
    "blocks": "int f(int a) {" + "{" * _DEEP + "a = 1;" + "}" * _DEEP + "return a; }",
    "ifs": "int f(int a) {" + "if (a) " * _DEEP + "a = 1; return a; }",
    "else-ifs": "int f(int a) {" + "if (a == 1) a = 2; else " * _DEEP + "a = 1; return a; }",
    "loops": "int f(int a) {" + "while (a) " * _DEEP + "a = 1; return a; }",
    "pointers": "int " + "*" * _DEEP + "p; int f(void) { return " + "*" * _DEEP + "p; }",
    "arrays": "int a" + "[1]" * _DEEP + ";",
    "calls": "int g(int); int f(int a) { return " + "g(" * _DEEP + "a" + ")" * _DEEP + "; }",
    "braces": "int a = " + "{" * _DEEP + "1" + "}" * _DEEP + ";",
    "structs": "struct s " + "{ struct " * _DEEP + "{ int x; }" + " m; }" * _DEEP + ";",
    "functions": "int " + "(*" * _DEEP + "f" + ")(void)" * _DEEP + ";",
    "open": "int f(void) {" + "{(" * _DEEP,
    "casts": "int f(int a) { return " + "(int)(char)" * _DEEP + "a; }",
    "macro calls": "#define F(x) x\nint a = " + "F(" * 1000 + "1" + ")" * 1000 + ";",
    "#ifs": "#if 1\n" * _DEEP + "#endif\n" * _DEEP + "int a;",
    "#if expression": "#if " + "(" * _DEEP + "1" + ")" * _DEEP + "\nint a;\n#endif\n",
    "labels": "int f(int a) {" + "".join(f"l{i}:" for i in range(_DEEP)) + "; return a; }",
    "long line": "int a = 1" + " " * 100_000 + ";",
    "digits": "int a = " + "1" * 10_000 + ";",
}


@pytest.mark.parametrize("name", DEEP)
def test_deep_nesting_compiles_or_is_refused(name: str, tmp_path: Path) -> None:
    _compiles(tmp_path / "t.c", DEEP[name])


@pytest.mark.parametrize(
    "source",
    [
        "int a[1L << 50];",
        "int a[] = {[1 << 30] = 1};",
        "int a[] = {[0 ... 1 << 28] = 1};",
        "int f(int x) { switch (x) { case 0 ... 1 << 30: return 1; } return 0; }",
        "struct s { int a[1 << 30][1 << 30]; };",
    ],
)
def test_absurd_sizes_are_refused(source: str, tmp_path: Path) -> None:
    assert not _compiles(tmp_path / "t.c", source)
