"""Preprocessing: gcc's tokens, and the errors with their places."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from hcc.compiler.diagnostics import CompileError, Diagnostics
from hcc.compiler.kernelc import FrontEndOptions, compile_c
from hcc.compiler.kernelc.positions import SourceFiles
from hcc.compiler.kernelc.predefined import predefined_macros
from hcc.compiler.kernelc.preprocess import Preprocessor
from hcc.isa.errors import HccError
from tests import cells
from tests.conftest import require
from tests.kernelc.building import PROGRAMS, call, complaints

_TOKEN = re.compile(
    r"""[A-Za-z_]\w*|\.?\d(?:[eEpP][+-]|[\w.])*|L?"(?:\\.|[^"])*"|L?'(?:\\.|[^'])*'|\S"""
)

MACROS = r"""
#define x 3
#define f(a) f(x * (a))
#undef x
#define x 2
#define g f
#define z z[0]
#define h g(~
#define m(a) a(w)
#define w 0,1
#define t(a) a
#define p() int
#define q(x) x
#define r(x,y) x ## y
#define str(x) # x
f(y+1) + f(f(z)) % t(t(g)(0) + t)(1);
g(x+(3,4)-w) | h 5) & m
(f)^m(m);
p() i[q()] = { q(1), r(2,3), r(4,), r(,5), r(,) };
char c[2][6] = { str(hello), str() };
#undef f
#undef h
#define xstr(s) str(s)
#define debug(s, t) printf("x" # s "= %d, x" # t "= %s", \
 x ## s, x ## t)
#define INCFILE(n) vers ## n
#define glue(a, b) a ## b
#define xglue(a, b) glue(a, b)
#define HIGHLOW "hello"
#define LOW LOW ", world"
debug(1, 2);
fputs(str(strncmp("abc\0d", "abc", '\4') // this goes away
== 0) str(: @\n), s);
xstr(INCFILE(2).h)
glue(HIGH, LOW);
xglue(HIGH, LOW)
#define hash_hash # ## #
#define mkstr(a) # a
#define in_between(a) mkstr(a)
#define join(c, d) in_between(c hash_hash d)
char pp[] = join(x, y);
#define t2(x,y,z) x ## y ## z
int j[] = { t2(1,2,3), t2(,4,5), t2(6,,7), t2(8,9,), t2(10,,), t2(,11,), t2(,,12), t2(,,) };
#define showlist(...) puts(#__VA_ARGS__)
#define report(test, ...) ((test)?puts(#test): printf(__VA_ARGS__))
showlist(The first, second, and third items.);
report(x>y, "x is %d but y is %d", x, y);
#define EV(fmt, args...) pr(fmt, ##args)
#define EW(fmt, ...) pr(fmt, ##__VA_ARGS__)
EV("a") EV("a", 1, 2) EW("b") EW("b", 3)
#define foo(x) bar x
foo(foo) (2)
#define NIL(xxx) xxx
#define G_0(arg) NIL(G_1)(arg)
#define G_1(arg) NIL(arg)
G_0(42)
#define AA BB
#define BB AA
AA BB
#define obj (obj2)
#define obj2 obj + 1
obj obj2 __COUNTER__ __COUNTER__
#define cat3(a,b) a EMPTY ## b
cat3(1,2)
#define MAXX(a,b) ((a)>(b)?(a):(b))
MAXX(MAXX(1,2),MAXX(3,MAXX(4,5)))
#define CALL(fn, ...) fn(__VA_ARGS__)
CALL(MAXX, 1, 2) 1.5e+3f 0x1p-3 .5 1. 0xFFULL 'a' L'b' L"w" "q\"r" a+++b a<<=b x->y ...
#define str2(s) #s
str2( a   b "x  y" '\'' "\\n" ) str2("\n") str2('"') str2(\n)
#define AAA(x) x AAA
AAA(1)(2)(3)
#define O_ AAA
O_(9)(8)
"""


def _tokens(path: Path) -> list[str]:
    diagnostics = Diagnostics()
    tokens = Preprocessor(FrontEndOptions(), SourceFiles(), diagnostics).run(path)
    assert [] == diagnostics.found
    return [t.value for t in tokens]


@pytest.mark.parametrize("path", [PROGRAMS / "c_preprocessor.c", None], ids=["program", "macros"])
def test_tokens_are_those_of_gcc(path: Path | None, tmp_path: Path) -> None:
    if path is None:
        path = tmp_path / "macros.c"
        path.write_text(MACROS)
    text = re.sub(r"#include.*", "", path.read_text())
    plain = tmp_path / "plain.c"
    plain.write_text(text)
    command = [require("gcc"), "-E", "-P", "-std=gnu99", "plain.c"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    expected = _TOKEN.findall(re.sub(r"#pragma.*", "", done.stdout))
    found = _TOKEN.findall(" ".join(_tokens(plain)))

    assert expected == [t.replace(str(plain), "plain.c") for t in found]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('#include "none.h"\n', ["1:10: error: include file 'none.h' not found"]),
        ("#include\n", ['1:2: error: #include expects "file" or <file>']),
        ("#if 1\nint a;\n", ["1:2: error: unterminated conditional directive"]),
        ("#endif\n", ["1:2: error: #endif without #if"]),
        ("#if 1\n#else\n#else\n#endif\n", ["3:2: error: #else after #else"]),
        ("#if\n#endif\n", ["1:2: error: #if with no expression"]),
        ("#if (1\n#endif\n", ["1:6: error: expected ')' in #if expression"]),
        ("#if 1 / 0\n#endif\n", ["1:7: error: division by zero in #if expression"]),
        ("#ifdef\n#endif\n", ["1:2: error: no macro name given in #ifdef"]),
        ("#error too bad\n", ["1:2: error: #error too bad"]),
        ("#warning hm\n", ["1:2: warning: #warning hm"]),
        ("#nonsense\n", ["1:2: error: invalid preprocessing directive '#nonsense'"]),
        ("#define\n", ["1:2: error: macro name missing in #define"]),
        ("#define F(a) a\nint x = F(1, 2);\n", ["2:9: error: macro 'F' requires 1 arguments, but "
                                               "2 given"]),
        ("#define F(a) a\nint x = F(1;\n", ["2:9: error: unterminated argument list of macro "
                                           "'F'"]),
        ("#define A 1\n#define A 2\n", ["2:9: warning: 'A' macro redefined"]),
        ("#define A 1\n#define A 1\n", []),
        ("#define C(a, b) a ## b\nint C(+, x);\n", ["2:7: error: pasting '+' and 'x' does not give "
                                                  "a valid token"]),
        ("int a;\n/* never closed\n", ["2:1: error: unterminated comment"]),
    ],
)  # fmt: skip
def test_errors_of_directives(source: str, expected: list[str]) -> None:
    assert expected == [
        c for c in complaints(source) if ": error: expected" not in c or c in expected
    ]


def test_line_directive_moves_the_place_of_what_follows() -> None:
    assert ["70:9: error: 'y' undeclared"] == complaints("#line 70\nint x = y;\n")


def test_definitions_from_outside(tmp_path: Path) -> None:
    path = tmp_path / "t.c"
    path.write_text("int f(void) { return TWICE(N); }")
    defines = (("N", "21"), ("TWICE(x)", "((x) * 2)"))

    module = compile_c(path, FrontEndOptions(defines=defines), "t")

    assert ["f"] == list(module.functions)
    with pytest.raises(HccError, match="-D 3x: not the name of a macro"):
        compile_c(path, FrontEndOptions(defines=(("3x", "1"),)), "t")


def test_include_folders_are_searched_in_order(tmp_path: Path) -> None:
    for name, value in (("one", 1), ("two", 2)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "value.h").write_text(f"#define VALUE {value}\n")
    path = tmp_path / "t.c"
    path.write_text('#include <value.h>\n_Static_assert(VALUE == 2, "");\n')
    folders = (tmp_path / "two", tmp_path / "one")

    compile_c(path, FrontEndOptions(include_dirs=folders), "t")
    (tmp_path / "value.h").write_text("#define VALUE 3\n")
    path.write_text('#include "value.h"\n_Static_assert(VALUE == 3, "");\n')
    compile_c(path, FrontEndOptions(include_dirs=folders), "t")


def test_a_guarded_header_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "g.h").write_text("#ifndef G\n#define G\nint g;\n#endif\n")
    (tmp_path / "o.h").write_text("#pragma once\nint o;\nstruct s { int a; };\n")
    path = tmp_path / "t.c"
    path.write_text('#include "g.h"\n#include "g.h"\n#include "o.h"\n#include "o.h"\n')

    compile_c(path, FrontEndOptions(), "t")


def test_a_header_that_includes_itself_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "t.c"
    path.write_text('#include "t.c"\n')

    with pytest.raises(CompileError, match="#include nested deeper than 200"):
        compile_c(path, FrontEndOptions(), "t")


def test_predefined_macros_describe_one_machine_on_all_isas() -> None:
    source = """
    #if !defined __HCC__ || __STDC_VERSION__ != 199901L || __SIZEOF_LONG__ != 8
    #error wrong
    #endif
    #if defined __x86_64__ || defined __aarch64__ || defined __riscv || defined __GNUC__
    #error an ISA shows
    #endif
    #if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__ || __INT_MAX__ != 2147483647
    #error wrong
    #endif
    int f(void) { return sizeof(__DATE__) + sizeof(__TIME__); }
    """

    assert 21 == call(source)


def test_limits_and_types_are_those_that_gcc_predefines(tmp_path: Path) -> None:
    """All but those of long double, which is double here."""
    gcc = require("gcc")
    families = re.compile(r"__(?!LDBL|DEC)\w+_(MAX|MIN|WIDTH|DIG|EXP|EPSILON|DENORM|TYPE)__")
    names = [m.split()[0] for m in predefined_macros() if families.match(m)]
    assert len(names) > 100
    lines = ["#include <stdio.h>", "int main(void) {"]
    for name in names:
        shown = f"(double)({name}), (int)sizeof({name})"
        if name.endswith("_TYPE__"):
            shown = f"(double)(({name})-1), (int)sizeof({name})"
        lines += [f"#ifndef {name}", f"#error {name}", "#endif"]
        lines.append(f'printf("{name} %.17g %d\\n", {shown});')
    source = tmp_path / "p.c"
    source.write_text("\n".join([*lines, "}", ""]))
    subprocess.run([gcc, "-o", "native", "p.c"], cwd=tmp_path, check=True)
    wanted = subprocess.run([tmp_path / "native"], capture_output=True, check=True)

    assert wanted.stdout == cells.run(cells.build((source,), 1), "x86_64").stdout
