"""Initialisers that are tables of numbers: what gcc makes of them, and nothing but faster."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from hcc.compiler.diagnostics import CompileError, Diagnostics
from hcc.compiler.ir.printer import print_module
from hcc.compiler.kernelc import FrontEndOptions, compile_c, tokens
from tests.kernelc.building import call, complaints, module_of, run_by_gcc
from tests.kernelc.initialisers import Initialisers

_TOKEN = re.compile(r"\s+|\w+|.", re.DOTALL)
_EXTRA = '{ } , ; - = 5 0x 09 1e+5 0xe+1 ( ) . [2]= .m0= x BIG PAIR TWICE( #define \\\n \n "s" \''


def _agrees_with_gcc(seed: int, folder: Path) -> None:
    print(f"seed {seed}")
    source, names = Initialisers(seed).program(30)
    path = folder / "tables.c"
    path.write_text(source)
    output, status = run_by_gcc(path)
    assert 0 == status
    target, local, *dumps = output.decode().splitlines()
    base = int(target, 16)
    objects = {name.split(".")[0]: g for name, g in module_of(source).globals.items()}
    for name, expected in zip(names, dumps, strict=True):
        found = objects[name]
        data = bytearray(found.init.ljust(found.size, b"\0"))
        for reloc in found.relocs:
            address = base + reloc.addend
            data[reloc.offset : reloc.offset + 8] = address.to_bytes(8, "little")

        assert expected == data.hex(), name
    assert int(local) == call(source, "sum_of_locals") % (1 << 32)


@pytest.mark.parametrize("seed", range(8))
def test_objects_are_what_gcc_makes_of_them(seed: int, tmp_path: Path) -> None:
    _agrees_with_gcc(seed, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("part", range(80))
def test_many_objects_are_what_gcc_makes_of_them(part: int, tmp_path: Path) -> None:
    _agrees_with_gcc(random.SystemRandom().getrandbits(32) + part, tmp_path)


# ---- with and without runs of numbers as one token ----


def _outcome(path: Path) -> str:
    """The IR of a source and its diagnostics as they are printed."""
    diagnostics = Diagnostics()
    try:
        module = compile_c(path, FrontEndOptions(), "t", diagnostics)
    except CompileError as error:
        return str(error)
    return print_module(module) + diagnostics.render()


_LEAST = "{6,}+"
_NO_RUNS = re.compile(
    tokens._SCANNER.pattern.replace(_LEAST, "{1000000,}+"), tokens._SCANNER.flags
)  # of so many numbers none is here
assert _LEAST in tokens._SCANNER.pattern


def _same_either_way(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(tokens, "_SCANNER", _NO_RUNS)
        expected = _outcome(path)

    assert expected == _outcome(path)


@pytest.mark.parametrize("part", range(40))
def test_wrong_programs_are_complained_about_as_without_tables(
    part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = random.SystemRandom().getrandbits(32) + part
    print(f"seed {seed}")
    rng = random.Random(seed)
    path = tmp_path / "wrong.c"
    source, _ = Initialisers(seed).program(8)
    words = _TOKEN.findall(source)
    for _ in range(rng.randrange(5)):
        at = rng.randrange(len(words))
        if rng.random() < 0.4:
            del words[at]
        else:
            words.insert(at, rng.choice(_EXTRA.split(" ")))
    path.write_text("".join(words))
    _same_either_way(path, monkeypatch)


@pytest.mark.parametrize(
    "text",
    [
        "int a[] = { 1, 2, 3, 4, 5, 6, 7 }",
        "int a[3] = { 1, 2, 3,\n 4, 5, 6, 7 };",
        "int a[] = { 1, 2, 3, 4 }\nint b[] = { 5, 6, 7, 8, 9 };\nint c;\nint d;\nint e = f;",
        "int a[] = { 1, 2, 3 4, 5, 6, 7 };",
        "int a[] = { 1, 2, 3,, 4, 5, 6, 7 };",
        "int a[] = { , 1, 2, 3, 4, 5, 6, 7 };",
        "int a[] = { 1, 2, 3, 4, 5, 6, 7 } };\nint b = 1 + ;",
        "int f(void) { int x; x = { 1, 2, 3, 4, 5, 6 }; return y; }",
        "int a[] = { 1, 2, 3, 4, 5, 6, 7 }, b[] = { 1, 2, 3, 4, 5, 6, 7 }, c[2;",
        "struct s { int a, b; } s[] = { {1, 2, 3}, {4, 5, 6, 7}, {1, 2} };",
        "char *p[] = { 0, 0, 1, 0, 0, 0, 0 };",
        "int x = { 1, 2, 3, 4, 5, 6, 7 };",
        "enum { A = { 1, 2, 3, 4, 5, 6, 7 } };",
        "struct undone s = { 1, 2, 3, 4, 5, 6, 7 };",
        "int a[][2] = { 1, 2, 3, 4, 5, 6, 7 };",
        "#define T { 1, 2, 3, 4, 5, 6, 7 }\nint a[] = T;\nint b[] = T",
        "#define F(a, b, ...) { b, a, __VA_ARGS__ }\nint a[] = F(1, 2, 3, 4, 5, 6, 7);",
        "#define S(...) #__VA_ARGS__\nchar a[] = S(1,2, 3 ,4,5 , { -6,7 });",
        "int a[] = { 1, 2, 3, 4, 5, 6, 0x1p+4, 1, 2, 3, 4, 5, 6, 08, 1, 2, 3, 4, 5e-1 };",
        "int g(int, ...); int f(void) { return g(1, 2, 3, 4, 5, 6, -7, 8); }",
        "int a[] = { 1, 2, 3, 4, 5, 6, 7 };\nint a[] = { 1, 2, 3, 4, 5, 6, 7 };",
        "extern int a[] = { 1, 2, 3, 4, 5, 6, 7 }; int b[7] = { [3] = 1, 2, 3, 4, 5, 6, 7 };",
        "typedef int t = { 1, 2, 3, 4, 5, 6, 7 };",
        "int a[] = { 1, 2, 3 - 4, 5, 6, -7u, -08, - 9, --1 };",
    ],
)
def test_edges_are_as_without_tables(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "edge.c"
    path.write_text(text)
    _same_either_way(path, monkeypatch)


def test_excess_elements_of_a_table_are_pointed_at() -> None:
    source = "int a[2][2] = {\n  { 1, 2 }, { 3, 4, 5 },\n  { 6, 7 } };\n"

    expected = [f"{place}: warning: excess elements in initialiser" for place in ("2:21", "3:3")]
    assert expected == complaints(source)


def test_braces_nested_deeper_than_any_type_are_no_table() -> None:
    depth = 3000
    source = "int x = " + "{" * depth + "1" + "}" * depth + ";\n"

    assert [] == complaints(source)


def test_numbers_behind_a_line_directive_keep_its_lines() -> None:
    source = "#line 100\nint a[2] = {\n 1, 2, 3,\n 4, 5, 6 };\n"

    assert ["101:8: warning: excess elements in initialiser"] == complaints(source)
